/// Line ends to LF.
enum LineEnds {
    /// The byte that ends the lines of `bytes`: LF (also where CR stands before it), or CR in files of programs that know no LF.
    ///
    /// The beginning decides, so that a stray LF does not turn a CR file into one line, nor a stray CR break the lines of an LF file.
    static func newline(of bytes: ArraySlice<UInt8>) -> UInt8 {
        let text = bytes.span
        let feeds = text.count(of: ASCII.lf, upTo: 16 << 10)
        let returns = text.count(of: ASCII.cr, upTo: 16 << 10)
        if feeds == 0, returns == 0 { return bytes.contains(ASCII.lf) ? ASCII.lf : ASCII.cr }
        return returns > feeds * 2 ? ASCII.cr : ASCII.lf
    }

    static func normalize(_ bytes: inout [UInt8]) {
        var write = bytes.span.firstIndex(of: ASCII.cr, from: 0)
        guard write < bytes.count else { return }
        var read = write
        var text = bytes.mutableSpan
        while read < text.count {
            let byte = text[read]
            if byte == ASCII.cr {
                text[write] = ASCII.lf
                if read + 1 < text.count, text[read + 1] == ASCII.lf { read += 1 }
            } else {
                text[write] = byte
            }
            write += 1
            read += 1
        }
        bytes.removeLast(bytes.count - write)
    }
}
