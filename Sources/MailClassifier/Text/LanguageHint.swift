/// Whether a text is English, by its commonest words: asked only where dates are written differently.
enum LanguageHint {
    static func isEnglish(_ text: String) -> Bool {
        let words: [[UInt8]] = ["the", "and", "is", "will", "for", "of", "to", "i", "my", "you", "your", "back", "office"].map {
            Array($0.utf8)
        }
        let folded = Folding.phrase(text.unicodeScalars.count > 2000 ? String(text.unicodeScalars.prefix(2000)) : text)
        var hits = 0
        var all = 0
        for word in folded.split(separator: 0x20) {
            all += 1
            if words.contains(where: { $0.elementsEqual(word) }) { hits += 1 }
        }
        return hits * 8 >= all && all > 0
    }
}

/// The prefixes that mail programs put before a subject.
enum SubjectShape {
    /// Whether the subject is that of an answer or a forward: `Re:`, `AW:`, `SV:`, `RE[2]:`, up to four letters before a colon.
    static func isAnswer(_ subject: String) -> Bool {
        var letters = 0
        for byte in subject.utf8.prefix(16) {
            if byte == 0x3A || byte == 0xEF { return letters >= 1 && letters <= 4 }
            if byte.isLetter || byte >= 0x80 {
                letters += 1
            } else if byte != 0x20 && byte != 0x5B && byte != 0x5D && !byte.isDigit {
                return false
            }
        }
        return false
    }
}
