/// Reads a condition by bytes.
struct ConditionParser: ExpressionParser {
    var scanner: ExpressionScanner
    // Its length bounds its tests.
    var nesting = ExpressionNesting(
        what: "a condition", longest: PlanCondition.longest, deepest: PlanCondition.deepest, mostTests: PlanCondition.longest)

    init(_ bytes: [UInt8]) { scanner = ExpressionScanner(bytes) }

    mutating func test() throws(ExpressionFault) -> Expression<PlanCondition.Test> {
        let name = try name()
        scanner.skipBlanks()
        let start = scanner.at
        for comparison in PlanCondition.Comparison.allCases {
            let isWord = comparison.rawValue.utf8.allSatisfy(ExpressionScanner.isLetter)
            guard isWord ? scanner.takeWord(comparison.rawValue) : scanner.take(comparison.rawValue) else { continue }
            guard name.kind.isText else {
                throw scanner.fault("'\(name.kind.rawValue)' holds or does not; it cannot be compared", at: start)
            }
            return .test(.compare(name, comparison, try values(of: comparison)))
        }
        return .test(.fact(name))
    }

    private mutating func values(of comparison: PlanCondition.Comparison) throws(ExpressionFault) -> [String] {
        guard comparison == .isOneOf else { return [try value()] }
        guard scanner.take("[") else { throw scanner.fault("a list is missing after 'in'; write for instance in [\"a\", \"b\"]") }
        var values = [try value()]
        while scanner.take(",") { values.append(try value()) }
        guard scanner.take("]") else { throw scanner.fault("']' is expected, not '\(scanner.rest)'") }
        return values
    }

    private mutating func value() throws(ExpressionFault) -> String {
        scanner.skipBlanks()
        if let text = try scanner.quoted() { return text }
        let number = scanner.run { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        guard !number.utf8.isEmpty else { throw scanner.fault("a text in quotes or a number is expected, not '\(scanner.rest)'") }
        return number
    }

    private mutating func name() throws(ExpressionFault) -> PlanCondition.Name {
        scanner.skipBlanks()
        let start = scanner.at
        let word = scanner.word()
        guard let kind = PlanCondition.Name.Kind(rawValue: word) else {
            let all = PlanCondition.Name.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            let what = word.utf8.isEmpty ? "a name is expected, not '\(scanner.rest)'" : "there is no '\(word)'"
            throw scanner.fault("\(what); known are \(all)", at: start)
        }
        var detail: String?
        if scanner.take(".") || (kind.group != nil && scanner.take(":")) {
            let text = kind.group != nil && scanner.isAtQuote ? try value() : scanner.word()
            guard !text.utf8.isEmpty else { throw scanner.fault("a name is missing after '\(word).'") }
            detail = text
        }
        if kind.detail == true, detail == nil { throw scanner.fault("'\(word)' needs a name: \(word).NAME", at: start) }
        if kind.detail == false, detail != nil { throw scanner.fault("'\(word)' has nothing behind a point", at: start) }
        if kind == .replied, let detail, ReplyClass(rawValue: detail).map({ !$0.isHuman && $0 != .leftCompany }) ?? true {
            let isEnd = ["unsubscribe", "complaint"].contains { $0.utf8.elementsEqual(detail.utf8) }
            let what = "'\(detail)' " + (isEnd ? "always ends the sequence, so that nothing is decided after it" : "is no class of replies")
            throw scanner.fault("\(what); there are \(ReplyClass.humanWords), left_company", at: start)
        }
        if kind == .bounced, let detail, !PlanCheck.failureClasses.contains(detail) {
            throw scanner.fault("'\(detail)' is no class of failures; there are \(PlanCheck.failureClasses.joined(separator: ", "))", at: start)
        }
        if let group = kind.group, let detail {
            do throws(ContactGroup.Name.Fault) {
                _ = try ContactGroup.Name(group, detail)
            } catch {
                throw scanner.fault(error.message, at: start)
            }
        }
        return PlanCondition.Name(kind: kind, detail: detail)
    }
}
