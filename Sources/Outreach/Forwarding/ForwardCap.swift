/// How many replies may be sent on in a day, so that a loop between two programs, or a flood at a reply address, does not become one in a
/// person's mailbox.
package struct ForwardCap: Sendable, Equatable {
    /// Of all replies to an identity.
    package let perIdentity: Int
    /// Of the replies in the conversations with one contact as that identity.
    package let perContact: Int

    package init(perIdentity: Int = 200, perContact: Int = 20) {
        self.perIdentity = perIdentity
        self.perContact = perContact
    }

    /// Why nothing more may be sent on today, for a person; nil: one more may.
    package func refusal(after tally: ForwardTally) -> String? {
        if tally.ofContact >= perContact { return "\(perContact) replies in conversations with this contact were sent on today already" }
        if tally.ofIdentity >= perIdentity { return "\(perIdentity) replies to this identity were sent on today already" }
        return nil
    }
}

/// How many replies were sent on in one day.
package struct ForwardTally: Sendable, Equatable {
    package let ofIdentity: Int
    package let ofContact: Int

    package init(ofIdentity: Int, ofContact: Int) {
        self.ofIdentity = ofIdentity
        self.ofContact = ofContact
    }
}

/// A reply to be sent on, and the bound that it is stored under.
package struct ForwardOrder: Sendable {
    package let message: OutboxMessage
    package let cap: ForwardCap

    package init(message: OutboxMessage, cap: ForwardCap) {
        self.message = message
        self.cap = cap
    }
}
