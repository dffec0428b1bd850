import InternetMessage
import Logging
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

@Suite("Alerts")
struct AlerterTests {
    @Test("each trouble is told once, by mail, with what lasts; what comes again is told again", .timeLimit(.minutes(4)))
    func told() async throws {
        let office = try Office()
        let writer = AlertWriter(
            recipients: [try #require(EmailAddress("ops@corp.example.net")), try #require(EmailAddress("eve@corp.example.net"))],
            identity: try #require(office.stepDesk.current.identities["anna"]), hostname: "out.example.com", routes: RoutePlan(),
            chance: Chance(seed: [1]), ids: office.ids)
        let store = office.store
        let alerter = Alerter(
            store: store, writer: Swappable(writer), troubles: { try await store.pauses().map { Trouble($0) } }, clock: office.clock,
            outboxBell: office.outboxBell, logger: Logger(label: "tests") { _ in NotedLog(note: { _ in }) })
        func pause(_ subject: SendingPause.Subject) async throws {
            _ = try await store.pause(
                subject, failureClass: "route_auth", reason: "535 wrong password", began: office.clock.now(), at: office.clock.now(),
                rests: [.seconds(300)])
        }
        #expect(try await alerter.look() == 0, "all is well")
        try await pause(.route("gone"))
        #expect(try await alerter.look() == 2, "everybody is told")
        #expect(try await alerter.look() == 0, "once")
        office.wind(.seconds(400))
        try await pause(.route("gone"))
        try await pause(.identity("anna"))
        #expect(try await alerter.look() == 0, "not so soon after the last letter; a pause that is renewed is the same trouble")
        office.wind(.seconds(300))
        #expect(try await alerter.look() == 2, "then what came about meanwhile")
        #expect(try await store.resume(.route("gone"), by: "eve", at: office.clock.now()))
        _ = try await alerter.look()
        office.wind(.seconds(700))
        try await pause(.route("gone"))
        #expect(try await alerter.look() == 2, "what comes again is told again")
        try await store.setStop(reason: "holidays", at: office.clock.now())
        office.wind(.seconds(700))
        try await pause(.route("other"))
        #expect(try await alerter.look() == 0, "under the STOP nothing is queued")
        try await store.setStop(reason: nil, at: office.clock.now())
        #expect(try await alerter.look() == 2, "and nothing is forgotten")

        var letters: [OutboxMessage] = []
        for message in try await store.list(OutboxSelection(), after: nil, limit: 99) where message.recipient.text == "ops@corp.example.net"
        {
            letters.append(try #require(try await store.message(id: message.id)))
        }
        #expect(letters.count == 4 && letters.allSatisfy { $0.enrollment == nil && $0.identity == "anna" })
        let first = Message(parsing: try #require(letters.first).bytes)
        #expect(first.subject?.hasPrefix("Postrider on out.example.com: route gone is paused until ") == true, "\(first.subject ?? "")")
        #expect(first.text?.contains("535 wrong password") == true)
        #expect(first.header.first("Auto-Submitted").map { String(decoding: $0.value, as: UTF8.self).contains("auto-generated") } == true)
        let second = try #require(Message(parsing: letters[1].bytes).text)
        #expect(second.hasPrefix("- identity anna is paused") && second.contains("Told before, and still so:\n- route gone"), "\(second)")
    }
}
