/// What charset a text without a usable label is in, judged by which bytes occur: the two-byte charsets of East Asia, and the
/// single-byte ones of scripts other than Latin. Western text, and what gives too little evidence, is not guessed.
struct CharsetGuess {
    /// iconv's name of the charset, nil when the looks say nothing.
    static func name(of bytes: ArraySlice<UInt8>) -> String? {
        // Enough for any judgement; a bound for hostile lengths.
        let guess = CharsetGuess(bytes.prefix(16 << 10))
        guard guess.high >= 4 else { return nil }
        return guess.isThai ? "CP874" : guess.eastAsian() ?? guess.singleByte()
    }

    private let bytes: ArraySlice<UInt8>
    /// How often each byte occurs.
    private var counts = [Int](repeating: 0, count: 256)
    /// Bytes from 0x80, and the runs they stand in.
    private var high = 0
    private var runs = 0

    private init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        var previous: UInt8 = 0
        for byte in bytes {
            counts[Int(byte)] += 1
            if byte >= 0x80 {
                high += 1
                if previous < 0x80 { runs += 1 }
            }
            previous = byte
        }
    }

    private func count(_ range: ClosedRange<UInt8>) -> Int { range.reduce(0) { $0 + counts[Int($1)] } }

    private func isShare(_ part: Int, of whole: Int, atLeast percent: Int) -> Bool { whole > 0 && part * 100 >= whole * percent }

    // MARK: Two-byte charsets

    /// What is seen when the text is cut into pairs the way a charset does it.
    private struct Pairs {
        var pairs = 0
        var malformed = 0
        var isRight: Bool { pairs >= 2 && malformed * 50 <= pairs }
    }

    private func eastAsian() -> String? {
        if let japanese = shiftJIS() { return japanese }
        var grid = Pairs()
        var (kana, hangul, plain, levelOne, lowTrail, bigFive) = (0, 0, 0, 0, 0, 0)
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let lead = bytes[i]
            i += 1
            guard lead >= 0x80 else { continue }
            guard i < bytes.endIndex else { break }
            let trail = bytes[i]
            guard lead >= 0x81, lead <= 0xFE, (0x40...0xFE).contains(trail), trail != 0x7F else {
                grid.malformed += 1
                continue
            }
            i += 1
            grid.pairs += 1
            if trail < 0x80 { lowTrail += 1 }
            if lead == 0xA4 || lead == 0xA5, trail >= 0xA1 { kana += 1 }
            guard lead >= 0xB0 else {
                if lead >= 0xA4 { bigFive += 1 }
                continue
            }
            plain += 1
            if lead <= 0xC6 { bigFive += 1 }
            if lead <= 0xC8, trail >= 0xA1 { hangul += 1 }
            if lead <= 0xD7, trail >= 0xA1 { levelOne += 1 }
        }
        guard grid.isRight else { return nil }
        if isShare(lowTrail, of: grid.pairs, atLeast: 12), isShare(bigFive, of: grid.pairs, atLeast: 70) { return "BIG5-HKSCS" }
        if lowTrail == 0, isShare(kana, of: grid.pairs, atLeast: 15) { return "EUC-JP-MS" }
        if isShare(hangul, of: plain, atLeast: 96), plain >= 2, isShare(plain, of: grid.pairs, atLeast: 50) { return "CP949" }
        if isShare(levelOne, of: plain, atLeast: 75), isShare(plain, of: grid.pairs, atLeast: 50) { return "GB18030" }
        return nil
    }

    private func shiftJIS() -> String? {
        var pairs = Pairs()
        var kana = 0
        var low = 0
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let lead = bytes[i]
            i += 1
            switch lead {
            case 0..<0x80, 0xA1...0xDF: continue
            case 0x81...0x9F, 0xE0...0xFC:
                guard i < bytes.endIndex else { break }
                let trail = bytes[i]
                guard (0x40...0xFC).contains(trail), trail != 0x7F else {
                    pairs.malformed += 1
                    continue
                }
                i += 1
                pairs.pairs += 1
                if lead <= 0x9F { low += 1 }
                if lead == 0x82 || lead == 0x83 { kana += 1 }
            default: pairs.malformed += 1
            }
        }
        let isJapanese = pairs.isRight && isShare(kana, of: pairs.pairs, atLeast: 20) && isShare(low, of: pairs.pairs, atLeast: 80)
        return isJapanese ? "CP932" : nil
    }

    // MARK: Single-byte charsets

    /// Thai has no letters in the last rows and in one gap; its vowels and tones stand in two rows that they share with no pair of bytes.
    private var isThai: Bool {
        high >= 24 && count(0xDB...0xDE) + count(0xEE...0xFF) + count(0x80...0xA0) == 0
            && isShare(count(0xA1...0xBF), of: high, atLeast: 25) && isShare(count(0xD0...0xDA), of: high, atLeast: 15)
            && isShare(count(0xD0...0xDA) + count(0xE0...0xED), of: high, atLeast: 20)
    }

    private func singleByte() -> String? {
        // Letters of a script of its own stand together; those of Latin scripts stand among ASCII.
        guard high >= runs * 5 / 2 else { return turkish() }
        let (upperRow, lowerRow) = (count(0xC0...0xDF), count(0xE0...0xFF))
        guard isShare(upperRow + lowerRow, of: high, atLeast: 70) else { return nil }
        if isShare(counts[0xC7], of: high, atLeast: 6), isShare(counts[0xE1], of: high, atLeast: 5) { return "CP1256" }
        if upperRow * 2 > lowerRow * 3 { return "KOI8-R" }
        guard lowerRow * 2 > upperRow * 3 else { return nil }
        if high >= 30, count(0xC0...0xDF) == 0, count(0xFB...0xFF) == 0 { return "CP1255" }
        let greek = counts[0xE1] + counts[0xE9] + counts[0xEF]
        let cyrillic = counts[0xE0] + counts[0xE8] + counts[0xEE]
        return greek > cyrillic * 2 ? "CP1253" : "CP1251"
    }

    /// Turkish differs from Western in six letters, which otherwise only Icelandic uses, and that has accents Turkish lacks.
    private func turkish() -> String? {
        let own = [0xD0, 0xDD, 0xDE, 0xF0, 0xFD, 0xFE].reduce(0) { $0 + counts[$1] }
        let foreign = [0xC1, 0xC6, 0xC9, 0xCD, 0xD3, 0xDA, 0xE1, 0xE6, 0xE9, 0xED, 0xF3, 0xFA].reduce(0) { $0 + counts[$1] }
        return own >= 2 && foreign == 0 ? "CP1254" : nil
    }
}
