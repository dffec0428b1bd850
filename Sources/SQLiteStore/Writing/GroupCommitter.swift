import GRDB
import Outreach
import Synchronization

/// Runs writes in order on the one writer, and lets those that wait at the same time share one COMMIT and so one fsync.
///
/// A write that fails is undone alone and the others are stored: then all are done again, each with a savepoint of its own. A caller goes on
/// only after the COMMIT that holds its write. Callers cannot cancel a write: what became of it must be known.
final class GroupCommitter: Sendable {
    /// So that one COMMIT does not keep its callers waiting for long.
    private static let largestGroup = 256

    private struct State {
        var waiting: [any PendingWrite] = []
        var isRunning = false
    }

    private let pool: DatabasePool
    private let health: Health
    private let keeper: LogKeeper
    private let state = Mutex(State())

    init(pool: DatabasePool, health: Health, keeper: LogKeeper) {
        self.pool = pool
        self.health = health
        self.keeper = keeper
    }

    /// How many writes wait for the writer.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` in a transaction of the writer and returns when it is durable.
    ///
    /// `body` may run twice, the first time being rolled back: it must keep nothing outside the database.
    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            let write = Write(body: body, continuation: continuation)
            let starts = state.withLock { state in
                state.waiting.append(write)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if starts { run() }
        }
        return try result.get()
    }

    private func run() {
        pool.asyncWriteWithoutTransaction { db in
            let group = self.state.withLock { state in
                let group = Array(state.waiting.prefix(Self.largestGroup))
                state.waiting.removeFirst(group.count)
                return group
            }
            self.commit(group, in: db)
            self.keeper.committed(in: db)
            let goesOn = self.state.withLock { state in
                state.isRunning = !state.waiting.isEmpty
                return state.isRunning
            }
            if goesOn { self.run() }
        }
    }

    private func commit(_ group: [any PendingWrite], in db: Database) {
        do {
            try health.check()
            try db.run("BEGIN IMMEDIATE")
            var failures: [StoreError?] = []
            do {
                for write in group { try write.perform(db) }
            } catch {
                let failure = StoreError(error)
                guard group.count > 1, failure.code != .io else { throw failure }
                if db.isInsideTransaction { try db.run("ROLLBACK") }
                try db.run("BEGIN IMMEDIATE")
                failures = try group.map { try performApart($0, in: db) }
            }
            try db.run("COMMIT")
            for (index, write) in group.enumerated() { write.settle(failures.isEmpty ? nil : failures[index]) }
        } catch {
            if db.isInsideTransaction { _ = try? db.run("ROLLBACK") }
            let failure = StoreError(error)
            health.note(failure)
            // What is too big or wrong for the disk or the schema may be one of them only.
            if group.count > 1, failure.code == .full || failure.code == .constraint {
                for write in group { commit([write], in: db) }
            } else {
                for write in group { write.settle(failure) }
            }
        }
    }

    /// The failure of one write that is undone already; throws when SQLite had to undo the whole transaction.
    private func performApart(_ write: any PendingWrite, in db: Database) throws -> StoreError? {
        try db.run("SAVEPOINT one_write")
        do {
            try write.perform(db)
            try db.run("RELEASE one_write")
            return nil
        } catch {
            let failure = StoreError(error)
            guard db.isInsideTransaction, failure.code != .io else { throw failure }
            try db.run("ROLLBACK TO one_write")
            try db.run("RELEASE one_write")
            return failure
        }
    }
}

/// A write whose caller waits.
private protocol PendingWrite: Sendable {
    func perform(_ db: Database) throws
    /// Wakes the caller with what `perform` returned last, or with the failure.
    func settle(_ failure: StoreError?)
}

private final class Write<T: Sendable>: PendingWrite {
    private let body: @Sendable (Database) throws -> T
    private let continuation: CheckedContinuation<Result<T, StoreError>, Never>
    private let value = Mutex<T?>(nil)

    init(body: @escaping @Sendable (Database) throws -> T, continuation: CheckedContinuation<Result<T, StoreError>, Never>) {
        self.body = body
        self.continuation = continuation
    }

    func perform(_ db: Database) throws {
        let result = try body(db)
        value.withLock { $0 = result }
    }

    func settle(_ failure: StoreError?) {
        if let failure {
            continuation.resume(returning: .failure(failure))
        } else if let result = value.withLock({ $0 }) {
            continuation.resume(returning: .success(result))
        } else {
            continuation.resume(returning: .failure(StoreError(code: .constraint, message: "a write ended without a result")))
        }
    }
}
