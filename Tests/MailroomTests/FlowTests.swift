import TestKit
import Testing

@testable import Mailroom

@Suite("places for messages that stand ready")
struct FlowTests {
    private typealias Flow = OutboxDeliverer.Flow

    /// Three that wait for the one place of route `a`, in their order.
    private func queue(_ flow: Flow) async throws -> (tickets: [Flow.Ticket], answers: [Task<Bool, Never>]) {
        let tickets = (0..<3).map { _ in flow.began("a") }
        var answers: [Task<Bool, Never>] = []
        for (number, ticket) in tickets.enumerated() {
            answers.append(Task { await flow.seat(ticket, of: 1) })
            try await eventually("it waits") { flow.standingReady == number + 1 }
        }
        return (tickets, answers)
    }

    @Test("those who wait for a place get it in their order, and each route has its own", .timeLimit(.minutes(1)))
    func order() async throws {
        let flow = Flow()
        let first = flow.began("a")
        #expect(await flow.seat(first, of: 1))
        let (tickets, answers) = try await queue(flow)
        #expect(await flow.seat(flow.began("b"), of: 1))
        for (ended, seated) in zip([first] + tickets, 0..<3) {
            _ = flow.ended(ended)
            #expect(await answers[seated].value)
            #expect(flow.standingReady == 2 - seated)
        }
        #expect(flow.survey() == ["a": 1, "b": 1])
    }

    @Test("one that ends without having had a place frees none; one that is cancelled leaves the queue", .timeLimit(.minutes(1)))
    func leaving() async throws {
        let flow = Flow()
        let first = flow.began("a")
        #expect(await flow.seat(first, of: 1))
        let (tickets, answers) = try await queue(flow)
        answers[0].cancel()
        #expect(await answers[0].value == false)
        _ = flow.ended(tickets[0])
        #expect(flow.standingReady == 2)
        _ = flow.ended(first)
        #expect(await answers[1].value)
        #expect(flow.standingReady == 1)
        _ = flow.ended(tickets[1])
        #expect(await answers[2].value)
    }

    @Test("a conf with fewer places lets nobody begin before there is one by its count", .timeLimit(.minutes(1)))
    func fewer() async throws {
        let flow = Flow()
        let seated = [flow.began("a"), flow.began("a")]
        for ticket in seated { #expect(await flow.seat(ticket, of: 2)) }
        let (_, answers) = try await queue(flow)
        _ = flow.ended(seated[0])
        #expect(flow.standingReady == 3)
        _ = flow.ended(seated[1])
        #expect(await answers[0].value)
        #expect(flow.standingReady == 2)
        flow.stop()
    }

    @Test("once it stops, nobody who waits begins", .timeLimit(.minutes(1)))
    func stop() async throws {
        let flow = Flow()
        #expect(await flow.seat(flow.began("a"), of: 1))
        let (_, answers) = try await queue(flow)
        flow.stop()
        for answer in answers { #expect(await answer.value == false) }
        #expect(await flow.seat(flow.began("b"), of: 1) == false)
    }
}
