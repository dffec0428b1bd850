package import MailAuthentication
import OpenSSL
import Synchronization

/// The DKIM keys of one signing domain.
package struct SigningKeys: Sendable {
    /// As lower-case A-labels.
    package let domain: String
    /// The keys that sign now.
    package let current: [DKIMSigner.Key]
    /// The key that takes the place of the one of its kind as soon as DNS publishes it; nil when no change is planned.
    package let next: DKIMSigner.Key?
    /// How long a signature holds (`x=`).
    package let validity: Duration

    package init(domain: String, current: [DKIMSigner.Key], next: DKIMSigner.Key? = nil, validity: Duration) {
        self.domain = domain
        self.current = current
        self.next = next
        self.validity = validity
    }

    /// Signs with the keys in use.
    package var signer: DKIMSigner { signers.now }

    /// What signs before the next key is published, and after; nil when there is no next key.
    var signers: (now: DKIMSigner, later: DKIMSigner?) {
        let later = next.map { next in
            let others = current.filter { $0.key.algorithm != next.key.algorithm }
            // RSA first: receivers that know no Ed25519 use the other.
            return next.key.algorithm == .rsa ? [next] + others : others + [next]
        }
        return (
            DKIMSigner(domain: domain, keys: current, validity: validity),
            later.map { DKIMSigner(domain: domain, keys: $0, validity: validity) }
        )
    }

    func name(of key: DKIMSigner.Key) -> DKIMRecordName { DKIMRecordName(domain: domain, selector: key.selector) }
}

/// Which keys were seen in DNS: told by the one who looks, asked by the signer, who uses no next key before it is published.
package final class PublishedKeys: Sendable {
    /// Record name and text: another key under the same selector is another entry.
    private struct Entry: Hashable {
        let name: DKIMRecordName
        let text: [UInt8]
    }

    private let seen = Mutex(Set<Entry>())

    package init() {}

    package func contains(_ key: DKIMSigner.Key, named name: DKIMRecordName) -> Bool {
        let entry = Self.entry(key, name)
        return seen.withLock { $0.contains(entry) }
    }

    package func set(_ key: DKIMSigner.Key, named name: DKIMRecordName, isPublished: Bool) {
        let entry = Self.entry(key, name)
        seen.withLock { seen in
            if isPublished { seen.insert(entry) } else { seen.remove(entry) }
        }
    }

    private static func entry(_ key: DKIMSigner.Key, _ name: DKIMRecordName) -> Entry {
        Entry(name: name, text: Array(DKIMKeyRecord.text(for: key.key).utf8))
    }
}
