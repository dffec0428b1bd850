/// What the bytes of one line look like, whatever its language.
enum LineShape {
    /// A quoted line: `> text`, also `| text` and `AE> text` of old programs.
    static func isQuoted(_ line: ArraySlice<UInt8>) -> Bool {
        let line = trimmed(line)
        guard let first = line.first else { return false }
        if first == 0x3E { return true }
        if first == 0x7C, line.count > 1, line[line.startIndex + 1] == 0x20 { return true }
        // "AE> text": the initials of who is quoted.
        let initials = line.prefix { $0 &- 0x41 < 26 }.count
        return (1...3).contains(initials) && line.count > initials && line[line.startIndex + initials] == 0x3E
            && (line.count == initials + 1 || [0x20, 0x3E].contains(line[line.startIndex + initials + 1]))
    }

    /// A line that only draws: ten or more of `_`, `-`, `=`, `*`, `~`.
    static func isRule(_ line: ArraySlice<UInt8>) -> Bool {
        let line = trimmed(line)
        guard line.count >= 10, let first = line.first, [0x5F, 0x2D, 0x3D, 0x2A, 0x7E].contains(first) else { return false }
        return line.allSatisfy { $0 == first }
    }

    /// A line without a letter, a digit or a picture: what is left of a frame, or the mark that a mail program leaves behind a text.
    static func isOrnament(_ line: ArraySlice<UInt8>) -> Bool {
        line.elementsEqual([0xE1, 0x90, 0xA7]) || line.allSatisfy { $0 <= 0x20 || [0x7C, 0x5F, 0x2D, 0x3D, 0x2A, 0x7E, 0x23].contains($0) }
    }

    /// Two words with a capital letter side by side: a person's name, in any script that has capitals.
    static func hasName(_ line: ArraySlice<UInt8>) -> Bool {
        var isCapital = false
        for word in line.split(separator: 0x20) {
            let word = word.drop { [0x27, 0x22, 0x28, 0x3C].contains($0) }
            let capital =
                word.count > 1 && (word.first.map { $0 &- 0x41 < 26 } ?? false || word.starts(with: [0xC3]) || word.starts(with: [0xD0]))
                && word[word.startIndex + 1] | 0x20 != word[word.startIndex] | 0x20
            if isCapital, capital { return true }
            isCapital = capital && word.last != 0x2C && word.last != 0x2E
        }
        return false
    }

    /// Words between dashes, as in `-----Original Message-----`.
    static func isTitledSeparator(_ line: ArraySlice<UInt8>) -> Bool {
        var line = trimmed(line)
        // Bold, as in "*-----Original Message-----*".
        if line.count > 8, line.first == 0x2A, line.last == 0x2A, line[line.startIndex + 1] != 0x2A { line = line.dropFirst().dropLast() }
        guard line.count >= 8, line.count < 200 else { return false }
        for mark: UInt8 in [0x2D, 0x5F, 0x2A, 0x3D] {
            let head = line.prefix { $0 == mark }.count
            let tail = line.reversed().prefix { $0 == mark }.count
            if head >= 3, tail >= 3, head + tail < line.count {
                return line.dropFirst(head).dropLast(tail).contains { $0.isLetter || $0 >= 0x80 }
            }
        }
        return false
    }

    /// `Label: value` as header blocks of mail programs write it; nil for anything else. The label is free of digits, at most 30 bytes.
    static func label(_ line: ArraySlice<UInt8>) -> (label: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        let line = trimmed(line).drop { $0 == 0x2A }  // bold as `*From:*`
        guard let (start, end) = colon(line.prefix(48)), start > line.startIndex else { return nil }
        var label = trimmed(line[line.startIndex..<start])
        while label.last == 0x2A { label.removeLast() }
        guard !label.isEmpty, label.count <= 30, label.first.map({ $0.isLetter || $0 >= 0x80 }) == true else { return nil }
        guard !label.contains(where: { $0.isDigit || $0 == 0x40 || $0 == 0x2F || $0 == 0x3C || $0 == 0x2C }) else { return nil }
        guard label.count(where: { $0 == 0x20 }) <= 3 else { return nil }
        let value = trimmed(line[end...].drop { $0 == 0x2A })
        if value.starts(with: [0x2F, 0x2F]) { return nil }
        return (label, value)
    }

    /// The first colon, also the full-width one.
    private static func colon(_ line: ArraySlice<UInt8>) -> (start: Int, end: Int)? {
        for i in line.indices {
            if line[i] == 0x3A { return (i, i + 1) }
            if line[i] == 0xEF, i + 2 < line.endIndex, line[i + 1] == 0xBC, line[i + 2] == 0x9A { return (i, i + 3) }
        }
        return nil
    }

    static func endsWithColon(_ line: ArraySlice<UInt8>) -> Bool {
        let line = trimmed(line)
        // Also full-width, and as Khmer writes it.
        return line.last == 0x3A || line.suffix(3).elementsEqual([0xEF, 0xBC, 0x9A]) || line.suffix(3).elementsEqual([0xE1, 0x9F, 0x96])
    }

    static func hasAddress(_ line: ArraySlice<UInt8>) -> Bool {
        guard let at = line.firstIndex(of: 0x40), at > line.startIndex, at + 1 < line.endIndex else { return false }
        return (line[at - 1] > 0x20) && (line[at + 1].isLetter || line[at + 1].isDigit || line[at + 1] >= 0x80)
    }

    /// A time of day: `9:45`.
    static func hasClock(_ line: ArraySlice<UInt8>) -> Bool {
        line.indices.dropFirst().dropLast(2).contains {
            line[$0] == 0x3A && line[$0 - 1].isDigit && line[$0 + 1].isDigit && line[$0 + 2].isDigit
        }
    }

    /// A year 1990...2099, a time of day, or three numbers with dots, slashes or hyphens.
    static func hasDate(_ line: ArraySlice<UInt8>) -> Bool { hasDate(line, orClock: true) }

    /// The same without a time of day.
    static func hasDay(_ line: ArraySlice<UInt8>) -> Bool { hasDate(line, orClock: false) }

    private static func hasDate(_ line: ArraySlice<UInt8>, orClock: Bool) -> Bool {
        var i = line.startIndex
        while i < line.endIndex {
            guard line[i].isDigit else {
                i += 1
                continue
            }
            let start = i
            while i < line.endIndex, line[i].isDigit { i += 1 }
            let length = i - start
            if length == 4, (line[start] == 0x32 && line[start + 1] == 0x30) || (line[start] == 0x31 && line[start + 1] == 0x39) {
                return true
            }
            guard length <= 2, i + 1 < line.endIndex, line[i + 1].isDigit else { continue }
            if line[i] == 0x3A, orClock { return true }
            if [0x2E, 0x2F, 0x2D].contains(line[i]) {
                let mark = line[i]
                var j = i + 1
                while j < line.endIndex, line[j].isDigit { j += 1 }
                if j - i <= 3, j + 1 < line.endIndex, line[j] == mark, line[j + 1].isDigit { return true }
            }
        }
        return false
    }

    static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var low = line.startIndex
        var high = line.endIndex
        while true {
            if low < high, line[low] <= 0x20 {
                low += 1
            } else if low + 1 < high, line[low] == 0xC2, line[low + 1] == 0xA0 {
                low += 2
            } else {
                break
            }
        }
        while true {
            if low < high, line[high - 1] <= 0x20 {
                high -= 1
            } else if low + 1 < high, line[high - 2] == 0xC2, line[high - 1] == 0xA0 {
                high -= 2
            } else {
                break
            }
        }
        return line[low..<high]
    }
}
