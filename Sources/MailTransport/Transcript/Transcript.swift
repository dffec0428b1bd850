import struct NIOCore.ByteBuffer

/// A dialogue as it is kept and shown: one line each, bounded, safe to print.
struct Transcript {
    private static let longestLine = 500
    private static let largest = 32_768

    private(set) var text = ""

    mutating func sent(_ buffer: ByteBuffer) { add("> ", buffer) }

    mutating func received(_ buffer: ByteBuffer) { add("< ", buffer) }

    /// A remark of ours: masked credentials, content left out, TLS facts.
    mutating func note(_ words: String) { append("* \(words)") }

    private mutating func add(_ mark: String, _ buffer: ByteBuffer) {
        for line in buffer.readableBytesView.split(separator: 10) {
            let shown = line.prefix(Self.longestLine).filter { $0 != 13 }.map { $0 >= 32 && $0 < 127 ? $0 : UInt8(ascii: "?") }
            append(mark + String(decoding: shown, as: UTF8.self))
        }
    }

    private mutating func append(_ line: String) {
        guard text.utf8.count + line.utf8.count < Self.largest else { return }
        text += line + "\n"
    }
}
