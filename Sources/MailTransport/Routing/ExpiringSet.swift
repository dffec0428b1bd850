import Synchronization

/// What is remembered for a while and in this process only; when it is full the oldest goes.
final class ExpiringSet<Element: Hashable & Sendable>: Sendable {
    private let lifetime: Duration
    private let limit: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let ends = Mutex<[Element: ContinuousClock.Instant]>([:])

    init(lifetime: Duration, limit: Int = 10_000, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.lifetime = lifetime
        self.limit = limit
        self.now = now
    }

    func contains(_ element: Element) -> Bool {
        let now = now()
        return ends.withLock { ends in
            guard let end = ends[element] else { return false }
            if end > now { return true }
            ends[element] = nil
            return false
        }
    }

    func insert(_ element: Element) {
        let now = now()
        ends.withLock { ends in
            if ends.count >= limit, ends[element] == nil {
                ends = ends.filter { $0.value > now }
                if ends.count >= limit, let oldest = ends.min(by: { $0.value < $1.value })?.key { ends[oldest] = nil }
            }
            ends[element] = now + lifetime
        }
    }

    func remove(_ element: Element) { ends.withLock { _ = $0.removeValue(forKey: element) } }
}
