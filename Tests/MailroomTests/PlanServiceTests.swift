import InternetMessage
import MailClassifier
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// Plans that branch, through the real store, dispatcher, deliverer and sorter on a clock that is wound by hand.
@Suite("plans that branch, through the services", .serialized)
struct PlanServiceTests {
    static let bo = "bo@customers.example.net"
    private static let day = Duration.seconds(86_400)

    static let file = """
        name = "branches"
        stop_on = ["hard_bounce"]
        [[step]]
        name = "intro"
        subject = "About {{company}}"
        text = "One"
        [[step.transition]]
        on = "replied"
        class = "positive"
        to = "mark"
        [[step.transition]]
        on = "replied"
        to = "choose"
        [[step.transition]]
        on = "bounced"
        class = "inactive_mailbox"
        to = "short"
        [[step.transition]]
        on = "no_reply"
        after = "P3D"
        to = "nudge"
        [[step]]
        name = "nudge"
        delay = "PT0S"
        text = "Two"
        transition = []
        [[step]]
        type = "action"
        name = "mark"
        set = { stage = "warm" }
        enroll = "welcome"
        next = "answered"
        [[step]]
        type = "stop"
        name = "answered"
        reason = "a person takes over"
        [[step]]
        type = "condition"
        name = "choose"
        delay = "P1D"
        [[step.transition]]
        if = 'field.size == "big" and sent.intro and not bounced'
        to = "big"
        [[step.transition]]
        to = "small"
        [[step]]
        name = "big"
        delay = "PT0S"
        text = "For the big"
        transition = []
        [[step]]
        name = "small"
        delay = "PT0S"
        text = "For the small"
        transition = []
        [[step]]
        name = "short"
        delay = "PT0S"
        subject = "In short"
        text = "Short"
        transition = []
        """

    private static let welcome = """
        name = "welcome"
        [[step]]
        type = "wait"
        name = "first"
        delay = "P2D"
        [[step]]
        name = "hello"
        delay = "PT0S"
        subject = "Welcome"
        text = "Welcome"
        """

    /// The lines of what became of an enrollment and when, without what is made anew each time.
    private func transitions(_ office: Office, _ enrollment: Enrollment) async throws -> [String] {
        try await office.store.timeline(contact: enrollment.contact).filter { $0.kind == .transition && $0.enrollment == enrollment.id }
            .map { "\($0.at.iso8601) \($0.summary)" }
    }

    @Test("the classes of failures and the intents that plans may name are those that there are")
    func words() {
        #expect(Set(PlanCheck.intents) == Set(Intent.allCases.map(\.rawValue)))
        #expect(Set(PlanCheck.failureClasses) == Set(FailureClass.allCases.map(\.rawValue)))
    }

    @Test("nobody answers: the nudge leaves after three days, in the thread, and the sequence ends behind it")
    func noReply() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo, in: Self.file)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.sent])
            let waiting = try await office.current(enrollment)
            let due = try #require(waiting.dueAt)
            #expect(waiting.state == .active && waiting.nextStep == 0 && waiting.doneAt != nil && due - Office.start >= Self.day * 3)
            office.wind(Self.day * 2)
            #expect(try await office.dispatcher.dispatchDue() == 0)
            office.wind(due - office.clock.now())
            // First the way, then the message.
            #expect(try await office.dispatcher.dispatchDue() == 1)
            #expect(try await office.current(enrollment).nextStep == 1)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.sent, .sent])
        }
        let mail = office.sink.messages(to: Self.bo)
        #expect(mail.last?.text.contains("In-Reply-To: <\(try #require(mail.first).messageID)>") == true)
        #expect(try await office.current(enrollment).state == .finished)
        let lines = try await transitions(office, enrollment)
        #expect(lines.contains { $0.contains("at intro since") && $0.contains("no_reply after P3D: goes to nudge") }, "\(lines)")
    }

    @Test("an answer takes the way of its class: a positive one marks the contact, begins another sequence and stops")
    func positive() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo, in: Self.file)
        let welcome = try await office.load(Self.welcome)
        try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            let first = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(enrollment, as: [.sent])
            try await office.reply(to: first, "Yes, I am interested. Let us talk on Tuesday.")
            #expect(try await office.dispatcher.dispatchDue() == 1)
            let ended = try await office.current(enrollment)
            #expect(ended.state == .finished && ended.reason.contains("a person takes over"))
            let contact = try #require(try await office.store.contact(id: enrollment.contact))
            #expect(contact.fields == ["company": "Example GmbH", "stage": "warm"])
            let begun = try await office.store.enrollments(contact: contact.id)
            #expect(begun.count == 2 && begun.first?.sequence == welcome.id && begun.first?.doneAt != nil)
            office.wind(Self.day * 2)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            #expect(try await office.sink.waitForMessages(2).last?.text.contains("Subject: Welcome") == true)
        }
    }

    @Test(
        "sequences that begin each other come to an end, and it is told; a person may enroll anew",
        arguments: [["a"], ["a", "b"], ["a", "b", "c"]])
    func circle(names: [String]) async throws {
        let office = try Office()
        for (index, name) in names.enumerated() {
            // Written by hand: files that lead back to themselves are refused.
            let next = names[(index + 1) % names.count]
            let plan = SequencePlan(
                name: name, description: "", steps: [.init(name: "on", work: .action([.enroll(sequence: next)]))], stopOn: [])
            _ = try await office.store.load(SequenceVersion(id: office.ids.next(), workspace: .default, plan: plan, hash: name))
        }
        let contact = try await office.contact(Self.bo)
        let version = try #require(try await office.store.sequence(workspace: .default, name: "a"))
        for round in 1...2 {
            let enrollment = Enrollment(
                id: office.ids.next(), workspace: .default, contact: contact.id, sequence: version.id, identity: "anna", state: .active,
                cause: nil, reason: "", nextStep: 0, dueAt: office.clock.now(), heldBy: nil, version: 0, createdAt: office.clock.now())
            #expect(try await office.store.enroll([enrollment], timeline: [], again: true) == [.enrolled(enrollment.id)])
            for _ in 0..<10 { _ = try await office.dispatcher.dispatchDue() }
            let all = try await office.store.enrollments(contact: contact.id)
            #expect(all.count == names.count * round && all.allSatisfy { $0.state == .finished })
            let told = try await office.store.timeline(contact: contact.id).filter {
                $0.summary.hasPrefix("does not begin the sequence 'a' again")
            }
            #expect(told.count == round && told.last?.enrollment == all.first?.id, "\(told)")
        }
    }

    @Test("two sequences may begin the same one, one after the other")
    func twice() async throws {
        let office = try Office()
        func load(_ name: String, _ begins: [String]) async throws -> SequenceVersion {
            let steps = begins.enumerated().map { SequencePlan.Step(name: "on\($0)", work: .action([.enroll(sequence: $1)])) }
            let plan = SequencePlan(name: name, description: "", steps: steps + [.init(name: "end", work: .stop(reason: nil))], stopOn: [])
            return try await office.store.load(SequenceVersion(id: office.ids.next(), workspace: .default, plan: plan, hash: name))
        }
        _ = try await load("goal", [])
        _ = try await load("one", ["goal"])
        _ = try await load("two", ["goal"])
        let contact = try await office.contact(Self.bo)
        let version = try await load("both", ["one", "two"])
        let enrollment = Enrollment(
            id: office.ids.next(), workspace: .default, contact: contact.id, sequence: version.id, identity: "anna", state: .active,
            cause: nil, reason: "", nextStep: 0, dueAt: office.clock.now(), heldBy: nil, version: 0, createdAt: office.clock.now())
        #expect(try await office.store.enroll([enrollment], timeline: []) == [.enrolled(enrollment.id)])
        for _ in 0..<10 { _ = try await office.dispatcher.dispatchDue() }
        let begun = try await office.store.enrollments(contact: contact.id).filter { $0.reason.utf8.count > 0 }
        #expect(begun.count >= 4 && begun.allSatisfy { $0.state == .finished }, "\(begun)")
        #expect(try await office.store.timeline(contact: contact.id).allSatisfy { !$0.summary.hasPrefix("does not begin") })
    }

    @Test("another answer comes to a condition, which looks at fields and at what came before", arguments: ["big", "tiny"])
    func condition(size: String) async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo, in: Self.file, fields: ["company": "X", "size": size])
        try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            let first = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(enrollment, as: [.sent])
            try await office.reply(to: first, "What does it cost?")
            #expect(try await office.dispatcher.dispatchDue() == 0)
            office.wind(Self.day)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            let second = try #require(try await office.sink.waitForMessages(2).last)
            #expect(second.text.contains(size == "big" ? "For the big" : "For the small"))
        }
    }

    @Test("an action gives and takes tags and lists with its transition, and a condition behind it looks at them")
    func groups() async throws {
        let office = try Office()
        let source = """
            name = "marks"
            [[step]]
            type = "action"
            name = "mark"
            untag = "cold"
            tag = ["Hot", "seen"]
            list = "Fair 2026"
            unlist = "old"
            [[step]]
            type = "condition"
            name = "choose"
            [[step.transition]]
            if = "tag.cold or not list:'fair 2026'"
            to = "no"
            [[step.transition]]
            if = "tag.hot"
            to = "yes"
            [[step]]
            type = "stop"
            name = "yes"
            [[step]]
            type = "stop"
            name = "no"
            """
        let enrollment = try await office.enroll(Self.bo, in: source)
        let cold = try ContactGroup.Name(.tag, "Cold")
        _ = try await office.store.regroup([.init(contact: enrollment.contact, name: cold, isMember: true, at: Office.start)])
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let groups = try await office.store.groups(of: [enrollment.contact])[enrollment.contact]
        #expect(groups?.map(\.description) == ["tag Hot", "tag seen", "list Fair 2026"])
        let words = "mark done (no tag cold, no list old, tag Hot, tag seen, list Fair 2026): goes to choose"
        let lines = try await transitions(office, enrollment)
        #expect(lines.last?.contains(words) == true, "\(lines)")
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let ended = try await office.current(enrollment)
        #expect(ended.state == .finished && ended.nextStep == 2, "\(ended.reason)")
    }

    @Test("an owner is drawn among several, the same for the same contact, and whoever has one of them keeps it")
    func owners() async throws {
        let office = try Office()
        let source = """
            name = "sharing"
            [[step]]
            type = "action"
            name = "share"
            owner = ["anna", "ben"]
            [[step]]
            type = "stop"
            name = "end"
            """
        var drawn: [String: Int] = [:]
        for number in 0..<40 {
            let enrollment = try await office.enroll("person-\(number)@customers.example.net", in: source)
            // Each tenth has an owner that is one of them, the one behind it one that is not.
            let present = number % 10 == 0 ? "BEN" : number % 10 == 1 ? "eve" : ""
            _ = try await office.store.set([.init(contact: enrollment.contact, name: "owner", value: present)], at: office.clock.now())
            while try await office.dispatcher.dispatchDue() > 0 {}
            let owner = try #require(try await office.store.contact(id: enrollment.contact)?.fields["owner"])
            if number % 10 == 0 { #expect(owner == "ben") } else { drawn[owner, default: 0] += 1 }
            let lines = try await transitions(office, enrollment)
            #expect(lines.contains { $0.contains("share done (owner \(owner))") }, "\(lines)")
        }
        #expect(drawn.keys.sorted() == ["anna", "ben"] && drawn.values.allSatisfy { $0 > 8 }, "\(drawn)")
    }

    @Test("a refusal of the class that the plan names goes another way; any other one stops")
    func bounce() async throws {
        let office = try Office()
        office.sink.script(Self.bo, .refuse("550 5.2.1 The account is disabled"), then: .accept)
        let other = "cy@customers.example.net"
        office.sink.script(other, .refuse("550 5.1.1 No such user"), then: .accept)
        let enrollment = try await office.enroll(Self.bo, in: Self.file)
        let gone = try await office.enroll(other, in: Self.file)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 2)
            try await office.settled(enrollment, as: [.bounced])
            try await office.settled(gone, as: [.bounced])
            #expect(try await office.dispatcher.dispatchDue() == 1)
            let short = try #require(try await office.sink.waitForMessages(1).first)
            #expect(short.text.contains("Subject: In short") && !short.text.contains("In-Reply-To"))
        }
        #expect(try await office.current(gone).cause == .bounced)
    }

    @Test("a message that is put off for too long is taken back, and what follows leaves in its place")
    func deferred() async throws {
        let office = try Office()
        office.sink.script(Self.bo, then: .refuse("451 4.7.1 Greylisted"))
        let source = """
            name = "late"
            [[step]]
            name = "intro"
            subject = "One"
            text = "One"
            [[step.transition]]
            on = "deferred"
            after = "PT6H"
            to = "other"
            [[step]]
            name = "other"
            delay = "PT0S"
            subject = "Two"
            text = "Two"
            """
        let enrollment = try await office.enroll(Self.bo, in: source)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.deferred])
            #expect(try await office.current(enrollment).state == .sending)
            // Hours in which nothing ran are none in which it was put off.
            office.wind(.seconds(7 * 3600))
            func message() async throws -> OutboxMessage { try #require(try await office.store.messages(enrollment: enrollment.id).first) }
            _ = try await eventually("tried again") { try await message().attempts == 2 ? true : nil }
            #expect(try await message().state == .deferred)
            var tries = 2
            while try await message().state == .deferred, tries < 100 {
                office.wind(.seconds(301))
                tries = try await eventually("tried again") {
                    let now = try await message()
                    return now.state == .cancelled || now.attempts > tries ? now.attempts : nil
                }
            }
            // Every five minutes for six hours.
            #expect((70...75).contains(tries))
            try await office.settled(enrollment, as: [.cancelled])
            office.sink.script(Self.bo, then: .accept)
            #expect(try await office.current(enrollment).nextStep == 1)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.cancelled, .sent])
        }
        #expect(office.sink.messages(to: Self.bo).map { $0.text.contains("Subject: Two") } == [true])
    }

    @Test("variants: everybody keeps theirs, it stands on the message, and both are used")
    func variants() async throws {
        let office = try Office()
        let source = """
            name = "ab"
            [[step]]
            name = "intro"
            [[step.variant]]
            name = "a"
            subject = "Subject of a"
            text = "[[Hello|Hi]]"
            [[step.variant]]
            name = "b"
            subject = "Subject of b"
            text = "[[Hello|Hi]]"
            [[step]]
            name = "two"
            delay = "P1D"
            text = "More"
            """
        var enrollments: [Enrollment] = []
        for number in 0..<30 { enrollments.append(try await office.enroll("c\(number)@customers.example.net", in: source)) }
        #expect(try await office.dispatcher.dispatchDue() == 30)
        var counts: [String: Int] = [:]
        for enrollment in enrollments {
            let message = try #require(try await office.store.messages(enrollment: enrollment.id).first)
            let variant = try #require(message.variant)
            #expect(message.subject == "Subject of \(variant)")
            counts[variant, default: 0] += 1
        }
        #expect(counts.keys.sorted() == ["a", "b"] && counts.values.allSatisfy { $0 > 3 })
        try await office.store.countAllEvents()
        let parts = try await office.store.statistics(workspace: .default, sequenceName: "ab", by: .variant, since: nil)
        let version = try #require(enrollments.first).sequence
        #expect(Set(parts.map(\.value)) == [.variant(version, step: 0, "a"), .variant(version, step: 0, "b")])
        #expect(parts.allSatisfy { part in counts.contains { part.value == .variant(version, step: 0, $0) && part.tally[.queued] == $1 } })
    }

    @Test("quiet hours of the plan keep its mail back, and nothing else")
    func quietHours() async throws {
        let office = try Office()
        // It is 09:00 UTC, 11:00 in Berlin.
        let quiet = "name = \"q\"\ntimezone = \"Europe/Berlin\"\nquiet_hours = \"10:00-12:30\"\n[[step]]\nsubject = \"s\"\ntext = \"t\"\n"
        let enrollment = try await office.enroll(Self.bo, in: quiet)
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let held = try await office.current(enrollment)
        #expect(held.dueAt?.iso8601 == "2026-09-28T10:30:00Z" && held.heldBy?.contains("quiet hours of the sequence") == true)
        office.wind(.seconds(5_400))
        #expect(try await office.dispatcher.dispatchDue() == 1)
        #expect(try await office.current(enrollment).state == .sending)
    }

    @Test("a process that ends between claiming and deciding changes nothing of what is decided")
    func killed() async throws {
        var runs: [[String]] = []
        for isKilled in [false, true] {
            let office = try Office()
            let enrollment = try await office.enroll(Self.bo, in: Self.file)
            func round() async throws {
                if isKilled {
                    let now = office.clock.now()
                    _ = try await office.store.claimDue(now: now, limit: 10, lease: Lease(owner: "dead", until: now + .seconds(120)))
                    #expect(try await office.dispatcher.dispatchDue() == 0)
                    // What the next start does.
                    try await office.store.releaseLeases(owner: "dead")
                }
                _ = try await office.dispatcher.dispatchDue()
            }
            try await office.delivering {
                try await round()
                try await office.settled(enrollment, as: [.sent])
                office.wind(Self.day * 3)
                try await round()
                try await round()
                try await office.settled(enrollment, as: [.sent, .sent])
            }
            runs.append(try await transitions(office, enrollment))
        }
        #expect(runs[0] == runs[1] && runs[0].count >= 5, "\(runs)")
    }
}
