import Foundation
import InternetMessage
import Logging
import Outreach
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// Opens and clicks through the real store, dispatcher, deliverer, recorder and sorter, on a clock that is wound by hand.
@Suite("opens and clicks, through the services", .serialized)
struct TrackingServiceTests {
    static let bo = "bo@customers.example.net"
    static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    private static let policy = TrackingPolicy(opens: true, clicks: true, base: "https://t.example.com/")
    private static let hour = Duration.seconds(3600)

    static let file = """
        name = "watched"
        [[step]]
        name = "intro"
        subject = "About {{company}}"
        text = "See https://x.example/a"
        html = "<p><a href='https://x.example/a'>A</a> <a href='https://x.example/b'>B</a></p>"
        [[step.transition]]
        on = "clicked"
        within = "P2D"
        to = "asked"
        [[step.transition]]
        on = "opened"
        within = "P2D"
        to = "read"
        [[step.transition]]
        on = "no_open"
        after = "P2D"
        to = "unread"
        [[step]]
        name = "read"
        type = "condition"
        delay = "P1D"
        [[step.transition]]
        if = "opened.intro and clicked.intro"
        to = "asked"
        [[step.transition]]
        to = "unread"
        [[step]]
        name = "asked"
        type = "stop"
        reason = "asked"
        [[step]]
        name = "unread"
        type = "stop"
        reason = "unread"
        """

    /// An office that counts, with what takes in and judges.
    private struct Desk {
        let office: Office
        let makeRecorder: @Sendable () -> HitRecorder
        let sorter: TrackingSorter
        let codec: TokenCodec
        let enrollment: Enrollment
        let links: [String]
        let picture: String

        /// Tells what was asked for, and lets it be stored.
        func fetch(_ address: String, as agent: String = browser) async throws -> String? {
            let token = String(address.dropFirst("https://t.example.com/c/".count).prefix(TrackingToken.characters))
            let recorder = makeRecorder()
            let running = Task { try await recorder.run() }
            var target: String?
            if address.hasSuffix(".gif") {
                await recorder.opened(token: token, agent: agent)
            } else {
                target = try await recorder.target(token: token, agent: agent, counts: true)
            }
            running.cancel()
            try? await running.value
            return target
        }

        func judge() async throws -> Int {
            office.clock.wind(.seconds(6))
            return try await sorter.judgeRipe()
        }

        func standing() async throws -> Enrollment { try await office.current(enrollment) }

        func events() async throws -> [TimelineEvent] {
            try await office.store.timeline(contact: enrollment.contact).filter { $0.kind == .opened || $0.kind == .clicked }
        }
    }

    private func desk(_ source: String = file) async throws -> Desk {
        let office = try Office(tracking: Self.policy)
        let enrollment = try await office.enroll(Self.bo, in: source)
        let mail = try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            let mail = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(enrollment, as: [.sent])
            return mail
        }
        let html = try #require(Message(parsing: Array(mail.text.utf8)).html)
        let addresses = html.split { "'\"".contains($0) }.map(String.init).filter { $0.hasPrefix("https://t.example.com/") }
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let codec = Swappable<TokenCodec?>(office.addresses.codec)
        let machines = try TrackingMachines(files: [("x", Array("[machine.filter]\ncontains = [\"Scanner\"]\n".utf8))])
        return Desk(
            office: office,
            makeRecorder: {
                HitRecorder(
                    store: office.store, codec: codec, policy: Swappable(Self.policy), clock: office.clock, sorterBell: Bell(),
                    logger: logger)
            },
            sorter: TrackingSorter(
                store: office.store, judge: Swappable(TrackingJudge(machineWithin: .seconds(10), machines: machines)),
                identities: Swappable([:]), ids: office.ids, clock: office.clock, bell: Bell(), sequenceBell: Bell(), logger: logger),
            codec: office.addresses.codec, enrollment: enrollment, links: addresses.filter { !$0.hasSuffix(".gif") },
            picture: try #require(addresses.first { $0.hasSuffix(".gif") }))
    }

    @Test("a click an hour later leads on, and takes its way once it is judged")
    func click() async throws {
        let desk = try await desk()
        #expect(desk.links.count == 2)
        desk.office.clock.wind(Self.hour)
        #expect(try await desk.fetch(desk.links[0]) == "https://x.example/a")
        #expect(try await desk.sorter.judgeRipe() == 0, "others may follow")
        #expect(try await desk.standing().doneAt != nil)
        #expect(try await desk.judge() == 1)
        let ended = try await desk.standing()
        #expect(
            ended.state == .finished && ended.cause == .completed && ended.reason.contains("clicked: goes to asked (asked)"), "\(ended)")
        let events = try await desk.events()
        #expect(events.map(\.summary) == ["clicked by a person: https://x.example/a"])
        #expect(events.first?.facts["counts_as"] == "clicked" && events.first?.facts["agent"] == Self.browser)
        #expect(try await desk.office.store.hasHits() == false)
    }

    @Test("an open takes its way, and the condition behind it looks at what came before; a click is an open too")
    func open() async throws {
        let desk = try await desk()
        desk.office.clock.wind(Self.hour)
        #expect(try await desk.fetch(desk.picture) == nil)
        #expect(try await desk.judge() == 1)
        #expect(try await desk.standing().reason.contains("opened: goes to read"))
        _ = try await desk.fetch(desk.links[1])
        #expect(try await desk.judge() == 1)
        desk.office.clock.wind(.seconds(86_400))
        #expect(try await desk.office.dispatcher.dispatchDue() == 1)
        #expect(try await desk.standing().reason.contains("(asked)"))
    }

    @Test("what a machine does is noted with the reason and moves nothing: the time passes as if nobody had opened")
    func machine() async throws {
        let desk = try await desk()
        desk.office.clock.wind(.seconds(2))
        _ = try await desk.fetch(desk.picture)
        #expect(try await desk.judge() == 1)
        desk.office.clock.wind(Self.hour)
        _ = try await desk.fetch(desk.picture, as: "Scanner/1.0")
        for link in desk.links { _ = try await desk.fetch(link) }
        #expect(try await desk.judge() == 1)
        let events = try await desk.events()
        #expect(events.count == 3 && events.allSatisfy { $0.facts["by"] == "machine" }, "\(events)")
        #expect(
            events.map { $0.facts["reason"] } == [
                "within 10 s of being handed over", "2 links within 5 s of each other", "2 links within 5 s of each other",
            ])
        #expect(events.compactMap { $0.facts["counts_as"] } == ["machine_opened", "machine_clicked"])
        let waiting = try await desk.standing()
        #expect(waiting.doneAt != nil && waiting.state == .active)
        let due = try #require(waiting.dueAt)
        desk.office.clock.wind(due - desk.office.clock.now())
        #expect(try await desk.office.dispatcher.dispatchDue() == 1)
        #expect(try await desk.standing().reason.contains("no_open after P2D: goes to unread"))
    }

    @Test("who is away has not come back by an open: the sequence goes on behind it when the absence is over")
    func absent() async throws {
        let desk = try await desk()
        let waiting = try await desk.standing()
        let back = desk.office.clock.now() + .seconds(5 * 86_400)
        let held = Transition(
            enrollment: waiting.id, expectedVersion: waiting.version, at: desk.office.clock.now(), state: .held, cause: .outOfOffice,
            reason: "away", nextStep: waiting.nextStep, dueAt: back, doneAt: waiting.doneAt)
        #expect(try await desk.office.store.apply(Consequence(transition: held)) == .committed)
        desk.office.clock.wind(Self.hour)
        _ = try await desk.fetch(desk.picture)
        #expect(try await desk.judge() == 1)
        let after = try await desk.standing()
        #expect(after.state == .held && after.cause == .outOfOffice && after.nextStep == 1, "\(after)")
        #expect(after.dueAt.map { $0 >= back } == true, "\(after)")
    }

    @Test("whoever follows all links at once has opened the picture as a machine too, whatever it calls itself")
    func burst() async throws {
        let desk = try await desk()
        desk.office.clock.wind(Self.hour)
        _ = try await desk.fetch(desk.picture)
        desk.office.clock.wind(.seconds(2))
        for link in desk.links { _ = try await desk.fetch(link) }
        #expect(try await desk.judge() == 1)
        let events = try await desk.events()
        #expect(events.count == 3 && events.allSatisfy { $0.facts["by"] == "machine" }, "\(events.map(\.summary))")
        #expect(try await desk.standing().doneAt != nil, "it waits on")
    }

    @Test("one that goes on for a minute is judged meanwhile, and its last hits by those that come behind them")
    func patience() async throws {
        let desk = try await desk()
        desk.office.clock.wind(Self.hour)
        var judged = 0
        for round in 0..<18 {
            _ = try await desk.fetch(desk.links[round % 2])
            desk.office.clock.wind(.seconds(4))
            judged += try await desk.sorter.judgeRipe()
        }
        #expect(judged > 0, "patience has an end")
        #expect(try await desk.judge() == 1)
        #expect(try await desk.office.store.hasHits() == false)
        #expect(try await desk.events().allSatisfy { $0.facts["by"] == "machine" })
        #expect(try await desk.standing().doneAt != nil, "it waits on")
    }

    @Test("the same again is counted and not told again, and statistics know persons from machines")
    func again() async throws {
        let desk = try await desk()
        for round in 0..<4 {
            desk.office.clock.wind(Self.hour)
            _ = try await desk.fetch(desk.picture)
            _ = try await desk.fetch(desk.links[0], as: round == 2 ? "Scanner" : Self.browser)
            #expect(try await desk.judge() == 1)
        }
        #expect(try await desk.events().map { $0.facts["counts_as"] } == ["opened", "clicked", "machine_clicked"])
        let store = desk.office.store
        try await store.countAllEvents()
        for split in StatisticsSplit.allCases where split != .variant {
            let parts = try await store.statistics(workspace: .default, sequenceName: "watched", by: split, since: nil)
            let tally = parts.reduce(into: Tally()) { $0 += $1.tally }
            let counts: [Int] = [tally[.opened], tally[.clicked], tally[.machineOpened], tally[.machineClicked]]
            #expect(counts == [1, 1, 0, 1], "\(split)")
            #expect(
                tally.rate(.open, ofPeople: true) == SampledRate(1, of: 1) && tally.rate(.click, ofPeople: true) == SampledRate(1, of: 1))
        }
        #expect(try await store.verifyStatistics() == [])
    }

    @Test("thousands of fetches at once leave a few hits, and whoever asks is answered")
    func hammered() async throws {
        let desk = try await desk()
        desk.office.clock.wind(Self.hour)
        let recorder = desk.makeRecorder()
        let running = Task { try await recorder.run() }
        let token = String(desk.links[0].dropFirst("https://t.example.com/c/".count))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<3000 {
                group.addTask { _ = try? await recorder.target(token: token, agent: "Browser \(number)", counts: true) }
            }
        }
        running.cancel()
        try? await running.value
        desk.office.clock.wind(.seconds(6))
        let waiting = try await desk.office.store.touchedMessages(
            quietSince: desk.office.clock.now(), patientUntil: desk.office.clock.now(), limit: 9)
        #expect(waiting.count == 1 && waiting.first?.hits.count == 64)
        #expect(try await desk.sorter.judgeRipe() == 1)
        #expect(try await desk.events().count == 1)
    }

    @Test("a store that is busy for long keeps nobody waiting for longer than a second", .timeLimit(.minutes(4)))
    func slowStore() async throws {
        let desk = try await desk()
        desk.office.clock.wind(Self.hour)
        // Nobody stores: the recorder does not run.
        let before = ContinuousClock.now
        let recorder = HitRecorder(
            store: desk.office.store, codec: Swappable(desk.codec), policy: Swappable(Self.policy), clock: SystemClock(),
            sorterBell: Bell(),
            logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
        let token = String(desk.links[0].dropFirst("https://t.example.com/c/".count))
        #expect(try await recorder.target(token: token, agent: Self.browser, counts: true) == "https://x.example/a")
        #expect(ContinuousClock.now - before < .seconds(5))
    }

    @Test("nothing is stored of tokens that are none of ours, and without a base nothing at all")
    func unknown() async throws {
        let desk = try await desk()
        desk.office.clock.wind(Self.hour)
        #expect(try await desk.fetch("https://t.example.com/c/" + String(repeating: "a", count: 45)) == nil)
        #expect(try await desk.fetch(desk.picture.replacing(".gif", with: "")) == nil, "a picture is no link")
        #expect(try await desk.fetch(desk.links[0] + ".gif") == nil, "a link is no picture")
        let off = HitRecorder(
            store: desk.office.store, codec: Swappable(desk.codec), policy: Swappable(.off), clock: SystemClock(), sorterBell: Bell(),
            logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
        let token = String(desk.links[0].dropFirst("https://t.example.com/c/".count))
        #expect(try await off.target(token: token, agent: Self.browser, counts: true) == "https://x.example/a")
        #expect(try await desk.office.store.hasHits() == false)
    }
}
