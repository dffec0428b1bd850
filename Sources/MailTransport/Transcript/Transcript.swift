import NIOCore
import SASL

/// A dialogue as it is kept and shown: one line each, bounded, safe to print.
struct Transcript {
    private static let longestLine = 500
    private static let largest = 32_768
    /// A line of the peer's is looked at whole before it is cut: long tokens are repeated whole.
    private static let longestBegun = 16_384

    /// What is taken out of the peer's lines.
    var mask: SecretMask
    private var bytes: [UInt8] = []
    /// The beginning of a line of the peer's whose end has not come.
    private var begun: [UInt8] = []

    init(mask: SecretMask = SecretMask()) {
        self.mask = mask
    }

    var text: String {
        var whole = self
        whole.endLine()
        return String(decoding: whole.bytes, as: UTF8.self)
    }

    mutating func sent(_ buffer: ByteBuffer) {
        endLine()
        var rest = buffer.readableBytesView[...]
        while let line = Self.nextLine(of: &rest) {
            guard add(UInt8(ascii: ">"), line) else { return }
        }
    }

    /// A line that comes in pieces is kept until it is whole, for a secret in it may lie across them.
    mutating func received(_ buffer: ByteBuffer) {
        var rest = buffer.readableBytesView[...]
        while !rest.isEmpty, bytes.count < Self.largest {
            let isWhole = rest.contains(10)
            guard let line = Self.nextLine(of: &rest) else { return }
            if isWhole, begun.isEmpty {
                if !addReceived(line) { return }
            } else {
                begun += line.prefix(max(0, Self.longestBegun - begun.count))
                if isWhole { endLine() }
            }
        }
    }

    /// A remark of ours: masked credentials, content left out, TLS facts.
    mutating func note(_ words: String) {
        endLine()
        guard open(UInt8(ascii: "*"), length: words.utf8.count) else { return }
        bytes += words.utf8
        bytes.append(10)
    }

    private mutating func endLine() {
        guard !begun.isEmpty else { return }
        let line = begun
        begun = []
        _ = addReceived(line)
    }

    private mutating func addReceived(_ line: some Collection<UInt8>) -> Bool {
        mask.isEmpty ? add(UInt8(ascii: "<"), line) : add(UInt8(ascii: "<"), mask.masked(line.prefix(Self.longestBegun)))
    }

    /// False when there is no room for it.
    private mutating func add(_ mark: UInt8, _ line: some Collection<UInt8>) -> Bool {
        let shown = line.prefix(Self.longestLine)
        if shown.isEmpty { return true }
        guard open(mark, length: shown.count) else { return false }
        for byte in shown where byte != 13 { bytes.append(byte >= 32 && byte < 127 ? byte : UInt8(ascii: "?")) }
        bytes.append(10)
        return true
    }

    /// What stands before the next line feed, which goes with it; nil at the end.
    private static func nextLine(of rest: inout ByteBufferView) -> ByteBufferView? {
        guard !rest.isEmpty else { return nil }
        let line = rest.prefix { $0 != 10 }
        rest = rest[line.endIndex...].dropFirst()
        return line
    }

    /// Begins a line of that many octets; false when there is no room for it.
    private mutating func open(_ mark: UInt8, length: Int) -> Bool {
        guard bytes.count + length + 3 < Self.largest else { return false }
        bytes.append(mark)
        bytes.append(UInt8(ascii: " "))
        return true
    }
}
