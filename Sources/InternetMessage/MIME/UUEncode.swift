/// Reads uuencode, the encoding of mail before MIME.
enum UUEncode {
    /// The content between `begin` and `end`; `isClean` is false when either is missing or a line is damaged.
    static func decodeTolerantly(_ text: ArraySlice<UInt8>) -> (bytes: [UInt8], isClean: Bool) {
        var output: [UInt8] = []
        var isClean = false
        var started = false
        var i = text.startIndex
        while i < text.endIndex {
            var end = i
            while end < text.endIndex, text[end] != ASCII.lf, text[end] != ASCII.cr { end += 1 }
            let line = text[i..<end]
            i = end + 1
            if !started {
                started = line.hasPrefix(ignoringCase: "begin ")
                isClean = started
                continue
            }
            if line.matches("end") { return (output, isClean) }
            if !line.isEmpty, !decodeLine(line, into: &output) { isClean = false }
        }
        return (output, false)
    }

    private static func decodeLine(_ line: ArraySlice<UInt8>, into output: inout [UInt8]) -> Bool {
        guard let first = line.first, first >= 0x20, first <= 0x60 else { return false }
        var left = Int((first &- 0x20) & 63)
        var i = line.startIndex + 1
        func value(_ index: Int) -> UInt32 {
            index < line.endIndex ? UInt32((line[index] &- 0x20) & 63) : 0
        }
        while left > 0 {
            guard i < line.endIndex else { return false }
            let group = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3)
            output.append(UInt8(truncatingIfNeeded: group >> 16))
            if left > 1 { output.append(UInt8(truncatingIfNeeded: group >> 8)) }
            if left > 2 { output.append(UInt8(truncatingIfNeeded: group)) }
            left -= 3
            i += 4
        }
        return true
    }
}
