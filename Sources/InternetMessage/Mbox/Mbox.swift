/// A file of many messages, each behind a line that begins with "From " (RFC 4155, and the older forms it describes).
package enum Mbox {
    /// The messages in the file, each from its "From " line to before the next one, in order; the whole file as one message when it is
    /// no mbox. Lengths of a Content-Length field are not trusted, and ">From " is left as it is, because files do not say which of the
    /// two quoting habits they follow.
    ///
    /// A line counts as such when it stands at the beginning or behind an empty line and names a year or a time of day, so that a
    /// sentence that begins with "From " and was not quoted splits nothing.
    package static func messages(in file: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var starts: [Int] = []
        let newline = LineEnds.newline(of: file)
        var previousIsEmpty = true
        var i = file.startIndex
        while i < file.endIndex {
            let next = (file.index(of: newline, from: i) ?? file.endIndex - 1) + 1
            if file[i] == 0x46, previousIsEmpty, isFromLine(file[i..<next]) { starts.append(i) }
            previousIsEmpty = isEmptyLine(file[i..<next])
            i = next
        }
        guard let first = starts.first, isBlank(file[..<first]) else { return file.isEmpty ? [] : [file] }
        return starts.enumerated().map { number, start in
            file[start..<(number + 1 < starts.count ? starts[number + 1] : file.endIndex)]
        }
    }

    private static func isFromLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.starts(with: "From ".utf8) else { return false }
        let rest = line.dropFirst(5).prefix(300)
        // Quirk(mimekit.mbox): "From -" alone and a date without time are written too.
        if rest.trimmed.elementsEqual([ASCII.hyphen]) { return true }
        var digits = 0
        for byte in rest {
            if byte.isDigit {
                digits += 1
                if digits == 4 { return true }
            } else if byte == ASCII.colon, digits > 0 {
                return true
            } else {
                digits = 0
            }
        }
        return false
    }

    private static func isEmptyLine(_ line: ArraySlice<UInt8>) -> Bool {
        line.count <= 3 && line.allSatisfy { $0 == ASCII.cr || $0 == ASCII.lf }
    }

    private static func isBlank(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.allSatisfy(\.isWhitespace) }
}
