import NIOCore
import SMTP
import Synchronization

/// One attempt as its connection sees it: what to send, and the way to the attempt's task.
///
/// The connection tells of its news in their order and always ends with `ended`, whatever happens; so the task need not watch for anything
/// else, not even for its own cancellation.
final class DeliveryOrder: Sendable {
    /// What the attempt is told or asked.
    enum News: Sendable {
        case ready
        case startAuthentication(offered: [String])
        case challenge([UInt8])
        case confirmAuthentication
        case announceFinalDot
        case ended(Ending)
    }

    /// What an attempt came to on its connection, and what is known of the connection.
    struct Ending: Sendable {
        /// Of the transaction or, where there was none, of the session; nil when it was given up before a transaction began.
        let outcome: DeliveryOutcome?
        /// The peer's IP address; nil for a local socket, and where no connection came about.
        let peerAddress: String?
        let tls: String?
        let transcript: String
        let note: String?
        let isPeerRefused: Bool
        /// The server greeted: the session counts as one.
        let isGreeted: Bool
    }

    private struct State {
        var news: [News] = []
        var waiting: CheckedContinuation<News, Never>?
    }

    /// Dot-stuffed, without the final dot.
    let content: ByteBuffer
    private let state = Mutex(State())

    init(content: ByteBuffer) { self.content = content }

    func tell(_ news: News) {
        let waiting = state.withLock { state in
            if state.waiting == nil { state.news.append(news) }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: news)
    }

    /// The next news; one task asks, and not again after `ended`.
    func next() async -> News {
        await withCheckedContinuation { continuation in
            let news = state.withLock { state in
                if !state.news.isEmpty { return News?.some(state.news.removeFirst()) }
                state.waiting = continuation
                return nil
            }
            if let news { continuation.resume(returning: news) }
        }
    }
}
