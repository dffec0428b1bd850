import InternetMessage

/// Reads a query by bytes.
struct SegmentParser: ExpressionParser {
    var scanner: ExpressionScanner
    var nesting = ExpressionNesting(
        what: "a query", longest: SegmentQuery.longest, deepest: SegmentQuery.deepest, mostTests: SegmentQuery.mostTests)
    private(set) var mentions: [SegmentQuery.Mention] = []

    init(_ bytes: [UInt8]) { scanner = ExpressionScanner(bytes) }

    // MARK: Tests

    mutating func test() throws(ExpressionFault) -> Expression<SegmentQuery.Test> {
        scanner.skipBlanks()
        let start = scanner.at
        let word = scanner.word()
        guard !word.utf8.isEmpty else {
            throw scanner.fault("a name is expected, for instance tag:NAME, domain or the name of a field, not '\(scanner.rest)'")
        }
        if let mail = SegmentQuery.Mail(rawValue: word) { return .test(.mailed(mail, sequence: try sequence(of: word, start))) }
        switch word {
        case "tag", "list":
            let kind: ContactGroup.Kind = word.utf8.elementsEqual("tag".utf8) ? .tag : .list
            guard let text = try detail(of: word) else { throw scanner.fault("'\(word)' needs a name: \(word):NAME", at: start) }
            do throws(ContactGroup.Name.Fault) {
                let name = try ContactGroup.Name(kind, text)
                mention(kind == .tag ? .tag : .list, text, start)
                return .test(.isIn(name))
            } catch {
                throw scanner.fault(error.message, at: start)
            }
        case "suppressed": return .test(.suppressed)
        case "enrolled": return .test(.enrolled(sequence: try sequence(of: word, start)))
        case "replied":
            guard let text = try detail(of: word) else { return .test(.replied(nil)) }
            guard let replyClass = ReplyClass(rawValue: text) else {
                let known = ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")
                throw scanner.fault("'\(text)' is no class of replies; there are \(known)", at: start)
            }
            return .test(.replied(replyClass))
        case "created":
            guard let order = order() else { throw scanner.fault("one of < <= > >= = is expected after 'created', not '\(scanner.rest)'") }
            return .test(.created(order, try moment()))
        case "imported":
            guard let order = order() else { return .test(.imported(nil, .ago(.none))) }
            return .test(.imported(order, try moment()))
        case "consent_date":
            guard let order = order() else { return .test(.consented(nil, .ago(.none))) }
            return .test(.consented(order, try moment()))
        case "email": return try comparison(.email)
        case "domain": return try comparison(.domain)
        case "name": return try comparison(.name)
        case "time_zone": return try comparison(.timeZone)
        case "consent_source": return try comparison(.consentSource)
        case "provider": return try comparison(.provider)
        case "state": return try comparison(.state(sequence: try sequence(of: word, start)))
        case "cause": return try comparison(.cause(sequence: try sequence(of: word, start)))
        case "and", "or", "in", "contains", "starts_with", "ends_with":
            throw scanner.fault("a name is expected, not '\(word)'; write field.\(word) for a field of that name", at: start)
        case "field":
            guard scanner.takeHere([UInt8(ascii: ".")]) else { break }
            let name = scanner.word()
            guard !name.utf8.isEmpty else { throw scanner.fault("the name of a field is expected after 'field.', not '\(scanner.rest)'") }
            mention(.field, name, start)
            return try comparison(.field(name))
        default: break
        }
        mention(.field, word, start)
        return try comparison(.field(word))
    }

    private mutating func comparison(_ text: SegmentQuery.Text) throws(ExpressionFault) -> Expression<SegmentQuery.Test> {
        scanner.skipBlanks()
        let start = scanner.at
        if scanner.takeWord("contains") { return .test(.compare(text, .contains(try part(of: text, start)))) }
        if scanner.takeWord("starts_with") { return .test(.compare(text, .startsWith(try part(of: text, start)))) }
        if scanner.takeWord("ends_with") { return .test(.compare(text, .endsWith(try part(of: text, start)))) }
        if scanner.takeWord("in") { return .test(.compare(text, .oneOf(try values(of: text)))) }
        if scanner.takeWord("not") {
            guard scanner.takeWord("in") else { throw scanner.fault("'in' is expected after 'not', not '\(scanner.rest)'", at: start) }
            return .not(.test(.compare(text, .oneOf(try values(of: text)))))
        }
        if scanner.take("!=") || scanner.take("<>") { return .not(.test(.compare(text, .oneOf([try value(of: text)])))) }
        guard let order = order() else { return .test(.given(text)) }
        if order == .same { return .test(.compare(text, .oneOf([try value(of: text)]))) }
        try refuseParts(of: text, at: start)
        let place = scanner.at
        let written = try value()
        guard let number = SegmentNumber.read(Array(written.utf8)) else {
            throw scanner.fault("a number is expected after '\(order.rawValue)', not '\(written)'", at: scanner.afterBlanks(place))
        }
        return .test(.compare(text, .number(order, number)))
    }

    /// What of states and causes cannot be asked.
    private func refuseParts(of text: SegmentQuery.Text, at start: Int) throws(ExpressionFault) {
        switch text {
        case .state, .cause: throw scanner.fault("a state or cause is compared with =, != and in alone", at: start)
        case .field, .email, .domain, .name, .timeZone, .consentSource, .provider: break
        }
    }

    /// - Parameter comparison: where the word stands that asks for a part.
    private mutating func part(of text: SegmentQuery.Text, _ comparison: Int) throws(ExpressionFault) -> String {
        try refuseParts(of: text, at: comparison)
        let start = scanner.at
        let part = folded(try value())
        guard !part.utf8.isEmpty else {
            throw scanner.fault("an empty text is part of every one; write something", at: scanner.afterBlanks(start))
        }
        return part
    }

    private mutating func values(of text: SegmentQuery.Text) throws(ExpressionFault) -> [String] {
        let close: String
        if scanner.take("(") {
            close = ")"
        } else if scanner.take("[") {
            close = "]"
        } else {
            throw scanner.fault("a list is expected after 'in', for instance in (\"a\", \"b\"), not '\(scanner.rest)'")
        }
        var values = [try value(of: text)]
        while scanner.take(",") { values.append(try value(of: text)) }
        guard scanner.take(close) else { throw scanner.fault("',' or '\(close)' is expected, not '\(scanner.rest)'") }
        return values
    }

    /// A text to be compared whole, as it is compared.
    private mutating func value(of text: SegmentQuery.Text) throws(ExpressionFault) -> String {
        let start = scanner.at
        let value = folded(try value())
        func known(_ words: [String], _ what: String, name: String) throws(ExpressionFault) -> String {
            guard words.contains(where: { $0.utf8.elementsEqual(value.utf8) }) else {
                throw scanner.fault(
                    "'\(value)' is no \(what); there are \(words.joined(separator: ", ")); a field of that name is written field.\(name)",
                    at: scanner.afterBlanks(start))
            }
            return value
        }
        switch text {
        case .state: return try known(Enrollment.State.allCases.map(\.rawValue), "state of enrollments", name: "state")
        case .cause: return try known(Enrollment.Cause.allCases.map(\.rawValue), "cause of an end", name: "cause")
        case .domain: return EmailAddress("a@" + value)?.asciiDomain.map(folded) ?? value
        case .field, .email, .name, .timeZone, .consentSource, .provider: return value
        }
    }

    // MARK: Values

    /// A text in quotes, or a word without.
    private mutating func value() throws(ExpressionFault) -> String {
        scanner.skipBlanks()
        let start = scanner.at
        if let text = try scanner.quoted() { return text }
        let text = scanner.run(while: ExpressionScanner.isBare)
        guard !text.utf8.isEmpty else { throw scanner.fault("a text is expected, not '\(scanner.rest)'") }
        if ["and", "or", "not", "in"].contains(where: { $0.utf8.elementsEqual(text.utf8) }) {
            throw scanner.fault("a text is expected, not '\(text)'; put it in quotes if it is meant", at: start)
        }
        return text
    }

    private mutating func moment() throws(ExpressionFault) -> SegmentQuery.Moment {
        scanner.skipBlanks()
        let start = scanner.at
        let written = try value()
        if let duration = ISODuration(written) {
            guard scanner.takeWord("ago") else { throw scanner.fault("'ago' is expected after \(written), not '\(scanner.rest)'") }
            return .ago(duration)
        }
        guard let date = Self.day(Array(written.utf8)) else {
            throw scanner.fault("a day like 2026-03-01 is expected, or P30D ago, not '\(written)'", at: start)
        }
        return .day(date)
    }

    private static func day(_ bytes: [UInt8]) -> CivilDate? {
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(Int?(0)) { sum, byte in byte >= 48 && byte <= 57 ? sum.map { $0 * 10 + Int(byte - 48) } : nil }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    private mutating func order() -> SegmentQuery.Order? {
        if scanner.take("==") { return .same }
        return SegmentQuery.Order.allCases.first { scanner.take($0.rawValue) }
    }

    /// What stands behind the colon or point right after a name; nil when there is none.
    private mutating func detail(of name: String) throws(ExpressionFault) -> String? {
        guard scanner.takeHere([UInt8(ascii: ":"), UInt8(ascii: ".")]) else { return nil }
        guard scanner.isAtQuote || scanner.next.map(ExpressionScanner.isBare) == true else {
            throw scanner.fault("a name is expected after '\(name):', not '\(scanner.rest)'")
        }
        return try value()
    }

    private mutating func sequence(of name: String, _ start: Int) throws(ExpressionFault) -> String? {
        let sequence = try detail(of: name)
        if let sequence { mention(.sequence, sequence, start) }
        return sequence
    }

    // MARK: Words

    private mutating func mention(_ kind: SegmentQuery.Mention.Kind, _ text: String, _ place: Int) {
        mentions.append(.init(kind: kind, text: text, column: scanner.column(place)))
    }

    private func folded(_ text: String) -> String { String(decoding: ExpressionScanner.folded(text), as: UTF8.self) }
}

/// What counts as a number in a field: digits with a sign and a point, few enough to be compared exactly.
package enum SegmentNumber {
    package static let longest = 15

    /// nil for anything else.
    package static func read(_ bytes: [UInt8]) -> Double? {
        let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
        let isPlain = digits.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") }
        guard isPlain, bytes.count <= longest, digits.count(where: { $0 == UInt8(ascii: ".") }) <= 1,
            digits.contains(where: { $0 != UInt8(ascii: ".") })
        else { return nil }
        return Double(String(decoding: bytes, as: UTF8.self))
    }
}
