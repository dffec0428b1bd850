package import InternetMessage

/// The picture of a message was fetched, or a link of it followed; who did it is not decided yet.
///
/// Of who did it no more is kept than what the program says of itself: no address.
package struct TrackingHit: Sendable, Hashable {
    package let message: OutboxMessage.ID
    /// nil: the picture.
    package let link: LinkTarget.ID?
    package let at: Timestamp
    /// What the program calls itself, printable ASCII, cut off; empty: it says nothing.
    package let agent: String

    /// How much of a program's name is kept.
    package static let longestAgent = 200

    package init(message: OutboxMessage.ID, link: LinkTarget.ID?, at: Timestamp, agent: String) {
        self.message = message
        self.link = link
        self.at = at
        let printable = agent.utf8.filter { $0 >= 0x20 && $0 < 0x7F }
        self.agent = String(decoding: Array(printable.prefix(Self.longestAgent)), as: UTF8.self)
    }
}

/// A message with hits that wait to be judged.
package struct TouchedMessage: Sendable, Equatable {
    /// What was judged of its picture or of one of its links before.
    package struct Known: Sendable, Equatable {
        /// nil: the picture.
        package let link: LinkTarget.ID?
        package let byHuman: Bool
        package let byMachine: Bool

        package init(link: LinkTarget.ID?, byHuman: Bool, byMachine: Bool) {
            self.link = link
            self.byHuman = byHuman
            self.byMachine = byMachine
        }
    }

    package let message: OutboxMessage.ID
    package let enrollment: Enrollment.ID?
    package let contact: Contact.ID?
    package let step: Int
    /// When its final dot was written; nil: it has not left.
    package let sentAt: Timestamp?
    /// In order of time.
    package let hits: [TrackingHit]
    package let known: [Known]
    /// Where its links lead that were followed.
    package let targets: [LinkTarget.ID: String]

    package init(
        message: OutboxMessage.ID, enrollment: Enrollment.ID?, contact: Contact.ID?, step: Int, sentAt: Timestamp?, hits: [TrackingHit],
        known: [Known], targets: [LinkTarget.ID: String]
    ) {
        self.message = message
        self.enrollment = enrollment
        self.contact = contact
        self.step = step
        self.sentAt = sentAt
        self.hits = hits
        self.known = known
        self.targets = targets
    }

    /// The same with the first of its hits alone.
    package func cut(to count: Int) -> TouchedMessage {
        TouchedMessage(
            message: message, enrollment: enrollment, contact: contact, step: step, sentAt: sentAt, hits: Array(hits.prefix(count)),
            known: known, targets: targets)
    }
}

/// What was judged of the picture of a message, or of one of its links: added to what was judged before.
package struct TouchCount: Sendable, Equatable {
    /// nil: the picture.
    package let link: LinkTarget.ID?
    package var byHuman = 0
    package var byMachine = 0
    /// When a person did it first; nil: none did.
    package var firstByHuman: Timestamp?
    package var firstByMachine: Timestamp?

    package init(link: LinkTarget.ID?) { self.link = link }
}

/// What was counted of one picture or link of a message to a contact.
package struct ContactTouch: Sendable, Equatable {
    package let message: OutboxMessage.ID
    /// Where the link led; nil: the picture, or a link that is gone.
    package let url: String?
    package let isOpen: Bool
    package let byHuman: Int
    package let byMachine: Int

    package init(message: OutboxMessage.ID, url: String?, isOpen: Bool, byHuman: Int, byMachine: Int) {
        self.message = message
        self.url = url
        self.isOpen = isOpen
        self.byHuman = byHuman
        self.byMachine = byMachine
    }
}

/// Hits on messages, where links lead, and what was judged. One method, one transaction.
package protocol TrackingStore: Sendable {
    /// Stores hits that wait to be judged. Those on messages that are not there are dropped, and those beyond sixty-four that wait for one
    /// message.
    func note(_ hits: [TrackingHit]) async throws(StoreError)

    /// Where a link leads; nil when it is not known, or not any more.
    func linkTarget(_ id: LinkTarget.ID) async throws(StoreError) -> LinkTarget?

    /// Every link that is known in id order, from above `after`, at most `limit`.
    func linkTargets(after: LinkTarget.ID?, limit: Int) async throws(StoreError) -> [LinkTarget]

    /// Stores where links lead, but for those of contacts that are not there; how many were new.
    func add(_ links: [LinkTarget]) async throws(StoreError) -> Int

    /// Messages of which every hit can be judged, with all of them: none came after `quietSince`, or one waits since before `patientUntil`.
    func touchedMessages(quietSince: Timestamp, patientUntil: Timestamp, limit: Int) async throws(StoreError) -> [TouchedMessage]

    /// What was counted of the messages to a contact, oldest message first.
    func touches(contact: Contact.ID) async throws(StoreError) -> [ContactTouch]

    /// Where the links lead that were written with values of a contact.
    func ownLinks(of contact: Contact.ID) async throws(StoreError) -> [String]

    /// Whether a hit waits.
    func hasHits() async throws(StoreError) -> Bool

    /// Adds what was judged of the hits of a message, takes the hits away, and applies what follows; `stale`, and nothing is written, when it
    /// was decided on an enrollment that has moved since. Nothing is written either when none of the hits is there any more.
    func settle(_ message: TouchedMessage, counts: [TouchCount], consequence: Consequence) async throws(StoreError) -> CommitResult
}
