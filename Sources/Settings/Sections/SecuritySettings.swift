import InternetMessage

/// How TLS starts on a connection.
package enum TLSMode: String, Sendable, CaseIterable { case none, starttls, implicit }

/// What TLS must give before mail or a login goes out, in Postfix's words; from weak to strong.
package enum TLSSecurityLevel: String, Sendable, CaseIterable {
    /// TLS is not used.
    case none
    /// TLS is used when offered, whatever the certificate.
    case may
    /// TLS is required, whatever the certificate.
    case encrypt
    /// What the TLSA records of the host say; without any it is as `may`.
    case dane
    /// TLS is required, and TLSA records must vouch for it.
    case daneOnly = "dane-only"
    /// TLS is required, with one of the certificates or keys that are named.
    case fingerprint
    /// TLS is required, and the certificate must be trusted and name the host.
    case verify
    /// TLS is required, and the certificate must be trusted and name the destination.
    case secure

    /// Whether the server is always proven to be the one meant, so that a login may go there.
    package var provesServer: Bool {
        switch self {
        case .none, .may, .encrypt, .dane: false
        case .daneOnly, .fingerprint, .verify, .secure: true
        }
    }
}

/// A name that a certificate may be for.
package enum CertificateMatch: Sendable, Equatable, CustomStringConvertible {
    /// The host that is connected to.
    case hostname
    /// The destination: the recipient's domain, or the host of the route.
    case nexthop
    /// Any host below the destination.
    case belowNexthop
    case name(String)
    /// Any host below this domain.
    case below(String)

    package var description: String {
        switch self {
        case .hostname: "hostname"
        case .nexthop: "nexthop"
        case .belowNexthop: ".nexthop"
        case .name(let name): name
        case .below(let domain): ".\(domain)"
        }
    }
}

/// The SHA-256 digest of a certificate, or of a public key (SubjectPublicKeyInfo).
package struct CertificateFingerprint: Sendable, Equatable, CustomStringConvertible {
    /// 32 octets.
    package let bytes: [UInt8]

    /// As `openssl x509 -fingerprint` writes it.
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
    }
}

extension ConfType where Value == CertificateMatch {
    static var certificateMatch: ConfType {
        .string("\"hostname\", \"nexthop\", \".nexthop\", a name, or a domain after a dot", show: \.description) { text, _ in
            let isBelow = text.utf8.first == UInt8(ascii: ".")
            let name = isBelow ? String(decoding: text.utf8.dropFirst(), as: UTF8.self) : text
            if name.utf8.elementsEqual("nexthop".utf8) { return .success(isBelow ? .belowNexthop : .nexthop) }
            if !isBelow, name.utf8.elementsEqual("hostname".utf8) { return .success(.hostname) }
            guard Names.isHostName(name), !IPText.isAddress(name) else {
                return .failure(
                    Complaints(
                        "'\(text)' is no name that a certificate may be for",
                        "write \"nexthop\", \"hostname\", a host name, or \".example.com\" for every host below"))
            }
            return .success(isBelow ? .below(name) : .name(name))
        }
    }
}

extension ConfType where Value == CertificateFingerprint {
    static var fingerprint: ConfType {
        .string("the SHA-256 digest of a certificate or public key in hexadecimal digits", show: \.description) { text, _ in
            let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }
            var bytes: [UInt8] = []
            var rest = digits[...]
            while rest.count >= 2, let byte = UInt8(String(decoding: rest.prefix(2).map { $0 }, as: UTF8.self), radix: 16),
                rest.first != UInt8(ascii: "+"), rest.first != UInt8(ascii: "-")
            {
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            guard rest.isEmpty, bytes.count == 32 else {
                return .failure(
                    Complaints(
                        "'\(text)' is no SHA-256 digest", "write 64 hexadecimal digits, as 'openssl x509 -noout -fingerprint -sha256' shows"
                    ))
            }
            return .success(CertificateFingerprint(bytes: bytes))
        }
    }
}

/// `[tls_policy."DOMAIN"]`: what TLS must give on the way to one destination, in place of what its route says.
package struct TLSPolicySettings: ConfSection, Equatable {
    /// The recipient domain, or the host of a route, be it a name or an IP address; with a leading dot every domain below it.
    package let domain: String
    package var level = TLSSecurityLevel.may
    /// Empty: `hostname` for verify, `nexthop` and `.nexthop` for secure.
    package var match: [CertificateMatch] = []
    package var fingerprints: [CertificateFingerprint] = []

    init(name: String) { domain = name }

    /// What it is for as everybody writes it: an IP address without brackets, else A-labels in lower case, behind a dot for every domain below.
    /// nil when it is nothing of the kind.
    package var destination: String? {
        let isBelow = domain.utf8.first == UInt8(ascii: ".")
        guard isBelow else { return Self.destination(of: domain) }
        let bare = String(decoding: Array(domain.utf8.dropFirst()), as: UTF8.self)
        return IPText.isAddress(bare) ? nil : DomainName.toASCII(bare).map { ".\($0)" }
    }

    fileprivate static func destination(of host: String) -> String? { IPText.canonical(host) ?? DomainName.toASCII(host) }

    static let fields: [Field<TLSPolicySettings>] = [
        Field("level", \.level, .choice, required: true, "What TLS must give, in the words of tls_security_level."),
        Field(
            "match", \.match, .list(.certificateMatch, count: 0...20),
            "The names that the certificate may be for, with level verify or secure. Empty: hostname for verify, nexthop and .nexthop for secure."
        ),
        Field(
            "fingerprints", \.fingerprints, .list(.fingerprint, count: 0...20),
            "The certificates or public keys to accept, with level fingerprint: SHA-256 digests."),
    ]
}

extension Settings {
    /// The policy that stands in place of a route's level for a recipient domain, or for the host of a route (a name or an IP address): its
    /// own, else that for what is below its nearest parent; nil when there is neither.
    package func tlsPolicy(for host: String) -> TLSPolicySettings? {
        guard let destination = TLSPolicySettings.destination(of: host) else { return nil }
        func policy(_ name: String) -> TLSPolicySettings? {
            tlsPolicies.first { $0.destination?.utf8.elementsEqual(name.utf8) ?? false }
        }
        if let own = policy(destination) { return own }
        guard !IPText.isAddress(destination) else { return nil }
        var labels = destination.utf8.split(separator: UInt8(ascii: "."))[...]
        while labels.count > 1 {
            labels = labels.dropFirst()
            if let found = policy("." + labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")) { return found }
        }
        return nil
    }
}

/// `[mta_sts]`: what recipient domains ask of TLS over HTTPS (RFC 8461).
package struct MTASTSSettings: ConfSection, Equatable {
    package var enabled = true
    /// For the HTTPS servers of the policies; nil: the certificates that the system trusts.
    package var caFile: String?

    init(name: String) {}

    static let fields: [Field<MTASTSSettings>] = [
        Field("enabled", \.enabled, .flag, "Whether the MTA-STS policies of recipient domains are fetched and kept to."),
        Field("tls_ca_file", \.caFile, .file, "Certificates to trust for the HTTPS servers of policies, in place of the system's."),
    ]
}

/// What levels, names and fingerprints ask of each other.
enum TLSRules {
    typealias Finding = (key: String, message: String, remedy: String?)

    /// - Parameters:
    ///   - keys: how the three are called in the section.
    static func findings(
        _ level: TLSSecurityLevel, _ match: [CertificateMatch], _ fingerprints: [CertificateFingerprint],
        keys: (level: String, match: String, fingerprints: String)
    ) -> [Finding] {
        var findings: [Finding] = []
        if level == .fingerprint, fingerprints.isEmpty {
            findings.append((keys.level, "level fingerprint needs a fingerprint", "add \(keys.fingerprints) = [\"...\"]"))
        }
        if level != .fingerprint, !fingerprints.isEmpty {
            findings.append((keys.fingerprints, "fingerprints count with level fingerprint only", "remove them, or change the level"))
        }
        if level != .verify, level != .secure, !match.isEmpty {
            findings.append((keys.match, "names count with level verify or secure only", "remove them, or change the level"))
        }
        return findings
    }
}
