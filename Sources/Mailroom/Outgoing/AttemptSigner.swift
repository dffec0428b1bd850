package import InternetMessage
package import MailAuthentication
package import Outreach

/// Signs a message for one attempt with the keys of its From domain; the stored bytes stay as they are.
package struct AttemptSigner: Sendable {
    /// Signers by lower-case A-label domain.
    private let signers: [String: DKIMSigner]

    package init(signers: [String: DKIMSigner]) { self.signers = signers }

    /// The bytes to send; unsigned when there is no key for the domain.
    ///
    /// - Throws: `DKIMError` when a key cannot sign.
    package func signed(_ message: OutboxMessage, identity: SenderIdentity?, at now: Timestamp) throws -> [UInt8] {
        guard let domain = identity?.from.address.asciiDomain, let signer = signers[domain] else { return message.bytes }
        return try signer.sign(message.bytes, at: now)
    }
}
