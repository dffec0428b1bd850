/// Quoted-printable of RFC 2045 §6.7, over bytes.
package enum QuotedPrintable {
    /// The text for `bytes`, whose CRLF pairs are line ends and whose other CRs and LFs are content. Lines are at most 76 long;
    /// a line that begins with "From " or is a single dot is disguised so that no relay changes it.
    package static func encode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 8)
        var column = 0
        var i = bytes.startIndex
        while i < bytes.endIndex {
            // Most of a text stands as it is; only at a line's start and end there is more to look at.
            let run = column == 0 ? i : endOfPlainRun(bytes, from: i, to: min(bytes.endIndex, i + 75 - min(column, 75)))
            if run > i {
                output += bytes[i..<run]
                column += run - i
                i = run
                continue
            }
            let byte = bytes[i]
            if byte == ASCII.cr, i + 1 < bytes.endIndex, bytes[i + 1] == ASCII.lf {
                output += [ASCII.cr, ASCII.lf]
                column = 0
                i += 2
                continue
            }
            let lineEnds = i + 1 == bytes.endIndex || (bytes[i + 1] == ASCII.cr && i + 2 < bytes.endIndex && bytes[i + 2] == ASCII.lf)
            var isPlain = (byte > 0x20 && byte < 0x7F && byte != ASCII.equals) || (byte.isBlank && !lineEnds)
            if column == 0, byte == ASCII.dot && lineEnds || bytes[i...].starts(with: fromLine) { isPlain = false }
            let width = isPlain ? 1 : 3
            // The 76th column is kept for the soft line break unless the line ends here.
            if column + width > (lineEnds ? 76 : 75) {
                output += [ASCII.equals, ASCII.cr, ASCII.lf]
                column = 0
                if byte == ASCII.dot && lineEnds || bytes[i...].starts(with: fromLine) { isPlain = false }
            }
            if isPlain {
                output.append(byte)
                column += 1
            } else {
                output.append(ASCII.equals)
                output += hex(byte)
                column += 3
            }
            i += 1
        }
        return output
    }

    /// What can be read of quoted-printable as mail carries it; a stray `=` is kept as it is. `isClean` is false when one was met.
    package static func decodeTolerantly(_ text: ArraySlice<UInt8>) -> (bytes: [UInt8], isClean: Bool) {
        var isClean = true
        let bytes = [UInt8](capacity: text.count) { output in
            let text = text.span
            // What was written up to here stays, whatever follows: blanks before it were meant.
            var settled = 0
            var i = 0
            while i < text.count {
                let byte = text[i]
                if byte != ASCII.equals {
                    if byte == ASCII.lf || byte == ASCII.cr { dropBlanks(from: settled, of: &output) }
                    output.append(byte)
                    i &+= 1
                    continue
                }
                if i + 2 < text.count, let high = text[i + 1].hexValue, let low = text[i + 2].hexValue {
                    output.append(high << 4 | low)
                    i += 3
                } else if let next = softBreak(text, i + 1) {
                    i = next
                } else {
                    output.append(byte)
                    isClean = false
                    i += 1
                }
                settled = output.count
            }
            dropBlanks(from: settled, of: &output)
        }
        return (bytes, isClean)
    }

    /// Takes away the blanks at the end of a line, which were added on the way (rule 3).
    private static func dropBlanks(from settled: Int, of output: inout OutputSpan<UInt8>) {
        while output.count > settled, output[output.count - 1].isBlank { output.removeLast(1) }
    }

    /// The end of what needs no encoding and no look at what comes behind it: no blank that may end a line.
    private static func endOfPlainRun(_ bytes: ArraySlice<UInt8>, from start: Int, to limit: Int) -> Int {
        var i = start
        while i < limit {
            let byte = bytes[i]
            if byte > 0x20, byte < 0x7F, byte != ASCII.equals {
                i += 1
            } else if byte == ASCII.space, i + 1 < limit, bytes[i + 1] > 0x20 {
                i += 1
            } else {
                break
            }
        }
        return i
    }

    /// Two upper-case hexadecimal digits.
    static func hex(_ byte: UInt8) -> [UInt8] { [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }

    /// The index behind the line end at `start`, blanks before it passed over; nil when no line ends there.
    private static func softBreak(_ text: borrowing Span<UInt8>, _ start: Int) -> Int? {
        var i = start
        while i < text.count, text[i].isBlank { i += 1 }
        if i == text.count { return i }
        if text[i] == ASCII.lf { return i + 1 }
        guard text[i] == ASCII.cr else { return nil }
        return i + 1 < text.count && text[i + 1] == ASCII.lf ? i + 2 : i + 1
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
    private static let fromLine = Array("From ".utf8)
}
