/// Finds where the signature begins in the lines that are not quoted.
struct SignatureFinder {
    /// The number of the first line of the signature; the number of lines when there is none.
    let start: Int

    /// Non-empty lines at the end that can be part of a signature.
    private static let reach = 30

    init(lines: [ArraySlice<UInt8>], senderName: String?, book: PhraseBook) {
        var end = lines.count
        while end > 0, lines[end - 1].isEmpty { end -= 1 }
        let filled = lines[..<end].indices.filter { !lines[$0].isEmpty }
        guard !filled.isEmpty else {
            start = lines.count
            return
        }
        if let delimiter = filled.first(where: { Self.isDelimiter(lines[$0]) }) {
            // "-- " (RFC 3676 §4.3); a sign-off right before it belongs to the signature too.
            start = Self.signOff(lines, filled.filter { $0 < delimiter }, senderName, book) ?? delimiter
            return
        }
        start = Self.signOff(lines, filled, senderName, book) ?? lines.count
    }

    private static func isDelimiter(_ line: ArraySlice<UInt8>) -> Bool {
        line.elementsEqual("--".utf8) || line.elementsEqual("---".utf8) || line.elementsEqual("\u{2014}".utf8)
            || line.elementsEqual("__".utf8)
    }

    private static func signOff(_ lines: [ArraySlice<UInt8>], _ filled: [Int], _ senderName: String?, _ book: PhraseBook) -> Int? {
        let names = nameWords(senderName)
        var begin: Int?
        let tail = Array(filled.suffix(reach))
        for (place, index) in tail.enumerated() {
            let line = lines[index]
            let isFirst = index == filled.first
            let folded = Folding.phrase(String(decoding: line.prefix(400), as: UTF8.self))
            // A link behind the name of a program is none of its words.
            let words =
                Folding.phrase(String(decoding: line.prefix(400).prefix { $0 != 0x3C }, as: UTF8.self)).count(where: { $0 == 0x20 }) - 1
            let hits = book.hits(in: folded)
            // Scripts without spaces have no space in front of the phrase.
            if hits.contains(where: { $0.meaning == .mobileSignature && $0.start <= 1 }), words <= 8 {
                begin = index
                break
            }
            if !isFirst, place == tail.count - 1, lines[index - 1].isEmpty, words <= 6, line.last != 0x3F, Self.namesDevice(folded) {
                begin = index
                break
            }
            if hits.contains(where: { $0.meaning == .disclaimer }), !isFirst {
                begin = index
                break
            }
            if isFirst { continue }
            let rest = tail[(place + 1)...]
            let standsApart = index > 0 && lines[index - 1].isEmpty
            guard rest.count <= 20, standsApart || closes(lines, rest, book) else { continue }
            if words <= 8, let end = Self.signOffEnd(hits) {
                // The whole line, or with the writer's name behind it.
                let behind = wordList(folded[max(0, end - 1)...])
                let weak = hits.allSatisfy { $0.meaning != .signOff || $0.strength == .hint || $0.strength == .fair }
                if behind.isEmpty || behind.allSatisfy({ names.contains($0) }), !weak || !rest.isEmpty {
                    begin = index
                    break
                }
            }
            var list = wordList(folded[...])
            // A kiss behind the name.
            if list.count > 1, list.last.map({ $0.allSatisfy { $0 == 0x78 } }) == true { list.removeLast() }
            if words <= 5, !list.isEmpty, !names.isEmpty, isName(list, names), standsApart || list.count > 1 || rest.isEmpty {
                begin = index
                break
            }
            if place == tail.count - 1, index > 0, lines[index - 1].isEmpty, looksLikeName(line) {
                begin = index
                break
            }
        }
        return begin
    }

    /// Whether a word begins with the name of something that mail is sent from, as in "Odoslané z iPhonu".
    private static func namesDevice(_ folded: [UInt8]) -> Bool {
        folded.split(separator: 0x20).contains { word in devices.contains { word.starts(with: $0) } }
    }

    private static let devices = ["iphon", "ipad", "android", "samsung", "galaxy", "huawei", "xiaomi"].map { Array($0.utf8) }

    /// Whether what follows a sign-off is short lines: names, titles, companies, numbers; or a disclaimer.
    private static func closes(_ lines: [ArraySlice<UInt8>], _ rest: ArraySlice<Int>, _ book: PhraseBook) -> Bool {
        var long = 0
        for index in rest {
            let line = lines[index]
            if line.count > 90 {
                long += 1
                let folded = Folding.phrase(String(decoding: line.prefix(400), as: UTF8.self))
                if book.hits(in: folded).contains(where: { $0.meaning == .disclaimer }) { return true }
            }
            if line.last == 0x3F { return false }
        }
        return long == 0
    }

    /// Where the sign-offs that begin the line end, one behind the other as in two languages; nil when the line begins with none.
    private static func signOffEnd(_ hits: [PhraseBook.Hit]) -> Int? {
        var end: Int?
        for hit in hits.filter({ $0.meaning == .signOff }).sorted(by: { ($0.start, $1.end) < ($1.start, $0.end) }) {
            if hit.start <= (end ?? 1) - 1 { end = max(end ?? 0, hit.end) }
        }
        return end
    }

    private static func nameWords(_ name: String?) -> Set<[UInt8]> {
        guard let name else { return [] }
        return Set(wordList(Folding.phrase(name)[...]))
    }

    private static func wordList(_ folded: ArraySlice<UInt8>) -> [[UInt8]] {
        folded.split(separator: 0x20).map { Array($0) }
    }

    /// Words of the display name, initials, or a short form of its first name.
    private static func isName(_ words: [[UInt8]], _ names: Set<[UInt8]>) -> Bool {
        words.allSatisfy { word in
            names.contains(word) || (word.count == 1 && names.contains { $0.first == word.first })
                || (words.count == 1 && word.count >= 3 && names.contains { $0.starts(with: word) })
        }
            || (words.count == 1 && words[0].count == names.count && names.count >= 2
                && words[0].allSatisfy { letter in names.contains { $0.first == letter } })
    }

    /// One to three capitalised words without punctuation.
    private static func looksLikeName(_ line: ArraySlice<UInt8>) -> Bool {
        let words = line.split(separator: 0x20)
        guard !words.isEmpty, words.count <= 3, line.count <= 30 else { return false }
        return words.allSatisfy { word in
            guard let first = word.first, first &- 0x41 < 26 || first == 0xC3 || first == 0xC5 else { return false }
            let body = word.last == 0x2E && word.count == 2 ? word.dropLast() : word
            let tail = body.dropFirst()
            return tail.allSatisfy { ($0.isLetter && $0 >= 0x61) || $0 >= 0x80 || $0 == 0x2D || $0 == 0x27 }
                && (tail.count > 0 || words.count > 1 || word.count == 1)
        }
    }
}
