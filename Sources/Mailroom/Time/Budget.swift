import Synchronization

/// What `work` gives within `budget` of real time; nil when that is over, or the task is cancelled: then `work` is cancelled and what it
/// still gives is lost.
func within<Value: Sendable>(_ budget: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value? {
    guard budget > .zero else { return nil }
    let answer = FirstAnswer<Value>()
    // Not children: a lookup goes on to its own deadline when it is cancelled, and a group would wait for that.
    let working = Task { answer.give(await work()) }
    let watching = Task {
        try? await Task.sleep(for: budget)
        answer.give(nil)
    }
    defer {
        working.cancel()
        watching.cancel()
    }
    return await withTaskCancellationHandler {
        await answer.wait()
    } onCancel: {
        answer.give(nil)
    }
}

/// The first of several answers; one task waits for it.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value?, Never>)
        case given(Value?)
    }

    private let state = Mutex(State.open)

    func give(_ value: Value?) {
        let waiting: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .open:
                state = .given(value)
                return nil
            case .waiting(let continuation):
                state = .given(value)
                return continuation
            case .given: return nil
            }
        }
        waiting?.resume(returning: value)
    }

    func wait() async -> Value? {
        await withCheckedContinuation { continuation in
            let given: Value?? = state.withLock { state in
                if case .given(let value) = state { return .some(value) }
                state = .waiting(continuation)
                return nil
            }
            if let given { continuation.resume(returning: given) }
        }
    }
}
