import Dispatch
import GRDB
import GRDBSQLite
import Outreach
import Synchronization

/// Brings what the log holds into the file beside the writer, so that nobody who waits for a commit waits for that as well.
///
/// When the writer has written `length` pages, a connection of its own copies the log while commits go on. What they add meanwhile, the
/// writer copies itself between two of them: only when nothing is left the log begins anew. SQLite's own checkpoint within a commit, at
/// `backstop` pages, is left for a log that grows faster than it is copied, or that a reader holds on to.
final class LogKeeper: Sendable {
    /// In pages: long runs are written at once.
    static let length = 4000
    static let backstop = 16_000

    private enum Phase {
        case writing
        /// The other connection is at work.
        case copying
        /// The rest is the writer's, behind its next commit.
        case copied
    }

    private enum Step {
        case nothing
        case copy
        case finish
    }

    private struct State {
        var phase = Phase.writing
        var written = 0
        /// nil before the first copy, and for good once it is closed.
        var connection: DatabaseQueue?
        var isClosed = false
    }

    private let path: String
    private let health: Health
    private let queue = DispatchQueue(label: "postrider.log")
    private let state = Mutex(State())

    init(path: String, health: Health) {
        self.path = path
        self.health = health
    }

    /// Whether a copy is under way.
    var isCopying: Bool { state.withLock { $0.phase == .copying } }

    /// Called on the writer when those who waited for a commit go on.
    func committed(in db: Database) {
        let pages = Self.pagesWritten(by: db)
        let step = state.withLock { state -> Step in
            state.written += pages
            switch state.phase {
            case .writing where state.written >= Self.length && !state.isClosed: state.phase = .copying
            case .copied: state.phase = .writing
            case .writing, .copying: return .nothing
            }
            state.written = 0
            return state.phase == .copying ? .copy : .finish
        }
        switch step {
        case .nothing: break
        case .copy: queue.async { self.copy() }
        case .finish: checkpoint(db)
        }
    }

    /// Waits for a copy that is under way; there is no other afterwards.
    func close() {
        state.withLock { $0.isClosed = true }
        queue.sync {
            let connection = state.withLock { state in
                defer { state.connection = nil }
                return state.connection
            }
            try? connection?.close()
        }
    }

    private func copy() {
        defer { state.withLock { $0.phase = .copied } }
        do {
            guard let connection = try connection() else { return }
            // The second time it is what was added during the first.
            for _ in 0..<2 { connection.writeWithoutTransaction(checkpoint) }
        } catch {
            health.note(StoreError(error))
        }
    }

    private func connection() throws -> DatabaseQueue? {
        if let connection = state.withLock({ $0.connection }) { return connection }
        guard !state.withLock({ $0.isClosed }) else { return nil }
        let connection = try DatabaseQueue(path: path, configuration: StoreFile.configuration)
        try connection.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        state.withLock { $0.connection = connection }
        return connection
    }

    /// Copies what can be copied without waiting for anybody. That it could not is no matter, but for a failure of the disk: an fsync that
    /// failed once is never tried again.
    private func checkpoint(_ db: Database) {
        do {
            _ = try db.checkpoint(.passive)
        } catch {
            health.note(StoreError(error))
        }
    }

    /// Pages written to the log since it was last asked.
    private static func pagesWritten(by db: Database) -> Int {
        var (pages, peak): (CInt, CInt) = (0, 0)
        guard sqlite3_db_status(db.sqliteConnection, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &peak, 1) == SQLITE_OK else { return 0 }
        return max(0, Int(pages))
    }
}
