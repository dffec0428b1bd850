/// What the owner of a domain says of one client address (RFC 7208 §2.6).
package struct SPFResult: Sendable, Equatable {
    /// The result words of RFC 7208 and RFC 8601 §2.7.2.
    package enum Outcome: String, Sendable, CaseIterable {
        case none
        case neutral
        case pass
        case fail
        case softFail = "softfail"
        case temporaryError = "temperror"
        case permanentError = "permerror"
    }

    /// Which name of the dialogue was checked: the reverse-path, or HELO when that is null.
    package enum Identity: String, Sendable {
        case mailFrom = "mailfrom"
        case helo
    }

    package let outcome: Outcome
    package let identity: Identity
    /// The domain that was checked, lower case, as A-labels; empty when there was none.
    package let domain: String
    /// The directive that decided, as it is published; nil when none did.
    package let directive: String?
    /// What is wrong with the record or its lookup, in plain words; nil for other outcomes.
    package let problem: String?
    /// The owner's words on a failure, expanded, ASCII only; nil when there are none. Foreign text.
    package let explanation: String?
}
