import InternetMessage
import Logging
import Outreach
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// One person and one company in several sequences, through the real store, dispatcher and deliverer on a clock that is wound by hand.
@Suite("one person in several sequences, through the services", .serialized)
struct FrequencyServiceTests {
    private static let day = Duration.seconds(86_400)

    private static func file(_ name: String) -> String {
        """
        name = "\(name)"
        [[step]]
        name = "hello"
        subject = "Hello from \(name)"
        text = "Hello"
        """
    }

    private func policy(contact: Int? = nil, company: Int? = nil) throws -> FrequencyPolicy {
        func caps(_ count: Int?) throws -> [FrequencyCap] { try count.map { [try #require(FrequencyCap($0, in: Self.day))] } ?? [] }
        return FrequencyPolicy(
            perContact: try caps(contact), perCompany: try caps(company),
            companies: CompanyBook(lists: AddressLists(roles: [], freeMail: Array("gmail.com".utf8), disposable: [])))
    }

    @Test("of three sequences that are due at once one writes, and the others follow a day apart, each at its moment")
    func oneContact() async throws {
        let office = try Office(frequency: try policy(contact: 1))
        var enrollments: [Enrollment] = []
        for name in ["one", "two", "three"] {
            enrollments.append(try await office.enroll("bo@customers.example.net", in: Self.file(name)))
        }
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 3)
            try await office.settled(enrollments[0], as: [.sent])
            for enrollment in enrollments[1...] {
                let held = try await office.current(enrollment)
                #expect(held.dueAt == Office.start + Self.day)
                #expect(held.heldBy == "frequency cap of 1 in 1d for the contact, over all sequences, is reached")
            }
            office.wind(Self.day - .milliseconds(1))
            #expect(try await office.dispatcher.dispatchDue() == 0)
            office.wind(.milliseconds(1))
            #expect(try await office.dispatcher.dispatchDue() == 2)
            try await office.settled(enrollments[1], as: [.sent])
            #expect(try await office.current(enrollments[2]).dueAt == Office.start + Self.day * 2)
            office.wind(Self.day)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollments[2], as: [.sent])
        }
    }

    @Test("what is due is decided in rounds, and the caps hold over all of them", arguments: [1, 2, 5, 100])
    func rounds(batchLimit: Int) async throws {
        let office = try Office(dailyLimit: 4, frequency: try policy(company: 3), batchLimit: batchLimit)
        for person in 0..<5 { _ = try await office.enroll("p\(person)@customers.example.net", in: Self.file("one")) }
        for person in 0..<2 { _ = try await office.enroll("p\(person)@gmail.com", in: Self.file("one")) }
        #expect(try await office.dispatcher.dispatchDue() == 7)
        let queued = try await office.store.list(OutboxSelection(), after: nil, limit: 100)
        #expect(queued.count == 4 && queued.count { $0.recipient.text.utf8.elementsEqual("p0@gmail.com".utf8) } == 1, "\(queued.count)")
        #expect(try await office.store.hasLeases() == false)
        #expect(try await office.dispatcher.dispatchDue() == 0)
    }

    @Test("behind a start that is held for its contact, the next start still counts against the day's limit")
    func heldStart() async throws {
        let office = try Office(dailyLimit: 2, frequency: try policy(contact: 1), dailyStarts: 1)
        func start(_ name: String, in file: String) async throws -> Enrollment {
            try await office.enroll("\(name)@customers.example.net", in: file)
        }
        func twice(_ name: String, days: Int) -> String {
            Self.file(name) + "\n[[step]]\nname = \"again\"\ndelay = \"P\(days)D\"\ntext = \"Again\"\n"
        }
        try await office.delivering {
            for (name, file) in [("eve", twice("three", days: 3)), ("ann", twice("two", days: 2)), ("bo", Self.file("one"))] {
                if name == "bo" { office.wind(.seconds(2 * 3600)) }
                let one = try await start(name, in: file)
                _ = try await office.dispatcher.dispatchDue()
                try await office.settled(one, as: [.sent])
                if name != "bo" { office.wind(Self.day) }
            }
            // In one round: Bo's start, which is held; Cy's, which is not; and two next steps, one of which has room on that day.
            office.wind(.seconds(3600))
            _ = try await start("bo", in: Self.file("other"))
            let cy = try await start("cy", in: Self.file("one"))
            office.wind(.seconds(21 * 3600))
            #expect(try await office.dispatcher.dispatchDue() == 4)
            try await office.settled(cy, as: [.sent])
            #expect(try await office.store.list(OutboxSelection(), after: nil, limit: 100).count == 3 + 2)
        }
    }

    @Test("a company of many is written to a few at a time, those of free mail all at once")
    func oneCompany() async throws {
        let office = try Office(frequency: try policy(contact: 1, company: 2))
        var sent: [Enrollment] = []
        for person in 0..<5 { sent.append(try await office.enroll("p\(person)@customers.example.net", in: Self.file("one"))) }
        for person in 0..<3 { _ = try await office.enroll("p\(person)@gmail.com", in: Self.file("one")) }
        var counts: [Int] = []
        for round in 0..<3 {
            if round > 0 { office.wind(Self.day) }
            while try await office.dispatcher.dispatchDue() > 0 {}
            var count = 0
            for enrollment in sent { count += try await office.store.messages(enrollment: enrollment.id).count }
            counts.append(count)
        }
        #expect(counts == [2, 4, 5])
        #expect(try await office.store.list(OutboxSelection(), after: nil, limit: 100).count == 8)
    }

    @Test("whoever is held by a cap takes no turn of the identity: the next in line leaves in the same round")
    func turns() async throws {
        let office = try Office(dailyLimit: 2, frequency: try policy(contact: 1))
        let first = try await office.enroll("bo@customers.example.net", in: Self.file("one"))
        let held = try await office.enroll("bo@customers.example.net", in: Self.file("two"))
        let other = try await office.enroll("cy@customers.example.net", in: Self.file("one"))
        let last = try await office.enroll("di@customers.example.net", in: Self.file("one"))
        #expect(try await office.dispatcher.dispatchDue() == 4)
        for (enrollment, count) in [(first, 1), (held, 0), (other, 1), (last, 0)] {
            #expect(try await office.store.messages(enrollment: enrollment.id).count == count)
        }
        #expect(try await office.current(last).heldBy == "daily limit of 2 for identity anna is reached")
    }

    private static func starting(_ name: String, _ more: String = "") -> String {
        """
        name = "\(name)"
        \(more)
        [[step]]
        name = "hello"
        subject = "Hello from \(name)"
        text = "Hello"
        [[step]]
        name = "again"
        delay = "P1D"
        text = "Again"
        """
    }

    @Test("so many start a day as an identity; who waits is told until when, and follow-ups leave all the same")
    func startsOfIdentity() async throws {
        let office = try Office(dailyStarts: 2)
        var enrollments: [Enrollment] = []
        for person in 0..<5 {
            enrollments.append(try await office.enroll("p\(person)@customers.example.net", in: Self.starting(person < 3 ? "one" : "two")))
        }
        let tomorrow = Office.start + .seconds(15 * 3600)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 5)
            for enrollment in enrollments[..<2] { try await office.settled(enrollment, as: [.sent]) }
            for enrollment in enrollments[2...] {
                let held = try await office.current(enrollment)
                #expect(held.heldBy == "daily starts of 2 for identity anna are reached" && held.dueAt == tomorrow)
            }
            office.wind(.seconds(15 * 3600))
            #expect(try await office.dispatcher.dispatchDue() == 3)
            for enrollment in enrollments[2..<4] { try await office.settled(enrollment, as: [.sent]) }
            // The follow-ups of the first day take nothing from the starts of the second, whose cap is reached.
            office.wind(.seconds(9 * 3600))
            #expect(try await office.dispatcher.dispatchDue() == 2)
            for enrollment in enrollments[..<2] { try await office.settled(enrollment, as: [.sent, .sent]) }
            #expect(try await office.current(enrollments[4]).dueAt == tomorrow + Self.day)
        }
    }

    @Test("so many start a day in a sequence, whatever another one does; who was held by another cap does not count")
    func startsOfSequence() async throws {
        let office = try Office(frequency: try policy(contact: 1))
        let capped = Self.starting("one", "daily_starts = 2")
        let other = try await office.enroll("p0@customers.example.net", in: Self.starting("two"))
        var enrollments: [Enrollment] = []
        for person in 0..<4 { enrollments.append(try await office.enroll("p\(person)@customers.example.net", in: capped)) }
        #expect(try await office.dispatcher.dispatchDue() == 5)
        #expect(try await office.store.messages(enrollment: other.id).count == 1)
        let counts = [0, 1, 1, 0]
        for (enrollment, count) in zip(enrollments, counts) {
            #expect(try await office.store.messages(enrollment: enrollment.id).count == count)
        }
        #expect(try await office.current(enrollments[0]).heldBy?.hasPrefix("frequency cap") == true)
        #expect(try await office.current(enrollments[3]).heldBy == "daily starts of 2 for sequence one are reached")
    }

    @Test("what a round starts counts for the date on which it starts")
    func tallyOfDates() async throws {
        let office = try Office()
        let days = [CivilDate(year: 2026, month: 3, day: 1), CivilDate(year: 2026, month: 3, day: 2)].compactMap(\.self)
        let caps = days.map { StartCap(subject: .identity("anna"), limit: 1, identities: ["anna"], sequence: nil, date: $0) }
        var tally = StartTally()
        for cap in caps { #expect(try await tally.reached([cap], store: office.store) == nil) }
        tally.note([caps[0]])
        let reached = try await tally.reached([caps[0]], store: office.store)
        let free = try await tally.reached([caps[1]], store: office.store)
        #expect(reached?.date == days[0] && free == nil)
    }

    @Test("a conf that is read again while steps are being decided holds for those too")
    func reload() async throws {
        let office = try Office(frequency: try policy(contact: 1))
        var enrollments: [Enrollment] = []
        for name in ["one", "two"] { enrollments.append(try await office.enroll("bo@customers.example.net", in: Self.file(name))) }
        let old = office.stepDesk.current
        let free = StepDispatcher.Desk(identities: old.identities, composer: old.composer, chance: old.chance, safety: old.safety)
        // The first look at the clock is for the claim; the second one comes when the round has begun.
        let clock = ActingClock(base: office.clock, at: 2) { office.stepDesk.swap(free) }
        let dispatcher = StepDispatcher(
            store: office.store, desk: office.stepDesk, ids: office.ids, clock: clock, bell: Bell(), outboxBell: office.outboxBell,
            owner: "tests", logger: Logger(label: "tests"))
        #expect(try await dispatcher.dispatchDue() == 2)
        #expect(try await office.store.messages(enrollment: enrollments[1].id).isEmpty)
        #expect(try await office.current(enrollments[1]).dueAt == Office.start)
        #expect(try await dispatcher.dispatchDue() == 1)
        #expect(try await office.store.messages(enrollment: enrollments[1].id).count == 1)
    }
}

/// A clock that does something when it is looked at for the n-th time.
private final class ActingClock: MailClock {
    private let base: HandClock
    private let place: Int
    private let act: @Sendable () -> Void
    private let looks = Atomic(0)

    init(base: HandClock, at place: Int, _ act: @escaping @Sendable () -> Void) {
        self.base = base
        self.place = place
        self.act = act
    }

    func now() -> Timestamp {
        if looks.add(1, ordering: .relaxed).newValue == place { act() }
        return base.now()
    }

    func sleep(until moment: Timestamp) async throws { try await base.sleep(until: moment) }
}
