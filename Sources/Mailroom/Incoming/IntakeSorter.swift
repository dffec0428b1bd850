import InternetMessage
package import Logging
package import MailAuthentication
package import MailClassifier
import OpenSSL
package import Outreach
import ServiceLifecycle

/// Makes sense of what came in: parse, authenticate, correlate, classify, decide, and one transaction for all that follows.
///
/// Responsibilities: mail to token addresses first, several at a time, so that nobody holds up a reply that ends a sequence; an attempt is
/// counted right before it begins, and one that fails or ends the process counts for that message alone. A message that cannot be sorted
/// after three tries is quarantined and stays visible; nothing that came in is ever dropped.
package struct IntakeSorter: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        package let correlator: Correlator
        package let classifier: Classifier
        package let authenticator: MessageAuthenticator
        package let trust: ResultsTrust
        package let identities: [String: SenderIdentity]
        package let companies: CompanyBook
        /// nil: no reply is sent on.
        package let forwarder: ReplyForwarder?
        /// How far back a sender's address alone may tie a message to one of ours.
        package let addressWindow: Duration
        /// What finding out who sent a message may take in all.
        package let authenticationBudget: Duration

        package init(
            correlator: Correlator, classifier: Classifier, authenticator: MessageAuthenticator, trust: ResultsTrust = .init(),
            identities: [String: SenderIdentity], companies: CompanyBook = .none, forwarder: ReplyForwarder? = nil,
            addressWindow: Duration = .seconds(90 * 86_400),
            authenticationBudget: Duration = .seconds(5)
        ) {
            self.correlator = correlator
            self.classifier = classifier
            self.authenticator = authenticator
            self.trust = trust
            self.identities = identities
            self.companies = companies
            self.forwarder = forwarder
            self.addressWindow = addressWindow
            self.authenticationBudget = authenticationBudget
        }
    }

    private static let leaseTime = Duration.seconds(300)
    private static let batch = 50
    private static let atOnce = 8
    /// How many of a batch are sorted while the listeners take mail in: those who wait for their 250 need the processors.
    private static let besideListeners = 1
    /// Messages of ours whose text is laid beside an answer: the one answered, and those before it.
    private static let answeredLimit = 4
    private static let tries = 3
    /// How often the process may end while a message is sorted: mostly that has other reasons, such as a restart or a lack of memory.
    private static let endings = 6
    /// Until the next try of a message that failed, times the tries.
    private static let retryAfter = Duration.seconds(60)
    private static let longestSleep = Duration.seconds(30)
    /// How long the listeners may keep a round waiting, and how often one looks whether they still do.
    private static let longestYield = Duration.seconds(1)
    private static let glance = Duration.milliseconds(50)

    private let store: any IntakeStore & SequenceStore & ContactStore
    private let desk: Swappable<Desk>
    private let decider: ReplyDecider
    private let ids: RecordIDs
    private let clock: any MailClock
    private let bell: Bell
    private let sequenceBell: Bell
    private let outboxBell: Bell?
    private let forwards: ForwardBoard
    private let pressure: StoragePressure?
    private let owner: String
    private let loop: ServiceLoop
    private let logger: Logger

    /// - Parameters:
    ///   - bell: rung when something was taken in.
    ///   - sequenceBell: rung when something was sorted.
    ///   - outboxBell: rung when a reply is sent on.
    ///   - forwards: learns which replies came back from where they were sent on to.
    ///   - pressure: that of the listeners; nil: there are none to yield to.
    package init(
        store: any IntakeStore & SequenceStore & ContactStore, desk: Swappable<Desk>, ids: RecordIDs, clock: any MailClock, bell: Bell,
        sequenceBell: Bell, outboxBell: Bell? = nil, forwards: ForwardBoard = ForwardBoard(), pressure: StoragePressure? = nil,
        owner: String, logger: Logger
    ) {
        self.store = store
        self.desk = desk
        decider = ReplyDecider(ids: ids)
        self.ids = ids
        self.clock = clock
        self.bell = bell
        self.sequenceBell = sequenceBell
        self.outboxBell = outboxBell
        self.forwards = forwards
        self.pressure = pressure
        self.owner = owner
        loop = ServiceLoop("intake sorter", logger: logger)
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await yieldToListeners()
                // After a round that failed there was a wait already.
                guard let count = try await loop.round({ try await sortReceived() }) else { continue }
                if count > 0 { continue }
                await bell.wait(until: clock.now() + Self.longestSleep, clock: clock)
            }
        }
    }

    /// Clients wait for the durability of what they handed over, and nobody waits for a round: it lets them go first, but not for ever.
    private func yieldToListeners() async {
        guard let pressure else { return }
        let end = ContinuousClock.now + Self.longestYield
        while pressure.isTakingIn, ContinuousClock.now < end, !Task.isCancelled { try? await Task.sleep(for: Self.glance) }
    }

    /// One round: claims what came in and sorts each; how many were claimed.
    package func sortReceived() async throws -> Int {
        let now = clock.now()
        let claimed = try await store.claimReceived(now: now, limit: Self.batch, lease: Lease(owner: owner, until: now + Self.leaseTime))
        guard !claimed.isEmpty else { return 0 }
        let desk = desk.current
        let round = Round(desk: desk, end: ContinuousClock.now + desk.authenticationBudget * 2)
        let fresh = claimed.filter { $0.attempts == 0 }
        let expected = Set(fresh.filter { desk.correlator.isAddressedByToken($0, at: now) }.map(\.id))
        try await sort(fresh.filter { expected.contains($0.id) } + fresh.filter { !expected.contains($0.id) }, round)
        // One at a time, so that what ends the process is counted for the one message that did it.
        for incoming in claimed where incoming.attempts > 0 && !Task.isCancelled { try await attempt(incoming, round) }
        sequenceBell.ring()
        return claimed.count
    }

    /// What the messages of one round have in common.
    private struct Round {
        let desk: Desk
        /// When authentication has taken long enough for all of them together.
        let end: ContinuousClock.Instant
    }

    /// Several at a time; then, in their order, those that may answer one of the others.
    private func sort(_ messages: [IncomingMessage], _ round: Round) async throws {
        var followers: [IncomingMessage] = []
        let atOnce = pressure?.isTakingIn == true ? Self.besideListeners : Self.atOnce
        try await withThrowingTaskGroup(of: IncomingMessage?.self) { group in
            for (index, incoming) in messages.enumerated() {
                if index >= atOnce, let waiting = try await group.next() ?? nil { followers.append(waiting) }
                if Task.isCancelled { break }
                group.addTask { try await attempt(incoming, round, mayWait: messages.count > 1) ? nil : incoming }
            }
            while let waiting = try await group.next() { if let waiting { followers.append(waiting) } }
        }
        for incoming in followers.sorted(by: { $0.id < $1.id }) { try await finish(incoming, round) }
    }

    // MARK: Attempts

    /// - Parameter mayWait: others are sorted beside it.
    /// - Returns: false when it may answer one of those: it is begun, and `finish` is to follow.
    @discardableResult
    private func attempt(_ incoming: IncomingMessage, _ round: Round, mayWait: Bool = false) async throws -> Bool {
        if incoming.attempts >= (incoming.reason == nil ? Self.endings : Self.tries) {
            let reason = incoming.reason.map { "sorting failed \(Self.tries) times: \($0)" }
            try await quarantine(incoming, reason ?? "the process ended \(Self.endings) times while it was being sorted")
            return true
        }
        guard try await loop.patiently({ try await store.begin(incoming.id, owner: owner) }) else { return true }
        do {
            return try await sort(incoming, round, mayWait: mayWait)
        } catch {
            try await failed(incoming, error)
            return true
        }
    }

    /// Sorts a message that was begun and waited for the others.
    private func finish(_ incoming: IncomingMessage, _ round: Round) async throws {
        do {
            if Task.isCancelled { throw CancellationError() }
            _ = try await sort(incoming, round, mayWait: false)
        } catch {
            try await failed(incoming, error)
        }
    }

    /// - Throws: a failure that is not the message's own and must end the service.
    private func failed(_ incoming: IncomingMessage, _ error: any Error) async throws {
        let now = clock.now()
        if Task.isCancelled || error is CancellationError {
            return try await store.putBack(incoming.id, owner: owner, until: now, reason: nil)
        }
        if let error = error as? StoreError, error.code != .constraint { throw error }
        let reason = "\(error)"
        let tries = incoming.attempts + 1
        logger.error(
            "message not sorted", metadata: ["intake.id": "\(incoming.id)", "reason": "\(reason)", "tries": "\(tries)"])
        if tries >= Self.tries { return try await quarantine(incoming, "sorting failed \(tries) times: \(reason)") }
        try await loop.patiently {
            try await store.putBack(incoming.id, owner: owner, until: now + Self.retryAfter * tries, reason: reason)
        }
    }

    private func quarantine(_ incoming: IncomingMessage, _ reason: String) async throws {
        let event = TimelineEvent(id: ids.next(), at: clock.now(), kind: .quarantined, intake: incoming.id, summary: reason)
        try await loop.patiently { try await store.quarantine(incoming.id, reason: reason, event: event) }
        logger.error("message quarantined", metadata: ["intake.id": "\(incoming.id)", "reason": "\(reason)"])
    }

    // MARK: Sorting

    private func sort(_ incoming: IncomingMessage, _ round: Round, mayWait: Bool) async throws -> Bool {
        let desk = round.desk
        let message = Message(parsing: incoming.bytes)
        let answered = Array((message.inReplyTo + message.references.reversed()).prefix(Self.answeredLimit))
        let sent = answered.isEmpty ? [] : try await loop.patiently { try await store.sentBytes(messageIDs: answered) }
        let reading = Reading(
            desk.classifier.classify(message, receivedAt: incoming.receivedAt, sent: sent.compactMap { Message(parsing: $0).text }))
        if mayWait, !message.inReplyTo.isEmpty || !message.references.isEmpty {
            let found = try await loop.patiently {
                try await conversations(incoming, message, reading, desk: desk, now: clock.now())
            }
            if (found.first?.correlation.certainty ?? .low) == .low { return false }
        }
        let text = Array((message.text ?? "").utf8)
        // The same message by two ways: servers take blanks at the end of lines, and empty lines at the end of all, or add some.
        let bodyHash = Hex.encode(Digest.sha256(Canonicalization.relaxed.body(text[...])))
        let plainBodyHash = Hex.encode(Digest.sha256(text))
        let authentication = await authentication(incoming, round)
        return try await loop.patiently {
            while true {
                let now = clock.now()
                let conversations = try await conversations(incoming, message, reading, desk: desk, now: now)
                let primary = conversations.first?.correlation
                let isOwn = try await isOwn(message, reading, primary, authentication.proof, desk: desk)
                let replyClass = isOwn ? .neutral : ReplyDecider.effectiveClass(of: reading, correlation: primary)
                var record = ReplyRecord(
                    intake: incoming.id, sortedAt: now, enrollment: primary?.message.enrollment, contact: primary?.message.contact,
                    outbox: primary?.message.outbox, certainty: primary?.certainty, proofs: primary?.lines ?? [],
                    from: message.from.first?.address.text ?? "", subject: message.subject ?? "", messageID: message.messageID,
                    bodyHash: bodyHash, duplicateOf: nil, reading: reading, replyClass: replyClass,
                    requiresResponse: primary != nil && replyClass.requiresResponse, authentication: authentication.text,
                    domainProof: authentication.proof, isOwn: isOwn)
                record.plainBodyHash = plainBodyHash
                if let first = try await store.earlier(than: record) {
                    record.duplicateOf = first
                    record.requiresResponse = false
                }
                var consequences = [decider.decide(record, conversation: conversations.first, at: now)]
                for other in conversations.dropFirst() where !isOwn {
                    let otherClass = ReplyDecider.effectiveClass(of: reading, correlation: other.correlation)
                    consequences.append(
                        decider.decide(record.answering(other.correlation, as: otherClass), conversation: other, at: now))
                }
                let forward = try await forward(
                    record, incoming, message, conversations.first, desk: desk, at: now, noting: &consequences[0].timeline)
                if try await store.file(record, consequences: consequences, forward: forward) == .committed {
                    log(record, consequences)
                    tell(ofReturned: conversations.first?.correlation, record)
                    if forward != nil { outboxBell?.ring() }
                    return true
                }
            }
        }
    }

    /// The message by which a reply is sent on; nil when it is not. What is to be said of that is added to the timeline.
    private func forward(
        _ record: ReplyRecord, _ incoming: IncomingMessage, _ message: Message, _ conversation: ReplyDecider.Conversation?, desk: Desk,
        at now: Timestamp, noting timeline: inout [TimelineEvent]
    ) async throws(StoreError) -> ForwardOrder? {
        guard let forwarder = desk.forwarder, let enrollment = conversation?.machine?.enrollment,
            let identity = desk.identities[enrollment.identity], let forwarding = identity.forwarding,
            let forward = forwarder.forward(
                .init(record: record, incoming: incoming, message: message, identity: identity, workspace: enrollment.workspace, now: now))
        else { return nil }
        let sent = try await store.forwards(as: forward.identity, contact: forward.contact, on: forward.budgetDate)
        if let reason = forwarding.cap.refusal(after: sent) {
            timeline.append(forwarder.event(ofHeld: forward, because: reason, for: record, at: now))
            logger.warning(
                "reply not sent on", metadata: ["intake.id": "\(record.intake)", "identity": "\(identity.name)", "reason": "\(reason)"])
            return nil
        }
        timeline.append(forwarder.event(of: forward, for: record, at: now))
        return ForwardOrder(message: forward, cap: forwarding.cap)
    }

    /// Says so when a reply that was sent on came back.
    private func tell(ofReturned correlation: Correlation?, _ record: ReplyRecord) {
        guard record.replyClass == .bounce, record.duplicateOf == nil, let correlation, correlation.certainty != .low,
            let reply = correlation.message.forwardedReply, let bounce = record.reading.bounces.first(where: \.permanent)
        else { return }
        let mailbox = correlation.message.recipient
        forwards.failed(reply, to: mailbox, because: "it came back: \(bounce.diagnostic)", at: record.sortedAt)
        logger.warning(
            "a reply that was sent on came back; it is in the inbox",
            metadata: [
                "intake.id": "\(reply)", "to": "\(mailbox.text)", "report": "\(record.intake)", "reason": "\(bounce.diagnostic)",
            ])
    }

    /// Whether it is a copy of what we wrote ourselves: a reply that was sent on and came back; or From is an identity of ours or somebody
    /// replies are sent on to, and it is a message of the outbox, one to the person that the message it belongs to went to, or the answer to
    /// what was sent on. From alone decides nothing: lists write it anew, forms on web sites bear it, and anybody can
    /// forge it; and an unsubscribe address stands whoever writes to it.
    private func isOwn(
        _ message: Message, _ reading: Reading, _ correlation: Correlation?, _ proof: ReplyRecord.DomainProof?, desk: Desk
    ) async throws(StoreError) -> Bool {
        guard !reading.replyClass.isReport, correlation?.tokenKind != .unsubscribe else { return false }
        if desk.forwarder?.isForward(message) == true { return true }
        guard let sender = message.from.first?.address.suppressionKey.utf8
        else { return false }
        func isOurs(_ key: String) -> Bool {
            desk.identities.values.contains { identity in
                [identity.from.address, identity.forwarding?.address].contains { $0?.suppressionKey.utf8.elementsEqual(key.utf8) == true }
            }
        }
        guard isOurs(String(decoding: Array(sender), as: UTF8.self)) else { return false }
        if let id = message.messageID, try await !store.sentMessages(messageIDs: [id]).isEmpty { return true }
        guard proof != .fail, let answered = correlation?.message.recipient.suppressionKey else { return false }
        // Who writes for somebody else says so there.
        guard message.replyTo.allSatisfy({ isOurs($0.address.suppressionKey) }) else { return false }
        let known = try await store.sentMessages(messageIDs: message.inReplyTo)
        if known.contains(where: { $0.enrollment == nil && $0.recipient.suppressionKey.utf8.elementsEqual(sender) }) { return true }
        return !answered.utf8.elementsEqual(sender)
            && (message.to + message.cc).contains { $0.address.suppressionKey.utf8.elementsEqual(answered.utf8) }
    }

    /// Who sent it, as far as SPF, DKIM and DMARC prove within the time there is; strangers decide how long their name servers take.
    private func authentication(_ incoming: IncomingMessage, _ round: Round) async -> (text: String, proof: ReplyRecord.DomainProof?) {
        let budget = min(round.desk.authenticationBudget, ContinuousClock.now.duration(to: round.end))
        let authenticator = round.desk.authenticator
        let trusted = round.desk.trust.names(for: incoming)
        var client: SMTPPeer?
        // An LMTP client is a server of ours, which says nothing of who sent the message.
        if incoming.way == .smtp, let found = incoming.client {
            let path = String(decoding: incoming.reversePath?.wireBytes ?? [], as: UTF8.self)
            client = SMTPPeer(address: found.address, helloName: found.name, reversePath: path)
        }
        let peer = client
        let verdict = await within(budget) {
            await authenticator.authenticate(incoming.bytes, from: peer, trusting: trusted, at: incoming.receivedAt)
        }
        guard let verdict else { return ("dmarc=temperror (not answered in time)", .temporaryError) }
        return (verdict.summary, verdict.dmarc.map { ReplyRecord.DomainProof($0.outcome) })
    }

    private func conversations(_ incoming: IncomingMessage, _ message: Message, _ reading: Reading, desk: Desk, now: Timestamp) async throws
        -> [ReplyDecider.Conversation]
    {
        let clues = desk.correlator.clues(in: message, forwardPaths: incoming.forwardPaths, at: now)
        var found = try await store.sentMessages(messageIDs: clues.messageIDs)
        for id in clues.messages {
            if let message = try await store.sentMessage(id: id) { found.append(message) }
        }
        if !reading.replyClass.isReport, let sender = clues.sender {
            // Who answers the person their reply was sent on to answers in the conversation of that reply.
            for (index, message) in found.enumerated() {
                guard let reply = message.forwardedReply, let outbox = try await store.reply(reply)?.outbox,
                    let original = try await store.sentMessage(id: outbox),
                    original.recipient.suppressionKey.utf8.elementsEqual(sender.suppressionKey.utf8)
                else { continue }
                found[index] = message.standing(for: original)
            }
        }
        let threads = try await store.conversations(of: clues.references)
        var latest: SentMessage?
        if let sender = clues.sender {
            let sent = try await store.latestSentMessages(to: sender, since: now - desk.addressWindow)
            let ours = Dictionary(grouping: desk.identities.values, by: \.workspace).mapValues { $0.map(\.from.address) }
            latest = desk.correlator.latest(of: sent, in: message, forwardPaths: incoming.forwardPaths, ours: ours)
        }
        var conversations: [ReplyDecider.Conversation] = []
        for correlation in desk.correlator.verdicts(clues, for: reading.replyClass, found: found, threads: threads, latest: latest) {
            let machine = try await store.machine(of: correlation.message.enrollment, identities: desk.identities)
            var contact: Contact?
            if let id = correlation.message.contact { contact = try await store.contact(id: id) }
            conversations.append(
                .init(
                    correlation: correlation, machine: machine, contact: contact,
                    company: desk.companies.company(of: correlation.message.recipient)))
        }
        return conversations
    }

    private func log(_ record: ReplyRecord, _ consequences: [Consequence]) {
        logger.info(
            "message sorted",
            metadata: [
                "intake.id": "\(record.intake)", "enrollment.id": "\(record.enrollment?.description ?? "none")",
                "class": "\(record.replyClass.rawValue)", "confidence": "\(record.reading.confidence)",
                "certainty": "\(record.certainty?.rawValue ?? "none")",
                "state": "\(consequences.first?.transition?.state.rawValue ?? "unchanged")", "conversations": "\(consequences.count)",
                "dmarc": "\(record.domainProof?.rawValue ?? "unknown")",
            ])
    }
}
