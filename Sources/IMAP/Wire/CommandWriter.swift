/// Writes one command, so that nothing put into it can become a second one.
///
/// Fixed words come from the source; everything else goes through a method that quotes it or counts it as a literal. The command is
/// cut into pieces: after each piece but the last the server's go-ahead is awaited (RFC 9051 §4.3).
struct CommandWriter {
    /// Which literals may follow without waiting (RFC 7888).
    enum LiteralSupport: Equatable, Sendable {
        case synchronizing
        /// LITERAL-: up to 4096 octets.
        case short
        /// LITERAL+: any size.
        case any
    }

    private let literals: LiteralSupport
    private var finished: [[UInt8]] = []
    private var piece: [UInt8]

    init(tag: [UInt8], _ words: StaticString, literals: LiteralSupport) {
        self.literals = literals
        piece = tag + [ASCII.space] + ASCII.bytes(words)
    }

    /// The whole command, its line end included, in the pieces it is to be sent in.
    var pieces: [[UInt8]] { finished + [piece + [ASCII.cr, ASCII.lf]] }

    /// Adds fixed words.
    mutating func words(_ words: StaticString) {
        piece += ASCII.bytes(words)
    }

    /// Adds a set of messages. It must not be empty.
    mutating func set(_ uids: UIDSet) {
        piece += uids.encoded
    }

    mutating func number(_ value: UInt32) {
        piece += ASCII.decimal(value)
    }

    mutating func date(_ date: SearchDate) {
        piece += date.encoded
    }

    /// Adds the name of a SASL mechanism; bytes that belong in none are left out.
    mutating func mechanism(_ name: [UInt8]) {
        piece += name.filter(Capabilities.belongsInMechanism)
    }

    /// Adds Base64 of the octets; `=` for none at all (RFC 4959 §3).
    mutating func initialResponse(_ response: [UInt8]) {
        piece += response.isEmpty ? [UInt8(ascii: "=")] : Base64.encode(response)
    }

    mutating func mailbox(_ name: MailboxName) {
        string(name.wire)
    }

    /// Adds any octets but NUL as one string: quoted when they are printable ASCII, else as a literal.
    mutating func string(_ bytes: [UInt8]) {
        guard bytes.count < 1000, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return literal(bytes) }
        piece.append(UInt8(ascii: "\""))
        for byte in bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { piece.append(UInt8(ascii: "\\")) }
            piece.append(byte)
        }
        piece.append(UInt8(ascii: "\""))
    }

    private mutating func literal(_ bytes: [UInt8]) {
        let flows =
            switch literals {
            case .synchronizing: false
            case .short: bytes.count <= 4096
            case .any: true
            }
        piece += Array("{\(bytes.count)\(flows ? "+" : "")}\r\n".utf8)
        if !flows {
            finished.append(piece)
            piece = []
        }
        piece += bytes
    }
}
