/// One complete response: its lines joined, with the literals lifted out.
struct Frame: Equatable, Sendable {
    enum Content: Equatable, Sendable {
        case bytes([UInt8])
        /// Larger than the reader may hold; its octets went by unread.
        case oversized(size: UInt64)
    }

    struct Literal: Equatable, Sendable {
        /// Where in `text` the literal stands: before the byte at this index.
        let offset: Int
        let content: Content
    }

    /// The text without line ends and without the `{n}` in front of the literals.
    var text: [UInt8] = []
    /// In ascending order of offset; several may share one.
    var literals: [Literal] = []
    /// Whether the text went beyond the line limit; `text` then holds its beginning and `literals` are incomplete.
    var isOverlong = false
}

extension Frame {
    /// Whether the line is one that ends in free text, where `{5}` is just text: a status response or a continuation.
    static func endsInFreeText(_ line: ArraySlice<UInt8>) -> Bool {
        let words = line.prefix(80).split(separator: ASCII.space, maxSplits: 2)
        guard let first = words.first else { return false }
        if first == [UInt8(ascii: "+")] { return true }
        guard words.count > 1 else { return false }
        let isUntagged = first == [UInt8(ascii: "*")]
        return Condition(word: words[1]).map { isUntagged || $0.isAnswer } ?? false
    }
}
