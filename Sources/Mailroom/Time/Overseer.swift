import Synchronization

/// Keeps pieces of work from going on for ever: each has a limit, and somebody looks now and then whose is over.
///
/// Meant for limits that are hardly ever reached: a timer for each would cost more than the work. It follows the real time.
final class Overseer: Sendable {
    private struct State {
        var next = 0
        var running: [Int: (end: ContinuousClock.Instant, cancel: @Sendable () -> Void)] = [:]
    }

    private let state = Mutex(State())

    /// How many pieces of work go on.
    var count: Int { state.withLock { $0.running.count } }

    /// What `work` gives. It is cancelled when the caller is, and by the first `endOverdue` after `limit`.
    func limited<Value: Sendable>(to limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await work() }
        let cancel: @Sendable () -> Void = { task.cancel() }
        let number = state.withLock { state in
            state.next += 1
            state.running[state.next] = (.now + limit, cancel)
            return state.next
        }
        defer { state.withLock { $0.running[number] = nil } }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            cancel()
        }
    }

    /// Cancels what has gone on for longer than its limit.
    func endOverdue(at now: ContinuousClock.Instant = .now) {
        let overdue = state.withLock { state in state.running.values.filter { $0.end <= now }.map(\.cancel) }
        for cancel in overdue { cancel() }
    }
}
