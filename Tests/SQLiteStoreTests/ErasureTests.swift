import Foundation
import InternetMessage
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

@Suite("a person who is forgotten")
struct ErasureTests {
    let folder = StoreFolder()

    /// Where a text stands in the database file and its log, in any case.
    private func places(of text: String) -> [String] {
        let needle = Array(text.utf8).map { $0 | 0x20 }
        return [folder.path, folder.path + "-wal"].filter { path in
            guard let data = FileManager.default.contents(atPath: path) else { return false }
            let bytes = [UInt8](data).map { $0 | 0x20 }
            guard bytes.count >= needle.count else { return false }
            return bytes.indices.dropLast(needle.count - 1).contains { start in
                bytes[start] == needle[0] && bytes[start..<start + needle.count].elementsEqual(needle)
            }
        }
    }

    @Test("nothing of them is left in the file or its log, and the guards of the schema stand as before")
    func bytes() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        func schema() async throws -> [String] {
            try await store.read {
                try $0.db.records("SELECT sql FROM sqlite_schema ORDER BY name, type").map { $0.textOrNil("sql") ?? "" }
            }
        }
        let before = try await schema()
        let (enrollment, message) = try await world.queued("Wilhelmina@Example.com")
        let contact = enrollment.contact.rawValue
        for statement in [
            """
            UPDATE contact
            SET display_name = 'Wilhelmina Wunder', fields = '{"city":"Wunderstadt"}', consent_source = 'Messe Wunderstadt', consent_at = 5
            WHERE id = \(contact)
            """,
            """
            INSERT INTO mail_domain (domain, refusal, asked_at, expires_at) VALUES ('example.com', 'wunder says no', 5, 99)
            """,
            """
            INSERT INTO attempt (outbox_id, started_at, ended_at, outcome, stage, reply_code, text, remote_mta, transcript)
            VALUES (\(message.id.rawValue), 1, 2, 'deferred', 'recipient', 450, '450 wilhelmina@example.com is busy', 'mx.wunder.example',
                'C: RCPT TO:<wilhelmina@example.com>')
            """,
            """
            INSERT INTO intake (id, way, received_at, reverse_path, forward_paths, origin, state, attempts)
            VALUES (77, 'smtp', 5, 'wilhelmina@example.com', '["reply@r.example.com"]', 'mx.wunder.example', 'sorted', 0)
            """,
            """
            INSERT INTO intake_body (intake_id, bytes) VALUES (77, CAST('From: Wilhelmina Wunder, born in Wunderstadt' AS BLOB))
            """,
            """
            INSERT INTO reply (intake_id, sorted_at, contact_id, proofs, sender, subject, message_id, body_hash, class, confidence, evidence,
                text, bounces, requires_response, authentication, effective_class)
            VALUES (77, 6, \(contact), '[]', 'Wilhelmina@Example.com', 'From Wunderstadt', CAST('m@wunder.example' AS BLOB), 'ff', 'neutral', 0.5,
                '["wilhelmina"]', 'Greetings from Wunderstadt', '[]', 0, 'wunder.example', 'neutral')
            """,
            """
            INSERT INTO timeline (id, at, kind, contact_id, summary, facts)
            VALUES (78, 7, 'received', \(contact), 'from wilhelmina@example.com', '{"subject":"From Wunderstadt"}')
            """,
        ] { try await store.execute(statement) }
        let secrets = ["wilhelmina", "wunder"]
        for secret in secrets { #expect(!places(of: secret).isEmpty, "the test must have something to find") }
        let erasure = Erasure(
            workspace: .default, address: try world.address("wilhelmina@EXAMPLE.com"), person: "eve", at: world.later(5))
        guard case .erased(let report) = try await store.erase(erasure) else { return #expect(Bool(false), "nothing keeps it back") }
        #expect(report.messages == 1 && report.attempts == 1 && report.replies == 1 && report.isLogClean)
        for secret in secrets { #expect(places(of: secret) == [], "\(secret) is left") }
        #expect(try await schema() == before)
        #expect(try await store.check() == [])
        await #expect(throws: StoreError.self) { () async throws in try await store.execute("UPDATE timeline SET summary = 'x'") }
        #expect(try await store.timeline(contact: enrollment.contact).count > 2, "what happened when is still known")
        #expect(try await store.incoming(id: IncomingMessage.ID(rawValue: 77))?.bytes == [])
        withExtendedLifetime(folder) {}
    }

    @Test("what was freed long before leaves the file with them")
    func freedBefore() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        _ = try await world.savedContact("wilhelmina@example.com")
        // Large enough for pages of its own, which are free when it is gone.
        try await store.execute("CREATE TABLE scratch (text TEXT)")
        try await store.execute("INSERT INTO scratch VALUES ('\(String(repeating: "wunderstadt ", count: 5000))')")
        try await store.execute("DELETE FROM scratch")
        _ = try await store.onWriter { try $0.record("PRAGMA wal_checkpoint(TRUNCATE)") }
        #expect(!places(of: "wunderstadt").isEmpty, "the test must have something to find")
        let erasure = Erasure(
            workspace: .default, address: try world.address("wilhelmina@example.com"), person: "eve", at: world.later(5))
        guard case .erased = try await store.erase(erasure) else { return #expect(Bool(false), "nothing keeps it back") }
        #expect(places(of: "wunderstadt") == [])
        withExtendedLifetime(folder) {}
    }

    @Test("neighbours keep what is theirs; what is noted under nobody's name and what holds everywhere is forgotten, too")
    func neighbours() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        _ = try await world.savedContact("ann@example.com")
        let senders = ["joann@example.com", "mary-ann@example.com", "ann@example.com.au", "Ann@Example.com"]
        for (number, sender) in senders.enumerated() {
            let id = 80 + number
            try await store.execute(
                """
                INSERT INTO intake (id, way, received_at, reverse_path, forward_paths, origin, state, attempts)
                VALUES (\(id), 'imap', 5, NULL, '[]', '', 'sorted', 0)
                """)
            try await store.execute("INSERT INTO intake_body (intake_id, bytes) VALUES (\(id), x'58')")
            try await store.execute(
                """
                INSERT INTO reply (intake_id, sorted_at, proofs, sender, subject, body_hash, class, confidence, evidence, text, bounces,
                    requires_response, authentication, effective_class)
                VALUES (\(id), 6, '[]', '\(sender)', 'Hi', 'ff', 'neutral', 0.5, '[]', 'words', '[]', 0, '', 'neutral')
                """)
            try await store.execute(
                "INSERT INTO timeline (id, at, kind, intake_id, summary) VALUES (\(90 + number), 7, 'received', \(id), 'from \(sender)')")
        }
        let body = Array("From: Ann <ann@example.com>\r\n\r\nHi".utf8)
        try await store.execute(
            """
            INSERT INTO intake (id, way, received_at, reverse_path, forward_paths, origin, state, attempts)
            VALUES (89, 'imap', 5, NULL, '[]', '', 'quarantined', 3)
            """)
        try await store.execute(
            "INSERT INTO intake_body (intake_id, bytes) VALUES (89, x'\(body.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined())')"
        )
        let everywhere = WorkspaceID(rawValue: 0)
        try await store.suppress([
            Suppression(
                id: world.ids.next(), workspace: everywhere, subject: .address("ann@example.com"), reason: .manual, source: .manual,
                note: "Ann herself", at: world.later(1))
        ])
        let erasure = Erasure(workspace: .default, address: try world.address("ann@example.com"), person: "eve", at: world.later(5))
        guard case .erased(let report) = try await store.erase(erasure) else { return #expect(Bool(false), "nothing keeps it back") }
        #expect(report.replies == 2)
        for (number, sender) in senders.enumerated() {
            let isHers = number == 3
            let reply = try #require(try await store.reply(IncomingMessage.ID(rawValue: Int64(80 + number))))
            #expect((reply.from == sender) == !isHers, "\(sender)")
            let note = try await store.read { try $0.db.record("SELECT summary FROM timeline WHERE id = \(90 + number)")?.text("summary") }
            #expect(note == (isHers ? "" : "from \(sender)"))
        }
        #expect(try await store.incoming(id: IncomingMessage.ID(rawValue: 89))?.bytes == [])
        let kinds = try await store.suppressions(workspace: .default, after: nil, limit: 9).map(\.subject.kind)
        #expect(kinds == ["hash", "hash"])
        let held = try await store.suppression(workspace: .default, address: world.address("ANN@example.com"), now: world.later(9))
        #expect(held != nil)
        withExtendedLifetime(folder) {}
    }

    @Test("the hash of somebody who is here takes back what waits, and stands before what others wrote down")
    func hashOfSomebodyHere() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let (enrollment, message) = try await world.queued("ann@example.com")
        func add(_ subject: Suppression.Subject, _ reason: Suppression.Reason) async throws {
            try await store.suppress([
                Suppression(
                    id: world.ids.next(), workspace: .default, subject: subject, reason: reason, source: .import, note: "",
                    at: world.later(3))
            ])
        }
        try await add(.hash(ofKey: "ann@example.com", seed: StoreFolder.seed), .erased)
        #expect(try await store.message(id: message.id)?.state == .cancelled)
        #expect(try await world.current(enrollment).state == .stopped)
        try await add(.address("ann@example.com"), .manual)
        #expect(try await store.suppression(workspace: .default, of: .address("ann@example.com"))?.reason == .erased)
        withExtendedLifetime(folder) {}
    }
}
