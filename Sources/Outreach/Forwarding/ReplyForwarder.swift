package import InternetMessage

/// Writes the message by which a person's reply is sent on to the person it was meant for.
///
/// Only what a person wrote is sent on, once for each reply, and only what came by a listener: what was read in a mailbox lies in one
/// already. Each forward bears a mark that nobody else can make: one that comes back is known and goes no further.
package struct ReplyForwarder: Sendable {
    /// The header field with the mark: the id of the reply and 64 bits drawn for it.
    static let markField = "X-Postrider-Forwarded"
    private static let classes: Set<ReplyClass> = [
        .positive, .question, .negative, .notNow, .referral, .unsubscribe, .leftCompany, .neutral,
    ]
    /// Octets of the reply's text that are shown before the attached message.
    private static let longestExcerpt = 20_000

    private let hostname: String
    private let addresses: TokenAddresses?
    private let routes: RoutePlan
    private let chance: Chance
    private let ids: RecordIDs

    /// - Parameters:
    ///   - hostname: right side of every Message-ID.
    ///   - addresses: nil: answers to a forward go to the correspondent alone.
    package init(hostname: String, addresses: TokenAddresses?, routes: RoutePlan = RoutePlan(), chance: Chance, ids: RecordIDs) {
        self.hostname = hostname
        self.addresses = addresses
        self.routes = routes
        self.chance = chance
        self.ids = ids
    }

    /// A reply with what is known of it.
    package struct Order: Sendable {
        package let record: ReplyRecord
        package let incoming: IncomingMessage
        package let message: Message
        /// Whom the reply was meant for.
        package let identity: SenderIdentity
        package let workspace: WorkspaceID
        package let now: Timestamp

        package init(
            record: ReplyRecord, incoming: IncomingMessage, message: Message, identity: SenderIdentity, workspace: WorkspaceID,
            now: Timestamp
        ) {
            self.record = record
            self.incoming = incoming
            self.message = message
            self.identity = identity
            self.workspace = workspace
            self.now = now
        }
    }

    /// Whether a message is one that was sent on here.
    package func isForward(_ message: Message) -> Bool {
        message.header.all(Self.markField).prefix(10).contains { field in
            let words = field.value.split(separator: 0x20)
            guard words.count == 2, let id = IncomingMessage.ID(String(decoding: Array(words[0]), as: UTF8.self)) else { return false }
            return words[1].elementsEqual(mark(of: id).utf8)
        }
    }

    /// The message to be sent, for the transaction that files the reply; nil when the reply is not one to be sent on.
    package func forward(_ order: Order) -> OutboxMessage? {
        guard let forwarding = order.identity.forwarding, isDue(order, to: forwarding) else { return nil }
        return write(order, to: forwarding, as: .whole)
    }

    /// The same reply in another form, because a server refused the one before for good; nil when it cannot be written.
    package func forward(_ order: Order, as form: ForwardForm) -> OutboxMessage? {
        order.identity.forwarding.flatMap { write(order, to: $0, as: form) }
    }

    private func write(_ order: Order, to forwarding: ReplyForwarding, as form: ForwardForm) -> OutboxMessage? {
        let mark = mark(of: order.incoming.id)
        // The same for the same reply, and unique in the outbox; it tells nothing of the mark, which answers would show to others.
        let drawn = drawn("forward id", order.incoming.id)
        guard let messageID = ForwardName.messageID(of: order.incoming.id, as: form, drawn: drawn, hostname: hostname),
            let field = try? HeaderField(name: Self.markField, value: "\(order.incoming.id) \(mark)"),
            let bytes = compose(order, forwarding, as: form, messageID: messageID, mark: field)
        else { return nil }
        let id: OutboxMessage.ID = ids.next()
        var reversePath = ReversePath.address(order.identity.from.address)
        if order.identity.returnPath == .token, let address = addresses?.address(.bounce, for: id, at: order.now) {
            reversePath = .address(address)
        }
        return OutboxMessage(
            id: id, workspace: order.workspace, enrollment: nil, contact: order.record.contact, step: 0, occurrence: 0,
            identity: order.identity.name,
            route: routes.route(for: forwarding.address, as: order.identity, subject: "forward", chance: chance),
            reversePath: reversePath, recipient: forwarding.address, messageID: messageID, subject: Self.subject(of: order),
            bytes: bytes, createdAt: order.now, budgetDate: order.identity.pacing.window.zone.date(at: order.now),
            nextAttemptAt: order.now)
    }

    /// What is noted on the contact's timeline of a reply that would be sent on and stays in the inbox alone, and why.
    package func event(ofHeld forward: OutboxMessage, because reason: String, for record: ReplyRecord, at now: Timestamp) -> TimelineEvent {
        TimelineWriter(ids: ids, at: now, contact: record.contact, enrollment: record.enrollment, intake: record.intake).event(
            .received, "the reply \(record.intake) is not sent on to \(forward.recipient.text): \(reason); it stays in the inbox",
            ["identity": forward.identity])
    }

    /// What is noted of a forward on the contact's timeline.
    package func event(of forward: OutboxMessage, for record: ReplyRecord, at now: Timestamp) -> TimelineEvent {
        // It is no message of the enrollment, and counts as none.
        let writer = TimelineWriter(ids: ids, at: now, contact: record.contact, outbox: forward.id)
        return writer.event(
            .queued, "the reply \(record.intake) is sent on to \(forward.recipient.text)",
            ["message_id": forward.messageID.text, "identity": forward.identity, "route": forward.route])
    }

    /// What is noted of a forward that goes in another form than the one before.
    package func event(of forward: OutboxMessage, insteadBecause reason: String, for record: ReplyRecord, at now: Timestamp)
        -> TimelineEvent
    {
        let how = forward.forwardForm == .words ? "without the message itself" : "as a file"
        return TimelineWriter(ids: ids, at: now, contact: record.contact, outbox: forward.id).event(
            .queued, "the reply \(record.intake) is sent on to \(forward.recipient.text) \(how): \(reason)",
            ["message_id": forward.messageID.text, "identity": forward.identity, "route": forward.route])
    }

    private func isDue(_ order: Order, to forwarding: ReplyForwarding) -> Bool {
        let record = order.record
        guard order.incoming.way != .imap, record.duplicateOf == nil, !record.isOwn, record.outbox != nil,
            record.certainty == .high || record.certainty == .medium,
            Self.classes.contains(record.replyClass), !isForward(order.message)
        else { return false }
        // RFC 3834 §5: what a program sent is answered and handed on by none.
        for field in order.message.header.all("Auto-Submitted") {
            let word = field.value.prefix { $0 != UInt8(ascii: ";") }.filter { $0 > 32 }.map { $0 | 0x20 }
            if !word.elementsEqual("no".utf8) { return false }
        }
        let senders = order.message.from.map(\.address.suppressionKey)
        return !senders.contains { $0.utf8.elementsEqual(forwarding.address.suppressionKey.utf8) }
    }

    private func mark(of id: IncomingMessage.ID) -> String { drawn("forward", id) }

    private func drawn(_ purpose: String, _ id: IncomingMessage.ID) -> String {
        let digits = String(chance.bits(purpose, [id.description]), radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    // MARK: Writing

    private func compose(
        _ order: Order, _ forwarding: ReplyForwarding, as form: ForwardForm, messageID: MessageID, mark: HeaderField
    ) -> [UInt8]? {
        let zone = order.identity.pacing.window.zone
        let date = MessageDate(timestamp: order.now, offsetMinutes: zone.offset(at: order.now) / 60)
        let recipient = Mailbox(address: forwarding.address)
        // What its domain disowns would be refused of us, or taken for genuine.
        if form == .whole, forwarding.manner == .asIs, order.record.domainProof != .fail {
            var resent = ResentMessage(
                from: order.identity.from, to: [recipient], date: date, messageID: messageID, replyTo: answersGo(order))
            resent.extraFields = [mark]
            // What cannot travel as it is travels attached.
            if let bytes = try? resent.compose(original: order.incoming.bytes) { return bytes }
        }
        var draft = MessageDraft(
            from: order.identity.from, to: [recipient], subject: Self.subject(of: order), date: date, messageID: messageID,
            text: text(order, as: form))
        draft.replyTo = answersGo(order)
        draft.inReplyTo = order.message.messageID.map { [$0] } ?? []
        draft.references = order.message.references + draft.inReplyTo
        draft.autoSubmitted = .notified
        draft.extraFields = [mark]
        if form == .whole {
            draft.attachedMessage = order.incoming.bytes
            if let bytes = try? draft.compose() { return bytes }
            draft.attachedMessage = nil
        }
        if form == .words { return try? draft.compose() }
        draft.attachments = [
            DraftAttachment(filename: "reply.eml", mediaType: "application/octet-stream", content: .bytes(order.incoming.bytes))
        ]
        return try? draft.compose()
    }

    /// To the one who wrote, and to the address by which the conversation keeps what is answered.
    private func answersGo(_ order: Order) -> [Mailbox] {
        let author = order.message.replyTo.first ?? order.message.from.first
        let thread = order.record.outbox.flatMap { addresses?.address(.reply, for: $0, at: order.now) }
        // An address that was only read tolerantly is none that could be written.
        let named = author.flatMap { author in
            EmailAddress(author.address.text).map { Mailbox(displayName: Self.plain(author), address: $0) }
        }
        return [named, thread.map { Mailbox(address: $0) }].compactMap { $0 }
    }

    /// The display name when it can be written; nil when it cannot.
    private static func plain(_ mailbox: Mailbox) -> String? {
        guard let name = mailbox.displayName, (try? HeaderField(name: "X", value: name)) != nil else { return nil }
        return name
    }

    private static func subject(of order: Order) -> String {
        let text = order.message.subject ?? ""
        let clean = (try? HeaderField(name: "X", value: text)) == nil ? "" : text
        return clean.utf8.allSatisfy { $0 <= 32 } ? "Fwd: a reply without a subject" : "Fwd: \(clean)"
    }

    private func text(_ order: Order, as form: ForwardForm) -> String {
        let record = order.record
        let percent = Int((record.reading.confidence * 100).rounded())
        let name = record.replyClass.rawValue.utf8.map { $0 == UInt8(ascii: "_") ? 0x20 : $0 }
        var lines = ["\(record.from) answered (\(String(decoding: name, as: UTF8.self)), \(percent) %):", ""]
        if record.domainProof == .fail { lines.insert("The message fails DMARC: it may be forged.", at: 1) }
        if record.certainty == .low { lines.insert("Whether it answers a message of ours is not certain.", at: 1) }
        let words = Array(record.reading.text.utf8.filter { $0 != 0 && $0 != 13 }.prefix(Self.longestExcerpt))
        lines += words.split(separator: 10, omittingEmptySubsequences: false).map { "> \(String(decoding: Array($0), as: UTF8.self))" }
        let answer = "An answer to this mail goes to whoever wrote it."
        if form == .words {
            let size = (order.incoming.bytes.count + 1023) / 1024
            let fields = ["From", "To", "Cc", "Date", "Subject"].compactMap { name in
                order.message.header.first(name).map {
                    "\(name): \(String(decoding: $0.value.filter { $0 >= 32 }.prefix(500), as: UTF8.self))"
                }
            }
            lines += [""] + fields
            lines += [
                "",
                "The message itself (\(size) KB) was not taken on the way here. It is in the inbox: 'postrider inbox show \(record.intake)'.",
            ]
            lines += [answer]
        } else {
            lines += ["", "The message itself is attached. \(answer)"]
        }
        return lines.joined(separator: "\n")
    }
}
