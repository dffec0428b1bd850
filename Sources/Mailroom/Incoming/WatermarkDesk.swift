package import IMAP
import InternetMessage
package import MailTransport
import OpenSSL
package import Outreach

/// Keeps what a mailbox watcher reads: each message with its watermark in one transaction.
package struct WatermarkDesk: MailboxDesk {
    /// How often a message that is asked for anew may be in vain, and how long it rests before the next time.
    private static let refetches = 3
    private static let refetchWait = Duration.seconds(900)

    private let store: any IntakeStore
    private let ids: RecordIDs
    private let clock: any MailClock
    private let bell: Bell
    private let onStored: @Sendable (FetchedMessage) -> Void

    /// - Parameters:
    ///   - bell: rung when something was taken in.
    ///   - onStored: told of each message newly taken in.
    package init(
        store: any IntakeStore, ids: RecordIDs, clock: any MailClock, bell: Bell,
        onStored: @escaping @Sendable (FetchedMessage) -> Void = { _ in }
    ) {
        self.store = store
        self.ids = ids
        self.clock = clock
        self.bell = bell
        self.onStored = onStored
    }

    package func cursors(account: String) async throws -> [MailboxName: MailboxCursor] {
        var cursors: [MailboxName: MailboxCursor] = [:]
        for mark in try await store.watermarks(account: account) {
            guard let name = MailboxName(wire: Array(mark.folder.utf8)), let validity = UIDValidity(mark.uidValidity) else { continue }
            cursors[name] = MailboxCursor(uidValidity: validity, lastUID: UID(mark.lastUID))
        }
        return cursors
    }

    package func store(_ messages: [FetchedMessage], account: String) async throws {
        let arrivals = messages.map { message in
            let cut = message.truncated ? ", cut" : ""
            let incoming = IncomingMessage(
                id: ids.next(), way: .imap, receivedAt: clock.now(), reversePath: nil, forwardPaths: [],
                origin: "\(account)/\(message.mailbox) uidvalidity \(message.uidValidity) uid \(message.uid)\(cut)", bytes: message.bytes,
                account: account, digest: Digest.sha256(message.bytes))
            return MailboxArrival(
                incoming, movingTo: Self.mark(account, message.mailbox, message.uidValidity, message.uid),
                awaitsDisposal: message.awaitsDisposal)
        }
        let isNew = try await store.accept(arrivals)
        for (message, isNew) in zip(messages, isNew) where isNew { onStored(message) }
        if isNew.contains(true) { bell.ring() }
    }

    package func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {
        try await store.move(to: Self.mark(account, mailbox, uidValidity, uid))
    }

    package func numberedAnew(_ mailbox: MailboxName, uidValidity: UIDValidity, account: String) async throws {
        try await store.numberAnew(account: account, folder: String(decoding: mailbox.wire, as: UTF8.self), uidValidity: uidValidity.value)
    }

    package func skipped(_ message: MessageKey, account: String, reason: String) async throws {
        let mark = Self.mark(account, message.mailbox, message.uidValidity, message.uid)
        _ = try await store.passOver(
            IncomingMessage(
                id: ids.next(), way: .imap, receivedAt: clock.now(), reversePath: nil, forwardPaths: [],
                origin: "\(account)/\(message.mailbox) uidvalidity \(message.uidValidity) uid \(message.uid), not read", bytes: [],
                state: .quarantined, reason: reason), movingTo: mark)
    }

    package func troubles(account: String) async throws -> [MessageKey: MessageTrouble] {
        var troubles: [MessageKey: MessageTrouble] = [:]
        for (place, trouble) in try await store.readingTroubles(account: account) {
            guard let key = MessageKey(place) else { continue }
            troubles[key] = MessageTrouble(
                setbacks: Setbacks(own: trouble.own, broken: trouble.broken, shared: trouble.shared), since: trouble.since)
        }
        return troubles
    }

    package func keep(_ trouble: MessageTrouble?, of message: MessageKey, account: String) async throws {
        let known = trouble.map {
            ReadingTrouble(own: $0.setbacks.own, broken: $0.setbacks.broken, shared: $0.setbacks.shared, since: $0.since)
        }
        try await store.keep(known, at: message.place(account))
    }

    package func wanted(account: String) async throws -> [MessageKey: Int] {
        let now = clock.now()
        var wanted: [MessageKey: Int] = [:]
        for message in try await store.passedOver(account: account) {
            guard let from = message.wantedFrom, from <= now, let key = MessageKey(message.place) else { continue }
            wanted[key] = message.tries
        }
        return wanted
    }

    package func refetched(_ message: MessageKey, account: String, _ outcome: Refetch, tries: Int) async throws {
        let now = clock.now()
        let place = message.place(account)
        switch outcome {
        case .gone, .uidValidityChanged:
            try await store.giveUp(
                place, reason: "\(outcome.words), seen \(now.iso8601); it was passed over unread, and nothing is left to fetch")
        case .withheld, .broken:
            let isLast = tries + 1 >= Self.refetches
            try await store.fetchedInVain(
                place,
                reason: "fetched anew in vain, \(now.iso8601): \(outcome.words); "
                    + (isLast
                        ? "it is not tried again unless 'intake retry' asks for it" : "tried \(tries + 1) of \(Self.refetches) times"),
                again: isLast ? nil : now + Self.refetchWait)
        }
    }

    package func undisposed(account: String) async throws -> Set<MessageKey> {
        Set(try await store.undisposed(account: account).compactMap { MessageKey($0) })
    }

    package func disposed(_ messages: [MessageKey], account: String) async throws {
        try await store.disposed(messages.map { $0.place(account) })
    }

    private static func mark(_ account: String, _ mailbox: MailboxName, _ validity: UIDValidity, _ uid: UID) -> MailboxWatermark {
        MailboxWatermark(
            account: account, folder: String(decoding: mailbox.wire, as: UTF8.self), uidValidity: validity.value, lastUID: uid.value)
    }
}

extension MessageKey {
    /// nil when no server can have written it.
    fileprivate init?(_ place: MailboxPlace) {
        guard let name = MailboxName(wire: Array(place.folder.utf8)), let validity = UIDValidity(place.uidValidity),
            let uid = UID(place.uid)
        else { return nil }
        self.init(name, validity, uid)
    }

    fileprivate func place(_ account: String) -> MailboxPlace {
        MailboxPlace(
            account: account, folder: String(decoding: mailbox.wire, as: UTF8.self), uidValidity: uidValidity.value, uid: uid.value)
    }
}
