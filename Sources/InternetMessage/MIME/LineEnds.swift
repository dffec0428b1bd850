/// Line ends to LF.
enum LineEnds {
    /// The byte that ends the lines of `bytes`: LF (also where CR stands before it), or CR in files of programs that know no LF.
    ///
    /// The beginning decides, so that a stray LF does not turn a CR file into one line, nor a stray CR break the lines of an LF file.
    static func newline(of bytes: ArraySlice<UInt8>) -> UInt8 {
        var (feeds, returns) = (0, 0)
        for byte in bytes.prefix(16 << 10) {
            if byte == ASCII.lf { feeds += 1 } else if byte == ASCII.cr { returns += 1 }
        }
        if feeds == 0, returns == 0 { return bytes.contains(ASCII.lf) ? ASCII.lf : ASCII.cr }
        return returns > feeds * 2 ? ASCII.cr : ASCII.lf
    }

    static func normalize(_ bytes: inout [UInt8]) {
        guard bytes.contains(ASCII.cr) else { return }
        var write = 0
        var read = 0
        while read < bytes.count {
            let byte = bytes[read]
            if byte == ASCII.cr {
                bytes[write] = ASCII.lf
                if read + 1 < bytes.count, bytes[read + 1] == ASCII.lf { read += 1 }
            } else {
                bytes[write] = byte
            }
            write += 1
            read += 1
        }
        bytes.removeLast(bytes.count - write)
    }
}
