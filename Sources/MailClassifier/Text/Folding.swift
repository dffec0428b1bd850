/// Text brought to one spelling, so that phrases can be found by comparing bytes.
///
/// Letters are lower case and without diacritics, words stand one space apart, and the bytes begin and end with a space. Scripts written
/// without spaces keep their characters together. Emoji are words. The apostrophe of `don't` is dropped, that of `l'offre` is a space.
struct FoldedSentence: Sendable {
    /// UTF-8.
    var bytes: [UInt8]
    /// Offsets in `bytes` of the spaces where a comma, colon, bracket or dash stood, ascending.
    var commas: [Int]
    /// The sentence as written, for evidence.
    var original: String
    /// Ended with a question mark.
    var isQuestion: Bool

    /// Whether a comma or the like stands within `range`.
    func hasComma(in range: Range<Int>) -> Bool {
        commas.contains { range.contains($0) }
    }
}

enum Folding {
    /// What a text may cost: scalars read and sentences made of it; the rest is left unread.
    struct Limits {
        var scalars = 40_000
        var sentences = 600
    }

    /// One folded line of a rule, `*`, `^` and `$` taken out by the caller before.
    static func phrase(_ text: some StringProtocol) -> [UInt8] {
        var folder = Folder(Array(text.unicodeScalars))
        folder.splits = false
        folder.run()
        return folder.sentences.first?.bytes ?? []
    }

    /// The sentences of a text. A line end is a sentence end unless the line was long enough to have been wrapped.
    static func sentences(_ text: String, limits: Limits = Limits()) -> [FoldedSentence] {
        var folder = Folder(Array(text.unicodeScalars.prefix(limits.scalars)))
        folder.limit = limits.sentences
        folder.run()
        return folder.sentences
    }

    /// The ASCII base letters of a Latin letter with a diacritic, nil for any other scalar.
    static func base(_ value: UInt32) -> StaticString? {
        switch value {
        case 0xC0...0xC5, 0xE0...0xE5, 0x100...0x105, 0x1CD, 0x1CE: "a"
        case 0xC6, 0xE6: "ae"
        case 0xC7, 0xE7, 0x106...0x10D: "c"
        case 0x10E...0x111, 0xD0, 0xF0: "d"
        case 0xC8...0xCB, 0xE8...0xEB, 0x112...0x11B: "e"
        case 0x11C...0x123: "g"
        case 0x124...0x127: "h"
        case 0xCC...0xCF, 0xEC...0xEF, 0x128...0x131: "i"
        case 0x134, 0x135: "j"
        case 0x136...0x138: "k"
        case 0x139...0x142: "l"
        case 0xD1, 0xF1, 0x143...0x14B: "n"
        case 0xD2...0xD6, 0xD8, 0xF2...0xF6, 0xF8, 0x14C...0x151: "o"
        case 0x152, 0x153: "oe"
        case 0x154...0x159: "r"
        case 0x15A...0x161, 0x218, 0x219: "s"
        case 0xDF, 0x1E9E: "ss"
        case 0x162...0x167, 0x21A, 0x21B: "t"
        case 0xDE, 0xFE: "th"
        case 0xD9...0xDC, 0xF9...0xFC, 0x168...0x173: "u"
        case 0x174, 0x175: "w"
        case 0xDD, 0xFD, 0xFF, 0x176...0x178: "y"
        case 0x179...0x17E: "z"
        default: nil
        }
    }

    /// Characters that are not there for a reader: combining marks, joiners, variation selectors, soft hyphens, skin tones.
    static func isInvisible(_ value: UInt32) -> Bool {
        switch value {
        case 0xAD, 0x300...0x36F, 0x200B...0x200F, 0x2060...0x2064, 0xFE00...0xFE0F, 0xFEFF, 0x1F3FB...0x1F3FF: true
        default: false
        }
    }

    /// Letters of scripts that do not separate words by spaces.
    static func isUnspaced(_ value: UInt32) -> Bool {
        switch value {
        case 0x3005...0x3007, 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xFF66...0xFF9F, 0x0E00...0x0E7F: true
        default: false
        }
    }

    static func isEmoji(_ value: UInt32) -> Bool {
        switch value {
        case 0x2600...0x27BF, 0x1F300...0x1F3FA, 0x1F400...0x1FAFF: true
        default: false
        }
    }
}

private struct Folder {
    enum Last { case space, word, unspaced }

    let scalars: [Unicode.Scalar]
    var sentences: [FoldedSentence] = []
    var splits = true
    var limit = 1
    private var bytes: [UInt8] = [0x20]
    private var commas: [Int] = []
    private var start = 0
    private var lineStart = 0
    private var last = Last.space

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    mutating func run() {
        var i = 0
        while i < scalars.count, sentences.count < limit {
            take(scalars[i].value, at: i)
            i += 1
        }
        endSentence(at: scalars.count, question: false)
    }

    private func value(_ i: Int) -> UInt32 { i >= 0 && i < scalars.count ? scalars[i].value : 0x0A }

    private mutating func take(_ c: UInt32, at i: Int) {
        switch c {
        case 0x41...0x5A: word(UInt8(c) | 0x20)
        case 0x61...0x7A, 0x30...0x39: word(UInt8(c))
        case 0x27, 0x60, 0xB4, 0x2018, 0x2019, 0x2BC:
            if !isContraction(after: i) { space() }
        case 0x2E, 0x21, 0x3F, 0x2026, 0x3002, 0xFF01, 0xFF1F: mark(c, at: i)
        case 0x0A, 0x0D: lineEnd(at: i)
        case 0x2C, 0x3A, 0x3B, 0x28, 0x29, 0x2013, 0x2014, 0x3001, 0xFF0C, 0xFF1A: comma()
        case 0x2D: isSpace(value(i + 1)) && isSpace(value(i - 1)) ? comma() : space()
        case _ where c < 0x80: space()
        case _ where Folding.isInvisible(c): break
        case _ where Folding.isUnspaced(c):
            if last == .word { space() }
            bytes.append(contentsOf: UTF8.encode(scalars[i]) ?? .init())
            last = .unspaced
        case _ where Folding.isEmoji(c):
            space()
            word(contentsOf: scalars[i])
            space()
        default:
            if let base = Folding.base(c) {
                base.withUTF8Buffer { for byte in $0 { word(byte) } }
            } else if scalars[i].properties.isAlphabetic {
                for scalar in scalars[i].properties.lowercaseMapping.unicodeScalars where !Folding.isInvisible(scalar.value) {
                    word(contentsOf: scalar)
                }
            } else {
                space()
            }
        }
    }

    private mutating func word(_ byte: UInt8) {
        if last == .unspaced { space() }
        bytes.append(byte)
        last = .word
    }

    private mutating func word(contentsOf scalar: Unicode.Scalar) {
        if last == .unspaced { space() }
        bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
        last = .word
    }

    private mutating func space() {
        if last != .space { bytes.append(0x20) }
        last = .space
    }

    private mutating func comma() {
        space()
        if commas.last != bytes.count - 1 { commas.append(bytes.count - 1) }
    }

    private func isSpace(_ c: UInt32) -> Bool { c == 0x20 || c == 0x09 || c == 0x0A || c == 0x0D || c == 0xA0 }

    private func isLetter(_ c: UInt32) -> Bool { (c | 0x20) &- 0x61 < 26 || (c >= 0xC0 && c < 0x250) }

    /// Whether the apostrophe at `i` joins an English ending (`don't`, `we'll`) to its word.
    private func isContraction(after i: Int) -> Bool {
        guard isLetter(value(i - 1)) else { return false }
        var tail: [UInt32] = []
        var j = i + 1
        while tail.count < 3, isLetter(value(j)) {
            tail.append(value(j) | 0x20)
            j += 1
        }
        switch tail {
        case [0x74], [0x73], [0x6D], [0x64], [0x72, 0x65], [0x6C, 0x6C], [0x76, 0x65]: return true
        default: return false
        }
    }

    private mutating func mark(_ c: UInt32, at i: Int) {
        let next = value(i + 1)
        let question = c == 0x3F || c == 0xFF1F
        if c < 0x80, isLetter(next) || (next >= 0x30 && next <= 0x39) || next == 0x40 || next == 0x2F {
            return space()  // inside a URL, a number or an address
        }
        if c == 0x2E {
            let before = value(i - 1)
            if before >= 0x30 && before <= 0x39, !isLineEnd(next) { return space() }  // "17. August"
            if endsWithAbbreviation { return space() }
        }
        guard splits else { return space() }
        if question || !isMark(next) { endSentence(at: i + 1, question: question) }
    }

    private func isMark(_ c: UInt32) -> Bool { c == 0x2E || c == 0x21 || c == 0x3F }

    private func isLineEnd(_ c: UInt32) -> Bool { c == 0x0A || c == 0x0D }

    /// Whether the last word is one letter or a title, whose full stop ends no sentence.
    private var endsWithAbbreviation: Bool {
        var length = 0
        while length < 5, bytes[bytes.count - 1 - length] != 0x20 { length += 1 }
        let word = bytes.suffix(length)
        if length == 1, word.first.map({ $0 &- 0x61 < 26 }) == true, word.first != 0x69 { return true }
        switch Array(word) {
        case Array("dr".utf8), Array("mr".utf8), Array("mrs".utf8), Array("ms".utf8), Array("nr".utf8), Array("st".utf8), Array("tel".utf8),
            Array("inkl".utf8), Array("zzt".utf8), Array("bzw".utf8):
            return true
        default: return false
        }
    }

    private mutating func lineEnd(at i: Int) {
        let length = i - lineStart
        lineStart = i + 1
        guard splits else { return space() }
        // A line of that length was probably wrapped by a program and goes on in the next.
        if length >= 55, !isLineEnd(value(i + 1)), value(i + 1) != 0x2D, value(i + 1) != 0x2A { return space() }
        endSentence(at: i, question: false)
    }

    private mutating func endSentence(at end: Int, question: Bool) {
        space()
        if bytes.count > 1 {
            var first = start
            while first < end, scalars[first].value <= 0x20 { first += 1 }
            var original = String.UnicodeScalarView()
            for scalar in scalars[first..<min(end, first + 240)] {
                original.append(scalar.value < 0x20 ? " " : scalar)
            }
            sentences.append(FoldedSentence(bytes: bytes, commas: commas, original: String(original), isQuestion: question))
        } else if question, !sentences.isEmpty {
            sentences[sentences.count - 1].isQuestion = true
        }
        bytes = [0x20]
        commas = []
        start = end
        last = .space
    }
}
