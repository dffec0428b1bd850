/// Why an SPF record cannot be used: a fault of its syntax, in plain words.
struct SPFSyntaxError: Error, Equatable {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}

/// A text with macros (RFC 7208 §7), taken apart.
struct SPFMacroText: Equatable, Sendable {
    enum Piece: Equatable {
        case literal([UInt8])
        case macro(Macro)
    }

    /// `%{` letter, transformers, delimiters `}`.
    struct Macro: Equatable {
        /// Lower case.
        let letter: UInt8
        /// Labels kept, counted from the right; nil: all.
        let kept: Int?
        let isReversed: Bool
        /// Empty: the dot.
        let delimiters: [UInt8]
        /// Whether the value is escaped as in a URL (a capital letter).
        let isEscaped: Bool
    }

    /// Where a text stands, which decides on what it may hold.
    enum Place {
        case domain
        case explanation
        case unknownModifier
    }

    private(set) var pieces: [Piece] = []

    private static let delimiters = Array(".-+,/_=".utf8)

    init(parsing bytes: some Sequence<UInt8>, in place: Place) throws(SPFSyntaxError) {
        let bytes = Array(bytes)
        var literal: [UInt8] = []
        var endsWithExpansion = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "%") else {
                guard byte > 32 || (byte == 32 && place == .explanation), byte < 127 else {
                    throw SPFSyntaxError("an octet that is no visible ASCII")
                }
                literal.append(byte)
                endsWithExpansion = false
                index += 1
                continue
            }
            guard index + 1 < bytes.count else { throw SPFSyntaxError("'%' at the end") }
            endsWithExpansion = true
            switch bytes[index + 1] {
            case UInt8(ascii: "%"): literal.append(UInt8(ascii: "%"))
            case UInt8(ascii: "_"): literal.append(32)
            case UInt8(ascii: "-"): literal += Array("%20".utf8)
            case UInt8(ascii: "{"):
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else { throw SPFSyntaxError("a macro without '}'") }
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = []
                pieces.append(.macro(try Self.macro(bytes[(index + 2)..<end], in: place)))
                index = end + 1
                continue
            default: throw SPFSyntaxError("'%' before something that is no macro")
            }
            index += 2
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        if place == .domain, !endsWithExpansion, !Self.endsWithTopLabel(literal) {
            throw SPFSyntaxError("a domain that ends with no top-level label")
        }
    }

    private static func macro(_ text: ArraySlice<UInt8>, in place: Place) throws(SPFSyntaxError) -> Macro {
        var rest = text
        guard let written = rest.popFirst() else { throw SPFSyntaxError("an empty macro") }
        let letters = place == .domain ? "slodiphv" : "slodiphvcrt"
        guard letters.utf8.contains(written.lowercased) else { throw SPFSyntaxError("an unknown macro letter") }
        let digits = rest.prefix(while: \.isDigit)
        rest = rest.dropFirst(digits.count)
        // More labels than a name can have is all of them; the digits alone never overflow.
        let kept = digits.isEmpty ? nil : digits.reduce(0) { min(1_000, $0 * 10 + Int($1 &- 48)) }
        guard kept != 0 else { throw SPFSyntaxError("a macro that keeps no label") }
        var isReversed = false
        if let next = rest.first, next.lowercased == UInt8(ascii: "r") {
            isReversed = true
            rest = rest.dropFirst()
        }
        guard rest.allSatisfy(delimiters.contains) else { throw SPFSyntaxError("an unknown delimiter in a macro") }
        return Macro(
            letter: written.lowercased, kept: kept, isReversed: isReversed, delimiters: Array(rest),
            isEscaped: written != written.lowercased)
    }

    /// `domain-end` of RFC 7208 §7.1: a dot and a label that is not all digits.
    private static func endsWithTopLabel(_ text: [UInt8]) -> Bool {
        var text = text[...]
        if text.last == UInt8(ascii: ".") { text = text.dropLast() }
        guard let dot = text.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let label = text[(dot + 1)...]
        guard let first = label.first, let last = label.last, first.isLetterOrDigit, last.isLetterOrDigit else { return false }
        return label.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") } && label.contains { !$0.isDigit }
    }

    /// Letters that the text needs, so that only those are looked up.
    var letters: Set<UInt8> {
        Set(pieces.compactMap { if case .macro(let macro) = $0 { macro.letter } else { nil } })
    }

    /// The text with each macro replaced.
    func expanded(_ value: (UInt8) -> [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let bytes): output += bytes
            case .macro(let macro): output += macro.expanded(value(macro.letter))
            }
        }
        return output
    }
}

extension SPFMacroText.Macro {
    func expanded(_ value: [UInt8]) -> [UInt8] {
        var output = value
        if kept != nil || isReversed || !delimiters.isEmpty {
            let separators = delimiters.isEmpty ? [UInt8(ascii: ".")] : delimiters
            var parts = value.split(omittingEmptySubsequences: false) { separators.contains($0) }
            if isReversed { parts.reverse() }
            if let kept { parts = parts.suffix(kept) }
            output = Array(parts.joined(separator: [UInt8(ascii: ".")]))
        }
        guard isEscaped else { return output }
        let digits = Array("0123456789ABCDEF".utf8)
        return output.flatMap { byte -> [UInt8] in
            byte.isLetterOrDigit || "-._~".utf8.contains(byte)
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
