/// The note that a mail gateway put above a message: "CAUTION: This email originated from outside of the organization. Do not click ...".
///
/// It is known by its place, at the very top, and by several words together: of caution, of outside, of mail and its sender, of what not to
/// open. What somebody says of themselves is no such note, whatever its words.
struct GatewayBanner {
    private static let limit = 1200
    private static let wordLimit = 60

    private let words: BannerWords

    init(_ words: BannerWords) { self.words = words }

    /// The lines below such notes; all of them where there is none.
    func below(_ lines: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>] {
        var rest = lines
        var isBelow = false
        for _ in 0..<4 {
            guard let next = strip(rest, isBelow: isBelow) else { break }
            rest = next
            isBelow = true
        }
        guard isBelow else { return lines }
        return Array(rest.drop { LineShape.isOrnament($0) && !LineShape.isTitledSeparator($0) })
    }

    private func strip(_ lines: [ArraySlice<UInt8>], isBelow: Bool) -> [ArraySlice<UInt8>]? {
        guard let start = lines.prefix(12).firstIndex(where: { hasWord($0) }) else { return nil }
        let line = lines[start]
        if LineShape.isQuoted(line) || LineShape.isRule(line) { return nil }
        if let rest = afterTag(line) { return (LineShape.trimmed(rest).isEmpty ? [] : [LineShape.trimmed(rest)]) + lines[(start + 1)...] }
        if isTitle(line) { return Array(lines[(start + 1)...]) }
        var paragraph: [UInt8] = []
        var end = start
        while end < lines.count, !lines[end].isEmpty, paragraph.count < Self.limit {
            if end > start { paragraph.append(0x0A) }
            paragraph += lines[end]
            end += 1
        }
        var cut = 0
        while cut < paragraph.count {
            let sentence = Self.sentence(in: paragraph[cut...])
            guard cut == 0 && !isBelow ? opens(sentence) : goesOn(sentence, isBelow: cut == 0) else { break }
            cut = sentence.endIndex
        }
        guard cut > 0 else { return nil }
        let left = paragraph[cut...].split(separator: 0x0A).map { LineShape.trimmed($0) }.filter { !$0.isEmpty }
        return left + lines[end...]
    }

    private func hasWord(_ line: ArraySlice<UInt8>) -> Bool {
        line.contains { $0.isLetter || $0 >= 0xC3 && $0 != 0xEF && $0 != 0xE2 && $0 != 0xF0 }
    }

    /// Up to a mark that ends a sentence with a space behind it, or the end of a line that was short enough to have been ended there.
    private static func sentence(in text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var lineStart = text.startIndex
        for i in text.indices {
            let next = i + 1 < text.endIndex ? text[i + 1] : 0x20
            if [0x2E, 0x21, 0x3F].contains(text[i]), next <= 0x20 { return text[...i] }
            // The full stop of Japanese and Chinese.
            if text[i] == 0x82, i >= text.startIndex + 2, text[i - 1] == 0x80, text[i - 2] == 0xE3 { return text[...i] }
            if text[i] == 0x0A {
                let line = text[lineStart..<i]
                if line.count < 60, line.count > 12, line.last != 0x2C, next < 0x61 || next > 0x7A { return text[...i] }
                lineStart = i + 1
            }
        }
        return text
    }

    /// What stands behind "[EXTERNAL]" and the like at the beginning of a line; nil when there is none.
    private func afterTag(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        for (open, close) in [(0x5B, 0x5D), (0x28, 0x29), (0x2A, 0x2A), (0x7B, 0x7D)] as [(UInt8, UInt8)] where line.first == open {
            let inside = line.drop { $0 == open }
            guard let end = inside.firstIndex(of: close), end - line.startIndex < 60 else { continue }
            let found = BannerWords.Found(inside[..<end], words)
            guard found.count > 0, found.count <= 5, found[.outside] > 0,
                found[.outside] + found[.mail] + found[.caution] + found[.origin] == found.count
            else { continue }
            return line[end...].drop { $0 == close || $0 == 0x3A || $0 == 0x2D }
        }
        return nil
    }

    /// A line of nothing but such words: "EXTERNAL EMAIL", "Externer Absender".
    private func isTitle(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.count < 60 else { return false }
        let found = BannerWords.Found(line, words)
        return found.count <= 6 && found[.outside] > 0 && found[.mail] + found[.caution] > 0
            && found[.outside] + found[.mail] + found[.caution] + found[.this] + found[.origin] == found.count
    }

    private func opens(_ sentence: ArraySlice<UInt8>) -> Bool {
        let found = BannerWords.Found(sentence, words)
        guard isNobodys(sentence, found) else { return false }
        // "You don't often get email from ann@example.com."
        if found[.often] > 0, found[.mail] > 0, LineShape.hasAddress(sentence) { return true }
        guard found[.outside] > 0, found[.mail] > 0 else { return false }
        let forbids = found[.act] > 0 && found[.thing] > 0
        if found.first(.caution) < 4, found[.origin] > 0 || forbids || found[.this] > 0 || found.count <= 6 { return true }
        if found.first(.outside) < 3, found.first(.mail) < 3, forbids || found.count <= 4 { return true }
        // "This mail came from ...", "LET OP: deze ...".
        let isHeaded = sentence.prefix(24).contains(0x3A)
        return found.first(.this) < (isHeaded ? 3 : 1) && found[.origin] > 0
    }

    /// Whether nobody speaks of themselves in it, and nobody is asked.
    private func isNobodys(_ sentence: ArraySlice<UInt8>, _ found: BannerWords.Found) -> Bool {
        guard found[.person] == 0, sentence.last != 0x3F, found.count <= Self.wordLimit else { return false }
        return !sentence.split(whereSeparator: { !$0.isLetter && $0 < 0x80 }).contains { $0.elementsEqual([0x49]) }
    }

    private func goesOn(_ sentence: ArraySlice<UInt8>, isBelow: Bool) -> Bool {
        let found = BannerWords.Found(sentence, words)
        guard isNobodys(sentence, found) else { return false }
        let forbids =
            found[.act] > 0 && found[.thing] > 0 && (found[.trust] > 0 || found[.no] > 0 && !isBelow || found[.caution] > 0)
            || found[.thing] > 0 && found[.caution] > 0
        let warns = found[.trust] > 0 && found[.mail] > 0 && (found[.caution] > 0 || found[.trust] > 1)
        let explains = found[.reason] > 1 && found.count <= 12 && !isBelow
        return forbids || warns || explains || opens(sentence)
    }
}
