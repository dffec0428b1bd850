package import InternetMessage
package import MailAuthentication
package import Outreach

/// Signs a message for one attempt with the keys of its From domain; the stored bytes stay as they are.
package struct AttemptSigner: Sendable {
    /// Signers by lower-case A-label domain.
    private let signers: [String: DKIMSigner]
    private let unsigned: [String: [String]]

    /// - Parameter unsigned: by route, the header fields that its next host writes anew and that stay out of signatures.
    package init(signers: [String: DKIMSigner], unsigned: [String: [String]] = [:]) {
        self.signers = signers
        self.unsigned = unsigned
    }

    /// The bytes to send; unsigned when there is no key for the domain.
    ///
    /// - Throws: `DKIMError` when a key cannot sign.
    package func signed(_ message: OutboxMessage, identity: SenderIdentity?, at now: Timestamp) throws -> [UInt8] {
        guard let domain = identity?.from.address.asciiDomain, let signer = signers[domain] else { return message.bytes }
        return try signer.sign(message.bytes, leavingOut: unsigned[message.route] ?? [], at: now)
    }
}
