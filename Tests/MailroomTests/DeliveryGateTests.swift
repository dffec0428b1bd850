import DNS
import InternetMessage
import MailTransport
import Outreach
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// The second gate over a real store, real connections and a clock that is wound by hand.
@Suite("the second gate at delivery")
struct DeliveryGateTests {
    /// Two domains whose mail goes to one host, and one that has a host of its own.
    static let mailZone: [String: [StaticResolver.Record]] = [
        "one.example.net": [.mx(10, "mx.shared.example.net")], "two.example.net": [.mx(10, "mx.shared.example.net")],
        "three.example.net": [.mx(10, "mx.three.example.net")], "mx.shared.example.net": [.a("127.0.0.1")],
        "mx.three.example.net": [.a("127.0.0.1")],
    ]

    private func policy(_ change: (inout DeliveryPolicy) throws -> Void) rethrows -> DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.exchangerRoutes = ["direct"]
        policy.finder = MailSiteFinder(resolver: StaticResolver(Self.mailZone))
        try change(&policy)
        return policy
    }

    private func rates(_ texts: String...) throws -> [Rate] { try texts.map { try #require(Rate($0)) } }

    private func waiting(_ office: Office) async throws -> [OutboxMessage] {
        try await office.store.list(OutboxSelection(states: [.incoming, .deferred]), after: nil, limit: 99)
    }

    @Test("a capped route lets one leave in its time, tells the others when, and keeps no other route waiting", .timeLimit(.minutes(4)))
    func cappedRoute() async throws {
        let office = try Office(policy: try policy { $0.limits.routes = ["sink": try rates("1/min")] })
        for number in 0..<4 { try await office.queue("a\(number)@one.example.net", route: "sink") }
        try await office.delivering {
            _ = try await office.sink.waitForMessages(1)
            let capped = try await eventually("three wait") {
                let waiting = try await waiting(office).filter { $0.awaits != nil }
                return waiting.count == 3 ? waiting : nil
            }
            #expect(capped.allSatisfy { $0.state == .deferred && $0.attempts == 0 && $0.awaits == "limit route sink/min" })
            #expect(capped.map(\.reason) == Array(repeating: "limit of 1/min for route sink is reached", count: 3))
            #expect(capped.map(\.nextAttemptAt) == [60, 120, 180].map { Office.start + .seconds($0) })
            try await office.queue("b@one.example.net", route: "dead")
            office.outboxBell.ring()
            _ = try await office.slow.waitForMessages(1)
            #expect(office.sink.messages.count == 1)
            for count in 2...4 {
                office.wind(.seconds(60))
                _ = try await office.sink.waitForMessages(count)
            }
        }
        #expect(office.sink.messages.map(\.recipients) == (0..<4).map { ["a\($0)@one.example.net"] }, "in their order")
        #expect(try await waiting(office).isEmpty)
    }

    @Test("domains that share their exchangers share a site's limit, and others do not", .timeLimit(.minutes(4)))
    func sharedSite() async throws {
        var book = ProviderBook()
        let rules = "[provider.shared]\nmx = [\".shared.example.net\"]\none_site = true\nrate = [\"1/min\"]\n"
        book = try ProviderBook(files: [("local", Array(rules.utf8))])
        let providers = book
        let office = try Office(policy: policy { $0.providers = providers }, mailZone: Self.mailZone)
        for address in ["a@one.example.net", "b@two.example.net", "c@three.example.net"] {
            try await office.queue(address, route: "direct")
        }
        try await office.delivering {
            _ = try await office.sink.waitForMessages(2)
            let capped = try await eventually("one waits") { try await waiting(office).first { $0.awaits != nil } }
            #expect(capped.recipient.text == "b@two.example.net" && capped.awaits == "limit site shared/min")
            #expect(office.sink.messages.count == 2)
            office.wind(.seconds(60))
            _ = try await office.sink.waitForMessages(3)
        }
    }

    @Test("what [safety] does not allow stays, with the reason, and a dry run delivers nothing at all", .timeLimit(.minutes(4)))
    func safety() async throws {
        let pattern = try BytePattern(#".*@two\.example\.net"#)
        let office = try Office(policy: policy { $0.safety = SendingSafety(allowed: [pattern]) }, mailZone: Self.mailZone)
        for address in ["a@one.example.net", "b@two.example.net"] { try await office.queue(address, route: "direct") }
        try await office.delivering {
            _ = try await office.sink.waitForMessages(1)
            let kept = try await eventually("one is kept") { try await waiting(office).first { $0.awaits != nil } }
            #expect(kept.recipient.text == "a@one.example.net" && kept.reason.contains("allow_recipients") && kept.attempts == 0)
            // Kept back by us for longer than its lifetime, and still not given up.
            for _ in 0..<150 {
                office.wind(.seconds(3600))
                try await Task.sleep(for: .milliseconds(1))
            }
            office.wind(.seconds(61))
            _ = try await eventually("it is kept again") {
                try await waiting(office).first.map { $0.nextAttemptAt.map { $0 > office.clock.now() } ?? false } == true ? true : nil
            }
        }
        #expect(office.sink.messages.map(\.recipients) == [["b@two.example.net"]])

        let dry = try Office(policy: policy { $0.safety = SendingSafety(isDryRun: true) }, mailZone: Self.mailZone)
        let enrollment = try await dry.enroll("ann@one.example.net", steps: 1)
        try await dry.delivering {
            #expect(try await dry.dispatcher.dispatchDue() == 1)
            for _ in 0..<10 {
                dry.wind(.seconds(86_400))
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(dry.sink.connections == 0)
        #expect(try await dry.store.messages(enrollment: enrollment.id).map(\.state) == [.incoming])
    }

    @Test(
        "a site that does not answer rests: one probes it, the others wait for it, and all leave when it is back", .timeLimit(.minutes(5)))
    func deadSite() async throws {
        let lines = Mutex<[String]>([])
        let office = try Office(notes: { line in lines.withLock { $0.append(line) } }, policy: policy { $0.rests = [.seconds(600)] })
        for number in 0..<8 { try await office.queue("d\(number)@one.example.net", route: "gone") }
        let revived = Mutex<SinkSMTP?>(nil)
        try await office.delivering {
            let all = try await eventually("all wait for the site") {
                let waiting = try await waiting(office).filter { $0.awaits != nil }
                return waiting.count == 8 ? waiting : nil
            }
            let tried = all.filter { $0.attempts > 0 }
            #expect((3...4).contains(tried.count), "three in a row, and whoever was under way with them")
            #expect(tried.allSatisfy { $0.awaits == "answer of route-gone" && $0.attempts == 1 && $0.reason.contains("cannot connect") })
            let told = all.filter { $0.attempts == 0 }
            #expect(told.allSatisfy { $0.awaits == "site route-gone" && $0.reason.contains("does not answer; it is tried again at") })
            // The tried ones come by their own schedule before, and are told to wait, too.
            office.wind(.seconds(301))
            _ = try await eventually("they rest") {
                try await waiting(office).allSatisfy { ($0.nextAttemptAt ?? .init(seconds: 0)) > office.clock.now() } ? true : nil
            }
            #expect(try await waiting(office).map(\.attempts).reduce(0, +) == tried.map(\.attempts).reduce(0, +))

            let sink = try SinkSMTP(port: office.gonePort)
            revived.withLock { $0 = sink }
            office.wind(.seconds(300))
            // The clock stands still from here: none of them is due by its own time.
            _ = try await sink.waitForMessages(8)
            #expect(lines.withLock { $0.contains { $0.hasPrefix("a site answers again") } })
            try await eventually("all outcomes stored") { try await office.store.counts() == [.sent: 8] }
        }
    }

    @Test("a flush has a site that rests tried at once; while it is dead, once for each flush", .timeLimit(.minutes(4)))
    func flush() async throws {
        let office = try Office(policy: policy { $0.rests = [.seconds(6000)] })
        for number in 0..<8 { try await office.queue("d\(number)@one.example.net", route: "gone") }
        func attempts() async throws -> Int { try await waiting(office).map(\.attempts).reduce(0, +) }
        func resting() async throws -> Int? {
            let all = try await waiting(office)
            let isSo = all.count == 8 && all.allSatisfy { $0.state == .deferred && $0.nextAttemptAt ?? Office.start > office.clock.now() }
            return isSo ? try await attempts() : nil
        }
        func flush() async throws {
            office.wind(.seconds(2))
            #expect(try await office.store.command(.flush, on: OutboxSelection(), at: office.clock.now()) == 8)
            office.outboxBell.ring()
        }
        try await office.delivering {
            let before = try await eventually("all wait for the site") { try await resting() }
            for number in 1...2 {
                try await flush()
                _ = try await eventually("one tried") { try await attempts() == before + number ? true : nil }
                _ = try await eventually("they rest again") { try await resting() }
                #expect(try await attempts() == before + number)
            }
            let sink = try SinkSMTP(port: office.gonePort)
            try await flush()
            _ = try await sink.waitForMessages(8)
            try await eventually("all outcomes stored") { try await office.store.counts() == [.sent: 8] }
        }
    }

    @Test("a reply that a rule knows suspends the site, and the log and every waiting message say so", .timeLimit(.minutes(4)))
    func reaction() async throws {
        let rules = "[[react]]\nwords = \"tss04\"\nsuspend = true\nfor = \"2h\"\n"
        let providers = try ProviderBook(files: [("local.toml", Array(rules.utf8))])
        let lines = Mutex<[String]>([])
        let office = try Office(
            notes: { line in lines.withLock { $0.append(line) } }, policy: policy { $0.providers = providers }, mailZone: Self.mailZone)
        office.sink.script("a@one.example.net", .refuse("421 4.7.0 [TSS04] Messages temporarily deferred"))
        try await office.queue("a@one.example.net", route: "direct")
        try await office.delivering {
            _ = try await eventually("deferred") { try await waiting(office).first { $0.state == .deferred } }
            _ = try await eventually("told") { lines.withLock { $0.first { $0.hasPrefix("a site is slowed") } } }
            try await office.queue("b@two.example.net", route: "direct")
            try await office.queue("c@three.example.net", route: "direct")
            office.outboxBell.ring()
            _ = try await office.sink.waitForMessages(1)
            let kept = try await eventually("the shared site waits") {
                try await waiting(office).first { $0.recipient.text == "b@two.example.net" && $0.awaits != nil }
            }
            #expect(kept.reason.contains("is suspended until") && kept.reason.contains("local.toml:1"))
            #expect(kept.awaits == "site mx.shared.example.net" && kept.attempts == 0)
            office.wind(.seconds(3600))
            try await Task.sleep(for: .milliseconds(50))
            #expect(office.sink.messages.map(\.recipients) == [["c@three.example.net"]])
            office.wind(.seconds(3601))
            _ = try await office.sink.waitForMessages(3)
        }
    }

    /// Says nothing about some names until it is released.
    private struct SlowResolver: Resolver {
        let slow: Set<String>
        let gate: Bell
        let quick = StaticResolver(DeliveryGateTests.mailZone)

        func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
            if slow.contains(name) { await gate.wait() }
            return await quick.lookup(name, type)
        }
    }

    @Test("a domain that DNS is slow about keeps nobody waiting, and leaves when DNS has answered", .timeLimit(.minutes(4)))
    func slowDNS() async throws {
        let gate = Bell()
        let office = try Office(
            policy: policy { $0.finder = MailSiteFinder(resolver: SlowResolver(slow: ["one.example.net"], gate: gate)) },
            mailZone: Self.mailZone)
        try await office.queue("a@one.example.net", route: "direct")
        try await office.queue("c@three.example.net", route: "direct")
        try await office.delivering {
            _ = try await office.sink.waitForMessages(1)
            let kept = try await eventually("one waits for DNS") { try await waiting(office).first { $0.awaits == "dns one.example.net" } }
            #expect(kept.reason.contains("looked up") && kept.attempts == 0)
            gate.ring()
            office.wind(.seconds(6))
            _ = try await office.sink.waitForMessages(2)
        }
    }

    @Test("a message that is stopped while a limit keeps it back never leaves", .timeLimit(.minutes(4)))
    func stoppedWhileCapped() async throws {
        let office = try Office(policy: try policy { $0.limits.routes = ["sink": try rates("1/h")] })
        try await office.queue("first@one.example.net", route: "sink")
        let enrollment = try await office.enroll("ann@one.example.net", steps: 2)
        try await office.delivering {
            _ = try await office.sink.waitForMessages(1)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            _ = try await eventually("capped") { try await office.store.messages(enrollment: enrollment.id).first { $0.awaits != nil } }
            let now = try await office.current(enrollment)
            let stop = Transition(
                enrollment: now.id, expectedVersion: now.version, at: office.clock.now(), state: .stopped, cause: .replied,
                reason: "replied", nextStep: now.nextStep, dueAt: nil)
            #expect(try await office.store.apply(Consequence(transition: stop)) == .committed)
            office.wind(.seconds(7200))
            try await office.queue("last@one.example.net", route: "sink")
            office.outboxBell.ring()
            _ = try await office.sink.waitForMessages(2)
        }
        #expect(office.sink.messages(to: "ann@one.example.net").isEmpty)
        #expect(try await office.store.messages(enrollment: enrollment.id).map(\.state) == [.cancelled])
    }
}

@Suite("the log line of an attempt")
struct DeliveryLineTests {
    @Test("it has Postfix's words in Postfix's order, and ours behind them")
    func line() throws {
        let start = Timestamp(seconds: 1_790_000_000)
        let message = OutboxMessage(
            id: .init(rawValue: 5), workspace: .default, enrollment: .init(rawValue: 7), contact: nil, step: 1, occurrence: 0,
            identity: "anna", route: "direct", reversePath: .null, recipient: try #require(EmailAddress("bo@example.net")),
            messageID: try #require(MessageID("m1@example.com")), subject: "Hi", bytes: [], createdAt: start,
            budgetDate: CivilDate(start), nextAttemptAt: start)
        let attempt = DeliveryAttempt(
            outbox: message.id, startedAt: start + .milliseconds(2150), endedAt: start + .milliseconds(3456), outcome: .deferred,
            stage: "RCPT TO", replyCode: 451, enhancedStatus: EnhancedStatusCode("4.7.1"), text: "4.7.1 Grey\u{1B}\r\nlisted",
            remoteMTA: "mx.example.net[192.0.2.1]:25", tls: "TLSv1.3", transcript: "")
        let metadata = DeliveryLine.metadata(
            attempt, message, .deferred, failureClass: "greylisted", claimedAt: start + .seconds(2),
            connectedAt: start + .milliseconds(2200))
        #expect(
            DeliveryLine.text(metadata)
                == "\(message.id): to=<bo@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=3.46, delays=2/0.15/0.05/1.26, "
                + "tls=TLSv1.3, dsn=4.7.1, status=deferred (4.7.1 Grey???listed), msgid=<m1@example.com>, "
                + "seq=\(Enrollment.ID(rawValue: 7))/2, class=greylisted")
        let never = DeliveryLine.metadata(
            DeliveryAttempt(
                outbox: message.id, startedAt: start + .seconds(100), endedAt: start + .seconds(130), outcome: .deferred, stage: "connect",
                replyCode: nil, enhancedStatus: nil, text: "cannot connect", remoteMTA: nil, tls: nil, transcript: ""),
            message, .deferred, failureClass: nil, claimedAt: start + .seconds(100), connectedAt: nil)
        let text = DeliveryLine.text(never)
        #expect(text.contains("relay=none, delay=130, delays=100/0/30/0, dsn=4.0.0, status=deferred (cannot connect), msgid="))
        #expect(text.hasSuffix(", class=-"))
    }
}
