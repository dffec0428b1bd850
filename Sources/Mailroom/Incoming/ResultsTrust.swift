import DNS
import MailAuthentication
package import MailTransport
import Outreach

/// Whose Authentication-Results fields are believed: those of the servers that keep our mailboxes or stand before our listeners.
package struct ResultsTrust: Sendable, Equatable {
    /// The authserv-id by mailbox section; one without an entry has the general one.
    private let mailboxes: [String: String]
    private let general: String?
    private let networks: PeerNetworks

    /// - Parameters:
    ///   - general: for mailboxes without one of their own, and for a server of ours that hands mail on; nil: none is believed.
    ///   - networks: from where servers of ours hand mail on by SMTP, beside this machine itself. A private address alone proves nothing:
    ///     behind address translation everybody has one.
    package init(general: String? = nil, mailboxes: [String: String] = [:], networks: PeerNetworks = .none) {
        self.general = general
        self.mailboxes = mailboxes
        self.networks = networks
    }

    func names(for message: IncomingMessage) -> [String] {
        if message.way == .smtp, let client = message.client, !isOurs(client) { return [] }
        return [message.account.flatMap { mailboxes[$0] } ?? general].compactMap { $0 }
    }

    private static let loopback = PeerNetworks(["127.0.0.0/8", "::1"]) ?? .none

    private func isOurs(_ client: IncomingMessage.Client) -> Bool {
        // A local socket has no address.
        guard let address = IPAddress(client.address) else { return true }
        return Self.loopback.contains(address) || networks.contains(address)
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
