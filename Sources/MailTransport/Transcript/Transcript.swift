import struct NIOCore.ByteBuffer

/// A dialogue as it is kept and shown: one line each, bounded, safe to print.
struct Transcript {
    private static let longestLine = 500
    private static let largest = 32_768

    private var bytes: [UInt8] = []

    var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func sent(_ buffer: ByteBuffer) { add(UInt8(ascii: ">"), buffer) }

    mutating func received(_ buffer: ByteBuffer) { add(UInt8(ascii: "<"), buffer) }

    /// A remark of ours: masked credentials, content left out, TLS facts.
    mutating func note(_ words: String) {
        guard open(UInt8(ascii: "*"), length: words.utf8.count) else { return }
        bytes += words.utf8
        bytes.append(10)
    }

    private mutating func add(_ mark: UInt8, _ buffer: ByteBuffer) {
        var rest = buffer.readableBytesView[...]
        // No more is looked at than there is room for, however much came.
        while !rest.isEmpty {
            let line = rest.prefix { $0 != 10 }
            rest = rest[line.endIndex...].dropFirst()
            let shown = line.prefix(Self.longestLine)
            if shown.isEmpty { continue }
            guard open(mark, length: shown.count) else { return }
            for byte in shown where byte != 13 { bytes.append(byte >= 32 && byte < 127 ? byte : UInt8(ascii: "?")) }
            bytes.append(10)
        }
    }

    /// Begins a line of that many octets; false when there is no room for it.
    private mutating func open(_ mark: UInt8, length: Int) -> Bool {
        guard bytes.count + length + 3 < Self.largest else { return false }
        bytes.append(mark)
        bytes.append(UInt8(ascii: " "))
        return true
    }
}
