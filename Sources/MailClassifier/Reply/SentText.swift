/// What we sent, where it is known: no line of it speaks for somebody who answers it, however their program quotes.
struct SentText {
    /// Folded, in order.
    private let words: [UInt8]
    private let lines: Set<[UInt8]>

    /// Words of a line that make it ours wherever it was broken.
    private static let tellingWords = 8
    /// The same of a line that we wrote as it stands.
    private static let lineWords = 4
    /// Bytes of a line in a script without spaces that do the same.
    private static let tellingBytes = 36
    private static let lineLimit = 1000
    /// Bytes between two lines of ours that may have gone missing.
    private static let slack = 40

    init(_ texts: [String]) {
        var words: [UInt8] = [0x20]
        var lines: Set<[UInt8]> = []
        for line in texts.flatMap({ $0.utf8.split(separator: 0x0A).prefix(Self.lineLimit) }) {
            let folded = Folding.phrase(String(decoding: Array(line), as: UTF8.self))
            guard folded.count > 2 else { continue }
            words += folded.dropFirst()
            lines.insert(folded)
        }
        self.words = words
        self.lines = lines
    }

    /// The lines without ours, and whether there were any. A short line of ours counts as such where it goes on right behind one that is ours
    /// for certain: what somebody answers in words that we offered is theirs.
    func removed(from own: [ArraySlice<UInt8>]) -> (own: [ArraySlice<UInt8>], found: Bool) {
        guard words.count > 2 else { return (own, false) }
        var kept: [ArraySlice<UInt8>] = []
        var found = false
        var place: Int?
        for line in own {
            let folded = Folding.phrase(String(decoding: line, as: UTF8.self))
            if folded.count <= 2 {
                kept.append(line)
                continue
            }
            if let start = place, let range = words[start...].prefix(folded.count + Self.slack).firstRange(of: folded) {
                place = range.upperBound - 1
                found = true
            } else if isTelling(folded), let range = words.firstRange(of: folded) {
                place = range.upperBound - 1
                found = true
            } else {
                place = nil
                kept.append(line)
            }
        }
        return (kept, found)
    }

    private func isTelling(_ folded: [UInt8]) -> Bool {
        let count = folded.count(where: { $0 == 0x20 }) - 1
        if count >= Self.tellingWords || count >= Self.lineWords && lines.contains(folded) { return true }
        return folded.count(where: { $0 >= 0xE0 }) * 3 >= Self.tellingBytes && lines.contains(folded)
    }
}
