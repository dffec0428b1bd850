import InternetMessage
package import Logging
package import MailAuthentication
package import MailClassifier
import OpenSSL
package import Outreach
import ServiceLifecycle

/// Makes sense of what came in: parse, authenticate, correlate, classify, decide, and one transaction for all that follows.
///
/// A message that cannot be sorted after three tries is quarantined and stays visible; nothing that came in is ever dropped.
package struct IntakeSorter: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        package let correlator: Correlator
        package let classifier: Classifier
        package let authenticator: MessageAuthenticator
        package let trust: ResultsTrust
        package let identities: [String: SenderIdentity]
        /// How far back a sender's address alone may tie a message to one of ours.
        package let addressWindow: Duration

        package init(
            correlator: Correlator, classifier: Classifier, authenticator: MessageAuthenticator, trust: ResultsTrust = .init(),
            identities: [String: SenderIdentity],
            addressWindow: Duration = .seconds(90 * 86_400)
        ) {
            self.correlator = correlator
            self.classifier = classifier
            self.authenticator = authenticator
            self.trust = trust
            self.identities = identities
            self.addressWindow = addressWindow
        }
    }

    private static let leaseTime = Duration.seconds(300)
    private static let batch = 50
    private static let tries = 3
    private static let longestSleep = Duration.seconds(30)

    private let store: any IntakeStore & SequenceStore & ContactStore
    private let desk: Swappable<Desk>
    private let decider: ReplyDecider
    private let ids: RecordIDs
    private let clock: any MailClock
    private let bell: Bell
    private let sequenceBell: Bell
    private let owner: String
    private let logger: Logger

    /// - Parameters:
    ///   - bell: rung when something was taken in.
    ///   - sequenceBell: rung when something was sorted.
    package init(
        store: any IntakeStore & SequenceStore & ContactStore, desk: Swappable<Desk>, ids: RecordIDs, clock: any MailClock, bell: Bell,
        sequenceBell: Bell, owner: String, logger: Logger
    ) {
        self.store = store
        self.desk = desk
        decider = ReplyDecider(ids: ids)
        self.ids = ids
        self.clock = clock
        self.bell = bell
        self.sequenceBell = sequenceBell
        self.owner = owner
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                while try await sortReceived() > 0, !Task.isCancelled {}
                await bell.wait(until: clock.now() + Self.longestSleep, clock: clock)
            }
        }
    }

    /// One round: claims what came in and sorts each; how many were claimed.
    package func sortReceived() async throws -> Int {
        let now = clock.now()
        let claimed = try await store.claimReceived(now: now, limit: Self.batch, lease: Lease(owner: owner, until: now + Self.leaseTime))
        let desk = desk.current
        for incoming in claimed {
            if incoming.attempts > Self.tries {
                try await quarantine(incoming)
            } else {
                try await sort(incoming, desk: desk)
            }
        }
        if !claimed.isEmpty { sequenceBell.ring() }
        return claimed.count
    }

    private func quarantine(_ incoming: IncomingMessage) async throws(StoreError) {
        let reason = "sorting failed \(Self.tries) times"
        let event = TimelineEvent(id: ids.next(), at: clock.now(), kind: .quarantined, intake: incoming.id, summary: reason)
        try await store.quarantine(incoming.id, reason: reason, event: event)
        logger.error("message quarantined", metadata: ["intake.id": "\(incoming.id)", "reason": "\(reason)"])
    }

    private func sort(_ incoming: IncomingMessage, desk: Desk) async throws {
        let message = Message(parsing: incoming.bytes)
        let verdict = await authenticate(incoming, desk: desk)
        let classification = desk.classifier.classify(message, receivedAt: incoming.receivedAt)
        let reading = Reading(classification)
        while true {
            let now = clock.now()
            let correlation = try await correlate(incoming, message, desk: desk, now: now)
            let conversation = try await conversation(correlation, desk: desk)
            let bodyHash = Self.hash(of: message)
            var duplicate: IncomingMessage.ID?
            if let id = message.messageID {
                duplicate = try await store.earlier(
                    messageID: id, bodyHash: bodyHash, enrollment: correlation?.message.enrollment, before: incoming.id)
            }
            let replyClass = ReplyDecider.effectiveClass(of: reading, correlation: correlation)
            let record = ReplyRecord(
                intake: incoming.id, sortedAt: now, enrollment: correlation?.message.enrollment, contact: correlation?.message.contact,
                outbox: correlation?.message.outbox, certainty: correlation?.certainty,
                proofs: correlation?.proofs.map { "\($0.kind.rawValue): \($0.detail)" } ?? [], from: message.from.first?.address.text ?? "",
                subject: message.subject ?? "", messageID: message.messageID, bodyHash: bodyHash, duplicateOf: duplicate, reading: reading,
                requiresResponse: duplicate == nil && correlation != nil && replyClass.requiresResponse,
                authentication: verdict.summary,
                domainProof: verdict.dmarc.map { ReplyRecord.DomainProof($0.outcome) })
            let consequence = decider.decide(record, conversation: conversation, at: now)
            if try await store.file(record, consequence: consequence) == .committed {
                log(record, replyClass, consequence)
                return
            }
        }
    }

    private func authenticate(_ incoming: IncomingMessage, desk: Desk) async -> AuthenticationVerdict {
        var peer: SMTPPeer?
        // An LMTP client is a server of ours, which says nothing of who sent the message.
        if incoming.way == .smtp, let client = incoming.client {
            let path = String(decoding: incoming.reversePath?.wireBytes ?? [], as: UTF8.self)
            peer = SMTPPeer(address: client.address, helloName: client.name, reversePath: path)
        }
        return await desk.authenticator.authenticate(
            incoming.bytes, from: peer, trusting: desk.trust.names(for: incoming), at: incoming.receivedAt)
    }

    private func correlate(_ incoming: IncomingMessage, _ message: Message, desk: Desk, now: Timestamp) async throws(StoreError)
        -> Correlation?
    {
        let clues = desk.correlator.clues(in: message, forwardPaths: incoming.forwardPaths, at: now)
        var found = try await store.sentMessages(messageIDs: clues.messageIDs)
        for id in clues.messages {
            if let message = try await store.sentMessage(id: id) { found.append(message) }
        }
        var latest: SentMessage?
        if let sender = clues.sender { latest = try await store.latestSentMessage(to: sender, since: now - desk.addressWindow) }
        return desk.correlator.verdict(clues, found: found, latest: latest)
    }

    private func conversation(_ correlation: Correlation?, desk: Desk) async throws -> ReplyDecider.Conversation? {
        guard let correlation else { return nil }
        let machine = try await store.machine(of: correlation.message.enrollment, identities: desk.identities)
        var contact: Contact?
        if let id = correlation.message.contact { contact = try await store.contact(id: id) }
        return ReplyDecider.Conversation(correlation: correlation, machine: machine, contact: contact)
    }

    private static func hash(of message: Message) -> String { Hex.encode(Digest.sha256(Array((message.text ?? "").utf8))) }

    private func log(_ record: ReplyRecord, _ replyClass: ReplyClass, _ consequence: Consequence) {
        logger.info(
            "message sorted",
            metadata: [
                "intake.id": "\(record.intake)", "enrollment.id": "\(record.enrollment?.description ?? "none")",
                "class": "\(replyClass.rawValue)",
                "confidence": "\(record.reading.confidence)", "certainty": "\(record.certainty?.rawValue ?? "none")",
                "state": "\(consequence.transition?.state.rawValue ?? "unchanged")",
                "dmarc": "\(record.domainProof?.rawValue ?? "unknown")",
            ])
    }
}
