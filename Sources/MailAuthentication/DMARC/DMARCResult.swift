/// Whether the From domain of a message is borne out by SPF or DKIM (RFC 9989, words of RFC 8601 as §9 of it registers them).
package struct DMARCResult: Sendable, Equatable {
    package enum Outcome: String, Sendable, CaseIterable {
        /// The domain publishes no policy.
        case none
        case pass
        case fail
        case temporaryError = "temperror"
        /// The message has no From domain that could be asked about.
        case permanentError = "permerror"
    }

    /// What bore the domain out.
    package enum Proof: String, Sendable {
        case dkim
        case spf
    }

    package let outcome: Outcome
    /// The From domain, lower-case A-labels; empty when there is none.
    package let domain: String
    /// Where the policy was found: the From domain, its organizational domain or its public suffix; nil without a policy.
    package var policyDomain: String?
    /// What the owner asks for when mail fails, as the record says it for this domain; nil without a policy.
    package var policy: DMARCPolicy?
    /// Whether the owner only tries the policy out; then the next weaker one is meant.
    package var isTesting = false
    /// nil unless it passed.
    package var proof: Proof?

    /// What the owner wants done with this message: `none` for all that did not fail, the next weaker policy while it is tested.
    package var disposition: DMARCPolicy {
        guard outcome == .fail, let policy else { return .none }
        guard isTesting else { return policy }
        return policy == .reject ? .quarantine : .none
    }
}
