/// What to do about a refusal, whatever its reply code: many a 5xx speaks of the sender and not of the message.
package enum FailureAction: String, Sendable, CaseIterable {
    /// Try again by the retry schedule.
    case retry
    /// Try again, and not before some time has passed.
    case retryLater = "retry_later"
    /// Give this message up, and keep the address.
    case fail
    /// Give this message up, and do not write to the address again.
    case suppress
    /// Try again once somebody has seen to the route: its login, its quota, its certificate, its address.
    case pauseRoute = "pause_route"
    /// Try again once somebody has seen to the sender: SPF, DKIM, DMARC, its right to the address.
    case pauseIdentity = "pause_identity"
    /// Leave the recipient's site alone for a time.
    case pauseDomain = "pause_domain"

    /// Whether a permanent refusal is the end of the message.
    package var endsMessage: Bool { self == .fail || self == .suppress }

    /// Whether somebody is to be told.
    package var needsPerson: Bool { self == .pauseRoute || self == .pauseIdentity }
}

/// How many messages that fail in one way, and within how many days, are the end of an address.
package struct SuppressAfter: Sendable, Equatable {
    package let count: Int
    package let days: Int
}

extension FailureClass {
    /// After how much of it an address is usually given up; nil: it says nothing about the address.
    var suppressAfter: SuppressAfter? {
        switch self {
        case .inactiveMailbox: SuppressAfter(count: 2, days: 7)
        case .mailboxFull: SuppressAfter(count: 5, days: 30)
        default: nil
        }
    }

    /// What is usually done about it.
    var action: FailureAction {
        switch self {
        case .invalidRecipient: .suppress
        case .inactiveMailbox, .badDomain, .spamContent, .policy, .messageTooBig, .messageFormat, .expired, .unclassified: .fail
        case .dnsFailure, .network, .systemFailure, .protocolError, .tlsFailed: .retry
        case .mailboxFull, .greylisted, .rateLimited: .retryLater
        case .reputationBlock: .pauseDomain
        case .authFailed: .pauseIdentity
        case .relayDenied, .routeAuth: .pauseRoute
        }
    }

    /// How long it is usually left alone; nil where the retry schedule says, or a person.
    var wait: Duration? {
        switch self {
        case .greylisted: .seconds(300)
        case .rateLimited: .seconds(900)
        case .mailboxFull: .seconds(4 * 3600)
        case .reputationBlock: .seconds(6 * 3600)
        default: nil
        }
    }
}
