import OpenSSL

/// What one host must show of TLS before mail goes to it: the policy of the destination, applied to this host.
struct TLSDemand: Sendable, Hashable {
    /// How the demand came about where a policy of the destination's own had a part in it.
    enum Origin: Sendable, Hashable {
        /// The route or the policy map alone.
        case conf
        /// The host's TLSA records.
        case dane
        /// The destination's MTA-STS policy.
        case sts
        /// The destination's MTA-STS policy asks for more than this, and to be told of failures only (RFC 8461 §5).
        ///
        /// `isNamed`: the policy names the host.
        case stsTesting(isNamed: Bool)
    }

    /// As a session is opened: `none`, `may`, `encrypt`, or another level with a peer that must be verified.
    let level: TLSPolicy.Level
    let peer: TLSPeer
    let origin: Origin

    init(_ level: TLSPolicy.Level, _ peer: TLSPeer, origin: Origin = .conf) {
        self.level = level
        self.peer = peer
        self.origin = origin
    }

    /// What a policy that is being tested would have refused of an attempt (RFC 8461 §5); nil: nothing, or there is no such policy.
    ///
    /// - Parameter report: of an attempt at this host.
    func failureUnderTest(_ report: DeliveryReport) -> String? {
        guard case .stsTesting(let isNamed) = origin else { return nil }
        if !isNamed { return "the policy does not name the host" }
        guard let tls = report.tls else { return "there was no TLS" }
        return tls.utf8.suffix(10).elementsEqual("unverified".utf8) ? "the certificate did not verify" : nil
    }
}
