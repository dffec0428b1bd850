import Testing

@testable import Mailroom

@Suite("work that must not go on for ever")
struct OverseerTests {
    @Test("what has gone on for longer than its limit is cancelled, and nothing else", .timeLimit(.minutes(4)))
    func limits() async {
        let overseer = Overseer()
        async let short = overseer.limited(to: .seconds(60)) { await Self.isCancelled() }
        async let long = overseer.limited(to: .seconds(6000)) { await Self.isCancelled() }
        // Both must have begun; what begins later is not overdue at that moment either.
        while overseer.count < 2 { await Task.yield() }
        overseer.endOverdue()
        #expect(overseer.count == 2)
        overseer.endOverdue(at: .now + .seconds(600))
        #expect(await short)
        #expect(overseer.count == 1)
        overseer.endOverdue(at: .now + .seconds(6600))
        #expect(await long)
        #expect(overseer.count == 0)
    }

    @Test("who is cancelled cancels the work", .timeLimit(.minutes(4)))
    func caller() async {
        let overseer = Overseer()
        let task = Task { await overseer.limited(to: .seconds(60)) { await Self.isCancelled() } }
        while overseer.count < 1 { await Task.yield() }
        task.cancel()
        #expect(await task.value)
    }

    /// Goes on until it is cancelled.
    private static func isCancelled() async -> Bool {
        try? await Task.sleep(for: .seconds(3600))
        return Task.isCancelled
    }
}
