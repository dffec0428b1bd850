package import InternetMessage

/// The addresses at our own domain that carry tokens: `reply+TOKEN@`, `bounce+TOKEN@`, `unsub+TOKEN@`.
package struct TokenAddresses: Sendable {
    /// Domain as conf gives it; compared as lower-case A-label.
    package let domain: String
    package let codec: TokenCodec
    /// How long replies and bounces have an effect.
    package let replyValid: Duration
    package let bounceValid: Duration
    private let asciiDomain: String

    /// nil when the domain is not a domain name.
    package init?(
        domain: String, codec: TokenCodec, replyValid: Duration = .seconds(400 * 86_400), bounceValid: Duration = .seconds(60 * 86_400)
    ) {
        guard let ascii = DomainName.toASCII(domain) else { return nil }
        self.domain = domain
        self.codec = codec
        self.replyValid = replyValid
        self.bounceValid = bounceValid
        asciiDomain = ascii
    }

    /// The address for a message; its local part has 42 or 43 octets, room for a BATV prefix within 64.
    package func address(_ kind: MailToken.Kind, for message: OutboxMessage.ID, at now: Timestamp) -> EmailAddress? {
        EmailAddress("\(kind.prefix)+\(codec.encode(token(kind, for: message, at: now)))@\(domain)")
    }

    /// The bare token, for a link.
    package func linkToken(for message: OutboxMessage.ID, at now: Timestamp) -> String {
        codec.encode(token(.unsubscribe, for: message, at: now))
    }

    /// The bare bounce token, to be given as ENVID: a report that names it comes from somebody who had the message in hand.
    package func envelopeID(for message: OutboxMessage.ID, at now: Timestamp) -> String {
        codec.encode(token(.bounce, for: message, at: now))
    }

    /// Reads what a report gives as the original envelope id; `unknown` for anything but a bounce token.
    func readEnvelopeID(_ text: String, at now: Timestamp) -> TokenCodec.Verdict {
        switch codec.decode(Array(text.utf8), at: now) {
        case .valid(let token) where token.kind == .bounce: .valid(token)
        case .expired(let token) where token.kind == .bounce: .expired(token)
        default: .unknown
        }
    }

    private func token(_ kind: MailToken.Kind, for message: OutboxMessage.ID, at now: Timestamp) -> MailToken {
        let valid: Duration? =
            switch kind {
            case .reply: replyValid
            case .bounce: bounceValid
            case .unsubscribe: nil
            }
        let day = valid.map { UInt16(clamping: (now + $0).milliseconds / 86_400_000) }
        return MailToken(kind: kind, message: message, lastDay: day.map { min($0, 0xFFFE) })
    }

    /// Reads an address in any of the spellings that mail systems make of it: other letter case, `-` or `=` for `+`, wrapped by BATV
    /// (`prvs=...=`) or SRS (`SRS0=...=`).
    ///
    /// `unknown` for other domains, prefixes that do not fit the kind, and signatures that do not hold.
    package func read(_ address: EmailAddress, at now: Timestamp) -> TokenCodec.Verdict {
        let local = address.localPart.utf8.map(Self.folded)
        let wrapped = Self.startsWith(local, "srs0") || Self.startsWith(local, "srs1") || Self.startsWith(local, "prvs")
        guard wrapped || DomainName.toASCII(address.domain) == asciiDomain else { return .unknown }
        for kind in MailToken.Kind.allCases {
            let prefix = Array(kind.prefix.utf8)
            guard local.count >= prefix.count + 37 else { continue }
            let start = local.count - prefix.count - 37
            guard start == 0 || (wrapped && local[start - 1] == UInt8(ascii: "=")) else { continue }
            guard Array(local[start..<start + prefix.count]) == prefix else { continue }
            guard [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "=")].contains(local[start + prefix.count]) else { continue }
            switch codec.decode(local[(start + prefix.count + 1)...], at: now) {
            case .valid(let token) where token.kind == kind: return .valid(token)
            case .expired(let token) where token.kind == kind: return .expired(token)
            default: continue
            }
        }
        return .unknown
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 32 : byte
    }

    private static func startsWith(_ bytes: [UInt8], _ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }
}
