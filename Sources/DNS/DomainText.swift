/// Domain names between text and wire, on bytes.
///
/// Text is ASCII (A-labels for international names), lower case, without a trailing dot; the root is `.`.
enum DomainText {
    /// Whether a name can be asked for: labels of letters, digits, `-` and `_`, at most 63 bytes each and 253 in all.
    static func isQueryable(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        if bytes == [UInt8(ascii: ".")] { return true }
        guard !bytes.isEmpty, bytes.count <= 253 else { return false }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
        }
    }

    /// Whether a name can be that of a host: as above without `_`, no hyphen at the ends of a label, not all digits at the end.
    static func isHostName(_ name: String) -> Bool {
        guard isQueryable(name), !name.utf8.elementsEqual([UInt8(ascii: ".")]) else { return false }
        let labels = name.utf8.split(separator: UInt8(ascii: "."))
        guard labels.allSatisfy({ $0.first != 0x2D && $0.last != 0x2D && !$0.contains(0x5F) }) else { return false }
        return labels.last?.allSatisfy { (0x30...0x39).contains($0) } == false
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    /// Lower case in ASCII, without one trailing dot.
    static func normal(_ name: String) -> String {
        var bytes = name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if bytes.count > 1, bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Takes an uncompressed name from the front of record data; bytes no host name has are written `\ddd`. Nil when malformed.
    static func decode(_ wire: inout ArraySlice<UInt8>) -> String? {
        var text: [UInt8] = []
        var total = 1
        while let length = wire.popFirst() {
            if length == 0 { return text.isEmpty ? "." : String(decoding: text, as: UTF8.self) }
            total += Int(length) + 1
            guard length <= 63, total <= 255, wire.count >= Int(length) else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            for byte in wire.prefix(Int(length)) {
                if isLetterOrDigit(byte) || byte == 0x2D || byte == 0x5F {
                    text.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
                } else {
                    let digits = String(byte)
                    text += Array("\\".utf8) + Array(repeating: UInt8(ascii: "0"), count: 3 - digits.utf8.count) + Array(digits.utf8)
                }
            }
            wire.removeFirst(Int(length))
        }
        return nil
    }

    /// The wire form of a name that ``isQueryable(_:)``; nil for any other.
    static func encode(_ name: String) -> [UInt8]? {
        guard isQueryable(name) else { return nil }
        return name.utf8.split(separator: UInt8(ascii: ".")).flatMap { [UInt8($0.count)] + Array($0) } + [0]
    }
}
