package import InternetMessage
package import Outreach

/// A store with the people, sequences and messages that the checks need, made in one line each.
package struct StoreWorld<Store: EveryStore>: Sendable {
    package let store: Store
    package let ids: RecordIDs

    /// The moment at which everything starts.
    package static var start: Timestamp { Timestamp(seconds: 1_790_000_000) }

    package init(store: Store) {
        self.store = store
        ids = RecordIDs(now: { Timestamp(seconds: 1_790_000_000) }, random: { 7 })
    }

    package func later(_ seconds: Int64) -> Timestamp { Self.start + .seconds(seconds) }

    package func address(_ text: String) throws -> EmailAddress {
        guard let address = EmailAddress(text) else { throw ContractBreach(description: "the check's own address \(text) is wrong") }
        return address
    }

    /// A day of the month in which everything starts.
    package func day(_ day: Int) throws -> CivilDate {
        guard let date = CivilDate(year: 2026, month: 9, day: day) else {
            throw ContractBreach(description: "the check's own day is wrong")
        }
        return date
    }

    package func lease(_ owner: String, until seconds: Int64 = 600) -> Lease { Lease(owner: owner, until: later(seconds)) }

    package func contact(_ text: String, fields: [String: String] = [:]) throws -> Contact {
        Contact(id: ids.next(), address: try address(text), displayName: "Ann", fields: fields, createdAt: Self.start)
    }

    @discardableResult
    package func savedContact(_ text: String) async throws -> Contact {
        let contact = try contact(text)
        try expect(try await store.save([contact]), [.created(contact.id)], "a new contact is created")
        return contact
    }

    package func version(_ name: String = "hello", hash: String = "aa", steps: Int = 3) throws -> SequenceVersion {
        guard let delay = ISODuration("P1D") else { throw ContractBreach(description: "the check's own duration is wrong") }
        let steps = (1...steps).map {
            SequencePlan.Step(name: "step \($0)", delay: delay, subject: $0 == 1 ? "Hi" : nil, text: "Hi {{name}}")
        }
        return SequenceVersion(
            id: ids.next(), workspace: .default,
            plan: SequencePlan(name: name, description: hash, steps: steps, stopOn: [.reply, .hardBounce]), hash: hash)
    }

    package func event(
        _ kind: TimelineEvent.Kind, _ summary: String = "so it went", contact: Contact.ID? = nil, enrollment: Enrollment.ID? = nil,
        intake: IncomingMessage.ID? = nil
    ) -> TimelineEvent {
        TimelineEvent(
            id: ids.next(), at: Self.start, kind: kind, contact: contact, enrollment: enrollment, intake: intake, summary: summary,
            facts: ["why": "because"])
    }

    package func enrollment(
        of contact: Contact.ID, in sequence: SequenceVersion.ID, state: Enrollment.State = .active, due: Int64? = 0
    ) -> Enrollment {
        Enrollment(
            id: ids.next(), workspace: .default, contact: contact, sequence: sequence, identity: "sales", state: state, cause: nil,
            reason: "new",
            nextStep: 0, dueAt: due.map(later), heldBy: nil, version: 1, createdAt: Self.start)
    }

    /// A contact that is enrolled and due at `due`.
    package func enrolled(_ text: String, sequence: String = "hello", due: Int64 = 0) async throws -> Enrollment {
        let contact: Contact
        if let known = try await store.contact(workspace: .default, address: try address(text)) {
            contact = known
        } else {
            contact = try await savedContact(text)
        }
        let version = try await store.load(try version(sequence))
        let enrollment = enrollment(of: contact.id, in: version.id, due: due)
        try expect(try await store.enroll([enrollment], timeline: []), [.enrolled(enrollment.id)], "a contact is enrolled")
        return enrollment
    }

    package func current(_ enrollment: Enrollment) async throws -> Enrollment {
        guard let found = try await store.enrollment(id: enrollment.id) else { throw ContractBreach(description: "an enrollment is gone") }
        return found
    }

    package func transition(
        _ enrollment: Enrollment, to state: Enrollment.State, cause: Enrollment.Cause? = nil, reason: String = "decided", step: Int? = nil,
        due: Int64? = nil
    ) -> Transition {
        Transition(
            enrollment: enrollment.id, expectedVersion: enrollment.version, at: later(1), state: state, cause: cause, reason: reason,
            nextStep: step ?? enrollment.nextStep, dueAt: due.map(later))
    }

    package func message(
        to text: String, enrollment: Enrollment? = nil, step: Int = 0, occurrence: Int = 0, created: Int64 = 0, due: Int64 = 0,
        route: String = "office",
        bytes: [UInt8] = Array("Subject: Hi\r\n\r\nHi\r\n".utf8)
    ) throws -> OutboxMessage {
        let id: OutboxMessage.ID = ids.next()
        guard let messageID = MessageID("\(id)@example.org") else {
            throw ContractBreach(description: "the check's own Message-ID is wrong")
        }
        return OutboxMessage(
            id: id, workspace: .default, enrollment: enrollment?.id, contact: enrollment?.contact, step: step, occurrence: occurrence,
            identity: "sales", route: route, reversePath: .address(try address("bounce@example.org")), recipient: try address(text),
            messageID: messageID, subject: "Hi", bytes: bytes, createdAt: later(created), budgetDate: try day(21),
            nextAttemptAt: later(due),
            sequence: enrollment?.sequence)
    }

    /// An enrolled contact whose first step waits in the outbox.
    package func queued(_ text: String, due: Int64 = 0) async throws -> (enrollment: Enrollment, message: OutboxMessage) {
        let enrollment = try await enrolled(text)
        let message = try message(to: text, enrollment: enrollment, due: due)
        let result = try await store.dispatch(message, with: Consequence(transition: transition(enrollment, to: .sending)))
        try expect(result, .committed, "a step is put into the outbox")
        return (try await current(enrollment), message)
    }

    /// The same, claimed by `owner`.
    package func claimed(_ text: String, by owner: String = "me") async throws -> (enrollment: Enrollment, message: OutboxMessage) {
        let queued = try await queued(text)
        let claimed = try await store.claimDeliverable(now: later(1), limit: 100, lease: lease(owner))
        guard let message = claimed.first(where: { $0.id == queued.message.id }) else {
            throw ContractBreach(description: "broken: a due message is claimed")
        }
        return (queued.enrollment, message)
    }

    package func attempt(_ message: OutboxMessage, _ outcome: DeliveryAttempt.Outcome, at seconds: Int64 = 2) -> DeliveryAttempt {
        DeliveryAttempt(
            outbox: message.id, startedAt: later(1), endedAt: later(seconds), outcome: outcome, stage: "final dot", replyCode: 250,
            enhancedStatus: EnhancedStatusCode(class: 2, subject: 0, detail: 0), text: "250 ok", remoteMTA: "mx.example.com[192.0.2.1]:25",
            tls: "TLSv1.3", transcript: "> EHLO\n< 250")
    }

    package func state(of message: OutboxMessage) async throws -> OutboxMessage.State? { try await store.message(id: message.id)?.state }

    /// The watermark of one folder of the account `inbox`; nil when it was never read.
    package func watermark(_ folder: String) async throws -> MailboxWatermark? {
        try await store.watermarks(account: "inbox").first { Array($0.folder.utf8) == Array(folder.utf8) }
    }

    package func suppression(
        _ subject: Suppression.Subject, _ reason: Suppression.Reason = .manual, at seconds: Int64 = 0, until end: Int64? = nil
    ) -> Suppression {
        Suppression(
            id: ids.next(), workspace: .default, subject: subject, reason: reason, source: .manual, note: "asked by phone",
            at: later(seconds),
            expiresAt: end.map(later))
    }

    package func suppression(of text: String, _ reason: Suppression.Reason = .manual, at seconds: Int64 = 0, until end: Int64? = nil) throws
        -> Suppression
    {
        suppression(.init(try address(text)), reason, at: seconds, until: end)
    }

    package func incoming(
        _ way: IncomingMessage.Way = .smtp, bytes: [UInt8] = Array("Subject: Re\r\n\r\nYes\r\n".utf8), digest: [UInt8]? = nil
    ) throws -> IncomingMessage {
        IncomingMessage(
            id: ids.next(), way: way, receivedAt: Self.start, reversePath: way == .smtp ? .address(try address("ann@example.com")) : nil,
            forwardPaths: way == .smtp ? ["reply+abc@example.org"] : [], origin: "192.0.2.1 mail.example.com", bytes: bytes,
            client: way == .smtp ? .init(address: "192.0.2.1", name: "mail.example.com") : nil, account: way == .imap ? "inbox" : nil,
            digest: digest)
    }

    package func reply(
        to intake: IncomingMessage, messageID: String? = "m1@example.com", enrollment: Enrollment? = nil,
        duplicateOf: IncomingMessage.ID? = nil, certainty: Correlation.Certainty = .high, hash: String = "00ff",
        replyClass: ReplyClass = .bounce, isOwn: Bool = false
    ) -> ReplyRecord {
        ReplyRecord(
            intake: intake.id, sortedAt: later(3), enrollment: enrollment?.id, contact: enrollment?.contact, outbox: nil,
            certainty: enrollment == nil ? nil : certainty, proofs: ["References: ours"], from: "ann@example.com", subject: "Re: Hi",
            messageID: messageID.flatMap { MessageID($0) }, bodyHash: hash, duplicateOf: duplicateOf,
            reading: Reading(
                replyClass: .bounce, intent: "leave", confidence: 0.75, evidence: ["rule 1", "rule 2"], text: "gone\nfor good",
                returnDate: CivilDate(year: 2026, month: 12, day: 24),
                bounces: [
                    .init(
                        recipient: EmailAddress("bob@example.com"), status: EnhancedStatusCode(class: 5, subject: 1, detail: 1),
                        permanent: true,
                        failureClass: "invalid_recipient", diagnostic: "550 5.1.1 who?")
                ]),
            replyClass: replyClass, requiresResponse: true, authentication: "mx.example.org; dkim=pass header.d=example.com",
            domainProof: .fail, isOwn: isOwn)
    }
}
