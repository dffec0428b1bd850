/// What the server says it can do, each name in upper case (RFC 9051 §7.2.2).
struct Capabilities: Equatable, Sendable {
    private var names: Set<[UInt8]>

    init(_ names: some Sequence<ArraySlice<UInt8>> = []) {
        self.names = Set(names.map { ASCII.upper($0) })
    }

    func has(_ name: StaticString) -> Bool { names.contains(ASCII.bytes(name)) }

    var literals: CommandWriter.LiteralSupport {
        if has("LITERAL+") { return .any }
        return has("LITERAL-") || has("IMAP4REV2") ? .short : .synchronizing
    }

    /// The SASL mechanisms offered, sorted; names outside RFC 4422 §3.1 are left out.
    var mechanisms: [String] {
        let prefix = ASCII.bytes("AUTH=")
        return names.compactMap { name -> String? in
            guard name.starts(with: prefix) else { return nil }
            let mechanism = name.dropFirst(prefix.count)
            guard (1...20).contains(mechanism.count), mechanism.allSatisfy(Self.belongsInMechanism) else { return nil }
            return String(decoding: mechanism, as: UTF8.self)
        }.sorted()
    }

    /// Whether the byte may stand in the name of a SASL mechanism.
    static func belongsInMechanism(_ byte: UInt8) -> Bool {
        ASCII.digit(byte) != nil || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
