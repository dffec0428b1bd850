/// Character references of HTML: all names of the standard, and numbers as browsers read them.
enum HTMLEntities {
    /// Where a reference stands; in an attribute `&copy=1` is part of a link and no sign.
    enum Place {
        case text, attribute
    }

    /// The text that the character reference at `start` (which is an ampersand) stands for and the index behind it; nil when none is there.
    static func decode(_ bytes: ArraySlice<UInt8>, at start: Int, in place: Place = .text) -> (text: String, end: Int)? {
        var i = start + 1
        guard i < bytes.endIndex else { return nil }
        if bytes[i] == 0x23 { return number(bytes, i + 1) }
        let nameStart = i
        while i < bytes.endIndex, i - nameStart < longestName, bytes[i].isLetter || bytes[i].isDigit { i += 1 }
        guard i > nameStart else { return nil }
        if i < bytes.endIndex, bytes[i] == ASCII.semicolon, let entry = table[Array(bytes[nameStart..<i])] { return (entry.text, i + 1) }
        // The old references are known without their semicolon too, the longest that fits.
        var length = min(longestBareName, i - nameStart)
        while length >= 2 {
            if let entry = table[Array(bytes[nameStart..<(nameStart + length)])], entry.isKnownBare {
                let end = nameStart + length
                if place == .attribute, end < bytes.endIndex, bytes[end] == ASCII.equals || bytes[end].isLetter || bytes[end].isDigit {
                    return nil
                }
                return (entry.text, end)
            }
            length -= 1
        }
        return nil
    }

    /// The bytes with all their references decoded.
    static func decoding(_ bytes: ArraySlice<UInt8>, in place: Place) -> ArraySlice<UInt8> {
        guard bytes.contains(0x26) else { return bytes }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var i = bytes.startIndex
        while i < bytes.endIndex {
            if bytes[i] == 0x26, let (text, end) = decode(bytes, at: i, in: place) {
                output += text.utf8
                i = end
            } else {
                output.append(bytes[i])
                i += 1
            }
        }
        return output[...]
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ start: Int) -> (String, Int)? {
        var i = start
        let isHex = i < bytes.endIndex && bytes[i] | 0x20 == 0x78
        if isHex { i += 1 }
        let digits = i
        var value: UInt32 = 0
        while i < bytes.endIndex, let digit = isHex ? bytes[i].hexValue : bytes[i].isDigit ? bytes[i] - 0x30 : nil {
            value = min(0x11_0000, value * (isHex ? 16 : 10) + UInt32(digit))
            i += 1
        }
        guard i > digits else { return nil }
        if i < bytes.endIndex, bytes[i] == ASCII.semicolon { i += 1 }
        if (0x80...0x9F).contains(value) { return (Windows1252.decode([UInt8(value)]), i) }
        let scalar = value == 0 ? nil : Unicode.Scalar(value)
        return (String(Character(scalar ?? "\u{FFFD}")), i)
    }

    private struct Entry {
        var text: String
        var isKnownBare: Bool
    }

    private static let longestName = 31
    private static let longestBareName = 6

    private static let table: [[UInt8]: Entry] = {
        var table: [[UInt8]: Entry] = [:]
        table.reserveCapacity(2200)
        for row in Array("\(HTMLEntityNames.list)".utf8).split(whereSeparator: \.isWhitespace) {
            guard let equals = row.firstIndex(of: ASCII.equals) else { continue }
            var name = row[..<equals]
            let isKnownBare = name.last == ASCII.asterisk
            if isKnownBare { name.removeLast() }
            var text = ""
            for number in row[(equals + 1)...].split(separator: ASCII.comma) {
                guard let scalar = UInt32(number.utf8Text, radix: 16).flatMap(Unicode.Scalar.init) else { continue }
                text.unicodeScalars.append(scalar)
            }
            table[Array(name)] = Entry(text: text, isKnownBare: isKnownBare)
        }
        return table
    }()
}
