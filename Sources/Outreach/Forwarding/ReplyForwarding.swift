package import InternetMessage

/// Where the replies to an identity are sent on to, so that a person reads them in a mailbox of their own.
package struct ReplyForwarding: Sendable, Equatable {
    package enum Manner: String, Sendable, CaseIterable {
        /// A message of ours that tells of the reply and has it attached.
        case attached
        /// The reply itself, with a Reply-To of ours.
        case asIs = "as-is"
    }

    package let address: EmailAddress
    package let manner: Manner
    package let cap: ForwardCap

    package init(address: EmailAddress, manner: Manner, cap: ForwardCap = ForwardCap()) {
        self.address = address
        self.manner = manner
        self.cap = cap
    }
}
