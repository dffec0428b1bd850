import InternetMessage

/// The policies that conf gives to single destinations, in place of those of their routes.
package struct TLSPolicyMap: Sendable {
    private var exact: [String: TLSPolicy] = [:]
    /// By the domain without its leading dot.
    private var below: [String: TLSPolicy] = [:]

    /// - Parameter policies: by destination as A-labels; one with a leading dot is for every domain below it, and not for itself.
    package init(_ policies: [(destination: String, policy: TLSPolicy)] = []) {
        for (destination, policy) in policies {
            let bytes = Self.lowercased(destination.utf8)
            if bytes.first == UInt8(ascii: ".") {
                below[String(decoding: bytes.dropFirst(), as: UTF8.self)] = policy
            } else {
                exact[String(decoding: bytes, as: UTF8.self)] = policy
            }
        }
    }

    /// The policy of the destination itself, else that for what is below its nearest parent; nil when there is neither.
    package func policy(for destination: String) -> TLSPolicy? {
        var rest = Self.lowercased(destination.utf8)[...]
        if let policy = exact[String(decoding: rest, as: UTF8.self)] { return policy }
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

    private static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }
}
