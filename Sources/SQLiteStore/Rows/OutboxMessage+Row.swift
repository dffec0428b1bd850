import GRDB
import InternetMessage
import Outreach

extension Ledger {
    func insert(_ message: OutboxMessage) throws {
        try db.run(
            """
            INSERT INTO outbox (id, workspace_id, enrollment_id, contact_id, step, occurrence, identity, route, reverse_path, recipient,
                recipient_key, recipient_domain, message_id, subject, created_at, budget_day, state, reason, attempts, next_attempt_at,
                final_dot_at, variant, version_id)
            VALUES (:id, :workspace, :enrollment, :contact, :step, :occurrence, :identity, :route, :reverse_path, :recipient,
                :key, :domain, :message_id, :subject, :created_at, :day, :state, :reason, :attempts, :next, :dot, :variant,
                :version)
            """,
            [
                "id": message.id.rawValue, "workspace": message.workspace.rawValue, "enrollment": message.enrollment?.rawValue,
                "contact": message.contact?.rawValue, "step": message.step, "occurrence": message.occurrence, "identity": message.identity,
                "route": message.route, "reverse_path": message.reversePath.stored(), "recipient": message.recipient.stored(),
                "key": message.recipient.suppressionKey, "domain": message.recipient.domainKey, "message_id": message.messageID.text,
                "subject": message.subject.storable, "created_at": message.createdAt.milliseconds, "day": message.budgetDate.daysSinceEpoch,
                "state": message.state.rawValue, "reason": message.reason.storable, "attempts": message.attempts,
                "next": (message.nextAttemptAt ?? (message.state == .incoming ? message.createdAt : nil))?.milliseconds,
                "dot": message.finalDotAt?.milliseconds, "variant": message.variant?.storable, "version": message.sequence?.rawValue,
            ])
        try db.run(
            "INSERT INTO outbox_body (outbox_id, bytes) VALUES (:id, :bytes)", ["id": message.id.rawValue, "bytes": message.bytes])
        try add(message.links)
    }

    /// The stored bytes of a message, packed or not; empty when they are gone.
    func bytes(of id: OutboxMessage.ID) throws -> [UInt8] {
        if let body = try db.record("SELECT bytes FROM outbox_body WHERE outbox_id = :id", ["id": id.rawValue]) {
            return try body.bytes("bytes")
        }
        return try packedBytes(of: id) ?? []
    }

    func message(_ id: OutboxMessage.ID) throws -> OutboxMessage? {
        try db.record("SELECT * FROM outbox WHERE id = :id", ["id": id.rawValue]).map { try whole($0) }
    }

    /// Every message of an enrollment, by step and occurrence.
    func messages(of enrollment: Enrollment.ID) throws -> [OutboxMessage] {
        try db.records(
            "SELECT * FROM outbox WHERE enrollment_id = :enrollment ORDER BY step, occurrence", ["enrollment": enrollment.rawValue]
        ).map { try whole($0) }
    }

    /// Messages of several enrollments without their bytes, each enrollment's by step and occurrence.
    func messages(of enrollments: [Enrollment.ID]) throws -> [Enrollment.ID: [OutboxMessage]] {
        let messages = try db.records(
            "SELECT * FROM outbox WHERE enrollment_id IN (SELECT value FROM json_each(:ids)) ORDER BY enrollment_id, step, occurrence",
            ["ids": jsonText(enrollments.map(\.rawValue))]
        ).map { try OutboxMessage($0, bytes: []) }
        return Dictionary(grouping: messages) { $0.enrollment ?? Enrollment.ID(rawValue: 0) }
    }

    /// A row of the outbox with its bytes.
    func whole(_ record: Record) throws -> OutboxMessage { try OutboxMessage(record, bytes: bytes(of: record.id("id"))) }
}

extension OutboxMessage {
    init(_ record: Record, bytes: [UInt8]) throws {
        guard let messageID = MessageID(lenient: Array(try record.text("message_id").utf8)),
            let reversePath = ReversePath(stored: try record.text("reverse_path"))
        else { throw StoreError(code: .unusable, message: "a message in the outbox cannot be read; run 'postrider db check'") }
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            enrollment: record.idOrNil("enrollment_id"), contact: record.idOrNil("contact_id"), step: try record.count("step"),
            occurrence: try record.count("occurrence"), identity: try record.text("identity"), route: try record.text("route"),
            reversePath: reversePath, recipient: try record.address("recipient"), messageID: messageID, subject: try record.text("subject"),
            bytes: bytes, createdAt: try record.moment("created_at"), budgetDate: try record.day("budget_day"),
            state: try record.word("state"),
            reason: try record.text("reason"), attempts: try record.count("attempts"), nextAttemptAt: record.momentOrNil("next_attempt_at"),
            finalDotAt: record.momentOrNil("final_dot_at"), claim: try record.count("claim"),
            releasedAt: record.momentOrNil("released_at"), awaits: record.textOrNil("awaits"),
            firstRoute: record.textOrNil("first_route"), providerID: record.textOrNil("provider_id"),
            sentMessageID: record.textOrNil("sent_message_id").flatMap { MessageID(lenient: Array($0.utf8)) },
            variant: record.textOrNil("variant"), sequence: record.idOrNil("version_id"), provider: record.textOrNil("provider"))
    }
}

extension DeliveryAttempt {
    /// - Parameter packed: the packed dialogues of its message.
    init(_ record: Record, packed: [Int64: String] = [:]) throws {
        let transcript = try record.text("transcript")
        self.init(
            outbox: try record.id("outbox_id"), startedAt: try record.moment("started_at"), endedAt: try record.moment("ended_at"),
            outcome: try record.word("outcome"), stage: try record.text("stage"),
            replyCode: record.integerOrNil("reply_code").flatMap(Int.init(exactly:)),
            enhancedStatus: record.textOrNil("enhanced_status").flatMap { EnhancedStatusCode($0) }, text: try record.text("text"),
            remoteMTA: record.textOrNil("remote_mta"), tls: record.textOrNil("tls"),
            transcript: transcript.utf8.isEmpty ? try packed[record.integer("id")] ?? "" : transcript)
    }
}
