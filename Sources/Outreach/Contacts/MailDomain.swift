package import InternetMessage

/// Whether a domain takes mail, as DNS was asked for it last.
package struct MailDomain: Sendable, Equatable {
    /// A-labels in lower case.
    package let domain: String
    /// Why it takes none, for a person; nil: it does.
    package let refusal: String?
    package let askedAt: Timestamp
    /// From here on it counts no more.
    package let expiresAt: Timestamp

    package init(domain: String, refusal: String?, askedAt: Timestamp, expiresAt: Timestamp) {
        self.domain = domain
        self.refusal = refusal
        self.askedAt = askedAt
        self.expiresAt = expiresAt
    }
}

/// What was found of the domains of contacts. One method, one transaction.
package protocol MailDomainStore: Sendable {
    /// What is known of those domains and counts at `now`.
    func mailDomains(_ domains: [String], at now: Timestamp) async throws(StoreError) -> [MailDomain]

    /// Keeps what was found in the place of what was known of the same domains, and drops what has ended by `now`.
    func keepMailDomains(_ found: [MailDomain], at now: Timestamp) async throws(StoreError)
}
