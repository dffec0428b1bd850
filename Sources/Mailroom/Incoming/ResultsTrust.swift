import MailAuthentication
import Outreach

/// Whose Authentication-Results fields are believed: those of the servers that keep our mailboxes or stand before our listeners.
package struct ResultsTrust: Sendable, Equatable {
    /// The authserv-id by mailbox section; one without an entry has the general one.
    private let mailboxes: [String: String]
    private let general: String?

    /// - Parameter general: for mailboxes without one of their own, and for a server of ours that hands mail on; nil: none is believed.
    package init(general: String? = nil, mailboxes: [String: String] = [:]) {
        self.general = general
        self.mailboxes = mailboxes
    }

    func names(for message: IncomingMessage) -> [String] {
        [message.account.flatMap { mailboxes[$0] } ?? general].compactMap { $0 }
    }
}

extension ReplyRecord.DomainProof {
    init(_ outcome: DMARCResult.Outcome) {
        self =
            switch outcome {
            case .pass: .pass
            case .fail: .fail
            case .none: .none
            case .temporaryError: .temporaryError
            case .permanentError: .permanentError
            }
    }
}
