package import InternetMessage
import MailAuthentication
package import Outreach

/// Signs a message for one attempt with the keys of its From domain; the stored bytes stay as they are.
package struct AttemptSigner: Sendable {
    private struct Desk: Sendable {
        let now: DKIMSigner
        /// With the next key in the place of the one of its kind, and that key.
        let later: (signer: DKIMSigner, key: DKIMSigner.Key, name: DKIMRecordName)?
    }

    /// By lower-case A-label domain.
    private let desks: [String: Desk]
    private let published: PublishedKeys
    private let unsigned: [String: [String]]

    /// - Parameters:
    ///   - published: which next keys may be used by now.
    ///   - unsigned: by route, the header fields that its next host writes anew and that stay out of signatures.
    package init(keys: [SigningKeys], published: PublishedKeys = PublishedKeys(), unsigned: [String: [String]] = [:]) {
        desks = Dictionary(
            keys.map { keys in
                let signers = keys.signers
                let later = keys.next.flatMap { next in signers.later.map { ($0, next, keys.name(of: next)) } }
                return (keys.domain, Desk(now: signers.now, later: later))
            }, uniquingKeysWith: { $1 })
        self.published = published
        self.unsigned = unsigned
    }

    /// The bytes to send; unsigned when there is no key for the domain.
    ///
    /// - Throws: `DKIMError` when a key cannot sign.
    package func signed(_ message: OutboxMessage, identity: SenderIdentity?, at now: Timestamp) throws -> [UInt8] {
        guard let domain = identity?.from.address.asciiDomain, let desk = desks[domain] else { return message.bytes }
        var signer = desk.now
        if let later = desk.later, published.contains(later.key, named: later.name) { signer = later.signer }
        return try signer.sign(message.bytes, leavingOut: unsigned[message.route] ?? [], at: now)
    }
}
