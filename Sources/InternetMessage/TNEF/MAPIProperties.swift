/// A list of MAPI properties as TNEF stores it (MS-OXTNEF §2.1.3.4); only single values that hold text or bytes are kept.
struct MAPIProperties {
    struct Property {
        var id: UInt16
        var type: UInt16
        var bytes: ArraySlice<UInt8>

        /// Whether the value is UTF-16 rather than text in the code page of the stream.
        var isWide: Bool { type == 0x1F }
    }

    private(set) var list: [Property] = []
    /// Whether every property could be read to its end.
    private(set) var isComplete = false

    init(parsing bytes: ArraySlice<UInt8>) {
        var reader = LittleEndianReader(bytes)
        guard let count = reader.u32() else { return }
        var read: UInt32 = 0
        while read < count {
            guard let type = reader.u16(), let id = reader.u16(), skipName(id, &reader), takeValue(id, type, &reader) else { return }
            read += 1
        }
        isComplete = true
    }

    /// Passes over the name that properties of numbers from 0x8000 carry.
    private func skipName(_ id: UInt16, _ reader: inout LittleEndianReader) -> Bool {
        guard id >= 0x8000 else { return true }
        guard reader.take(16) != nil, let kind = reader.u32(), let number = reader.u32() else { return false }
        return kind == 0 || reader.takePadded(number) != nil
    }

    private mutating func takeValue(_ id: UInt16, _ type: UInt16, _ reader: inout LittleEndianReader) -> Bool {
        let isMany = type & 0x1000 != 0
        let base = type & 0x0FFF
        let width: Int
        switch base {
        case 0x02: width = isMany ? 2 : 4
        case 0x03, 0x04, 0x0A, 0x0B: width = 4
        case 0x05, 0x06, 0x07, 0x14, 0x40: width = 8
        case 0x48: width = 16
        case 0x0D, 0x1E, 0x1F, 0x102: return takeStretches(id, base, &reader)
        default: return false
        }
        guard isMany else { return reader.take(width) != nil }
        guard let count = reader.u32() else { return false }
        let (length, overflow) = Int(count).multipliedReportingOverflow(by: width)
        return !overflow && length <= reader.left && reader.take((length + 3) / 4 * 4) != nil
    }

    private mutating func takeStretches(_ id: UInt16, _ type: UInt16, _ reader: inout LittleEndianReader) -> Bool {
        guard let count = reader.u32() else { return false }
        var read: UInt32 = 0
        while read < count {
            guard let length = reader.u32(), let bytes = reader.takePadded(length) else { return false }
            if count == 1 { list.append(Property(id: id, type: type, bytes: bytes)) }
            read += 1
        }
        return true
    }
}
