package import DNS
package import InternetMessage

/// Who hands a message over, as the receiving server saw it.
package struct SMTPPeer: Sendable, Equatable {
    package let address: IPAddress
    /// The name given with HELO or EHLO.
    package let helloName: String
    /// Local part and domain as given; empty for the null reverse-path.
    package let reversePath: String

    package init(address: IPAddress, helloName: String, reversePath: String) {
        self.address = address
        self.helloName = helloName
        self.reversePath = reversePath
    }

    /// nil when the address is none, as that of a local socket.
    package init?(address: String, helloName: String, reversePath: String) {
        guard let address = IPAddress(address) else { return nil }
        self.init(address: address, helloName: helloName, reversePath: reversePath)
    }
}

/// Checks a client against the SPF records of its reverse-path (RFC 7208).
package struct SPFChecker: Sendable {
    private let resolver: any Resolver
    private let receiver: String
    private let isOverdue: @Sendable () -> Bool

    /// - Parameters:
    ///   - receiver: our own name, for the macro `r`.
    ///   - isOverdue: asked before each lookup; once it says true the check ends with a temporary error (RFC 7208 §4.6.4 wants at least 20 s).
    package init(resolver: any Resolver, receiver: String, isOverdue: @escaping @Sendable () -> Bool = { false }) {
        self.resolver = resolver
        self.receiver = receiver
        self.isOverdue = isOverdue
    }

    /// The reverse-path checked, or `postmaster` at the HELO name when it is null (RFC 7208 §2.4).
    package func check(_ peer: SMTPPeer, at now: Timestamp) async -> SPFResult {
        let path = Array(peer.reversePath.utf8)
        let helo = Array(peer.helloName.utf8)
        let at = path.lastIndex(of: UInt8(ascii: "@"))
        let identity: SPFResult.Identity = path.isEmpty ? .helo : .mailFrom
        let given = path.isEmpty ? helo : at.map { Array(path[($0 + 1)...]) } ?? path
        let domain = DomainName.toASCII(given.text).map { Array($0.utf8) } ?? given.lowercased
        let local = at.map { Array(path[..<$0]) } ?? []
        var evaluation = SPFEvaluation(
            resolver: resolver, isOverdue: isOverdue, client: peer.address.embeddedInMapped ?? peer.address,
            local: local.isEmpty ? Array("postmaster".utf8) : local, senderDomain: domain, helo: helo, receiver: Array(receiver.utf8),
            now: now)
        let finding = await evaluation.check(domain, explains: true)
        return SPFResult(
            outcome: finding.outcome, identity: identity, domain: Domain.labels(domain) == nil ? "" : domain.text,
            directive: finding.directive, problem: finding.problem, explanation: finding.explanation)
    }
}

extension IPAddress {
    /// The IPv4 address of an IPv4-mapped IPv6 address, which SPF takes for the former (RFC 7208 §5); nil for any other.
    fileprivate var embeddedInMapped: IPAddress? {
        guard isVersion6, bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) else { return nil }
        return IPAddress(bytes: bytes[12...])
    }
}
