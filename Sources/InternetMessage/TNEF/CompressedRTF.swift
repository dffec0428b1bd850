/// The compression that Outlook applies to rich text (MS-OXRTFCP).
enum CompressedRTF {
    /// The rich text, at most `limit` octets of it; nil when the stream does not begin as one.
    static func decode(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8]? {
        var reader = LittleEndianReader(bytes)
        guard reader.u32() != nil, let size = reader.u32(), let kind = reader.u32(), reader.u32() != nil else { return nil }
        let most = min(Int(size), limit)
        switch kind {
        case 0x414C_454D: return Array(reader.rest().prefix(most))
        case 0x7546_5A4C: return expand(&reader, most)
        default: return nil
        }
    }

    private static func expand(_ reader: inout LittleEndianReader, _ most: Int) -> [UInt8] {
        var window = dictionary + [UInt8](repeating: ASCII.space, count: 4096 - dictionary.count)
        var write = dictionary.count
        var output: [UInt8] = []
        func put(_ byte: UInt8) {
            output.append(byte)
            window[write] = byte
            write = (write + 1) & 4095
        }
        while output.count < most, let flags = reader.u8() {
            for bit in 0..<8 where output.count < most {
                guard flags >> UInt8(bit) & 1 == 1 else {
                    guard let byte = reader.u8() else { return output }
                    put(byte)
                    continue
                }
                guard let high = reader.u8(), let low = reader.u8() else { return output }
                var offset = Int(high) << 4 | Int(low) >> 4
                // A reference to the write position itself ends the stream.
                if offset == write { return output }
                for _ in 0..<(Int(low & 15) + 2) {
                    put(window[offset])
                    offset = (offset + 1) & 4095
                }
            }
        }
        return Array(output.prefix(most))
    }

    private static let dictionary = Array(
        (#"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "#
            + #"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"# + "\r\n"
            + #"\par \pard\plain\f0\fs20\b\i\u\tab\tx"#).utf8)
}
