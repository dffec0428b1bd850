/// The nearest of some known words to a word that is not known.
enum Suggestion {
    /// The candidate with the fewest edits, when it is near enough to be meant; the first of equals.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let word = folded(word)
        let allowed = max(1, word.count / 3)
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let distance = edits(word, folded(candidate), limit: allowed)
            if distance <= allowed, distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        return best?.candidate
    }

    private static func folded(_ word: String) -> [UInt8] {
        word.utf8.prefix(64).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two words; more than `limit` when far apart.
    private static func edits(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int {
        guard abs(a.count - b.count) <= limit else { return limit + 1 }
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            before = last
            last = row
        }
        return last[b.count]
    }
}
