import Foundation
import InternetMessage
import Outreach
import Testing

@testable import SQLiteStore

/// A database of the first schema, in the middle of its work, under every later step.
@Suite("migrations of a database with rows")
struct MigrationTests {
    /// One row and more of everything that the first schema has.
    private static let rows = """
        INSERT INTO contact (id, workspace_id, address, address_key, address_domain, display_name, fields, time_zone, created_at)
        VALUES (1, 1, 'Ann@Example.com', 'ann@example.com', 'example.com', 'Ann', '{"company":"Ex"}', 'Europe/Vienna', 1000),
            (2, 1, 'bo@example.com', 'bo@example.com', 'example.com', NULL, '{}', NULL, 1000);
        INSERT INTO suppression (id, workspace_id, kind, subject, reason, source, note, at)
        VALUES (3, 1, 'address', 'bo@example.com', 'unsubscribed', 'link', '', 2000);
        INSERT INTO sequence (id, workspace_id, name) VALUES (1, 1, 'intro');
        INSERT INTO sequence_version (id, sequence_id, hash, plan) VALUES (4, 1, 'h', '{}');
        UPDATE sequence SET latest_version_id = 4;
        INSERT INTO enrollment (id, workspace_id, contact_id, sequence_id, version_id, identity, state, cause, reason, next_step, due_at,
            version, created_at)
        VALUES (5, 1, 1, 1, 4, 'anna', 'stopped', 'replied', 'a reply', 1, NULL, 2, 1000),
            (6, 1, 2, 1, 4, 'anna', 'sending', NULL, '', 0, NULL, 1, 1000);
        INSERT INTO transition_log (enrollment_id, version, at, state, cause, reason, next_step, due_at)
        VALUES (5, 1, 1500, 'sending', NULL, '', 0, NULL), (5, 2, 3000, 'stopped', 'replied', 'a reply', 1, NULL);
        INSERT INTO outbox (id, workspace_id, enrollment_id, contact_id, step, occurrence, identity, route, reverse_path, recipient,
            recipient_key, recipient_domain, message_id, subject, created_at, budget_day, state, reason, attempts, next_attempt_at,
            final_dot_at, lease_owner, lease_until)
        VALUES (7, 1, 5, 1, 0, 0, 'anna', 'office', 'bounce@r.example.com', 'Ann@Example.com', 'ann@example.com', 'example.com',
                'one@out.example.com', 'Hi', 1500, 0, 'sent', '', 1, NULL, 1600, NULL, NULL),
            (8, 1, 6, 2, 0, 0, 'anna', 'office', 'bounce@r.example.com', 'bo@example.com', 'bo@example.com', 'example.com',
                'two@out.example.com', 'Hi', 1500, 0, 'deferred', '451 later', 1, 9000, NULL, NULL, NULL),
            (9, 1, NULL, NULL, 0, 0, 'anna', 'office', '', 'cy@example.com', 'cy@example.com', 'example.com',
                'three@out.example.com', 'Hi', 1500, 0, 'active', '', 0, 1500, NULL, 'host/1', 99000);
        INSERT INTO outbox_body (outbox_id, bytes) VALUES (7, x'4869'), (8, x'4869'), (9, x'4869');
        INSERT INTO attempt (outbox_id, started_at, ended_at, outcome, stage, reply_code, enhanced_status, text, remote_mta, tls, transcript)
        VALUES (7, 1550, 1700, 'accepted', 'content', 250, '2.0.0', '250 2.0.0 Ok', 'mx.example.com', NULL, 'S: 250'),
            (8, 1550, 1700, 'deferred', 'recipient', 451, '4.3.0', '451 4.3.0 later', 'mx.example.com', NULL, 'S: 451');
        INSERT INTO intake (id, way, received_at, reverse_path, forward_paths, origin, state, state_reason, attempts, account, folder,
            uid_validity, uid)
        VALUES (10, 'imap', 2500, NULL, '[]', 'anna/INBOX', 'sorted', NULL, 0, 'anna', 'INBOX', 7, 3),
            (11, 'smtp', 2600, '<>', '["reply@r.example.com"]', '192.0.2.1', 'quarantined', 'sorting failed', 3, NULL, NULL, NULL, NULL),
            (12, 'smtp', 2700, '<>', '["reply@r.example.com"]', '192.0.2.1', 'received', NULL, 0, NULL, NULL, NULL, NULL),
            (15, 'imap', 2500, NULL, '[]', 'anna/INBOX uidvalidity 7 uid 2, not read', 'quarantined', 'not given', 0, 'anna', 'INBOX', 7, 2);
        INSERT INTO intake_body (intake_id, bytes) VALUES (10, x'58'), (11, x'59'), (12, x'5A'), (15, x'');
        INSERT INTO watermark (account, folder, uid_validity, last_uid) VALUES ('anna', 'INBOX', 7, 3);
        INSERT INTO reply (intake_id, sorted_at, enrollment_id, contact_id, outbox_id, certainty, proofs, sender, subject, message_id,
            body_hash, duplicate_of, class, intent, confidence, evidence, text, return_day, bounces, label, requires_response, authentication)
        VALUES (10, 3000, 5, 1, 7, 'high', '["References"]', 'ann@example.com', 'Re: Hi', x'61406578', 'ff', NULL, 'positive', NULL, 0.5, '[]',
            'Yes', NULL, '[]', 'question', 1, '');
        INSERT INTO timeline (id, at, kind, contact_id, enrollment_id, outbox_id, intake_id, summary, facts)
        VALUES (13, 1500, 'queued', 1, 5, 7, NULL, 'queued', NULL), (14, 3000, 'received', 1, 5, 7, 10, 'from ann', '{"dmarc":"pass"}');
        """

    /// Counts of a message with a variant, as they were kept before versions were noted.
    private static let counted = """
        INSERT INTO sequence (id, workspace_id, name) VALUES (1, 1, 'intro');
        INSERT INTO sequence_version (id, sequence_id, hash, plan) VALUES (4, 1, 'h', '{}');
        UPDATE sequence SET latest_version_id = 4;
        INSERT INTO contact (id, workspace_id, address, address_key, address_domain, display_name, fields, time_zone, created_at)
        VALUES (1, 1, 'ann@example.com', 'ann@example.com', 'example.com', 'Ann', '{}', NULL, 1000);
        INSERT INTO enrollment (id, workspace_id, contact_id, sequence_id, version_id, identity, state, cause, reason, next_step, due_at,
            version, created_at)
        VALUES (5, 1, 1, 1, 4, 'anna', 'sending', NULL, '', 2, NULL, 1, 1000);
        INSERT INTO outbox (id, workspace_id, enrollment_id, contact_id, step, occurrence, identity, route, reverse_path, recipient,
            recipient_key, recipient_domain, message_id, subject, created_at, budget_day, state, reason, attempts, next_attempt_at, variant)
        VALUES (7, 1, 5, 1, 2, 0, 'anna', 'office', '', 'ann@example.com', 'ann@example.com', 'example.com', 'one@out.example.com', 'Hi',
            1500, 0, 'incoming', '', 0, 1500, 'a/b');
        INSERT INTO timeline (id, at, kind, contact_id, enrollment_id, outbox_id, intake_id, summary, facts)
        VALUES (13, 1500, 'queued', 1, 5, 7, NULL, 'queued', NULL);
        UPDATE rollup_mark SET timeline_id = 13;
        INSERT INTO rollup_day (workspace_id, sequence_id, dimension, day, value, \(zeros.map(\.0).joined(separator: ", ")))
        SELECT 1, sequence, dimension, 0, value, \(zeros.map(\.1).joined(separator: ", "))
        FROM (SELECT 1 AS sequence, 'all' AS dimension, '' AS value UNION SELECT 0, 'all', '' UNION SELECT 1, 'identity', 'anna'
            UNION SELECT 0, 'identity', 'anna' UNION SELECT 1, 'step', '2' UNION SELECT 1, 'variant', 'a/b');
        INSERT INTO rollup_contact_hour (contact_id, hour, \(zeros.map(\.0).joined(separator: ", ")))
        VALUES (1, 0, \(zeros.map(\.1).joined(separator: ", ")));
        """

    private static let zeros = Tally.Count.allCases.map { ($0.rawValue, $0 == .queued ? "1" : "0") }

    @Test("counts of steps and variants are carried to where versions are noted, and none is lost or made")
    func counts() async throws {
        let folder = StoreFolder()
        var old = Array(Migration.all.prefix(23))
        old.append(Migration(number: old.removeLast().number, sql: Migration.twentyThird.sql + Self.counted))
        try StoreFile(path: folder.path).create(seed: StoreFolder.seed, migrations: old)
        _ = try SQLiteStore.migrate(path: folder.path)
        let store = try folder.open()
        #expect(try await store.verifyStatistics() == [])
        for (split, value) in [(StatisticsSplit.step, StatisticsPart.Value.step(nil, 2)), (.variant, .variant(nil, step: nil, "a/b"))] {
            let parts = try await store.statistics(workspace: .default, sequenceName: "intro", by: split, since: nil)
            #expect(parts.map(\.value) == [value])
        }
    }

    private func migrated() throws -> (folder: StoreFolder, store: SQLiteStore) {
        let folder = StoreFolder()
        let old = [Migration(number: 1, sql: Migration.first.sql + Self.rows)]
        try StoreFile(path: folder.path).create(seed: StoreFolder.seed, migrations: old)
        let error = #expect(throws: StoreError.self) { try folder.open() }
        #expect(error?.message.contains("postrider db migrate") == true)
        #expect(try SQLiteStore.migrate(path: folder.path) == (from: 1, to: Migration.latest))
        return (folder, try folder.open())
    }

    @Test("the schema is the same as that of a new file, and nothing in it is broken")
    func schema() async throws {
        let fresh = StoreFolder()
        func columns(_ store: SQLiteStore) async throws -> [String] {
            try await store.read { ledger in
                try ledger.db.records(
                    """
                    SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '') AS line
                    FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'
                    UNION ALL SELECT type || ' ' || name || coalesce(sql, '') FROM sqlite_schema WHERE type IN ('index', 'trigger')
                    ORDER BY 1
                    """
                ).map { try $0.text("line") }
            }
        }
        let (folder, store) = try migrated()
        #expect(try await columns(store) == columns(fresh.open()))
        #expect(try await store.check() == [])
        #expect(try await store.installationSeed() == StoreFolder.seed)
        withExtendedLifetime((folder, fresh)) {}
    }

    @Test("every row is read as it was, with what later steps say of it")
    func rows() async throws {
        let (folder, store) = try migrated()
        func contact(_ id: Int64) -> Contact.ID { Contact.ID(rawValue: id) }
        func intake(_ id: Int64) -> IncomingMessage.ID { IncomingMessage.ID(rawValue: id) }
        #expect(try await store.contact(id: contact(1))?.fields == ["company": "Ex"])
        #expect(try await store.enrollments(contact: contact(1)).map(\.state) == [.stopped])
        #expect(try await store.timeline(contact: contact(1)).map(\.kind) == [.queued, .received])
        let reply = try #require(try await store.reply(intake(10)))
        #expect(reply.replyClass == .positive && reply.label == .question && !reply.isOwn && reply.domainProof == nil)
        #expect(try await store.watermarks(account: "anna").map(\.lastUID) == [3])
        #expect(try await store.incoming(id: intake(10))?.bytes == [0x58])
        let place = MailboxPlace(account: "anna", folder: "INBOX", uidValidity: 7, uid: 2)
        #expect(try await store.passedOver(account: "anna") == [.init(place: place, intake: intake(15), wantedFrom: nil, tries: 0)])
        let address = try #require(EmailAddress("bo@example.com"))
        #expect(try await store.suppression(workspace: .default, address: address, now: Timestamp(seconds: 9))?.reason == .unsubscribed)
        withExtendedLifetime(folder) {}
    }

    @Test("an enrollment that was there may end for what a later step allows, and no other cause")
    func causes() async throws {
        let (folder, store) = try migrated()
        let changed = try await store.write { ledger in
            try ledger.db.run("UPDATE enrollment SET state = 'stopped', cause = 'company' WHERE id = 6")
        }
        #expect(changed == 1)
        await #expect(throws: StoreError.self) {
            _ = try await store.write { ledger in try ledger.db.run("UPDATE enrollment SET cause = 'colleague' WHERE id = 6") }
        }
        #expect(try await store.enrollment(id: Enrollment.ID(rawValue: 6))?.cause == .company)
        #expect(try await store.check() == [])
        withExtendedLifetime(folder) {}
    }

    @Test("the work that was under way goes on")
    func work() async throws {
        let (folder, store) = try migrated()
        let now = Timestamp(seconds: 1000)
        #expect(try await store.retryQuarantined(nil, at: now) == RetryTally(sorted: 1, fetched: 1))
        let claimed = try await store.claimReceived(now: now, limit: 9, lease: Lease(owner: "me", until: now + .seconds(60)))
        #expect(claimed.map(\.id.rawValue) == [11, 12])
        _ = try await store.recover(now: now)
        let found = try await store.candidates(now: now, limit: 9, routes: ["office": 9], sites: [:])
        #expect(found.map(\.id.rawValue).sorted() == [8, 9])
        let mark = MailboxWatermark(account: "anna", folder: "INBOX", uidValidity: 7, lastUID: 4)
        let next = IncomingMessage(
            id: StoreFolder.ids.next(), way: .imap, receivedAt: now, reversePath: nil, forwardPaths: [], origin: "", bytes: [1],
            digest: Array(repeating: 1, count: 32))
        #expect(try await store.accept(next, movingTo: mark))
        withExtendedLifetime(folder) {}
    }
}
