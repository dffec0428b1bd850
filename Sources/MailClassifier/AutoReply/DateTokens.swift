/// A text as words, numbers and marks for the date reader.
struct DateToken: Sendable {
    enum Kind: Sendable, Equatable {
        case word(DateWords.Word?)
        case number(Int, digits: Int)
        /// `.`, `/`, `-`, `:`, `,`
        case mark(UInt8)
        case lineEnd, sentenceEnd
    }

    var kind: Kind
    /// Stands right behind the token before, without a space.
    var isGlued: Bool

    static let limit = 3000

    static func tokens(of text: String, words: DateWords) -> [DateToken] {
        var tokens: [DateToken] = []
        let scalars = Array(text.unicodeScalars.prefix(20_000))
        var i = 0
        var glued = false
        func value(_ i: Int) -> UInt32 { i < scalars.count ? scalars[i].value : 0x0A }
        func isDigit(_ c: UInt32) -> Bool { c &- 0x30 < 10 }
        func add(_ kind: Kind) {
            tokens.append(DateToken(kind: kind, isGlued: glued))
            glued = true
        }
        while i < scalars.count, tokens.count < limit {
            let c = scalars[i].value
            if isDigit(c) {
                var number = 0
                let start = i
                while isDigit(value(i)) {
                    if i - start < 9 { number = number * 10 + Int(value(i) - 0x30) }
                    i += 1
                }
                add(.number(number, digits: i - start))
                continue
            }
            if i > 0, isBracket(value(i - 1)), isBracket(value(i + 1)), let weekday = weekdays.firstIndex(of: c) {
                add(.word(.weekday(weekday % 7 + 1)))
                i += 1
                continue
            }
            if let kind = cjk(c) ?? (isBehindNumber(tokens) && glued ? hangul(c) : nil) {
                add(kind)
                i += 1
                continue
            }
            // "t/m", which is "to and with" in Dutch.
            if c | 0x20 == 0x74, value(i + 1) == 0x2F, value(i + 2) | 0x20 == 0x6D, !glued,
                i + 3 == scalars.count || !isWord(scalars[i + 3])
            {
                add(.word(.until))
                i += 3
                continue
            }
            if isWord(scalars[i]) {
                let start = i
                let unspaced = Folding.isUnspaced(c)
                while i < scalars.count, isWord(scalars[i]), cjk(value(i)) == nil, Folding.isUnspaced(value(i)) == unspaced, i - start < 40
                { i += 1 }
                var word = String.UnicodeScalarView()
                word.append(contentsOf: scalars[start..<i])
                let folded = Folding.phrase(String(word))
                add(.word(words.meaning(of: Array(folded.dropFirst().dropLast()))))
                continue
            }
            switch c {
            case 0x0A, 0x0D: add(value(i + 1) == 0x0A || value(i + 1) == 0x0D ? .sentenceEnd : .lineEnd)
            case 0x2E:
                let next = value(i + 1)
                let afterNumber: Bool
                if case .number? = tokens.last?.kind { afterNumber = true } else { afterNumber = false }
                // "17. August", "13.03. nicht", "Fri. 3"
                let afterShortWord: Bool
                if case .word(.some)? = tokens.last?.kind { afterShortWord = true } else { afterShortWord = false }
                add(!afterNumber && !afterShortWord && (next <= 0x20) ? .sentenceEnd : .mark(0x2E))
            case 0x21, 0x3F, 0x3002, 0xFF01, 0xFF1F: add(.sentenceEnd)
            case 0x2F, 0x3A, 0x2C: add(.mark(UInt8(c)))
            case 0x2D, 0x2013, 0x2014, 0x301C, 0xFF5E, 0x7E: add(.mark(0x2D))
            default: break
            }
            glued = c > 0x20 && c != 0xA0
            i += 1
        }
        return tokens
    }

    /// Monday to Sunday as they stand in brackets behind a day, in Japanese and in Korean.
    private static let weekdays = Array("月火水木金土日월화수목금토일".unicodeScalars.map(\.value))

    private static func isBracket(_ c: UInt32) -> Bool { [0x28, 0x29, 0xFF08, 0xFF09].contains(c) }

    private static func cjk(_ c: UInt32) -> Kind? {
        switch c {
        case 0x5E74: .word(.year)
        case 0x6708: .word(.monthUnit)
        case 0x65E5: .word(.day)
        default: nil
        }
    }

    /// The same in Korean, where these syllables are units behind a number only.
    private static func hangul(_ c: UInt32) -> Kind? {
        switch c {
        case 0xB144: .word(.year)
        case 0xC6D4: .word(.monthUnit)
        case 0xC77C: .word(.day)
        default: nil
        }
    }

    private static func isBehindNumber(_ tokens: [DateToken]) -> Bool {
        if case .number? = tokens.last?.kind { true } else { false }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        let c = scalar.value
        if c < 0x80 { return (c | 0x20) &- 0x61 < 26 }
        return Folding.base(c) != nil || Folding.isInvisible(c) || Folding.isUnspaced(c) || (c > 0x24F && scalar.properties.isAlphabetic)
            || c == 0xBA || c == 0xAA
    }
}
