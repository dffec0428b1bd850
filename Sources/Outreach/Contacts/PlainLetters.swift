/// Latin letters with marks as the plain letters that stand for them.
enum PlainLetters {
    /// In lower case; nil for what is no Latin letter.
    static func plain(_ letter: Unicode.Scalar) -> String? {
        if let plain = letters[letter] { return plain }
        let lower = letter.properties.lowercaseMapping.unicodeScalars
        return lower.first.flatMap { lower.count == 1 ? letters[$0] : nil }
    }

    /// Whether it stands over or under the letter before it.
    static func isMark(_ scalar: Unicode.Scalar) -> Bool { (0x300...0x36F).contains(scalar.value) }

    /// Two dots over a letter, in titles that have them apart.
    static let dots: Unicode.Scalar = "\u{308}"

    private static let letters: [Unicode.Scalar: String] = {
        let groups: [(plain: String, marked: String)] = [
            ("a", "àáâãåāăąǎ"), ("ae", "äæ"), ("c", "çćĉċč"), ("d", "ðďđ"), ("e", "èéêëēĕėęě"), ("g", "ĝğġģ"), ("h", "ĥħ"),
            ("i", "ìíîïĩīĭįıİ"),
            ("j", "ĵ"), ("k", "ķĸ"), ("l", "ĺļľŀł"), ("n", "ñńņňŋ"), ("o", "òóôõøōŏőǒ"), ("oe", "öœ"), ("r", "ŕŗř"), ("s", "śŝşšș"),
            ("ss", "ß"),
            ("t", "ţťŧț"), ("th", "þ"), ("u", "ùúûũūŭůűųǔ"), ("ue", "ü"), ("w", "ŵ"), ("y", "ýÿŷ"), ("z", "źżž"),
        ]
        var letters: [Unicode.Scalar: String] = [:]
        for group in groups { for letter in group.marked.unicodeScalars { letters[letter] = group.plain } }
        return letters
    }()
}
