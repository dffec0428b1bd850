import InternetMessage
import TestKit
import Testing

@testable import Outreach

private let now = Timestamp(seconds: 1_772_438_400)  // 2026-03-02T08:00:00Z
private let due = now + .seconds(86_400)

@Suite("from one version of a sequence to another")
struct VersionMoveTests {
    private static let three = ["intro", "nudge", "last"]

    /// A version whose steps are messages, but for those whose name begins with "wait".
    private static func version(_ names: [String], id: Int64) throws -> SequenceVersion {
        let steps = names.map { name in
            name.utf8.starts(with: "wait".utf8)
                ? "[[step]]\nname = \"\(name)\"\ntype = \"wait\"\ndelay = \"P1D\"\n"
                : "[[step]]\nname = \"\(name)\"\ndelay = \"P1D\"\nsubject = \"s\"\ntext = \"t\"\n"
        }
        let plan = try SequenceFile(parsing: Array("name = \"x\"\n\(steps.joined())".utf8), file: "x.toml").plan
        return SequenceVersion(id: .init(rawValue: id), workspace: .default, plan: plan, hash: String(repeating: "\(id)", count: 64))
    }

    private func message(_ step: Int, _ state: OutboxMessage.State) throws -> OutboxMessage {
        let address = try #require(EmailAddress("ann@example.com"))
        return OutboxMessage(
            id: .init(rawValue: Int64(step) + 1), workspace: .default, enrollment: .init(rawValue: 7), contact: .init(rawValue: 3),
            step: step,
            occurrence: 0, identity: "anna", route: "out", reversePath: .null, recipient: address,
            messageID: try #require(MessageID(lenient: Array("\(step)@example.com".utf8))), subject: "s", bytes: [], createdAt: now,
            budgetDate: CivilDate(daysSinceEpoch: 0), state: state, reason: "", attempts: 1, nextAttemptAt: nil)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        var new: [String] = VersionMoveTests.three
        var state: Enrollment.State = .active
        var at = 1
        var sent: [Int] = [0]
        var cancelled: [Int] = []
        var isDone = false
        /// Where it goes on, in which state and when; nil: it stays.
        let goes: (step: Int, state: Enrollment.State, due: Timestamp?)?
        var says = ""
        var testDescription: String { what }
    }

    static let cases: [Case] = [
        Case(what: "other words, the same steps", goes: (1, .active, due)),
        Case(what: "a step more at the end", new: three + ["more"], goes: (1, .active, due)),
        Case(what: "a step before the one at which it stands", new: ["intro", "between", "nudge", "last"], goes: (2, .active, due)),
        Case(
            what: "a step before one that was written", new: ["hello", "intro", "nudge"], goes: nil,
            says: "'intro' was written to it as step 1, where the new version has 'hello'"),
        Case(
            what: "the step that was written is gone, and nothing is there", new: ["nudge"], at: 0, sent: [1], goes: nil,
            says: "'nudge' was written to it as step 2, where the new version has nothing"),
        Case(
            what: "a message that was taken back binds nothing", new: ["hello", "intro", "nudge"], at: 0, sent: [], cancelled: [0],
            goes: (1, .active, due)),
        Case(
            what: "its step is gone", new: ["intro", "last"], goes: nil, says: "it stands at 'nudge', which the new version does not have"),
        Case(what: "a message on its way stays on its way", state: .sending, at: 1, sent: [0, 1], goes: (1, .sending, nil)),
        Case(what: "a halted one stays halted", state: .paused, goes: (1, .paused, nil)),
        Case(what: "an absent one comes back as it would have", state: .held, goes: (1, .held, due)),
        Case(what: "who waited for a value is looked at anew", state: .needsData, goes: (1, .active, now)),
        Case(what: "behind a step that is done it is looked at anew", at: 0, isDone: true, goes: (0, .active, now)),
    ]

    @Test("goes on where it stood, or stays with the reason", arguments: cases)
    func moves(_ item: Case) throws {
        let (old, new) = (try Self.version(Self.three, id: 1), try Self.version(item.new, id: 2))
        let isWaiting = item.state == .active || item.state == .held
        let enrollment = Enrollment(
            id: .init(rawValue: 7), workspace: .default, contact: .init(rawValue: 3), sequence: old.id, identity: "anna", state: item.state,
            cause: nil, reason: "before", nextStep: item.at, dueAt: isWaiting ? due : nil, heldBy: nil, version: 4, createdAt: now,
            doneAt: item.isDone ? now : nil)
        let messages = try item.sent.map { try message($0, .sent) } + item.cancelled.map { try message($0, .cancelled) }
        switch VersionMove(from: old, to: new).verdict(on: enrollment, messages: messages, by: "Eve", at: now) {
        case .moves(let transition):
            let goes = try #require(item.goes, "it should stay")
            #expect(transition.nextStep == goes.step && transition.state == goes.state && transition.dueAt == goes.due)
            #expect(transition.movesTo == new.id && transition.expectedVersion == 4 && transition.doneAt == enrollment.doneAt)
            #expect(transition.reason.contains("version 222222222222 instead of 111111111111, by Eve"))
        case .stays(let why):
            #expect(item.goes == nil && why.contains(item.says) && !item.says.isEmpty, "\(why)")
        case .isDone: Issue.record("it is not over")
        }
    }

    @Test("a step of another type under the old name is another step")
    func otherType() throws {
        let (old, new) = (try Self.version(["intro", "wait"], id: 1), try Self.version(["intro", "last"], id: 2))
        var enrollment = Enrollment(
            id: .init(rawValue: 7), workspace: .default, contact: .init(rawValue: 3), sequence: old.id, identity: "anna", state: .active,
            cause: nil, reason: "", nextStep: 0, dueAt: due, heldBy: nil, version: 4, createdAt: now)
        let waits = try SequenceFile(
            parsing: Array("name = \"x\"\n[[step]]\nname = \"intro\"\ntype = \"wait\"\ndelay = \"P1D\"\n".utf8), file: "x.toml")
        let other = SequenceVersion(id: .init(rawValue: 3), workspace: .default, plan: waits.plan, hash: "3")
        let verdict = VersionMove(from: old, to: other).verdict(on: enrollment, messages: [], by: "Eve", at: now)
        #expect(verdict == .stays(because: "it stands at 'intro', which is of type send and becomes wait"))
        for state in [Enrollment.State.finished, .stopped] {
            enrollment.state = state
            #expect(VersionMove(from: old, to: new).verdict(on: enrollment, messages: [], by: "Eve", at: now) == .isDone)
        }
        enrollment.state = .active
        #expect(VersionMove(from: old, to: old).verdict(on: enrollment, messages: [], by: "Eve", at: now) == .isDone)
    }
}
