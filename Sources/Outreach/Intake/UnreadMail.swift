package import InternetMessage

/// Names one message of a mailbox for good.
package struct MailboxPlace: Sendable, Hashable {
    /// Name of the mailbox section in conf.
    package let account: String
    /// Folder name as the server spells it.
    package let folder: String
    package let uidValidity: UInt32
    package let uid: UInt32

    package init(account: String, folder: String, uidValidity: UInt32, uid: UInt32) {
        self.account = account
        self.folder = folder
        self.uidValidity = uidValidity
        self.uid = uid
    }
}

/// The sessions that ended over a message that holds its mailbox up, by what they say of it.
package struct ReadingTrouble: Sendable, Equatable {
    package var own: Int
    package var broken: Int
    package var shared: Int
    /// When the first session began that knew of it; nil before.
    package var since: Timestamp?

    package init(own: Int, broken: Int, shared: Int, since: Timestamp?) {
        self.own = own
        self.broken = broken
        self.shared = shared
        self.since = since
    }
}

/// A message that was passed over unread, and can be fetched anew by its UID.
package struct PassedOverMessage: Sendable, Equatable {
    package let place: MailboxPlace
    /// Its record, which is quarantined without content.
    package let intake: IncomingMessage.ID
    /// From when on it is to be fetched anew; nil: nobody asked for it.
    package let wantedFrom: Timestamp?
    /// How often it was fetched in vain since it was asked for.
    package let tries: Int

    package init(place: MailboxPlace, intake: IncomingMessage.ID, wantedFrom: Timestamp?, tries: Int) {
        self.place = place
        self.intake = intake
        self.wantedFrom = wantedFrom
        self.tries = tries
    }
}

/// What becomes of quarantined messages that are tried again, in numbers.
package struct RetryTally: Sendable, Equatable {
    /// They will be sorted again.
    package let sorted: Int
    /// They were passed over unread and will be fetched anew.
    package let fetched: Int
    /// There is no content, and none to be had.
    package let hopeless: Int

    package init(sorted: Int = 0, fetched: Int = 0, hopeless: Int = 0) {
        self.sorted = sorted
        self.fetched = fetched
        self.hopeless = hopeless
    }
}

/// Messages of mailboxes that could not be read. One method, one transaction.
package protocol UnreadMailStore: Sendable {
    /// The messages of the account over which sessions ended and that are neither taken in nor passed over.
    func readingTroubles(account: String) async throws(StoreError) -> [MailboxPlace: ReadingTrouble]

    /// Keeps what is known of a message over which sessions ended; nil: it was taken in after all. Of one that was passed over nothing changes.
    func keep(_ trouble: ReadingTrouble?, at place: MailboxPlace) async throws(StoreError)

    /// Stores the record of a message that is passed over, moves the watermark over its UID and keeps the UID, to fetch it anew one day; all of
    /// it or nothing. False when the watermark is past it already: nothing is stored then.
    ///
    /// The message itself may come at any time later: `accept` puts it in the place of this record, which then waits to be sorted.
    func passOver(_ message: IncomingMessage, movingTo watermark: MailboxWatermark) async throws(StoreError) -> Bool

    /// What was passed over of the account, nil: of any, and neither came nor was given up.
    func passedOver(account: String?) async throws(StoreError) -> [PassedOverMessage]

    /// A message passed over was fetched anew in vain: keeps why, and from when on it is to be fetched once more; nil: not unless it is asked
    /// for again.
    func fetchedInVain(_ place: MailboxPlace, reason: String, again: Timestamp?) async throws(StoreError)

    /// A message passed over cannot be had any more: its record says why and stays, and nothing fetches it again.
    func giveUp(_ place: MailboxPlace, reason: String) async throws(StoreError)
}
