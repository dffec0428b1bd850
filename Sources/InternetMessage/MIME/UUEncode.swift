/// Reads uuencode, the encoding of mail before MIME.
enum UUEncode {
    /// A file found inside a text.
    struct File {
        /// Where it stands, the lines `begin` and `end` included.
        var range: Range<Int>
        var name: String
        var bytes: [UInt8]
        /// Whether its `end` was found.
        var isComplete: Bool
    }

    /// The files in a text, each from a line `begin MODE NAME` that lines of uuencode follow; a sentence that begins with "begin" is none.
    static func files(in text: ArraySlice<UInt8>) -> [File] {
        var files: [File] = []
        var i = text.startIndex
        while let start = text.index(of: beginning, from: i) {
            i = start + beginning.count
            guard start == text.startIndex || text[start - 1] == ASCII.lf || text[start - 1] == ASCII.cr else { continue }
            guard let file = file(in: text, at: start) else { continue }
            files.append(file)
            i = file.range.upperBound
        }
        return files
    }

    private static func file(in text: ArraySlice<UInt8>, at start: Int) -> File? {
        var i = start
        let head = line(text, &i).dropFirst(beginning.count)
        let mode = head.prefix { (0x30...0x37).contains($0) }
        let name = head.dropFirst(mode.count).trimmed
        guard (3...4).contains(mode.count), head.dropFirst(mode.count).first == ASCII.space, !name.isEmpty, name.count <= 255 else {
            return nil
        }
        var file = File(range: start..<i, name: EncodedWord.decode(name), bytes: [], isComplete: false)
        while i < text.endIndex {
            let lineStart = i
            let content = line(text, &i)
            if content.trimmed.matches("end") {
                file.isComplete = true
                file.range = start..<i
                break
            }
            guard isLine(content), decodeLine(content, into: &file.bytes) else {
                i = lineStart
                break
            }
            file.range = start..<i
        }
        return file.bytes.isEmpty ? nil : file
    }

    /// The line at `i`, without its line end, behind which `i` moves.
    private static func line(_ text: ArraySlice<UInt8>, _ i: inout Int) -> ArraySlice<UInt8> {
        let start = i
        while i < text.endIndex, text[i] != ASCII.lf, text[i] != ASCII.cr { i += 1 }
        let line = text[start..<i]
        if i < text.endIndex, text[i] == ASCII.cr { i += 1 }
        if i < text.endIndex, text[i] == ASCII.lf { i += 1 }
        return line
    }

    /// Whether a line has the characters and about the length that its first character says.
    private static func isLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard let first = line.first, (0x20...0x60).contains(first) else { return false }
        let count = Int((first &- 0x20) & 63)
        let length = line.trimmed.count - 1
        return length <= (count + 2) / 3 * 4 + 2 && (count > 0 || length <= 1) && line.allSatisfy { (0x20...0x60).contains($0) }
    }

    private static let beginning = Array("begin ".utf8)

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
