/// Takes numbers and stretches from bytes, least significant byte first; nil once there are too few left.
struct LittleEndianReader {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position >= bytes.endIndex }

    /// How many octets are left.
    var left: Int { bytes.endIndex - position }

    mutating func u8() -> UInt8? {
        guard let slice = take(1) else { return nil }
        return slice.first
    }

    mutating func u16() -> UInt16? {
        guard let slice = take(2) else { return nil }
        return slice.reversed().reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func u32() -> UInt32? {
        guard let slice = take(4) else { return nil }
        return slice.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= left else { return nil }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    /// What is left.
    mutating func rest() -> ArraySlice<UInt8> {
        defer { position = bytes.endIndex }
        return bytes[position...]
    }

    /// A stretch of `count` octets and the filling behind it up to a multiple of four.
    mutating func takePadded(_ count: UInt32) -> ArraySlice<UInt8>? {
        guard let slice = take(Int(count)) else { return nil }
        let padding = (4 - Int(count) % 4) % 4
        if take(padding) == nil { position = bytes.endIndex }
        return slice
    }
}
