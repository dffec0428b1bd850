package import InternetMessage

/// Identities that share those who start; whoever was written to already keeps who wrote.
package struct SenderRotation: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package let identity: String
        /// Its share among the weights; 0: it is given nobody.
        package let weight: Int

        package init(_ identity: String, weight: Int = 1) {
            self.identity = identity
            self.weight = weight
        }
    }

    package let members: [Member]
    /// The one identity that writes to everybody, known to them or not; nil: whoever was written to keeps who wrote.
    package let only: String?

    package init(_ members: [Member]) {
        self.members = members
        only = nil
    }

    /// An identity that a person named alone.
    package init(only identity: String) {
        members = [Member(identity)]
        only = identity
    }

    /// Who writes to somebody who starts a sequence; nil when nobody has a weight.
    ///
    /// The same seed, sequence and address draw the same, so that a rehearsal tells it beforehand.
    ///
    /// - Parameters:
    ///   - known: who wrote to the contact last, and is still there; nil: nobody.
    ///   - paused: identities that are passed over as long as there is another.
    package func sender(
        for address: EmailAddress, in sequence: String, known: String?, paused: Set<String>, chance: Chance
    ) -> String? {
        if let only { return only }
        if let known { return known }
        let place = chance.fraction("rotation", [sequence, address.suppressionKey])
        let free = members.filter { !paused.contains($0.identity) }
        return (Weighted.pick(free, at: place) { $0.weight } ?? Weighted.pick(members, at: place) { $0.weight })?.identity
    }
}
