package import InternetMessage

/// The MTA-STS policy of a recipient domain as it was fetched (RFC 8461 §3.3).
package struct KeptPolicy: Sendable, Equatable {
    /// A-labels in lower case.
    package let domain: String
    /// The id of the DNS record under which it was fetched.
    package let recordID: String
    /// As the server gave it: at most 65,536 octets, and a policy.
    package let document: [UInt8]
    package let fetchedAt: Timestamp
    /// From here on it does not count.
    package let expiresAt: Timestamp
    /// Mail went to the domain on that day.
    package let usedAt: Timestamp

    package init(
        domain: String, recordID: String, document: [UInt8], fetchedAt: Timestamp, expiresAt: Timestamp, usedAt: Timestamp
    ) {
        self.domain = domain
        self.recordID = recordID
        self.document = document
        self.fetchedAt = fetchedAt
        self.expiresAt = expiresAt
        self.usedAt = usedAt
    }
}

/// Policies of recipient domains, kept over a restart so that nobody on the way can make us forget them. One method, one transaction.
package protocol PolicyStore: Sendable {
    /// Keeps a policy in place of the one that the domain has.
    func keep(_ policy: KeptPolicy) async throws(StoreError)

    /// What is kept for the domain, even when it does not count any more.
    func keptPolicy(domain: String) async throws(StoreError) -> KeptPolicy?

    /// Notes that mail goes to the domain; nothing when no policy is kept for it.
    func markPolicyUsed(domain: String, at: Timestamp) async throws(StoreError)

    /// Those that count at `now`, end before `end` and were used since then, the first to end first.
    func policiesEnding(after now: Timestamp, before end: Timestamp, usedSince: Timestamp, limit: Int) async throws(StoreError)
        -> [KeptPolicy]

    /// Drops those that ended before then, and says how many.
    func dropPolicies(endedBefore: Timestamp) async throws(StoreError) -> Int
}
