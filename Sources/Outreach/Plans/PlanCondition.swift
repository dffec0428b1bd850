/// What must hold for a way: `field.country == "DE" and not replied.negative`.
///
/// - Names: `field.NAME`, `email`, `domain`, `provider`, `name`, `identity`, `intent` (of the latest reply) and `variant.STEP` are texts; `sent.STEP`,
///   `replied`, `replied.CLASS`, `bounced`, `bounced.CLASS`, `out_of_office`, `tag.NAME` and `list.NAME` are facts. A text alone holds when
///   it is not empty. The name of a tag or list may stand in quotes, and a colon before it.
/// - Comparisons: `==`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `starts_with`, `ends_with` and `in ["a", "b"]`. ASCII letters are compared
///   without regard to case; `<` and the like compare whole and decimal numbers, and hold for nothing else.
/// - `and`, `or`, `not` and parentheses join them; `and` binds closer than `or`.
package struct PlanCondition: Sendable, Equatable, Codable {
    /// What is wrong with one and where, counted in bytes from 1.
    package struct Fault: Error, Sendable, Equatable {
        package let column: Int
        package let message: String
    }

    package let source: String
    let root: Node

    indirect enum Node: Sendable, Equatable {
        case all([Node])
        case any([Node])
        case not(Node)
        case fact(Name)
        case compare(Name, Comparison, [String])
    }

    enum Comparison: String, Sendable, CaseIterable {
        case equal = "=="
        case different = "!="
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case more = ">"
        case contains
        case startsWith = "starts_with"
        case endsWith = "ends_with"
        case isOneOf = "in"
    }

    /// `replied.positive` is `replied` and `positive`.
    struct Name: Sendable, Equatable {
        let kind: Kind
        let detail: String?

        enum Kind: String, Sendable, CaseIterable {
            case field
            case email
            case domain
            case provider
            case name
            case identity
            case intent
            case variant
            case sent
            case replied
            case bounced
            case outOfOffice = "out_of_office"
            case tag
            case list

            /// Whether it needs, may have or has no detail.
            var detail: Bool? {
                switch self {
                case .field, .variant, .sent, .tag, .list: true
                case .replied, .bounced: nil
                case .email, .domain, .provider, .name, .identity, .intent, .outOfOffice: false
                }
            }

            /// Of which kind the group is that it asks for; nil: it asks for something else.
            var group: ContactGroup.Kind? {
                switch self {
                case .tag: .tag
                case .list: .list
                default: nil
                }
            }

            var isText: Bool {
                switch self {
                case .field, .email, .domain, .provider, .name, .identity, .intent, .variant: true
                case .sent, .replied, .bounced, .outOfOffice, .tag, .list: false
                }
            }
        }
    }

    static let longest = 2_000
    static let deepest = 16

    package init(_ source: String) throws(Fault) {
        var parser = ConditionParser(Array(source.utf8))
        self.source = source
        root = try parser.condition()
    }

    package init(from decoder: any Decoder) throws {
        let source = try decoder.singleValueContainer().decode(String.self)
        do throws(Fault) {
            try self.init(source)
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: error.message))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(source)
    }

    package static func == (a: Self, b: Self) -> Bool { a.source.utf8.elementsEqual(b.source.utf8) }

    /// The steps that it names.
    var steps: [String] {
        names.filter { $0.kind == .sent || $0.kind == .variant }.compactMap(\.detail)
    }

    /// Whether it asks for what came back.
    var asksForReplies: Bool {
        names.contains { $0.kind == .replied || $0.kind == .bounced || $0.kind == .outOfOffice || $0.kind == .intent }
    }

    /// Whether it asks for tags or lists of the contact.
    var asksForGroups: Bool { names.contains { $0.kind.group != nil } }

    var names: [Name] {
        func names(_ node: Node) -> [Name] {
            switch node {
            case .all(let nodes), .any(let nodes): nodes.flatMap(names)
            case .not(let node): names(node)
            case .fact(let name), .compare(let name, _, _): [name]
            }
        }
        return names(root)
    }

    /// Whether it holds.
    package func holds(for known: StepFacts) -> Bool { holds(root, known) }

    private func holds(_ node: Node, _ known: StepFacts) -> Bool {
        switch node {
        case .all(let nodes): nodes.allSatisfy { holds($0, known) }
        case .any(let nodes): nodes.contains { holds($0, known) }
        case .not(let node): !holds(node, known)
        case .fact(let name): name.kind.isText ? known.text(name).utf8.isEmpty == false : known.holds(name)
        case .compare(let name, let comparison, let texts): Self.compare(known.text(name), comparison, texts)
        }
    }

    private static func compare(_ text: String, _ comparison: Comparison, _ texts: [String]) -> Bool {
        let left = folded(text)
        let right = folded(texts.first ?? "")
        switch comparison {
        case .equal: return left == right
        case .different: return left != right
        case .contains: return right.isEmpty || !left.isEmpty && contains(left, right)
        case .startsWith: return left.starts(with: right)
        case .endsWith: return left.count >= right.count && left.suffix(right.count).elementsEqual(right)
        case .isOneOf: return texts.contains { folded($0) == left }
        case .less, .atMost, .more, .atLeast:
            guard let a = number(left), let b = number(right) else { return false }
            switch comparison {
            case .less: return a < b
            case .atMost: return a <= b
            case .more: return a > b
            default: return a >= b
            }
        }
    }

    static func folded(_ text: String) -> [UInt8] { text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }

    /// nil for anything but digits with a sign and a point.
    private static func number(_ bytes: [UInt8]) -> Double? {
        let isPlain = bytes.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        return isPlain && bytes.count <= 30 ? Double(String(decoding: bytes, as: UTF8.self)) : nil
    }
}

/// Reads a condition by bytes.
struct ConditionParser {
    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func condition() throws(PlanCondition.Fault) -> PlanCondition.Node {
        guard bytes.count <= PlanCondition.longest else { throw fault("a condition has at most \(PlanCondition.longest) bytes") }
        let node = try any()
        skipBlanks()
        guard at == bytes.count else { throw fault("'\(rest())' follows where 'and', 'or' or the end was expected") }
        return node
    }

    private mutating func any() throws(PlanCondition.Fault) -> PlanCondition.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= PlanCondition.deepest else { throw fault("parentheses are nested deeper than \(PlanCondition.deepest)") }
        var nodes = [try all()]
        while takeWord("or") { nodes.append(try all()) }
        return nodes.count == 1 ? nodes[0] : .any(nodes)
    }

    private mutating func all() throws(PlanCondition.Fault) -> PlanCondition.Node {
        var nodes = [try one()]
        while takeWord("and") { nodes.append(try one()) }
        return nodes.count == 1 ? nodes[0] : .all(nodes)
    }

    private mutating func one() throws(PlanCondition.Fault) -> PlanCondition.Node {
        var negations = 0
        while takeWord("not") { negations += 1 }
        let node: PlanCondition.Node
        if take("(") {
            node = try any()
            guard take(")") else { throw fault("')' is missing before '\(rest())'") }
        } else {
            node = try comparison()
        }
        return negations % 2 == 0 ? node : .not(node)
    }

    private mutating func comparison() throws(PlanCondition.Fault) -> PlanCondition.Node {
        let name = try name()
        skipBlanks()
        let start = at
        for comparison in PlanCondition.Comparison.allCases {
            let isWord = comparison.rawValue.utf8.allSatisfy(Self.isLetter)
            guard isWord ? takeWord(comparison.rawValue) : take(comparison.rawValue) else { continue }
            guard name.kind.isText else {
                throw fault("'\(name.kind.rawValue)' holds or does not; it cannot be compared", at: start)
            }
            return .compare(name, comparison, try values(of: comparison))
        }
        return .fact(name)
    }

    private mutating func values(of comparison: PlanCondition.Comparison) throws(PlanCondition.Fault) -> [String] {
        guard comparison == .isOneOf else { return [try value()] }
        guard take("[") else { throw fault("a list is missing after 'in'; write for instance in [\"a\", \"b\"]") }
        var values = [try value()]
        while take(",") { values.append(try value()) }
        guard take("]") else { throw fault("']' is missing before '\(rest())'") }
        return values
    }

    private mutating func value() throws(PlanCondition.Fault) -> String {
        skipBlanks()
        let start = at
        for quote in ["\"", "'"] where take(quote) {
            let from = at
            while at < bytes.count, bytes[at] != quote.utf8.first { at += 1 }
            guard at < bytes.count else { throw fault("a text is opened with \(quote) and never closed", at: start) }
            at += 1
            return String(decoding: bytes[from..<(at - 1)], as: UTF8.self)
        }
        while at < bytes.count, (bytes[at] >= 48 && bytes[at] <= 57) || bytes[at] == UInt8(ascii: ".") || bytes[at] == UInt8(ascii: "-") {
            at += 1
        }
        guard at > start else { throw fault("a text in quotes or a number is expected, not '\(rest())'") }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func name() throws(PlanCondition.Fault) -> PlanCondition.Name {
        skipBlanks()
        let start = at
        let word = word()
        guard let kind = PlanCondition.Name.Kind(rawValue: word) else {
            let all = PlanCondition.Name.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            let what = word.utf8.isEmpty ? "a name is expected, not '\(rest())'" : "there is no '\(word)'"
            throw fault("\(what); known are \(all)", at: start)
        }
        var detail: String?
        if take(".") || (kind.group != nil && take(":")) {
            let isQuoted = kind.group != nil && at < bytes.count && (bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'"))
            let text = isQuoted ? try value() : self.word()
            guard !text.utf8.isEmpty else { throw fault("a name is missing after '\(word).'") }
            detail = text
        }
        if kind.detail == true, detail == nil { throw fault("'\(word)' needs a name: \(word).NAME", at: start) }
        if kind.detail == false, detail != nil { throw fault("'\(word)' has nothing behind a point", at: start) }
        if kind == .replied, let detail, ReplyClass(rawValue: detail)?.isHuman != true {
            throw fault("'\(detail)' is no class of replies; there are \(ReplyClass.humanWords)", at: start)
        }
        if kind == .bounced, let detail, !PlanCheck.failureClasses.contains(detail) {
            throw fault("'\(detail)' is no class of failures; there are \(PlanCheck.failureClasses.joined(separator: ", "))", at: start)
        }
        if let group = kind.group, let detail {
            do throws(ContactGroup.Name.Fault) {
                _ = try ContactGroup.Name(group, detail)
            } catch {
                throw fault(error.message, at: start)
            }
        }
        return PlanCondition.Name(kind: kind, detail: detail)
    }

    private mutating func word() -> String {
        let start = at
        while at < bytes.count, Self.isLetter(bytes[at]) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private mutating func takeWord(_ word: String) -> Bool {
        skipBlanks()
        let end = at + word.utf8.count
        guard end <= bytes.count, bytes[at..<end].elementsEqual(word.utf8), end == bytes.count || !Self.isLetter(bytes[end]) else {
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

    private mutating func skipBlanks() {
        while at < bytes.count, bytes[at] == 32 || bytes[at] == 9 || bytes[at] == 10 || bytes[at] == 13 { at += 1 }
    }

    private func rest() -> String { at < bytes.count ? String(decoding: bytes[at...].prefix(20), as: UTF8.self) : "the end" }

    private func fault(_ message: String, at place: Int? = nil) -> PlanCondition.Fault {
        PlanCondition.Fault(column: (place ?? at) + 1, message: message)
    }
}
