import DNS
import Foundation
import HTTPFetch
import InternetMessage
import Logging
import MailTransport
import NIOPosix
import Outreach
import SQLiteStore
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// From a due step to a server on loopback that is called, over the real store, dispatcher and caller, by a clock that is wound.
@Suite("calls to other systems, through the services", .serialized, .timeLimit(.minutes(3)))
struct WebhookCallerTests {
    private static let secret = Array("a secret of the tests, 32 bytes.".utf8)
    private static let hour = Duration.seconds(3600)

    private static func plan(_ lines: String = "") -> String {
        """
        name = "tells"
        [[step]]
        type = "webhook"
        name = "tell"
        webhook = "crm"
        fields = ["company"]
        \(lines)
        [[step]]
        name = "intro"
        delay = "P1D"
        subject = "About {{company}}"
        text = "One"
        """
    }

    /// What was logged.
    private final class Notes: Sendable {
        let lines = Mutex<[String]>([])
    }

    /// An office with a caller for one webhook.
    private final class Bureau: Sendable {
        let office: Office
        let bell = Bell()
        let desk: Swappable<WebhookCaller.Desk>
        let dispatcher: StepDispatcher
        private let http = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
        private let notes: Notes
        private let logger: Logger

        init(_ url: String, allowsPrivate: Bool = true, isDryRun: Bool = false, time: Duration = .seconds(5)) async throws {
            office = try Office()
            let target = WebhookPoster.Target(url: url, allowsPrivate: allowsPrivate, time: time)
            desk = Swappable(
                .init(
                    webhooks: ["crm": .init(target: target, secret: WebhookCallerTests.secret, waits: [.seconds(60), .seconds(300)])],
                    safety: SendingSafety(isDryRun: isDryRun)))
            let notes = Notes()
            self.notes = notes
            logger = Logger(label: "tests") { _ in NotedLog(note: { line in notes.lines.withLock { $0.append(line) } }) }
            dispatcher = office.dispatcher(webhooks: WebhookBook(["crm": url]), callBell: bell)
        }

        var log: [String] { notes.lines.withLock { $0 } }

        func caller(_ owner: String = "tests") -> WebhookCaller {
            WebhookCaller(
                store: office.store, poster: WebhookPoster(http: http, resolver: StaticResolver([:])), desk: desk, clock: office.clock,
                bell: bell, owner: owner, logger: logger)
        }

        /// Runs a caller while `body` runs.
        func calling<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
            let caller = caller()
            let running = Task { try await caller.run() }
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            running.cancel()
            try? await running.value
            return try result.get()
        }

        func wind(_ duration: Duration) {
            office.clock.wind(duration)
            bell.ring()
        }

        /// The only call, once it is as `isReady` says.
        func call(_ what: String, _ isReady: @Sendable (WebhookCall) -> Bool = { _ in true }) async throws -> WebhookCall {
            try await eventually(what, within: .seconds(30)) {
                let call = try await self.office.store.calls(state: nil, after: nil, limit: 2, withBody: true).first
                return call.flatMap { isReady($0) ? $0 : nil }
            }
        }

        func events(_ enrollment: Enrollment) async throws -> [String] {
            try await office.store.timeline(contact: enrollment.contact).filter { $0.kind == .webhook }.map(\.summary)
        }
    }

    @Test("the step goes on at once; the call is made with the documented content and a signature that others can check")
    func delivers() async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "thanks") }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/hook")
        let enrollment = try await bureau.office.enroll("ann@example.net", in: Self.plan("data = { stage = \"{{company}}\" }"))
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        let moved = try await bureau.office.current(enrollment)
        #expect(moved.nextStep == 1 && moved.state == .active && moved.reason == "tell done (webhook crm): goes to intro")
        #expect(server.requests.isEmpty, "nothing is called by who decides")
        let call = try await bureau.calling { try await bureau.call("it is delivered") { $0.state == .delivered } }
        #expect(call.lastStatus == 200 && call.attempts == 1)
        await server.stop()
        let request = try #require(server.requests.first)
        #expect(server.requests.count == 1 && request.method == "POST" && request.body == call.body)
        #expect(request.header("content-type") == "application/json" && request.header("postrider-id") == call.id.description)
        #expect(request.header("postrider-timestamp") == "\(Office.start.milliseconds / 1000)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
        #expect(object["id"] as? String == call.id.description && object["step"] as? String == "tell")
        #expect((object["contact"] as? [String: Any])?["email"] as? String == "ann@example.net")
        #expect(object["data"] as? [String: String] == ["stage": "Example GmbH"])
        let events = try await bureau.events(enrollment)
        #expect(events == ["webhook crm queued: step tell", "webhook crm delivered: step tell, answered with status 200"])
        // As whoever is called would do it.
        let script =
            "import hmac,sys;print('v1='+hmac.new(sys.argv[1].encode(),(sys.argv[2]+'.'+sys.argv[3]).encode(),'sha256').hexdigest())"
        let python = try await Command.succeed(
            "/usr/bin/python3",
            ["-c", script, String(decoding: Self.secret, as: UTF8.self), request.header("postrider-timestamp") ?? "", request.body])
        #expect(python.outputText == "\(request.header("postrider-signature") ?? "")\n")
    }

    @Test("what fails in passing is tried again as the schedule says, with the same id and content, and honours Retry-After")
    func retries() async throws {
        let server = try await WebPeer.start { _, number in
            switch number {
            case 1: .reply(503, body: "later")
            case 2: .reply(429, headers: ["Retry-After: 900"], body: "")
            default: .reply(204, body: "")
            }
        }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/")
        let enrollment = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        try await bureau.calling {
            let first = try await bureau.call("it waits") { $0.attempts == 1 && $0.reason != nil }
            #expect(first.nextAttemptAt == Office.start + .seconds(60) && first.reason == "answered with status 503: later")
            bureau.wind(.seconds(60))
            let second = try await bureau.call("it waits longer") { $0.attempts == 2 && $0.lastStatus == 429 }
            #expect(second.nextAttemptAt == bureau.office.clock.now() + .seconds(900))
            bureau.wind(.seconds(900))
            _ = try await bureau.call("it is delivered") { $0.state == .delivered }
        }
        await server.stop()
        #expect(server.requests.count == 3 && Set(server.requests.map(\.body)).count == 1)
        #expect(Set(server.requests.map { $0.header("postrider-id") }).count == 1)
        #expect(Set(server.requests.map { $0.header("postrider-signature") }).count == 3, "each attempt is signed for its moment")
        #expect(try await bureau.events(enrollment).count == 2)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: WebPeer.Answer
        let status: Int?
        var allowsPrivate = true
        /// How many hear of it.
        var heard = 1
        let reason: String
    }

    static let refusals: [Refusal] = [
        Refusal(testDescription: "404", answer: .reply(404, body: "no\r\nhook"), status: 404, reason: "answered with status 404: no  hook"),
        Refusal(
            testDescription: "a redirect", answer: .reply(301, headers: ["Location: http://127.0.0.1:1/"], body: ""), status: 301,
            reason: "answered with status 301, and redirects are not followed; write the final URL into the conf"),
        Refusal(
            testDescription: "a private address", answer: .reply(200, body: ""), status: nil, allowsPrivate: false, heard: 0,
            reason: "127.0.0.1 is on a private address, and allow_private is not set"),
    ]

    @Test("what is refused for good fails at once, is told in the log, and is made again when a person says so", arguments: refusals)
    func fails(_ refusal: Refusal) async throws {
        let server = try await WebPeer.start { _, _ in refusal.answer }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/", allowsPrivate: refusal.allowsPrivate)
        let enrollment = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        try await bureau.calling {
            let call = try await bureau.call("it fails") { $0.state == .failed }
            #expect(call.reason == refusal.reason && call.lastStatus == refusal.status && call.attempts == 1)
            #expect(try await bureau.events(enrollment).last == "webhook crm failed: step tell, \(refusal.reason)")
            try await eventually("the log says so") { bureau.log.contains { $0.hasPrefix("webhook failed; ") } }
            #expect(!bureau.log.contains { $0.contains("no  hook") }, "what others say is not for the log")
            #expect(server.requests.count == refusal.heard)
            #expect(try await bureau.office.store.retryCalls(nil, at: bureau.office.clock.now()) == 1)
            bureau.bell.ring()
            _ = try await bureau.call("it fails again") { $0.state == .failed && $0.attempts == 2 }
        }
        await server.stop()
        #expect(server.requests.count == refusal.heard * 2)
        #expect(try await bureau.office.current(enrollment).nextStep == 1, "the sequence goes on")
    }

    @Test("who never answers is given up behind the last wait; an answer without end counts by its status")
    func slow() async throws {
        let server = try await WebPeer.start { _, number in number <= 3 ? .silence : .endless }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/", time: .milliseconds(200))
        _ = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        try await bureau.calling {
            for (attempt, wait) in [60, 300].enumerated() {
                _ = try await bureau.call("attempt \(attempt + 1) is over") {
                    $0.attempts == attempt + 1 && ($0.nextAttemptAt ?? Office.start) > bureau.office.clock.now()
                }
                bureau.wind(.seconds(wait))
            }
            let call = try await bureau.call("it is given up") { $0.state == .failed }
            #expect(call.reason?.hasPrefix("given up after 3 attempts: 127.0.0.1 did not answer within") == true, "\(call.reason ?? "")")
            #expect(try await bureau.office.store.retryCalls([call.id], at: bureau.office.clock.now()) == 1)
            let target = WebhookPoster.Target(url: "http://127.0.0.1:\(server.port)/", allowsPrivate: true, time: .seconds(20))
            bureau.desk.swap(.init(webhooks: ["crm": .init(target: target, secret: Self.secret, waits: [.seconds(60)])]))
            bureau.bell.ring()
            _ = try await bureau.call("it is delivered") { $0.state == .delivered && $0.lastStatus == 200 }
        }
        await server.stop()
    }

    @Test(
        "a process that dies between its claim and the answer loses nothing: the call is made again with the same id when its lease is over"
    )
    func crash() async throws {
        let server = try await WebPeer.start { _, number in number == 1 ? .silence : .reply(200, body: "") }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/", time: .seconds(30))
        _ = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        try await bureau.calling { try await eventually("it is called") { server.requests.count == 1 } }
        let left = try await bureau.call("it is as the dead one left it")
        #expect(left.state == .queued && left.attempts == 1 && left.reason == nil)
        try await bureau.calling {
            bureau.wind(WebhookCaller.leaseTime + .seconds(-1))
            try await Task.sleep(for: .milliseconds(300))
            #expect(server.requests.count == 1, "its lease still holds")
            bureau.wind(.seconds(1))
            _ = try await bureau.call("it is delivered") { $0.state == .delivered && $0.attempts == 2 }
        }
        await server.stop()
        #expect(server.requests.count == 2)
        #expect(Set(server.requests.map { $0.header("postrider-id") }) == [left.id.description])
    }

    @Test("at shutdown a call in flight has a moment to end, and one that does not is left to be made again")
    func shutdown() async throws {
        let server = try await WebPeer.start { _, _ in .silence }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/", time: .seconds(25))
        _ = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        let group = ServiceGroup(services: [bureau.caller()], logger: Logger(label: "tests") { _ in NotedLog(note: { _ in }) })
        let running = Task { try await group.run() }
        try await eventually("it is called") { server.requests.count == 1 }
        let start = ContinuousClock.now
        await group.triggerGracefulShutdown()
        try await running.value
        let passed = ContinuousClock.now - start
        #expect(passed > .seconds(2) && passed < .seconds(12), "\(passed)")
        let left = try await bureau.call("it is as it was left")
        #expect(left.state == .queued && left.attempts == 1 && left.reason == nil)
        // With nothing in flight there is nothing to wait for.
        let idle = ServiceGroup(services: [bureau.caller()], logger: Logger(label: "tests") { _ in NotedLog(note: { _ in }) })
        let again = Task { try await idle.run() }
        try await Task.sleep(for: .milliseconds(200))
        let end = ContinuousClock.now
        await idle.triggerGracefulShutdown()
        try await again.value
        #expect(ContinuousClock.now - end < .seconds(2))
        await server.stop()
    }

    @Test("what is claimed for one webhook is made though the claim for the next fails")
    func gathers() async throws {
        func call(_ id: Int64) -> WebhookCall {
            WebhookCall(
                id: .init(rawValue: id), workspace: .default, enrollment: .init(rawValue: 2), contact: .init(rawValue: 3),
                version: .init(rawValue: 4), step: "a", webhook: "crm", body: "{}", createdAt: Office.start, nextAttemptAt: Office.start)
        }
        func gathered(_ webhooks: [String]) async throws -> [Int64] {
            try await WebhookCaller.gathered(webhooks) { webhook in
                switch webhook {
                case "broken": throw CancellationError()
                case "idle": []
                default: [call(1), call(2)]
                }
            }.map(\.id.rawValue)
        }
        #expect(try await gathered(["idle", "crm", "broken", "crm"]) == [1, 2])
        #expect(try await gathered(["crm", "idle", "crm"]) == [1, 2, 1, 2])
        await #expect(throws: CancellationError.self) { try await gathered(["idle", "broken", "crm"]) }
    }

    @Test("what an answer says is shown on one line that nothing turns round")
    func shown() {
        let text = "a\u{85}b\u{9B}c\u{2028}d\u{2029}e\u{202E}f\u{2066}g\u{200F}h\u{7F}i\u{61C}\u{FC}\r\n"
        #expect(WebhookCaller.shown(Array(text.utf8)) == "a b c d e f g h i \u{FC}")
    }

    @Test("nothing is called under the global STOP and in a dry run, and everything afterwards")
    func held() async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "") }
        let url = "http://127.0.0.1:\(server.port)/"
        let bureau = try await Bureau(url, isDryRun: true)
        _ = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        try await bureau.calling {
            try await Task.sleep(for: .milliseconds(200))
            try await bureau.office.store.setStop(reason: "holidays", at: bureau.office.clock.now())
            let live = bureau.desk.current.webhooks
            bureau.desk.swap(.init(webhooks: live))
            bureau.bell.ring()
            try await Task.sleep(for: .milliseconds(200))
            #expect(server.requests.isEmpty)
            #expect(try await bureau.call("it waits").attempts == 0)
            try await bureau.office.store.setStop(reason: nil, at: bureau.office.clock.now())
            bureau.bell.ring()
            _ = try await bureau.call("it is delivered") { $0.state == .delivered }
        }
        await server.stop()
    }

    @Test("a webhook that conf does not know keeps the step, with the reason; a value that is missing parks it")
    func unknown() async throws {
        let bureau = try await Bureau("http://127.0.0.1:9/")
        let waiting = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        let dispatcher = bureau.office.dispatcher(webhooks: WebhookBook(["desk": "https://desk.example.com/"]), callBell: bureau.bell)
        #expect(try await dispatcher.dispatchDue() == 1)
        let held = try await bureau.office.current(waiting)
        #expect(held.nextStep == 0 && held.state == .active)
        #expect(
            held.heldBy?.hasPrefix("its step calls a webhook: there is no [webhook.crm] in the conf; there are desk") == true,
            "\(held.heldBy ?? "")")
        let source = Self.plan("data = { size = \"{{size}}\" }").replacing("\"tells\"", with: "\"sizes\"")
        let parked = try await bureau.office.enroll("bo@example.net", in: source)
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        let needy = try await bureau.office.current(parked)
        #expect(needy.state == .needsData && needy.reason == "no value and no fallback for size")
        #expect(try await bureau.office.store.calls(state: nil, after: nil, limit: 9, withBody: true).isEmpty)
        // Known from now on.
        #expect(try await bureau.office.store.reconsiderPostponed(now: bureau.office.clock.now()) == 1)
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        #expect(try await bureau.office.store.calls(state: .queued, after: nil, limit: 9, withBody: true).map(\.enrollment) == [waiting.id])
    }

    @Test("what is old goes as messages and events do, and what waits stays")
    func retention() async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "") }
        let bureau = try await Bureau("http://127.0.0.1:\(server.port)/")
        _ = try await bureau.office.enroll("ann@example.net", in: Self.plan())
        #expect(try await bureau.dispatcher.dispatchDue() == 1)
        let caretaker = Caretaker(
            store: bureau.office.store,
            retention: Swappable(.init(messages: .seconds(30 * 86_400), replies: .seconds(400 * 86_400), events: .seconds(400 * 86_400))),
            clock: bureau.office.clock, logger: Logger(label: "tests") { _ in NotedLog(note: { _ in }) })
        bureau.wind(.seconds(31 * 86_400))
        while try await caretaker.tidy() > 0 {}
        _ = try await bureau.calling { try await bureau.call("it is delivered, late") { $0.state == .delivered && $0.body != nil } }
        while try await caretaker.tidy() > 0 {}
        #expect(try await bureau.call("it lost its content").body == nil)
        bureau.wind(.seconds(400 * 86_400))
        while try await caretaker.tidy() > 0 {}
        #expect(try await bureau.office.store.calls(state: nil, after: nil, limit: 9, withBody: true).isEmpty)
        await server.stop()
    }
}
