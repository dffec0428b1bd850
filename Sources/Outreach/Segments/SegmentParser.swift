import InternetMessage

/// Reads a query by bytes.
struct SegmentParser {
    private typealias Fault = SegmentQuery.Fault
    private typealias Node = SegmentQuery.Node

    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0
    private var tests = 0
    private(set) var mentions: [SegmentQuery.Mention] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func query() throws(SegmentQuery.Fault) -> SegmentQuery.Node {
        guard bytes.count <= SegmentQuery.longest else { throw fault("a query has at most \(SegmentQuery.longest) bytes", at: 0) }
        let node = try any()
        skipBlanks()
        guard at == bytes.count else { throw fault("'and', 'or' or the end is expected, not '\(rest())'") }
        return node
    }

    private mutating func any() throws(SegmentQuery.Fault) -> SegmentQuery.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= SegmentQuery.deepest else { throw fault("parentheses are nested deeper than \(SegmentQuery.deepest)") }
        var nodes = [try all()]
        while takeWord("or") { nodes.append(try all()) }
        return nodes.count == 1 ? nodes[0] : .any(nodes)
    }

    private mutating func all() throws(SegmentQuery.Fault) -> SegmentQuery.Node {
        var nodes = [try one()]
        while takeWord("and") { nodes.append(try one()) }
        return nodes.count == 1 ? nodes[0] : .all(nodes)
    }

    private mutating func one() throws(SegmentQuery.Fault) -> SegmentQuery.Node {
        var negations = 0
        while takeWord("not") { negations += 1 }
        let node: Node
        if take("(") {
            node = try any()
            guard take(")") else { throw fault("')' is expected, not '\(rest())'") }
        } else {
            tests += 1
            guard tests <= SegmentQuery.mostTests else { throw fault("a query has at most \(SegmentQuery.mostTests) tests") }
            node = try test()
        }
        return negations % 2 == 0 ? node : .not(node)
    }

    // MARK: Tests

    private mutating func test() throws(SegmentQuery.Fault) -> SegmentQuery.Node {
        skipBlanks()
        let start = at
        let word = word()
        guard !word.utf8.isEmpty else {
            throw fault("a name is expected, for instance tag:NAME, domain or the name of a field, not '\(rest())'")
        }
        switch word {
        case "tag", "list":
            let kind: ContactGroup.Kind = word.utf8.elementsEqual("tag".utf8) ? .tag : .list
            guard let text = try detail(of: word) else { throw fault("'\(word)' needs a name: \(word):NAME", at: start) }
            do throws(ContactGroup.Name.Fault) {
                let name = try ContactGroup.Name(kind, text)
                mention(kind == .tag ? .tag : .list, text, start)
                return .test(.isIn(name))
            } catch {
                throw fault(error.message, at: start)
            }
        case "suppressed": return .test(.suppressed)
        case "enrolled": return .test(.enrolled(sequence: try sequence(of: word, start)))
        case "replied":
            guard let text = try detail(of: word) else { return .test(.replied(nil)) }
            guard let replyClass = ReplyClass(rawValue: text) else {
                let known = ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")
                throw fault("'\(text)' is no class of replies; there are \(known)", at: start)
            }
            return .test(.replied(replyClass))
        case "created":
            guard let order = order() else { throw fault("one of < <= > >= = is expected after 'created', not '\(rest())'") }
            return .test(.created(order, try moment()))
        case "imported":
            guard let order = order() else { return .test(.imported(nil, .ago(.none))) }
            return .test(.imported(order, try moment()))
        case "email": return try comparison(.email)
        case "domain": return try comparison(.domain)
        case "name": return try comparison(.name)
        case "time_zone": return try comparison(.timeZone)
        case "provider": return try comparison(.provider)
        case "state": return try comparison(.state(sequence: try sequence(of: word, start)))
        case "cause": return try comparison(.cause(sequence: try sequence(of: word, start)))
        case "and", "or", "in", "contains", "starts_with", "ends_with":
            throw fault("a name is expected, not '\(word)'; write field.\(word) for a field of that name", at: start)
        case "field":
            guard at < bytes.count, bytes[at] == UInt8(ascii: ".") else { break }
            at += 1
            let name = self.word()
            guard !name.utf8.isEmpty else { throw fault("the name of a field is expected after 'field.', not '\(rest())'") }
            mention(.field, name, start)
            return try comparison(.field(name))
        default: break
        }
        mention(.field, word, start)
        return try comparison(.field(word))
    }

    private mutating func comparison(_ text: SegmentQuery.Text) throws(SegmentQuery.Fault) -> SegmentQuery.Node {
        skipBlanks()
        let start = at
        if takeWord("contains") { return .test(.compare(text, .contains(try part(of: text, start)))) }
        if takeWord("starts_with") { return .test(.compare(text, .startsWith(try part(of: text, start)))) }
        if takeWord("ends_with") { return .test(.compare(text, .endsWith(try part(of: text, start)))) }
        if takeWord("in") { return .test(.compare(text, .oneOf(try values(of: text)))) }
        if takeWord("not") {
            guard takeWord("in") else { throw fault("'in' is expected after 'not', not '\(rest())'", at: start) }
            return .not(.test(.compare(text, .oneOf(try values(of: text)))))
        }
        if take("!=") || take("<>") { return .not(.test(.compare(text, .oneOf([try value(of: text)])))) }
        guard let order = order() else { return .test(.given(text)) }
        if order == .same { return .test(.compare(text, .oneOf([try value(of: text)]))) }
        try refuseParts(of: text, at: start)
        let place = at
        let written = try value()
        guard let number = SegmentNumber.read(Array(written.utf8)) else {
            throw fault("a number is expected after '\(order.rawValue)', not '\(written)'", at: afterBlanks(place))
        }
        return .test(.compare(text, .number(order, number)))
    }

    /// What of states and causes cannot be asked.
    private func refuseParts(of text: SegmentQuery.Text, at start: Int) throws(SegmentQuery.Fault) {
        switch text {
        case .state, .cause: throw fault("a state or cause is compared with =, != and in alone", at: start)
        case .field, .email, .domain, .name, .timeZone, .provider: break
        }
    }

    /// - Parameter comparison: where the word stands that asks for a part.
    private mutating func part(of text: SegmentQuery.Text, _ comparison: Int) throws(SegmentQuery.Fault) -> String {
        try refuseParts(of: text, at: comparison)
        let start = at
        let part = Self.folded(try value())
        guard !part.utf8.isEmpty else { throw fault("an empty text is part of every one; write something", at: afterBlanks(start)) }
        return part
    }

    private mutating func values(of text: SegmentQuery.Text) throws(SegmentQuery.Fault) -> [String] {
        let close: String
        if take("(") {
            close = ")"
        } else if take("[") {
            close = "]"
        } else {
            throw fault("a list is expected after 'in', for instance in (\"a\", \"b\"), not '\(rest())'")
        }
        var values = [try value(of: text)]
        while take(",") { values.append(try value(of: text)) }
        guard take(close) else { throw fault("',' or '\(close)' is expected, not '\(rest())'") }
        return values
    }

    /// A text to be compared whole, as it is compared.
    private mutating func value(of text: SegmentQuery.Text) throws(SegmentQuery.Fault) -> String {
        let start = at
        let value = Self.folded(try value())
        func known(_ words: [String], _ what: String, name: String) throws(SegmentQuery.Fault) -> String {
            guard words.contains(where: { $0.utf8.elementsEqual(value.utf8) }) else {
                throw fault(
                    "'\(value)' is no \(what); there are \(words.joined(separator: ", ")); a field of that name is written field.\(name)",
                    at: afterBlanks(start))
            }
            return value
        }
        switch text {
        case .state: return try known(Enrollment.State.allCases.map(\.rawValue), "state of enrollments", name: "state")
        case .cause: return try known(Enrollment.Cause.allCases.map(\.rawValue), "cause of an end", name: "cause")
        case .domain: return EmailAddress("a@" + value)?.asciiDomain.map(Self.folded) ?? value
        case .field, .email, .name, .timeZone, .provider: return value
        }
    }

    // MARK: Values

    /// A text in quotes, or a word without.
    private mutating func value() throws(SegmentQuery.Fault) -> String {
        skipBlanks()
        let start = at
        for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] where at < bytes.count && bytes[at] == quote {
            guard let end = bytes[(at + 1)...].firstIndex(of: quote) else {
                throw fault("a text is opened with \(Character(Unicode.Scalar(quote))) and never closed", at: start)
            }
            at = end + 1
            return String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
        }
        while at < bytes.count, Self.isBare(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard at > start else { throw fault("a text is expected, not '\(rest())'") }
        if ["and", "or", "not", "in"].contains(where: { $0.utf8.elementsEqual(text.utf8) }) {
            throw fault("a text is expected, not '\(text)'; put it in quotes if it is meant", at: start)
        }
        return text
    }

    private mutating func moment() throws(SegmentQuery.Fault) -> SegmentQuery.Moment {
        skipBlanks()
        let start = at
        let written = try value()
        if let duration = ISODuration(written) {
            guard takeWord("ago") else { throw fault("'ago' is expected after \(written), not '\(rest())'") }
            return .ago(duration)
        }
        guard let date = Self.day(Array(written.utf8)) else {
            throw fault("a day like 2026-03-01 is expected, or P30D ago, not '\(written)'", at: start)
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
        if take("==") { return .same }
        return SegmentQuery.Order.allCases.first { take($0.rawValue) }
    }

    /// What stands behind the colon or point right after a name; nil when there is none.
    private mutating func detail(of name: String) throws(SegmentQuery.Fault) -> String? {
        guard at < bytes.count, bytes[at] == UInt8(ascii: ":") || bytes[at] == UInt8(ascii: ".") else { return nil }
        at += 1
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") || Self.isBare(bytes[at]) else {
            throw fault("a name is expected after '\(name):', not '\(rest())'")
        }
        return try value()
    }

    private mutating func sequence(of name: String, _ start: Int) throws(SegmentQuery.Fault) -> String? {
        let sequence = try detail(of: name)
        if let sequence { mention(.sequence, sequence, start) }
        return sequence
    }

    // MARK: Bytes

    private mutating func mention(_ kind: SegmentQuery.Mention.Kind, _ text: String, _ place: Int) {
        mentions.append(.init(kind: kind, text: text, column: column(place)))
    }

    private mutating func word() -> String {
        let start = at
        while at < bytes.count, Self.isLetter(bytes[at]) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    /// What texts without quotes are made of.
    private static func isBare(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte >= 0x80 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "/")
    }

    private mutating func takeWord(_ word: String) -> Bool {
        skipBlanks()
        let end = at + word.utf8.count
        guard end <= bytes.count, bytes[at..<end].elementsEqual(word.utf8), end == bytes.count || !Self.isBare(bytes[end]) else {
            return false
        }
        at = end
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        skipBlanks()
        let end = at + text.utf8.count
        guard end <= bytes.count, bytes[at..<end].elementsEqual(text.utf8) else { return false }
        at = end
        return true
    }

    private mutating func skipBlanks() { at = afterBlanks(at) }

    private func afterBlanks(_ place: Int) -> Int {
        bytes[place...].firstIndex { $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 } ?? bytes.count
    }

    private func rest() -> String { at < bytes.count ? String(decoding: bytes[at...].prefix(20), as: UTF8.self) : "the end" }

    private static func folded(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private func column(_ place: Int) -> Int { bytes[..<min(place, bytes.count)].count { $0 & 0xC0 != 0x80 } + 1 }

    private func fault(_ message: String, at place: Int? = nil) -> SegmentQuery.Fault {
        SegmentQuery.Fault(column: column(place ?? at), message: message)
    }
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
