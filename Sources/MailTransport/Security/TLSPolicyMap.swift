import DNS

/// The policies that conf gives to single destinations, in place of those of their routes.
package struct TLSPolicyMap: Sendable {
    private var exact: [String: TLSPolicy] = [:]
    /// By the domain without its leading dot.
    private var below: [String: TLSPolicy] = [:]

    /// - Parameter policies: by destination as A-labels or as an IP address without brackets; one with a leading dot is for every domain below
    ///   it, and not for itself.
    package init(_ policies: [(destination: String, policy: TLSPolicy)] = []) {
        for (destination, policy) in policies {
            let bytes = Self.key(destination)
            if bytes.first == UInt8(ascii: ".") {
                below[String(decoding: bytes.dropFirst(), as: UTF8.self)] = policy
            } else {
                exact[String(decoding: bytes, as: UTF8.self)] = policy
            }
        }
    }

    /// The policy of the destination itself, else that for what is below its nearest parent; nil when there is neither.
    package func policy(for destination: String) -> TLSPolicy? {
        var rest = Self.key(destination)[...]
        if let policy = exact[String(decoding: rest, as: UTF8.self)] { return policy }
        if IPAddress(destination) != nil { return nil }
        while let dot = rest.firstIndex(of: UInt8(ascii: ".")) {
            rest = rest[(dot + 1)...]
            if let policy = below[String(decoding: rest, as: UTF8.self)] { return policy }
        }
        return nil
    }

    /// Whether a policy asks for DANE.
    package var usesDANE: Bool {
        (Array(exact.values) + Array(below.values)).contains { $0.level == .dane || $0.level == .daneOnly }
    }

    /// An address has one way to be written, and a name has none in upper case.
    private static func key(_ destination: String) -> [UInt8] {
        if let address = IPAddress(destination) { return Array(address.description.utf8) }
        return destination.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
    }
}
