/// What one `FETCH` response says of a message, as far as this house asks for it (RFC 9051 §7.5.2).
struct FetchResponse: Equatable, Sendable {
    /// nil when absent or not a UID; such a response tells nothing that can be used.
    var uid: UID?
    /// nil when absent.
    var flags: [[UInt8]]?
    /// nil when absent or illegible.
    var internalDate: InternalDate?
    /// Octets; nil when absent or illegible.
    var size: UInt64?
    /// The whole message or, with an origin, a part of it; nil when absent.
    var body: NString?
    /// The octet the body begins at (`BODY[]<0>`); nil when the response names none.
    var origin: UInt64?
    /// nil when absent or illegible.
    var modSeq: UInt64?

    /// Reads the parenthesized items; nil when their structure cannot be followed.
    static func parse(_ cursor: inout FrameCursor, quirks: Quirks) -> FetchResponse? {
        guard cursor.take(UInt8(ascii: "(")) else { return nil }
        var response = FetchResponse()
        var isFirst = true
        while true {
            if quirks.extraSpaces { cursor.skipSpaces() }
            if cursor.take(UInt8(ascii: ")")) { break }
            if !quirks.extraSpaces, !isFirst, !cursor.space() { return nil }
            isFirst = false
            guard response.item(&cursor, quirks: quirks) else { return nil }
        }
        return cursor.isAtEnd ? response : nil
    }

    /// Reads one item and its value; false when they cannot be followed.
    private mutating func item(_ cursor: inout FrameCursor, quirks: Quirks) -> Bool {
        guard let word = cursor.word() else { return false }
        let name = ASCII.upper(word)
        var section: ArraySlice<UInt8>?
        if cursor.take(UInt8(ascii: "[")) {
            let start = cursor.rest
            guard cursor.skipPast(UInt8(ascii: "]")) else { return false }
            section = start[..<(cursor.position - 1)]
        }
        var origin: UInt64?
        if section != nil, let suffix = cursor.word() {
            guard suffix.first == UInt8(ascii: "<"), suffix.last == UInt8(ascii: ">"), suffix.count > 2 else { return false }
            origin = ASCII.uint64(suffix.dropFirst().dropLast())
        }
        guard cursor.space() else { return false }
        switch name {
        // Quirk(various): `-1`, `0` or a number above the range voids itself alone; QuirksTests "invalid numbers".
        case "UID":
            guard let word = cursor.word() else { return false }
            uid = ASCII.uint32(word).flatMap(UID.init)
            return uid != nil || quirks.invalidNumbers
        case "RFC822.SIZE":
            guard let word = cursor.word() else { return false }
            size = ASCII.uint64(word)
            return size != nil || quirks.invalidNumbers
        case "FLAGS":
            guard let list = cursor.wordList() else { return false }
            flags = list
            return true
        case "INTERNALDATE":
            guard let value = cursor.nstring() else { return false }
            if case .bytes(let text) = value { internalDate = InternalDate(parsing: text) }
            return true
        case "MODSEQ":
            guard let list = cursor.wordList() else { return false }
            modSeq = list.first.flatMap { ASCII.uint64($0[...]) }
            return true
        case "BODY" where section?.isEmpty == true:
            guard let value = cursor.nstring() else { return false }
            body = value
            self.origin = origin
            return true
        default:
            return cursor.skipValue()
        }
    }
}
