import Foundation
import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// The services over a real store: what comes between a step that is due and a message that leaves.
@Suite("services over a store")
struct ServiceTests {
    static let bo = "bo@customers.example.net"
    static let cy = "cy@customers.example.net"

    @Test("a reply that arrives while the next step is deferred: nothing leaves any more")
    func replyWhileDeferred() async throws {
        let office = try Office()
        office.sink.script(Self.bo, .accept, .refuse("451 4.7.1 Greylisted"), then: .accept)
        let enrollment = try await office.enroll(Self.bo, steps: 3)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 1)
            let first = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(enrollment, as: [.sent])
            office.wind(.seconds(86_400))
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.sent, .deferred])

            try await office.reply(to: first, "Yes, I am interested. Let us talk on Tuesday.")
            #expect(try await office.current(enrollment).state == .stopped)
            #expect(try await office.current(enrollment).cause == .replied)
            try await office.settled(enrollment, as: [.sent, .cancelled])

            // Long after the retry was due, somebody else's mail leaves and theirs does not.
            office.wind(.seconds(3 * 86_400))
            let other = try await office.enroll(Self.cy, steps: 1)
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(other, as: [.sent])
        }
        try await office.settled(enrollment, as: [.sent, .cancelled])
        #expect(office.sink.messages(to: Self.bo).count == 1 && office.sink.refusals.count == 1)
    }

    @Test("a suppression between queueing and claim takes the message back")
    func suppressedInTheQueue() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo)
        let other = try await office.enroll(Self.cy)
        #expect(try await office.dispatcher.dispatchDue() == 2)
        try await office.store.suppress([
            Suppression(
                id: office.ids.next(), workspace: .default, subject: .init(try Office.address("BO@Customers.Example.NET")), reason: .manual,
                source: .manual, note: "", at: office.clock.now())
        ])
        try await office.delivering { _ = try await office.settled(other, as: [.sent]) }
        try await office.settled(enrollment, as: [.cancelled])
        #expect(office.sink.messages.map(\.recipients) == [[Self.cy]])
        let after = try await office.current(enrollment)
        #expect(after.state == .stopped && after.cause == .suppressed)
        office.wind(.seconds(3 * 86_400))
        #expect(try await office.current(enrollment).nextStep == 0)
    }

    @Test("an out-of-office note holds the sequence to the day of return, then it goes on in the thread")
    func outOfOffice() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo)
        try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            let first = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(enrollment, as: [.sent])
            // It bears no date of its own, so the day it came in on counts: 28 September 2026.
            try await office.reply(
                to: first, "I am out of the office and will be back on 9 October 2026.", header: "Auto-Submitted: auto-replied\r\n")
            let held = try await office.current(enrollment)
            let due = try #require(held.dueAt)
            #expect(held.state == .held && held.cause == .outOfOffice && held.nextStep == 1)
            #expect(due >= Office.start + .seconds(10 * 86_400) && due < Office.start + .seconds(14 * 86_400), "\(due)")

            office.wind(.seconds(5 * 86_400))
            #expect(try await office.dispatcher.dispatchDue() == 0)
            office.wind(due - office.clock.now())
            #expect(try await office.dispatcher.dispatchDue() == 1)
            let second = try #require(try await office.sink.waitForMessages(2).last)
            #expect(second.text.contains("In-Reply-To: <\(first.messageID)>") && second.text.contains("Subject: Re: About Example GmbH"))
            try await office.settled(enrollment, as: [.sent, .sent])
        }
        #expect(try await office.current(enrollment).state == .finished)
    }

    @Test("a value that no mail may carry parks the step with a reason that says where it is and what to do")
    func forbiddenValue() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo, steps: 1, fields: ["company": "Example\r\nBcc: all@example.net"])
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let parked = try await office.current(enrollment)
        #expect(parked.state == .needsData && parked.dueAt == nil)
        #expect(
            parked.reason
                == "step step 0 cannot be written: Subject: the value holds a carriage return (U+000D); take it out (it comes from the template or a field of the contact)"
        )
        #expect(try await office.store.messages(enrollment: enrollment.id).isEmpty)
    }

    @Test("a missing value parks the step and names the tag; once it is given and a person resumes, the step leaves")
    func missingValue() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo, steps: 1, fields: [:])
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let parked = try await office.current(enrollment)
        #expect(parked.state == .needsData && parked.cause == .missingValue && parked.reason.contains("company") && parked.dueAt == nil)
        #expect(try await office.store.messages(enrollment: enrollment.id).isEmpty)
        office.wind(.seconds(86_400))
        #expect(try await office.dispatcher.dispatchDue() == 0)

        _ = try await office.contact(Self.bo, fields: ["company": "Example GmbH"])
        let machine = try #require(try await office.store.machine(of: enrollment.id, identities: [:]))
        let consequence = OutboxConsequence.changed(
            machine, .resumed(by: "tests", log: [], absences: []), ids: office.ids, at: office.clock.now())
        #expect(try await office.store.apply(consequence) == .committed)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.sent])
        }
        #expect(office.sink.messages.first?.text.contains("Subject: About Example GmbH") == true)
    }

    @Test("the daily limit and the gap put a due step off, with the reason noted on it")
    func pacing() async throws {
        let office = try Office(dailyLimit: 2, gap: .seconds(600))
        var enrollments: [Enrollment] = []
        for name in ["a", "b", "c"] { enrollments.append(try await office.enroll("\(name)@customers.example.net", steps: 1)) }
        #expect(try await office.dispatcher.dispatchDue() == 3)
        func held() async throws -> [Enrollment] {
            var held: [Enrollment] = []
            for enrollment in enrollments {
                let now = try await office.current(enrollment)
                if now.state == .active { held.append(now) } else { #expect(now.state == .sending) }
            }
            return held.sorted { ($0.dueAt ?? Office.start) < ($1.dueAt ?? Office.start) }
        }
        // Both wait for the gap; when the second has left, the limit binds the third before the gap does, until the sender's next day.
        let waiting = try await held()
        try #require(waiting.count == 2)
        #expect(waiting.allSatisfy { $0.heldBy?.contains("minimum gap") == true }, "\(waiting)")
        #expect(waiting.allSatisfy { $0.dueAt == Office.start + .seconds(600) }, "\(waiting)")
        office.wind(.seconds(600))
        #expect(try await office.dispatcher.dispatchDue() == 2)
        let last = try #require(try await held().first)
        #expect(last.heldBy?.contains("daily limit of 2") == true, "\(last)")
        let due = try #require(last.dueAt)
        office.wind(due - office.clock.now())
        #expect(try await office.dispatcher.dispatchDue() == 1)
        #expect(try await office.current(last).state == .sending && due.milliseconds % 86_400_000 == 0)
        #expect(try await office.store.counts()[.incoming] == 3)
    }
}
