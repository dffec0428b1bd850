import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// An identity of one workspace and people of another, as when a conf moves it.
@Suite("workspaces at work")
struct WorkspaceServiceTests {
    @Test("a step and a message of another workspace wait, and say why, while those of its own leave", .timeLimit(.minutes(4)))
    func apart() async throws {
        let office = try Office()
        let workspace = try #require(try await office.store.workspaces(making: ["sales"]).workspace(named: "sales")).id
        let own = try await office.enroll("ann@one.example.net")
        let version = try #require(try await office.store.sequence(id: own.sequence))
        let there = try await office.store.load(
            SequenceVersion(id: office.ids.next(), workspace: workspace, plan: version.plan, hash: version.hash))
        let contact = Contact(
            id: office.ids.next(), workspace: workspace, address: try Office.address("ann@one.example.net"),
            fields: ["company": "Example GmbH"], createdAt: Office.start)
        _ = try await office.store.save([contact])
        let foreign = Enrollment(
            id: office.ids.next(), workspace: workspace, contact: contact.id, sequence: there.id, identity: "anna", state: .active,
            cause: nil, reason: "", nextStep: 0, dueAt: Office.start, heldBy: nil, version: 0, createdAt: Office.start)
        #expect(try await office.store.enroll([foreign], timeline: []) == [.enrolled(foreign.id)])
        _ = try await office.dispatcher.dispatchDue()
        #expect(try await office.store.messages(enrollment: own.id).count == 1)
        #expect(try await office.store.messages(enrollment: foreign.id).isEmpty)
        #expect(try await office.current(foreign).heldBy?.contains("identity 'anna' belongs to another workspace") == true)

        let id: OutboxMessage.ID = office.ids.next()
        let message = OutboxMessage(
            id: id, workspace: workspace, enrollment: nil, contact: nil, step: 0, occurrence: 0, identity: "anna", route: "sink",
            reversePath: .null, recipient: contact.address, messageID: try #require(MessageID("\(id)@out.example.com")), subject: "Hi",
            bytes: Array("Subject: Hi\r\n\r\nHi\r\n".utf8), createdAt: Office.start, budgetDate: CivilDate(daysSinceEpoch: 20_000),
            nextAttemptAt: Office.start)
        #expect(try await office.store.dispatch(message, with: Consequence()) == .committed)
        try await office.delivering {
            _ = try await office.sink.waitForMessages(1)
            let waiting = try await eventually("the other one waits") {
                let found = try await office.store.message(id: id)
                return found?.awaits == nil ? nil : found
            }
            #expect(waiting.reason == "identity anna belongs to another workspace by now" && waiting.attempts == 0)
        }
        #expect(office.sink.messages.count == 1)
    }
}
