package import IMAP
import InternetMessage
import MailTransport
import OpenSSL
package import Outreach

/// Keeps what a mailbox watcher reads: each message with its watermark in one transaction.
package struct WatermarkDesk: MailboxDesk {
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
            return MailboxArrival(incoming, movingTo: Self.mark(account, message.mailbox, message.uidValidity, message.uid))
        }
        let isNew = try await store.accept(arrivals)
        for (message, isNew) in zip(messages, isNew) where isNew { onStored(message) }
        if isNew.contains(true) { bell.ring() }
    }

    package func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {
        try await store.move(to: Self.mark(account, mailbox, uidValidity, uid))
    }

    package func skipped(_ message: MessageKey, account: String, reason: String) async throws {
        let mark = Self.mark(account, message.mailbox, message.uidValidity, message.uid)
        _ = try await store.accept(
            IncomingMessage(
                id: ids.next(), way: .imap, receivedAt: clock.now(), reversePath: nil, forwardPaths: [],
                origin: "\(account)/\(message.mailbox) uidvalidity \(message.uidValidity) uid \(message.uid), not read", bytes: [],
                state: .quarantined, reason: reason), movingTo: mark)
    }

    private static func mark(_ account: String, _ mailbox: MailboxName, _ validity: UIDValidity, _ uid: UID) -> MailboxWatermark {
        MailboxWatermark(
            account: account, folder: String(decoding: mailbox.wire, as: UTF8.self), uidValidity: validity.value, lastUID: uid.value)
    }
}
