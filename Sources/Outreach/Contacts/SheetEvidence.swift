/// What the bytes of a whole sheet say of how they stand for text, where they are no UTF-16.
///
/// A stray byte in a UTF-8 file must not turn all of it into Windows-1252, nor two letters that happen to look like UTF-8 the other way round:
/// what there is more of counts, and where there is as much of both it is UTF-8, since that names the rows that are not.
package struct SheetEvidence: Sendable {
    /// Sequences of several bytes that are well-formed UTF-8.
    private var sequences = 0
    /// Bytes beyond ASCII outside of them.
    private var strays = 0
    /// The beginning of a sequence that may go on in the next piece.
    private var rest: [UInt8] = []

    package init() {}

    package mutating func add(_ bytes: ArraySlice<UInt8>) {
        if rest.isEmpty { return look(bytes) }
        let whole = rest + bytes
        rest = []
        look(whole[...])
    }

    /// After the last piece: what bytes beyond ASCII are to be read as.
    package var encoding: SheetEncoding { sequences == 0 && strays + rest.count > 0 || sequences < strays ? .windows1252 : .utf8 }

    private mutating func look(_ bytes: ArraySlice<UInt8>) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] >= 0x80 else {
                index += 1
                continue
            }
            let length = Self.length(lead: bytes[index])
            let present = bytes[index...].prefix(max(1, length))
            guard length > 0, present.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) else {
                strays += 1
                index += 1
                continue
            }
            guard present.count == length else {
                rest = Array(present)
                return
            }
            if String(validating: present, as: UTF8.self) == nil {
                strays += 1
                index += 1
            } else {
                sequences += 1
                index += length
            }
        }
    }

    /// How many bytes a sequence with that lead has; 0 for a byte that leads none.
    private static func length(lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 0
        }
    }
}
