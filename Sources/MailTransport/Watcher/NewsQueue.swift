import Synchronization

/// What a handler tells and one task takes, as much at a time as has gathered: whoever stores it can store it together.
final class NewsQueue<Element: Sendable>: Sendable {
    private struct State {
        var gathered: [Element] = []
        var isFinished = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func add(_ element: Element) {
        wake { $0.gathered.append(element) }
    }

    /// Nothing follows.
    func finish() {
        wake { $0.isFinished = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Everything that has gathered, waiting for it if need be; nil when all was taken and nothing follows. Called by one task.
    func next() async -> [Element]? {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.gathered.isEmpty, !state.isFinished {
                    state.waiting = continuation
                    return false
                }
                return true
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { state in
            defer { state.gathered = [] }
            return state.gathered.isEmpty ? nil : state.gathered
        }
    }
}
