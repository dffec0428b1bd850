/// What must hold for a way: `field.country == "DE" and not replied.negative`.
///
/// - Names: `field.NAME`, `email`, `domain`, `provider`, `name`, `identity`, `intent` (of the latest reply) and `variant.STEP` are texts; `sent.STEP`,
///   `replied`, `replied.CLASS`, `bounced`, `bounced.CLASS`, `out_of_office`, `opened`, `opened.STEP`, `clicked`, `clicked.STEP`, `tag.NAME`
///   and `list.NAME` are facts. A text alone holds when it is not empty. The name of a tag or list may stand in quotes, and a colon before it.
/// - Comparisons: `==`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `starts_with`, `ends_with` and `in ["a", "b"]`. ASCII letters are compared
///   without regard to case; `<` and the like compare whole and decimal numbers, and hold for nothing else.
/// - `and`, `or`, `not` and parentheses join them; `and` binds closer than `or`.
package struct PlanCondition: Sendable, Equatable, Codable {
    package let source: String
    let root: Expression<Test>

    enum Test: Sendable, Equatable {
        case fact(Name)
        case compare(Name, Comparison, [String])

        var name: Name {
            switch self {
            case .fact(let name), .compare(let name, _, _): name
            }
        }
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

        var isOfNumbers: Bool {
            switch self {
            case .less, .atMost, .more, .atLeast: true
            case .equal, .different, .contains, .startsWith, .endsWith, .isOneOf: false
            }
        }
    }

    /// `replied.positive` is `replied` and `positive`.
    struct Name: Sendable, Equatable {
        let kind: Kind
        let detail: String?

        /// As conditions write it.
        var words: String { kind.rawValue + (detail.map { ".\($0)" } ?? "") }

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
            case opened
            case clicked
            case tag
            case list

            /// Whether it needs, may have or has no detail.
            var detail: Bool? {
                switch self {
                case .field, .variant, .sent, .tag, .list: true
                case .replied, .bounced, .opened, .clicked: nil
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

            /// Whether its detail is the name of a step.
            var isOfStep: Bool {
                switch self {
                case .sent, .variant, .opened, .clicked: true
                default: false
                }
            }

            var isText: Bool {
                switch self {
                case .field, .email, .domain, .provider, .name, .identity, .intent, .variant: true
                case .sent, .replied, .bounced, .outOfOffice, .opened, .clicked, .tag, .list: false
                }
            }
        }
    }

    static let longest = 2_000
    static let deepest = 16

    package init(_ source: String) throws(ExpressionFault) {
        var parser = ConditionParser(Array(source.utf8))
        self.source = source
        root = try parser.expression()
    }

    package init(from decoder: any Decoder) throws {
        let source = try decoder.singleValueContainer().decode(String.self)
        do throws(ExpressionFault) {
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

    /// Whether it asks for what came back.
    var asksForReplies: Bool {
        names.contains { [.replied, .bounced, .outOfOffice, .intent, .opened, .clicked].contains($0.kind) }
    }

    /// Whether it asks for tags or lists of the contact.
    var asksForGroups: Bool { names.contains { $0.kind.group != nil } }

    var names: [Name] { root.tests.map(\.name) }

    /// Whether it holds.
    package func holds(for known: StepFacts) -> Bool {
        root.holds { test in
            switch test {
            case .fact(let name): name.kind.isText ? !known.text(name).utf8.isEmpty : known.holds(name)
            case .compare(let name, let comparison, let texts): Self.compare(known.text(name), comparison, texts)
            }
        }
    }

    private static func compare(_ text: String, _ comparison: Comparison, _ texts: [String]) -> Bool {
        let left = ExpressionScanner.folded(text)
        let right = ExpressionScanner.folded(texts.first ?? "")
        switch comparison {
        case .equal: return left == right
        case .different: return left != right
        case .contains: return right.isEmpty || !left.isEmpty && contains(left, right)
        case .startsWith: return left.starts(with: right)
        case .endsWith: return left.count >= right.count && left.suffix(right.count).elementsEqual(right)
        case .isOneOf: return texts.contains { ExpressionScanner.folded($0) == left }
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

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }

    /// nil for anything but digits with a sign and a point.
    static func number(_ bytes: [UInt8]) -> Double? {
        let isPlain = bytes.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        return isPlain && bytes.count <= 30 ? Double(String(decoding: bytes, as: UTF8.self)) : nil
    }
}
