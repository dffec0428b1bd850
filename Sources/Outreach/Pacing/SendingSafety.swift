package import InternetMessage

/// The seat belts of an installation: what keeps mail in whatever else would let it out.
package struct SendingSafety: Sendable {
    /// Everything is composed and queued, and nothing is delivered.
    package let isDryRun: Bool
    /// Patterns that cover whole addresses, in lower case; empty: everybody may get mail.
    package let allowed: [BytePattern]
    /// Messages of all identities together on one date of the sender; nil: no limit.
    package let dailyLimit: Int?
    /// Steps that are decided in one round of dispatch.
    package let batchLimit: Int

    package init(isDryRun: Bool = false, allowed: [BytePattern] = [], dailyLimit: Int? = nil, batchLimit: Int = 100) {
        self.isDryRun = isDryRun
        self.allowed = allowed
        self.dailyLimit = dailyLimit
        self.batchLimit = max(1, batchLimit)
    }

    /// Whether conf lets mail go to that address.
    package func allows(_ address: EmailAddress) -> Bool {
        allowed.isEmpty || allowed.contains { $0.covers(address.suppressionKey.utf8) }
    }

    /// Why mail to a recipient stays; nil when it may leave.
    package func refusal(of address: EmailAddress) -> String? {
        if isDryRun { return "dry run: nothing is delivered ([safety] dry_run)" }
        return allows(address) ? nil : "the recipient is not among allow_recipients of [safety]"
    }
}
