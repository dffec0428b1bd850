import InternetMessage
import Outreach
import Synchronization

/// What is paused, as the store last said: while nothing is, it is not asked again for a second.
final class PauseBoard: Sendable {
    private static let patience = Duration.seconds(1)
    /// A try that has not ended by then is forgotten.
    private static let longestTry = Duration.seconds(3600)
    /// For so long a doubt about an identity counts.
    private static let longestDoubt = Duration.seconds(86_400)

    private struct State {
        var pauses: [SendingPause.Subject: SendingPause] = [:]
        var askAt: Timestamp?
        /// Goes up with what attempts tell: an answer of the store that is older is not taken.
        var news = 0
        /// When a message of an identity whose pause is over was let through to try it.
        var tries: [String: Timestamp] = [:]
        /// Which sites of nobody known found fault with an identity, and when.
        var doubts: [String: [String: Timestamp]] = [:]
    }

    private let state = Mutex(State())

    /// Those that are over and wait for a delivery to get through are among them.
    func current(of store: any PauseStore, at now: Timestamp) async throws(StoreError) -> [SendingPause.Subject: SendingPause] {
        let (known, news) = state.withLock { state in
            guard let askAt = state.askAt, state.pauses.isEmpty, now < askAt, askAt - now <= Self.patience else {
                return ([SendingPause.Subject: SendingPause]?.none, state.news)
            }
            return (state.pauses, state.news)
        }
        if let known { return known }
        let found = try await store.pauses()
        return state.withLock { state in
            guard state.news == news else { return state.pauses }
            state.pauses = Dictionary(found.map { ($0.subject, $0) }) { $1 }
            state.askAt = now + Self.patience
            return state.pauses
        }
    }

    /// The pause as it was last seen; nil when there was none.
    subscript(_ subject: SendingPause.Subject) -> SendingPause? { state.withLock { $0.pauses[subject] } }

    /// What was paused when it was last asked.
    var subjects: [SendingPause.Subject] { state.withLock { Array($0.pauses.keys) } }

    func note(_ pause: SendingPause) {
        state.withLock { state in
            state.pauses[pause.subject] = pause
            state.news += 1
        }
    }

    func forget(_ subject: SendingPause.Subject) {
        state.withLock { state in
            state.pauses[subject] = nil
            state.news += 1
            if case .identity(let name) = subject { state.doubts[name] = nil }
        }
    }

    /// Whether one message may try whether an identity works again; false while another one does.
    func tries(_ identity: String, at now: Timestamp) -> Bool {
        state.withLock { state in
            if let began = state.tries[identity], now - began < Self.longestTry, began <= now { return false }
            state.tries[identity] = now
            return true
        }
    }

    /// The message that tried has ended, whatever came of it.
    func hasTried(_ identity: String) { state.withLock { $0.tries[identity] = nil } }

    /// Whether this is the second site of nobody known that finds fault with an identity: one alone could pause it at will.
    func isSecondDoubt(about identity: String, of site: String, at now: Timestamp) -> Bool {
        state.withLock { state in
            var doubts = state.doubts[identity, default: [:]].filter { now - $0.value < Self.longestDoubt }
            doubts[site] = now
            state.doubts[identity] = doubts
            return doubts.count > 1
        }
    }
}
