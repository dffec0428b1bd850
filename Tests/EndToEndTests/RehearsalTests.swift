import InternetMessage
import Mailroom
import Outreach
import Rehearsal
import Testing

/// The made-up world itself: its clock and its scripts.
@Suite struct RehearsalTests {
    private let monday = Timestamp(seconds: 1_772_439_900)

    @Test("the clock starts where it is told, runs, and is wound forward only")
    func winding() {
        let clock = RehearsalClock(start: monday)
        let first = clock.now()
        #expect(first >= monday && first - monday < .seconds(60))
        let later = monday + .seconds(7 * 86_400)
        clock.wind(to: later)
        let wound = clock.now()
        #expect(wound >= later && wound - later < .seconds(60))
        clock.wind(to: monday)
        #expect(clock.now() >= wound)
    }

    @Test("a sleeper of a week wakes when the clock is wound past its moment")
    func sleeping() async throws {
        let clock = RehearsalClock(start: monday)
        let moment = monday + .seconds(7 * 86_400)
        try await withThrowingTaskGroup(of: Timestamp.self) { group in
            group.addTask {
                try await clock.sleep(until: moment)
                return clock.now()
            }
            clock.wind(to: moment)
            let woke = try #require(try await group.next())
            #expect(woke >= moment)
        }
    }

    @Test("a sleeper can be cancelled")
    func cancelling() async {
        let clock = RehearsalClock(start: monday)
        let sleeper = Task { try await clock.sleep(until: monday + .seconds(86_400)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test("the cast is the contacts file: the same twelve addresses in the same order")
    func castAndContacts() throws {
        let table = try CSVTable(parsing: try Cast.file(Cast.contactsFile))
        let column = try #require(table.header.firstIndex(of: "email"))
        #expect(table.rows.map { $0.cells[column] } == Cast.all.map(\.address.text))
        #expect(Cast.all.count == 12)
        #expect(Weekday(of: CivilDate(Cast.start)) == .monday)
    }

    @Test("no script waits for a message that never comes", arguments: Cast.all.map(\.address.text))
    func scripts(address: String) throws {
        let recipient = try #require(Cast.all.first { $0.address.text == address })
        let plan = try SequenceFile(parsing: try Cast.file(Cast.sequenceFile), file: "sequence.toml").plan
        #expect(recipient.ending.stepsSent <= plan.steps.count)
        for reaction in recipient.reactions {
            #expect(reaction.message < recipient.ending.stepsSent)
            #expect(reaction.after > .zero)
        }
        // Silence to the end is all steps; whoever ends earlier has a reason to.
        let ends = recipient.ending.stepsSent < plan.steps.count
        #expect(ends == (recipient.ending.state == .stopped))
    }

    @Test("the judge sees each way in which an ending differs")
    func judging() throws {
        let lena = try #require(Cast.all.first { $0.address.text == "lena.fischer@fischer-druck.example" })
        let good = ScriptedRecipient.Findings(
            state: .stopped, cause: .replied, stepsSent: 1, arrivals: [monday], replyClass: .positive, certainty: .high,
            isSuppressed: false, attempts: 1)
        #expect(lena.ending.differences(from: good) == [])
        let changes: [(String, (inout ScriptedRecipient.Findings) -> Void)] = [
            ("state", { $0.state = .active }), ("cause", { $0.cause = nil }), ("steps sent", { $0.stepsSent = 2 }),
            ("messages in the mailbox", { $0.arrivals.append(monday) }), ("class", { $0.replyClass = .negative }),
            ("certainty", { $0.certainty = .medium }), ("suppressed", { $0.isSuppressed = true }),
            ("attempts of the first message", { $0.attempts = 2 }),
        ]
        for (name, change) in changes {
            var bad = good
            change(&bad)
            let differences = lena.ending.differences(from: bad)
            #expect(differences.count == 1 && differences.allSatisfy { $0.hasPrefix("\(name) is ") }, "\(name): \(differences)")
        }
    }

    @Test("a second message during an absence is a difference")
    func judgingAbsence() throws {
        let tomas = try #require(Cast.all.first { $0.address.text == "tomas.novak@vltava-press.example" })
        let quiet = try #require(tomas.ending.quietUntil)
        func findings(second: Timestamp) -> ScriptedRecipient.Findings {
            .init(
                state: .finished, cause: .completed, stepsSent: 3, arrivals: [monday, second, second], replyClass: .outOfOffice,
                certainty: .high, isSuppressed: false, attempts: 1)
        }
        #expect(tomas.ending.differences(from: findings(second: quiet.startOfDayUTC)) == [])
        #expect(tomas.ending.differences(from: findings(second: quiet.startOfDayUTC - .seconds(1))).count == 1)
    }
}
