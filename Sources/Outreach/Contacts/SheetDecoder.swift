import InternetMessage

/// Turns the bytes of a sheet into UTF-8, piece by piece.
///
/// Unless the encoding is given it is found: by a byte order mark, by the zeros of UTF-16, else by what the whole sheet says
/// (``SheetEvidence``). What is malformed in UTF-8 is passed on as it is.
package struct SheetDecoder: Sendable {
    private enum Stage: Sendable {
        /// Waiting for as many bytes as a byte order mark and the zeros of UTF-16 show in.
        case start
        case known(SheetEncoding)
    }

    private static let sample = 1024

    private var stage: Stage
    /// Bytes that are no whole character yet.
    private var rest: [UInt8] = []

    private let given: SheetEncoding?
    private let narrow: SheetEncoding

    /// - Parameters:
    ///   - encoding: nil: found out.
    ///   - narrow: what it is found to be when it is no UTF-16 and has no mark.
    package init(encoding: SheetEncoding? = nil, otherwise narrow: SheetEncoding) {
        stage = .start
        given = encoding
        self.narrow = narrow
    }

    /// What the bytes are in; nil until enough of them were there.
    package var encoding: SheetEncoding? { if case .known(let encoding) = stage { encoding } else { nil } }

    /// The UTF-8 of the bytes; what ends in the middle of a character comes with the next ones.
    package mutating func decode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        if case .start = stage {
            rest += bytes
            guard rest.count >= Self.sample else { return [] }
            return begin()
        }
        guard !rest.isEmpty else { return convert(bytes) }
        let whole = rest + bytes
        rest = []
        return convert(whole[...])
    }

    /// What is left at the end of the file.
    package mutating func finish() -> [UInt8] {
        var out: [UInt8] = []
        if case .start = stage { out = begin() }
        guard !rest.isEmpty else { return out }
        switch stage {
        case .known(.utf16LittleEndian), .known(.utf16BigEndian): out += Array("\u{FFFD}".utf8)
        default: out += rest
        }
        rest = []
        return out
    }

    private mutating func begin() -> [UInt8] {
        let bytes = rest
        rest = []
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]), given ?? .utf8 == .utf8 {
            stage = .known(.utf8)
            return convert(bytes.dropFirst(3))
        }
        if bytes.starts(with: [0xFF, 0xFE]), given ?? .utf16LittleEndian == .utf16LittleEndian {
            stage = .known(.utf16LittleEndian)
            return convert(bytes.dropFirst(2))
        }
        // Asked for UTF-16 without an order, the mark says which it is.
        if bytes.starts(with: [0xFE, 0xFF]), given != .utf8, given != .windows1252 {
            stage = .known(.utf16BigEndian)
            return convert(bytes.dropFirst(2))
        }
        stage = .known(given ?? Self.wide(bytes) ?? narrow)
        return convert(bytes[...])
    }

    /// UTF-16 without a mark: of the text of the header every other byte is zero.
    private static func wide(_ bytes: [UInt8]) -> SheetEncoding? {
        let pairs = min(bytes.count, sample) / 2
        guard pairs >= 2 else { return nil }
        var zeros = (even: 0, odd: 0)
        for pair in 0..<pairs {
            if bytes[2 * pair] == 0 { zeros.even += 1 }
            if bytes[2 * pair + 1] == 0 { zeros.odd += 1 }
        }
        if zeros.even == 0, zeros.odd * 2 > pairs { return .utf16LittleEndian }
        if zeros.odd == 0, zeros.even * 2 > pairs { return .utf16BigEndian }
        return nil
    }

    private mutating func convert(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        switch stage {
        case .start, .known(.utf8): return Array(bytes)
        case .known(.windows1252): return Array(Windows1252.decode(bytes).utf8)
        case .known(.utf16LittleEndian): return utf16(bytes, low: 0)
        case .known(.utf16BigEndian): return utf16(bytes, low: 1)
        }
    }

    /// - Parameter low: which byte of a unit is the low one.
    private mutating func utf16(_ bytes: ArraySlice<UInt8>, low: Int) -> [UInt8] {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            units.append(UInt16(bytes[index + low]) | UInt16(bytes[index + 1 - low]) << 8)
            index += 2
        }
        // Half a pair of surrogates waits for the other half.
        if let last = units.last, UTF16.isLeadSurrogate(last) {
            units.removeLast()
            index -= 2
        }
        rest = Array(bytes[index...])
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }
}
