/// Why a message was not delivered.
package enum FailureClass: String, Sendable, CaseIterable {
    case invalidRecipient = "invalid_recipient"
    case inactiveMailbox = "inactive_mailbox"
    case mailboxFull = "mailbox_full"
    case badDomain = "bad_domain"
    case dnsFailure = "dns_failure"
    case network
    case greylisted
    case rateLimited = "rate_limited"
    case reputationBlock = "reputation_block"
    case authFailed = "auth_failed"
    case tlsFailed = "tls_failed"
    case spamContent = "spam_content"
    case policy
    case messageTooBig = "message_too_big"
    case messageFormat = "message_format"
    case relayDenied = "relay_denied"
    /// The server does not take our login, or wants one.
    case routeAuth = "route_auth"
    case protocolError = "protocol_error"
    case systemFailure = "system_failure"
    case expired
    case unclassified

    /// Who is usually to blame.
    var scope: FailureScope {
        switch self {
        case .invalidRecipient, .inactiveMailbox, .mailboxFull: .recipient
        case .badDomain, .dnsFailure, .network, .expired, .policy, .systemFailure: .domain
        case .greylisted, .rateLimited, .reputationBlock: .source
        case .spamContent, .messageTooBig, .messageFormat: .content
        case .authFailed, .tlsFailed, .relayDenied, .routeAuth, .protocolError: .us
        case .unclassified: .unknown
        }
    }

    /// Whether the address can be given up for good.
    var isPermanent: Bool { self == .invalidRecipient || self == .badDomain }
}

/// Who has to change something before a message can arrive.
package enum FailureScope: String, Sendable, CaseIterable {
    /// This one address.
    case recipient
    /// The recipient's domain or its servers.
    case domain
    /// Our sending address or host, as that receiver sees it.
    case source
    /// The message.
    case content
    /// Our set-up.
    case us
    case unknown
}
