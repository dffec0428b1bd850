import GRDB
package import InternetMessage
package import Outreach

/// What became of the messages that came in, and what is needed to find that out.
extension SQLiteStore {
    package func file(_ record: ReplyRecord, consequences: [Consequence], forward: ForwardOrder?) async throws(StoreError)
        -> CommitResult
    {
        try await write { ledger in
            let state = try ledger.db.record("SELECT state FROM intake WHERE id = :id", ["id": record.intake.rawValue])
            guard let state else { throw StoreError(code: .constraint, message: "a message that was never taken in was to be filed") }
            let known: IncomingMessage.State = try state.word("state")
            // Another worker, after this one's lease ran out, was first: the same message means the same.
            if known == .sorted || known == .duplicate { return .committed }
            if record.duplicateOf == nil, try ledger.earlier(than: record) != nil { return .stale }
            for consequence in consequences where try !ledger.isCurrent(consequence) { return .stale }
            if let forward {
                let sent = try ledger.forwards(
                    as: forward.message.identity, contact: forward.message.contact, on: forward.message.budgetDate)
                guard forward.cap.refusal(after: sent) == nil else { return .stale }
            }
            try ledger.insert(record)
            if record.duplicateOf == nil { try ledger.linkEarlier(to: record) }
            try ledger.db.run(
                "UPDATE intake SET state = :state, state_reason = NULL, lease_owner = NULL, lease_until = NULL WHERE id = :id",
                [
                    "id": record.intake.rawValue,
                    "state": (record.duplicateOf == nil ? IncomingMessage.State.sorted : .duplicate).rawValue,
                ])
            if record.isOwn, try !ledger.isOutgoing(record.messageID), record.certainty == .medium || record.certainty == .high,
                let enrollment = record.enrollment
            {
                try ledger.db.run(
                    """
                    UPDATE reply SET requires_response = 0
                    WHERE contact_id IS :contact AND enrollment_id = :enrollment AND requires_response = 1 AND is_own = 0
                    """, ["contact": record.contact?.rawValue, "enrollment": enrollment.rawValue])
            }
            if let forward { try ledger.insert(forward.message) }
            try ledger.apply(consequences)
            return .committed
        }
    }

    package func forwards(as identity: String, contact: Contact.ID?, on date: CivilDate) async throws(StoreError) -> ForwardTally {
        try await read { try $0.forwards(as: identity, contact: contact, on: date) }
    }

    package func forwards(of reply: IncomingMessage.ID) async throws(StoreError) -> [OutboxMessage] {
        try await read { ledger in
            try ledger.db.records(Self.forwardsOfReplySQL, ["from": "\(reply).", "to": "\(reply)/"])
                .map { try OutboxMessage($0, bytes: []) }.filter { $0.forwardedReply == reply }
        }
    }

    // The Message-IDs that begin with it; `/` comes right behind `.`.
    static let forwardsOfReplySQL = """
        SELECT * FROM outbox WHERE message_id >= :from AND message_id < :to AND enrollment_id IS NULL ORDER BY id
        """

    /// Replies that were sent on; one that a person took out of the queue does not count, nor one in another form of a reply
    /// that counts already.
    static let forwardsSQL = """
        SELECT COUNT(*) AS count, COUNT(CASE WHEN contact_id IS :contact THEN 1 END) AS of_contact FROM outbox
        WHERE identity = :identity AND budget_day = :day AND state <> 'cancelled' AND enrollment_id IS NULL
            AND message_id GLOB '*.\(ForwardForm.whole.rawValue)@*'
        """

    package func reply(_ id: IncomingMessage.ID) async throws(StoreError) -> ReplyRecord? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM reply WHERE intake_id = :id", ["id": id.rawValue]).map(ReplyRecord.init)
        }
    }

    package func replies(workspace: WorkspaceID?, contact: Contact.ID?, owner: String?, waiting: Bool, copies: Bool, limit: Int)
        async throws(StoreError) -> [ReplyRecord]
    {
        let within: Arguments = workspace.map { ["workspace": $0.rawValue] } ?? [:]
        let ofOne: Arguments = contact.map { ["contact": $0.rawValue] } ?? [:]
        let owned: Arguments = owner.map { ["owner": $0] } ?? [:]
        return try await read { ledger in
            try ledger.db.records(
                Self.repliesSQL(within: workspace != nil, ofOne: contact != nil, owned: owner != nil, waiting: waiting, copies: copies),
                within + ofOne + owned + ["limit": max(0, limit)]
            ).map(ReplyRecord.init)
        }
    }

    static func repliesSQL(within: Bool = false, ofOne: Bool, owned: Bool, waiting: Bool, copies: Bool = true) -> String {
        """
        SELECT * FROM reply WHERE is_own = 0\(waiting ? " AND requires_response = 1" : "")\(ofOne ? " AND contact_id = :contact" : "")
        \(copies ? "" : "AND duplicate_of IS NULL")
        \(within ? "AND EXISTS (SELECT 1 FROM outbox WHERE outbox.id = outbox_id AND workspace_id = :workspace)" : "")
        \(owned ? "AND EXISTS (SELECT 1 FROM contact WHERE id = contact_id AND lower(fields ->> '$.owner') = lower(:owner))" : "")
        ORDER BY intake_id DESC LIMIT :limit
        """
    }

    package func labelledReplies() async throws(StoreError) -> [ReplyRecord] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM reply WHERE label IS NOT NULL AND duplicate_of IS NULL AND is_own = 0 ORDER BY intake_id"
            ).map(ReplyRecord.init)
        }
    }

    package func earlier(than record: ReplyRecord) async throws(StoreError) -> IncomingMessage.ID? {
        try await read { try $0.earlier(than: record) }
    }

    package func label(_ id: IncomingMessage.ID, as replyClass: ReplyClass, consequence: Consequence) async throws(StoreError)
        -> CommitResult?
    {
        try await write { ledger in
            guard try ledger.isCurrent(consequence) else { return .stale }
            let changed = try ledger.db.run(
                """
                UPDATE reply
                SET label = :label, requires_response = certainty IS NOT NULL AND duplicate_of IS NULL AND :waits
                WHERE intake_id = :id
                """, ["id": id.rawValue, "label": replyClass.rawValue, "waits": replyClass.requiresResponse])
            guard changed == 1 else { return nil }
            try ledger.apply(consequence)
            return .committed
        }
    }

    package func confirm(_ id: IncomingMessage.ID, consequence: Consequence) async throws(StoreError) -> CommitResult {
        try await write { ledger in
            guard try ledger.isCurrent(consequence) else { return .stale }
            let changed = try ledger.db.run(
                "UPDATE reply SET certainty = 'high' WHERE intake_id = :id AND certainty = 'low'", ["id": id.rawValue])
            if changed == 1 { try ledger.apply(consequence) }
            return .committed
        }
    }

    package func sentMessages(messageIDs: [MessageID]) async throws(StoreError) -> [SentMessage] {
        // Ours are ASCII, so that others cannot be meant.
        let ids = messageIDs.filter(\.isWritable).map(\.text)
        guard !ids.isEmpty else { return [] }
        let names = messageIDs.filter(\.isWritable).flatMap(ProviderName.possible)
        return try await read { ledger in
            try ledger.db.records(Self.sentSQL, ["ids": jsonText(ids), "names": jsonText(names)]).map(SentMessage.init)
        }
    }

    package func sentBytes(messageIDs: [MessageID]) async throws(StoreError) -> [[UInt8]] {
        let ids = messageIDs.filter(\.isWritable).map(\.text)
        guard !ids.isEmpty else { return [] }
        let names = messageIDs.filter(\.isWritable).flatMap(ProviderName.possible)
        return try await read { ledger in
            try ledger.db.records(Self.sentSQL, ["ids": jsonText(ids), "names": jsonText(names)]).map(SentMessage.init)
                .map { try ledger.bytes(of: $0.outbox) }.filter { !$0.isEmpty }
        }
    }

    package func conversations(of messageIDs: [MessageID]) async throws(StoreError) -> [MessageID: SentMessage] {
        guard !messageIDs.isEmpty else { return [:] }
        return try await read { ledger in
            var found: [MessageID: SentMessage] = [:]
            for id in messageIDs where found[id] == nil {
                found[id] = try ledger.db.record(Self.conversationSQL, ["message": id.bytes]).map(SentMessage.init)
            }
            return found
        }
    }

    static let conversationSQL = """
        SELECT outbox.id, outbox.workspace_id, outbox.enrollment_id, outbox.contact_id, outbox.message_id, outbox.recipient, outbox.provider_id
        FROM reply JOIN outbox ON outbox.id = reply.outbox_id
        WHERE reply.message_id = :message AND reply.certainty IN ('medium', 'high')
        ORDER BY reply.intake_id LIMIT 1
        """

    package func sentMessage(id: OutboxMessage.ID) async throws(StoreError) -> SentMessage? {
        try await read { ledger in
            try ledger.db.record(
                "SELECT id, workspace_id, enrollment_id, contact_id, message_id, recipient, provider_id FROM outbox WHERE id = :id",
                ["id": id.rawValue]
            ).map(SentMessage.init)
        }
    }

    package func latestSentMessages(to address: EmailAddress, since: Timestamp) async throws(StoreError) -> [SentMessage] {
        try await read { ledger in
            let sender: Arguments = ["key": address.suppressionKey, "since": since.milliseconds]
            let sent = try ledger.db.records(Self.latestSentSQL, sender).map(SentMessage.init)
            let others = try ledger.db.records(Self.latestSentToPersonSQL, sender).map(SentMessage.init)
            return sent
                + others.filter { other in !sent.contains { $0.workspace == other.workspace } }.map { other in
                    var other = other
                    other.furtherAddress = address
                    return other
                }
        }
    }

    static let sentSQL = """
        SELECT id, workspace_id, enrollment_id, contact_id, message_id, recipient, provider_id FROM outbox
        WHERE message_id IN (SELECT value FROM json_each(:ids))
        UNION
        SELECT id, workspace_id, enrollment_id, contact_id, message_id, recipient, provider_id FROM outbox
        WHERE provider_id IN (SELECT value FROM json_each(:names))
        """

    /// The same for somebody of whom that is a further address.
    static let latestSentToPersonSQL = """
        SELECT outbox.id, outbox.workspace_id, enrollment_id, outbox.contact_id, message_id, recipient, provider_id, MAX(final_dot_at)
        FROM further_address CROSS JOIN outbox ON outbox.contact_id = further_address.contact_id
        WHERE further_address.address_key = :key AND final_dot_at >= :since
        GROUP BY outbox.workspace_id
        """

    // Of a group with one MAX the other columns are those of the row that has it.
    static let latestSentSQL = """
        SELECT id, workspace_id, enrollment_id, contact_id, message_id, recipient, provider_id, MAX(final_dot_at) FROM outbox
        WHERE recipient_key = :key AND final_dot_at >= :since
        GROUP BY workspace_id
        """
}

extension Ledger {
    fileprivate func forwards(as identity: String, contact: Contact.ID?, on date: CivilDate) throws -> ForwardTally {
        let record = try db.record(
            SQLiteStore.forwardsSQL, ["identity": identity, "contact": contact?.rawValue, "day": date.daysSinceEpoch])
        return ForwardTally(ofIdentity: try record?.count("count") ?? 0, ofContact: try record?.count("of_contact") ?? 0)
    }

    /// The intake that was filed as the first of the same message and counts for as much; nil when there is none but itself.
    fileprivate func earlier(than record: ReplyRecord) throws -> IncomingMessage.ID? {
        guard let messageID = record.messageID else { return nil }
        // Medium and high took their effect alike.
        return try db.record(
            """
            SELECT intake_id FROM reply
            WHERE message_id = :message_id AND body_hash IN (:hash, :plain_hash) AND enrollment_id IS :enrollment AND intake_id <> :id
                AND effective_class = :class AND (:weak OR certainty IN ('medium', 'high')) AND is_own = :own
            ORDER BY duplicate_of IS NOT NULL, intake_id LIMIT 1
            """,
            [
                "message_id": messageID.bytes, "hash": record.bodyHash,
                "plain_hash": record.plainBodyHash ?? record.bodyHash, "enrollment": record.enrollment?.rawValue,
                "id": record.intake.rawValue, "class": record.replyClass.rawValue,
                "weak": record.certainty == nil || record.certainty == .low, "own": record.isOwn,
            ]
        )?.id("intake_id")
    }

    /// Makes the copies that were filed before this one duplicates of it: it counts for more than they did.
    fileprivate func linkEarlier(to record: ReplyRecord) throws {
        guard let messageID = record.messageID else { return }
        let linked = try db.records(
            """
            UPDATE reply SET duplicate_of = :id, requires_response = 0
            WHERE message_id = :message_id AND body_hash IN (:hash, :plain_hash) AND enrollment_id IS :enrollment AND intake_id <> :id AND is_own = :own
            RETURNING intake_id
            """,
            [
                "message_id": messageID.bytes, "hash": record.bodyHash,
                "plain_hash": record.plainBodyHash ?? record.bodyHash, "enrollment": record.enrollment?.rawValue,
                "id": record.intake.rawValue, "own": record.isOwn,
            ])
        for copy in linked {
            let id: IncomingMessage.ID = try copy.id("intake_id")
            try db.run("UPDATE intake SET state = 'duplicate' WHERE id = :id", ["id": id.rawValue])
            try append(
                TimelineEvent(
                    id: ids.next(), at: record.sortedAt, kind: .classified, contact: record.contact, enrollment: record.enrollment,
                    outbox: record.outbox, intake: id, summary: "the same message came in as \(record.intake), which counts for more",
                    facts: ["duplicate_of": record.intake.description]))
        }
    }

    /// Whether it is a copy of a message that the outbox wrote, which answers nobody: a step, or a reply that was sent on.
    fileprivate func isOutgoing(_ messageID: MessageID?) throws -> Bool {
        guard let messageID else { return false }
        return try db.exists("SELECT 1 FROM outbox WHERE message_id = :id", ["id": messageID.text])
    }

    fileprivate func insert(_ record: ReplyRecord) throws {
        let reading = record.reading
        try db.run(
            """
            INSERT INTO reply (intake_id, sorted_at, enrollment_id, contact_id, outbox_id, certainty, proofs, sender, subject, message_id,
                body_hash, duplicate_of, class, intent, confidence, evidence, text, return_day, bounces, label, requires_response,
                authentication, effective_class, domain_proof, is_own)
            VALUES (:intake, :sorted, :enrollment, :contact, :outbox, :certainty, :proofs, :sender, :subject, :message_id,
                :hash, :duplicate_of, :class, :intent, :confidence, :evidence, :text, :return_day, :bounces, :label, :requires_response,
                :authentication, :effective_class, :domain_proof, :is_own)
            """,
            [
                "intake": record.intake.rawValue, "sorted": record.sortedAt.milliseconds, "enrollment": record.enrollment?.rawValue,
                "contact": record.contact?.rawValue, "outbox": record.outbox?.rawValue, "certainty": record.certainty?.rawValue,
                "proofs": jsonText(record.proofs), "sender": record.from.storable, "subject": record.subject.storable,
                "message_id": record.messageID?.bytes, "hash": record.bodyHash,
                "duplicate_of": record.duplicateOf?.rawValue,
                "class": reading.replyClass.rawValue, "intent": reading.intent?.storable,
                "confidence": reading.confidence.isFinite ? min(1, max(0, reading.confidence)) : 0, "evidence": jsonText(reading.evidence),
                "text": reading.text.storable, "return_day": reading.returnDate?.daysSinceEpoch,
                "bounces": jsonText(reading.bounces.map(StoredBounce.init)), "label": record.label?.rawValue,
                "requires_response": record.requiresResponse, "authentication": record.authentication.storable,
                "effective_class": record.replyClass.rawValue,
                "domain_proof": record.domainProof?.rawValue, "is_own": record.isOwn,
            ])
    }
}

/// One bounce as it stands in the column `bounces`.
struct StoredBounce: Codable {
    let recipient: String?
    let status: String?
    let permanent: Bool
    let failureClass: String
    let diagnostic: String
    let strikeLimit: StrikeLimit?

    init(_ bounce: Reading.Bounce) {
        // A recipient that could not be read back is left to the diagnostic.
        recipient = try? bounce.recipient?.stored()
        status = bounce.status?.text
        permanent = bounce.permanent
        failureClass = bounce.failureClass
        diagnostic = bounce.diagnostic
        strikeLimit = bounce.strikeLimit
    }

    var bounce: Reading.Bounce {
        Reading.Bounce(
            recipient: recipient.flatMap(EmailAddress.init(stored:)), status: status.flatMap { EnhancedStatusCode($0) },
            permanent: permanent,
            failureClass: failureClass, diagnostic: diagnostic, strikeLimit: strikeLimit)
    }
}

extension ReplyRecord {
    init(_ record: Record) throws {
        let bounces: [StoredBounce] = try record.json("bounces")
        self.init(
            intake: try record.id("intake_id"), sortedAt: try record.moment("sorted_at"), enrollment: record.idOrNil("enrollment_id"),
            contact: record.idOrNil("contact_id"), outbox: record.idOrNil("outbox_id"), certainty: try record.wordOrNil("certainty"),
            proofs: try record.json("proofs"), from: try record.text("sender"), subject: try record.text("subject"),
            messageID: record.bytesOrNil("message_id").flatMap { MessageID(lenient: $0) }, bodyHash: try record.text("body_hash"),
            duplicateOf: record.idOrNil("duplicate_of"),
            reading: Reading(
                replyClass: try record.word("class"), intent: record.textOrNil("intent"), confidence: try record.real("confidence"),
                evidence: try record.json("evidence"), text: try record.text("text"), returnDate: record.dayOrNil("return_day"),
                bounces: bounces.map(\.bounce)),
            replyClass: try record.wordOrNil("effective_class"), label: try record.wordOrNil("label"),
            requiresResponse: try record.integer("requires_response") != 0,
            authentication: try record.text("authentication"), domainProof: try record.wordOrNil("domain_proof"),
            isOwn: try record.integer("is_own") != 0)
    }
}

extension SentMessage {
    init(_ record: Record) throws {
        guard let messageID = MessageID(lenient: Array(try record.text("message_id").utf8)) else {
            throw StoreError(code: .unusable, message: "a message in the outbox cannot be read; run 'postrider db check'")
        }
        self.init(
            outbox: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            enrollment: record.idOrNil("enrollment_id"), contact: record.idOrNil("contact_id"),
            messageID: messageID, recipient: try record.address("recipient"), providerID: record.textOrNil("provider_id"))
    }
}
