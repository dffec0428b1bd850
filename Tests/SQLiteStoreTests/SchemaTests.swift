import Foundation
import InternetMessage
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

@Suite("The schema is the last line of defence")
struct SchemaTests {
    let folder = StoreFolder()

    /// Compares with a fixture; `UPDATE_GOLDENS=1` writes it anew.
    private func compare(_ text: String, golden name: String) throws {
        if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
            try text.write(to: Checkout.url("Tests/SQLiteStoreTests/Fixtures/\(name)"), atomically: true, encoding: .utf8)
        }
        let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
        #expect(
            try String(contentsOf: url, encoding: .utf8) == text, "the golden \(name) differs; if that is meant, run with UPDATE_GOLDENS=1")
    }

    @Test("it is the golden one")
    func golden() async throws {
        let store = try folder.open()
        let sql = try await store.read { ledger in
            try ledger.db.records("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name").map {
                try $0.text("sql")
            }
        }
        try compare(sql.joined(separator: ";\n\n") + ";\n", golden: "schema.sql")
    }

    @Test("nothing that is looked at with every row that is written has a list of more than two words: SQLite makes a table for it")
    func lists() async throws {
        let store = try folder.open()
        let long = try await store.read { ledger in
            try ledger.db.records("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").compactMap { record in
                try record.text("sql").firstMatch(of: /IN \('[^()]*,[^()]*,[^()]*\)/).map { "\(try record.text("name")): \($0.output)" }
            }
        }
        #expect(long == [])
    }

    static let hot: [(name: String, sql: String)] = [
        ("claimDue", SQLiteStore.claimDueSQL),
        ("due", SQLiteStore.dueSQL), ("awaiting", SQLiteStore.awaitingSQL), ("waitingRoute", SQLiteStore.waitingRouteSQL),
        ("claimable", SQLiteStore.claimableSQL), ("claim", SQLiteStore.claimSQL), ("nextAttempt", SQLiteStore.nextAttemptSQL),
        ("refusal", SQLiteStore.refusalSQL), ("claimReceived", SQLiteStore.claimReceivedSQL), ("suppression", Suppression.lookup),
        ("usage", SQLiteStore.usageSQL), ("sendingDays", SQLiteStore.sendingDaysSQL), ("signals", SQLiteStore.signalsSQL),
        ("latestSentMessage", SQLiteStore.latestSentSQL), ("latestSentToPerson", SQLiteStore.latestSentToPersonSQL),
        ("conversation", SQLiteStore.conversationSQL),
        ("frequencyOfContact", SQLiteStore.frequencySQL(.contact)), ("frequencyOfCompany", SQLiteStore.frequencySQL(.company(""))),
        ("starts", SQLiteStore.startsSQL), ("company", SQLiteStore.companySQL), ("sender", SQLiteStore.senderSQL),
        ("forwards", SQLiteStore.forwardsSQL), ("openReplies", SQLiteStore.repliesSQL(ofOne: false, owned: false, waiting: true)),
        ("openRepliesOfOne", SQLiteStore.repliesSQL(ofOne: true, owned: false, waiting: true)),
        ("openRepliesOfOwner", SQLiteStore.repliesSQL(ofOne: false, owned: true, waiting: true)),
        ("claimCalls", SQLiteStore.claimCallsSQL), ("nextCall", SQLiteStore.nextCallSQL),
        ("oldCallBodies", SQLiteStore.oldCallBodiesSQL), ("oldCalls", SQLiteStore.oldCallsSQL),
        ("touches", Ledger.touchesSQL),
    ]

    @Test("the hot statements go by their indexes, empty, full and analyzed")
    func plans() async throws {
        let store = try folder.open()
        func plans(_ store: SQLiteStore) async throws -> String {
            try await store.read { ledger in
                try Self.hot.map { hot in
                    let sql = hot.sql.replacing(/:[a-z]+/, with: "1")
                    let steps = try ledger.db.records("EXPLAIN QUERY PLAN " + sql).map { "    " + (try $0.text("detail")) }
                    return ([hot.name] + steps).joined(separator: "\n") + "\n"
                }.joined(separator: "\n")
            }
        }
        let empty = try await plans(store)
        try compare(empty, golden: "plans.txt")
        #expect(!empty.contains("SCAN enrollment") && !empty.contains("SCAN outbox") && !empty.contains("SCAN intake"))
        let version = try await StoreWorld(store: store).enrolled("ann@example.com").sequence.rawValue
        try await store.execute(
            """
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
            INSERT INTO contact (id, workspace_id, address, address_key, address_domain, created_at)
            SELECT n, 1, 'c' || n || '@example.com', 'c' || n || '@example.com', 'example.com', 0 FROM number
            """)
        try await store.execute(
            """
            INSERT INTO enrollment (id, workspace_id, contact_id, sequence_id, version_id, identity, state, reason, next_step, due_at, version,
                created_at)
            SELECT id, 1, id, 1, \(version), 'sales', 'active', '', 0, id, 0, 0 FROM contact WHERE id <= 100000
            """)
        // A hundred thousand messages: most wait, some of them for one of a thousand limits and sites, and some are through.
        try await store.execute(
            """
            INSERT INTO outbox (id, workspace_id, step, occurrence, identity, route, reverse_path, recipient, recipient_key, recipient_domain,
                message_id, subject, created_at, budget_day, state, reason, attempts, next_attempt_at, final_dot_at, awaits)
            SELECT id, 1, 0, 0, 'sales', 'route' || (id % 7), '', address, address_key, address_domain, 'm' || id || '@example.com', '', id,
                id % 90, CASE WHEN id % 10 = 0 THEN 'sent' WHEN id % 3 = 0 THEN 'deferred' ELSE 'incoming' END, '', 0,
                CASE WHEN id % 10 = 0 THEN NULL ELSE id END, CASE WHEN id % 10 = 0 THEN id END,
                CASE WHEN id % 10 <> 0 AND id % 4 = 0 THEN 'site s' || (id % 1000) END
            FROM contact WHERE id <= 100000
            """)
        #expect(try await plans(store) == empty)
        _ = try await store.onWriter { db in try db.run("ANALYZE") }
        let analyzed = try folder.open()
        #expect(
            try await analyzed.claimDue(now: Timestamp(seconds: 1), limit: 500, lease: Lease(owner: "me", until: Timestamp(seconds: 9)))
                .count == 500)
        #expect(try await plans(analyzed) == empty)
        // What is looked at is bounded by what is asked for, wherever the due ones stand.
        let found = try await analyzed.candidates(
            now: Timestamp(milliseconds: 50_000), limit: 20, routes: ["route1": 5], sites: ["site s992": 3])
        let most: Int = 3 + 5 + 6 * 20
        #expect(found.count == most)
    }

    @Test(
        "a broken row is refused",
        arguments: [
            "INSERT INTO workspace (id, name) VALUES (1, 'again')",
            "INSERT INTO workspace (id, name) VALUES ('two', 'b')",
            "INSERT INTO contact (workspace_id, address, address_key, address_domain, created_at) VALUES (7, 'a@b', 'a@b', 'b', 0)",
            "INSERT INTO contact (workspace_id, address, address_key, address_domain, created_at) VALUES (1, 'a@b', 'ab', 'b', 0)",
            "INSERT INTO contact (workspace_id, address, address_key, address_domain, created_at, fields) VALUES (1, 'a@b', 'a@b', 'b', 0, '{')",
            "UPDATE contact SET consent_source = ''",
            "UPDATE contact SET consent_at = 'yesterday'",
            "INSERT INTO mail_domain (domain, asked_at, expires_at) VALUES ('A.example', 0, 1)",
            "INSERT INTO mail_domain (domain, asked_at, expires_at) VALUES ('a.example', 1, 1)",
            "INSERT INTO mail_domain (domain, refusal, asked_at, expires_at) VALUES ('a.example', '', 0, 1)",
            "INSERT INTO suppression (workspace_id, kind, subject, reason, source, note, at) VALUES (1, 'address', 'A@b', 'manual', 'manual', '', 0)",
            "INSERT INTO suppression (workspace_id, kind, subject, reason, source, note, at) VALUES (1, 'domain', 'a@b', 'manual', 'manual', '', 0)",
            "INSERT INTO suppression (workspace_id, kind, subject, reason, source, note, at, expires_at) "
                + "VALUES (1, 'address', 'a@b', 'unsubscribed', 'link', '', 0, 1)",
            "UPDATE enrollment SET state = 'asleep'",
            "UPDATE enrollment SET due_at = NULL",
            "UPDATE enrollment SET state = 'stopped'",
            "UPDATE enrollment SET due_at = 'soon'",
            "UPDATE enrollment SET lease_owner = 'me'",
            "UPDATE enrollment SET contact_id = 77",
            "UPDATE enrollment SET next_step = -1",
            "INSERT INTO enrollment SELECT id + 1, workspace_id, contact_id, sequence_id, version_id, identity, state, cause, reason, next_step, "
                + "due_at, held_by, version, created_at, lease_owner, lease_until, done_at FROM enrollment",
            "UPDATE outbox SET variant = 'b'",
            "UPDATE outbox SET recipient = 'eve@example.com'",
            "UPDATE outbox SET state = 'sent', next_attempt_at = NULL",
            "UPDATE outbox SET state = 'active'",
            "UPDATE outbox SET next_attempt_at = NULL",
            "UPDATE outbox SET final_dot_at = 1",
            "UPDATE outbox_body SET bytes = x'00'",
            "UPDATE sequence_version SET plan = '{}'",
            "INSERT INTO watermark (account, folder, uid_validity, last_uid) VALUES ('a', 'b', 0, 1)",
            "INSERT INTO watermark (account, folder, uid_validity, last_uid) VALUES ('a', 'b', 1, 4294967296)",
            "UPDATE watermark SET last_uid = last_uid - 1",
            "INSERT INTO installation (one, seed) VALUES (2, zeroblob(32))",
            "DELETE FROM installation",
            "UPDATE timeline SET summary = 'it was different'",
            "DELETE FROM timeline",
            "UPDATE transition_log SET reason = 'it was different'",
            "DELETE FROM transition_log",
            "DELETE FROM webhook_call",
            "UPDATE webhook_call SET body = NULL",
            "UPDATE webhook_call SET state = 'delivered', next_attempt_at = NULL, ended_at = 1, body = '{}'",
            "UPDATE webhook_call SET state = 'delivered'",
            "UPDATE webhook_call SET next_attempt_at = NULL",
            "UPDATE webhook_call SET lease_owner = 'me'",
            "UPDATE webhook_call SET webhook = 'other'",
            "INSERT INTO webhook_call SELECT id + 1, workspace_id, enrollment_id, contact_id, version_id, step, webhook, body, created_at, state, "
                + "attempts, attempts_before, next_attempt_at, lease_owner, lease_until, last_status, reason, ended_at FROM webhook_call",
        ])
    func refuses(sql: String) async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        _ = try await world.enrolled("ann@example.com")
        let moved = try await world.enrolled("bob@example.com")
        let event = world.event(.transition, contact: moved.contact)
        _ = try await store.apply(
            Consequence(
                transition: world.transition(moved, to: .held, cause: .outOfOffice, due: 60), timeline: [event],
                calls: [
                    WebhookCall(
                        id: world.ids.next(), workspace: .default, enrollment: moved.id, contact: moved.contact, version: moved.sequence,
                        step: "tell", webhook: "crm", body: #"{"a":1}"#, createdAt: world.later(0), nextAttemptAt: world.later(0))
                ]))
        _ = try await store.dispatch(try world.message(to: "ann@example.com"), with: Consequence())
        try await store.move(to: MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 1, lastUID: 5))
        let error = await #expect(throws: StoreError.self) { try await store.execute(sql) }
        #expect(error?.code == .constraint)
    }

    @Test("a final state never changes")
    func finalStays() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let message = try world.message(to: "ann@example.com")
        _ = try await store.dispatch(message, with: Consequence())
        _ = try await store.command(.delete, on: OutboxSelection(), at: world.later(1))
        let error = await #expect(throws: StoreError.self) {
            try await store.execute("UPDATE outbox SET state = 'incoming', next_attempt_at = 1")
        }
        #expect(error?.code == .constraint)
    }

    @Test("every word of the domain is allowed where it belongs")
    func words() async throws {
        let store = try folder.open()
        let words: [(table: String, words: [String])] = [
            ("enrollment", Enrollment.State.allCases.map(\.rawValue) + Enrollment.Cause.allCases.map(\.rawValue)),
            ("outbox", OutboxMessage.State.allCases.map(\.rawValue)), ("attempt", DeliveryAttempt.Outcome.allCases.map(\.rawValue)),
            ("suppression", Suppression.Reason.allCases.map(\.rawValue) + Suppression.Source.allCases.map(\.rawValue)),
            ("intake", IncomingMessage.State.allCases.map(\.rawValue) + IncomingMessage.Way.allCases.map(\.rawValue)),
            ("reply", ReplyClass.allCases.map(\.rawValue) + Correlation.Certainty.allCases.map(\.rawValue)),
            ("timeline", TimelineEvent.Kind.allCases.map(\.rawValue)), ("webhook_call", WebhookCall.State.allCases.map(\.rawValue)),
        ]
        for (table, words) in words {
            let sql = try await store.read { ledger in
                try ledger.db.record("SELECT sql FROM sqlite_schema WHERE name = '\(table)'")?.text("sql") ?? ""
            }
            for word in words { #expect(sql.contains("'\(word)'"), "\(table) does not know '\(word)'") }
        }
    }

    @Test("an event whose id another process took is appended all the same")
    func takenIDs() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let event = world.event(.received, "first")
        let twin = TimelineEvent(id: event.id, at: event.at, kind: .received, summary: "second")
        _ = try await store.apply(Consequence(timeline: [event, twin]))
        #expect(try await store.timeline(after: nil, limit: 9).map(\.summary) == ["first", "second"])
    }

    @Test("a NUL in foreign text ends nothing")
    func nul() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let event = world.event(.received, "a\u{0}b")
        _ = try await store.apply(Consequence(timeline: [event]))
        #expect(try await store.timeline(after: nil, limit: 9).map(\.summary) == ["a\u{FFFD}b"])
    }

    @Test("every transition is kept with its version")
    func transitionLog() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let enrollment = try await world.enrolled("ann@example.com")
        _ = try await store.apply(Consequence(transition: world.transition(enrollment, to: .paused, cause: .person)))
        try await store.suppress([try world.suppression(of: "ann@example.com", .unsubscribed)])
        let log = try await store.read { ledger in
            try ledger.db.records("SELECT * FROM transition_log ORDER BY version").map {
                "\(try $0.count("version")) \(try $0.text("state"))"
            }
        }
        #expect(log == ["2 paused", "3 stopped"])
    }
}
