/// What is asked of TLS on the way to a destination, in Postfix's words (TLS_README, `smtp_tls_security_level`).
package struct TLSPolicy: Sendable, Hashable {
    /// From weak to strong.
    package enum Level: String, Sendable, CaseIterable {
        /// TLS is not used.
        case none
        /// TLS when offered, nobody verified; a server whose TLS does not work gets the mail in clear later.
        case may
        /// TLS or nothing, nobody verified.
        case encrypt
        /// What the host's TLSA records say (RFC 7672): TLS that they vouch for where they can be used, `encrypt` where they are there and
        /// cannot be used, `may` where there are none.
        case dane
        /// TLS that TLSA records vouch for, or nothing.
        case daneOnly = "dane-only"
        /// TLS with one of the pinned certificates or keys, or nothing.
        case fingerprint
        /// TLS with a certificate for the name of the host, or nothing; that name may come from DNS that nothing protects.
        case verify
        /// TLS with a certificate for a name that DNS has no part in, or nothing: that of the destination itself.
        case secure

        /// Whether nothing goes out but to a peer that is proven to be the one meant.
        var mustVerify: Bool {
            switch self {
            case .none, .may, .encrypt, .dane: false
            case .daneOnly, .fingerprint, .verify, .secure: true
            }
        }
    }

    /// A name that a certificate may be for.
    package enum NameMatch: Sendable, Hashable {
        /// The host that is connected to.
        case hostname
        /// The destination: the recipient's domain, or the smarthost that conf names.
        case nexthop
        /// Any host below the destination.
        case belowNexthop
        case name(String)
        /// Any host below this domain.
        case below(String)
    }

    package let level: Level
    /// For `verify` and `secure`; one is enough. Empty: `hostname` for `verify`, `nexthop` and below it for `secure`.
    package let match: [NameMatch]
    /// For `fingerprint`: SHA-256 digests of certificates or public keys; one is enough.
    package let fingerprints: [[UInt8]]

    package init(_ level: Level, match: [NameMatch] = [], fingerprints: [[UInt8]] = []) {
        self.level = level
        self.match = match
        self.fingerprints = fingerprints
    }

    /// The names for one host, never empty; a leading dot stands for every host below.
    func names(hostname: String, nexthop: String) -> [String] {
        let standard: [NameMatch] = level == .secure ? [.nexthop, .belowNexthop] : [.hostname]
        return (match.isEmpty ? standard : match).map { match in
            switch match {
            case .hostname: hostname
            case .nexthop: nexthop
            case .belowNexthop: ".\(nexthop)"
            case .name(let name): name
            case .below(let domain): ".\(domain)"
            }
        }
    }
}
