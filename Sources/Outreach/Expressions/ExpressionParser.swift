/// Reads an expression of tests of its own kind: whoever conforms says what a test is, the joining is the same for all.
protocol ExpressionParser {
    associatedtype Test: Sendable & Equatable

    var scanner: ExpressionScanner { get set }
    var nesting: ExpressionNesting { get set }

    /// Reads one test; it may come back negated, where it is written so.
    mutating func test() throws(ExpressionFault) -> Expression<Test>
}

/// How large an expression may be, and how far one has come that is being read.
struct ExpressionNesting {
    /// "a query", "a condition".
    let what: String
    /// Octets.
    let longest: Int
    let deepest: Int
    let mostTests: Int
    fileprivate var depth = 0
    fileprivate var tests = 0

    init(what: String, longest: Int, deepest: Int, mostTests: Int) {
        self.what = what
        self.longest = longest
        self.deepest = deepest
        self.mostTests = mostTests
    }
}

extension ExpressionParser {
    /// The whole text.
    mutating func expression() throws(ExpressionFault) -> Expression<Test> {
        guard scanner.bytes.count <= nesting.longest else {
            throw scanner.fault("\(nesting.what) has at most \(nesting.longest) bytes", at: 0)
        }
        let whole = try any()
        scanner.skipBlanks()
        guard scanner.isAtEnd else { throw scanner.fault("'and', 'or' or the end is expected, not '\(scanner.rest)'") }
        return whole
    }

    private mutating func any() throws(ExpressionFault) -> Expression<Test> {
        nesting.depth += 1
        defer { nesting.depth -= 1 }
        guard nesting.depth <= nesting.deepest else { throw scanner.fault("parentheses are nested deeper than \(nesting.deepest)") }
        var parts = [try all()]
        while scanner.takeWord("or") { parts.append(try all()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func all() throws(ExpressionFault) -> Expression<Test> {
        var parts = [try one()]
        while scanner.takeWord("and") { parts.append(try one()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func one() throws(ExpressionFault) -> Expression<Test> {
        var negations = 0
        while scanner.takeWord("not") { negations += 1 }
        let part: Expression<Test>
        if scanner.take("(") {
            part = try any()
            guard scanner.take(")") else { throw scanner.fault("')' is expected, not '\(scanner.rest)'") }
        } else {
            nesting.tests += 1
            guard nesting.tests <= nesting.mostTests else { throw scanner.fault("\(nesting.what) has at most \(nesting.mostTests) tests") }
            part = try test()
        }
        return negations % 2 == 0 ? part : .not(part)
    }
}
