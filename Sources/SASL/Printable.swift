/// Foreign octets made fit for a log line or a terminal.
enum Printable {
    /// Printable ASCII as it is, everything else as `\xNN`, cut after `limit` octets.
    static func text(_ bytes: some Collection<UInt8>, limit: Int = 512) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var output: [UInt8] = []
        for byte in bytes.prefix(limit) {
            if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        if bytes.count > limit { output += Array("...".utf8) }
        return String(decoding: output, as: UTF8.self)
    }
}
