/// The word a status response begins with (RFC 9051 §7.1).
enum Condition: Equatable, Sendable {
    case ok, no, bad, bye, preauth

    init?(word: ArraySlice<UInt8>) {
        switch ASCII.upper(word) {
        case "OK": self = .ok
        case "NO": self = .no
        case "BAD": self = .bad
        case "BYE": self = .bye
        case "PREAUTH": self = .preauth
        default: return nil
        }
    }

    /// Whether it can answer a command.
    var isAnswer: Bool { self == .ok || self == .no || self == .bad }
}

/// `OK`, `NO`, `BAD`, `BYE` or `PREAUTH` with what follows.
struct StatusResponse: Equatable, Sendable {
    var condition: Condition
    var code: ResponseCode?
    /// The words for people, without the code.
    var text: [UInt8]
}

/// What stands in brackets in a status response (RFC 9051 §7.1, RFC 5530).
enum ResponseCode: Equatable, Sendable {
    case alert
    /// nil when the number is not one.
    case uidValidity(UIDValidity?)
    /// nil when the number is not one.
    case uidNext(UID?)
    case permanentFlags([[UInt8]])
    case readOnly
    case readWrite
    case highestModSeq(UInt64)
    case capability(Capabilities)
    case overQuota
    /// `THROTTLED` (Exchange, Gmail) and `LIMIT` (RFC 9738).
    case throttled
    case authenticationFailed
    case authorizationFailed
    /// `UNAVAILABLE`, `SERVERBUG`, `INUSE`, `CONTACTADMIN`: not our fault, and perhaps over soon.
    case unavailable
    case tryCreate
    case nonExistent
    /// Any other, its name in upper case.
    case other([UInt8])

    /// Reads the code from the cursor, which stands behind `[`, and leaves it behind `]`; nil when there is no `]`.
    static func parse(_ cursor: inout FrameCursor) -> ResponseCode? {
        guard let name = cursor.word() else { return nil }
        let arguments = cursor
        guard cursor.skipPast(UInt8(ascii: "]")) else { return nil }
        var inside = arguments
        inside.skipSpaces()
        switch ASCII.upper(name) {
        case "ALERT": return .alert
        case "UIDVALIDITY": return .uidValidity(inside.word().flatMap(ASCII.uint32).flatMap(UIDValidity.init))
        case "UIDNEXT": return .uidNext(inside.word().flatMap(ASCII.uint32).flatMap(UID.init))
        case "PERMANENTFLAGS": return .permanentFlags(inside.wordList() ?? [])
        case "READ-ONLY": return .readOnly
        case "READ-WRITE": return .readWrite
        case "HIGHESTMODSEQ":
            guard let value = inside.word().flatMap(ASCII.uint64) else { return .other(ASCII.upper(name)) }
            return .highestModSeq(value)
        case "CAPABILITY": return .capability(Capabilities(inside.words()))
        case "OVERQUOTA": return .overQuota
        case "THROTTLED", "LIMIT": return .throttled
        case "AUTHENTICATIONFAILED": return .authenticationFailed
        case "AUTHORIZATIONFAILED": return .authorizationFailed
        case "UNAVAILABLE", "SERVERBUG", "INUSE", "CONTACTADMIN":
            return .unavailable
        case "TRYCREATE": return .tryCreate
        case "NONEXISTENT": return .nonExistent
        default: return .other(ASCII.upper(name))
        }
    }
}
