import Glibc
import Synchronization

/// Says when the disk cannot take more mail for now: too little room, commits that take too long, or a commit that found the disk full.
///
/// The listeners put new messages off with 452 as long as it is high, so that what is under way, and the outcomes of what was sent, still
/// find room. It falls by itself when the cause is gone.
package final class StoragePressure: Sendable {
    /// A commit that takes longer is a sign that the disk does not keep up.
    private static let slowCommit = Duration.seconds(2)
    /// How long a slow or failed commit is remembered.
    private static let memory = Duration.seconds(5)
    /// How long after a commit the next one may be expected.
    private static let lull = Duration.milliseconds(40)
    /// How long one look at the disk holds.
    private static let glance = Duration.milliseconds(500)

    private struct State {
        var commits: [UInt64: ContinuousClock.Instant] = [:]
        var next: UInt64 = 0
        var lastCommit: ContinuousClock.Instant?
        var troubledUntil: ContinuousClock.Instant?
        var lookedAt: ContinuousClock.Instant?
        var isHigh = false
    }

    private let state = Mutex(State())
    private let minimumFree: Swappable<UInt64>
    private let free: @Sendable () -> UInt64?
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - minimumFree: octets below which there is too little room.
    ///   - free: octets that are free; nil when that cannot be told, which is no reason to turn mail away.
    package init(
        minimumFree: UInt64, free: @escaping @Sendable () -> UInt64?,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.minimumFree = Swappable(minimumFree)
        self.free = free
        self.now = now
    }

    /// Watches the disk that holds the folder.
    package convenience init(folder: String, minimumFree: UInt64) {
        self.init(minimumFree: minimumFree, free: { Self.free(at: folder) })
    }

    /// Takes over a bound that was read again.
    package func require(minimumFree: UInt64) { self.minimumFree.swap(minimumFree) }

    package var isHigh: Bool {
        let now = now()
        return state.withLock { state in
            if let last = state.lookedAt, last.duration(to: now) < Self.glance { return state.isHigh }
            state.lookedAt = now
            let isTroubled = state.troubledUntil.map { now < $0 } ?? false
            let isSlow = state.commits.values.contains { $0.duration(to: now) > Self.slowCommit }
            state.isHigh = isTroubled || isSlow || free().map { $0 < minimumFree.current } ?? false
            return state.isHigh
        }
    }

    /// Whether mail is being taken in right now: other writers do well to wait, because clients wait for their 250.
    var isTakingIn: Bool {
        let now = now()
        return state.withLock { state in
            !state.commits.isEmpty || state.lastCommit.map { $0.duration(to: now) < Self.lull } ?? false
        }
    }

    /// Watches one commit.
    ///
    /// - Throws: what `commit` throws.
    func watch<Failure: Error>(_ commit: () async throws(Failure) -> Void) async throws(Failure) {
        let began = now()
        let ticket = state.withLock { state in
            state.next += 1
            state.commits[state.next] = began
            return state.next
        }
        defer {
            let ended = now()
            state.withLock { state in
                state.commits[ticket] = nil
                state.lastCommit = ended
                if began.duration(to: ended) > Self.slowCommit { Self.note(&state, ended) }
            }
        }
        try await commit()
    }

    /// A commit found the disk full.
    func noteFull() {
        let now = now()
        state.withLock { Self.note(&$0, now) }
    }

    private static func note(_ state: inout State, _ now: ContinuousClock.Instant) {
        state.troubledUntil = now + memory
        state.lookedAt = nil
    }

    private static func free(at folder: String) -> UInt64? {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        let (octets, overflow) = UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize))
        return overflow ? .max : octets
    }
}
