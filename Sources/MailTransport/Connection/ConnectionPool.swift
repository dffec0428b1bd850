import Synchronization

/// Keeps connections for the next message of the same kind and bounds their number: the ledger decides, this does it.
///
/// Thread-safe. Connections give themselves back and tell of their end; attempts ask.
final class ConnectionPool: Sendable {
    /// What an attempt gets.
    enum Grant: Sendable {
        /// A connection that stands and is ready for MAIL; it may turn out to be dead.
        case kept(ClientConnection)
        /// Leave to open one under this number: `opened` or `closed` must follow.
        case open(Int)
    }

    private struct State {
        var ledger = ConnectionLedger()
        var connections: [Int: ClientConnection] = [:]
        var asked = 0
        var waiting: [Int: CheckedContinuation<Grant?, Never>] = [:]
        /// Grants for waiters that do not stand still yet.
        var early: [Int: Grant] = [:]
        var onEmpty: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// A connection of that kind; waits while the limits allow none. Nil: the task was cancelled while it waited.
    func take(_ key: ConnectionKey, limits: ConnectionLimits, mustBeNew: Bool) async -> Grant? {
        let (waiter, grant, effects) = state.withLock { state in
            state.asked += 1
            let change = state.ledger.ask(state.asked, for: key, limits: limits, mustBeNew: mustBeNew)
            let effects = Self.apply(change, to: &state)
            return (state.asked, state.early.removeValue(forKey: state.asked), effects)
        }
        effects.perform()
        if let grant { return grant }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isNow, grant): (Bool, Grant?) = state.withLock { state in
                    if let early = state.early.removeValue(forKey: waiter) { return (true, early) }
                    if Task.isCancelled {
                        state.ledger.leave(waiter)
                        return (true, nil)
                    }
                    state.waiting[waiter] = continuation
                    return (false, nil)
                }
                if isNow { continuation.resume(returning: grant) }
            }
        } onCancel: {
            state.withLock { state in
                state.ledger.leave(waiter)
                return state.waiting.removeValue(forKey: waiter)
            }?.resume(returning: nil)
        }
    }

    /// The connection that was allowed stands.
    func opened(_ number: Int, _ connection: ClientConnection) {
        state.withLock { state in
            // It may be gone again by now.
            if state.ledger.contains(number) { state.connections[number] = connection }
        }
    }

    /// The connection is ready for the next message; false: it is to say QUIT.
    func giveBack(_ number: Int) -> Bool {
        let (stays, effects) = state.withLock { state in
            var change = ConnectionLedger.Change()
            let stays = state.ledger.giveBack(number, into: &change)
            return (stays, Self.apply(change, to: &state))
        }
        effects.perform()
        return stays
    }

    /// The connection was kept long enough; false: somebody uses it.
    func expire(_ number: Int) -> Bool { state.withLock { $0.ledger.expire(number) } }

    /// The connection is gone, or was never made.
    func closed(_ number: Int) {
        let (effects, waiting) = state.withLock { state in
            state.connections[number] = nil
            let effects = Self.apply(state.ledger.closed(number), to: &state)
            guard state.ledger.isEmpty else { return (effects, [CheckedContinuation<Void, Never>]()) }
            defer { state.onEmpty = [] }
            return (effects, state.onEmpty)
        }
        effects.perform()
        for continuation in waiting { continuation.resume() }
    }

    /// Ends the connections that are kept, and from now on each one when its attempt is over.
    func retire() { state.withLock { state in Self.apply(state.ledger.retire(), to: &state) }.perform() }

    /// Returns when no connection is left; those in use are waited for.
    func emptied() async {
        await withCheckedContinuation { continuation in
            let isNow = state.withLock { state in
                if !state.ledger.isEmpty { state.onEmpty.append(continuation) }
                return state.ledger.isEmpty
            }
            if isNow { continuation.resume() }
        }
    }

    /// Closes every connection without a farewell.
    func closeAll() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.close() }
    }

    /// What is to be done when the lock is free again.
    private struct Effects {
        var grants: [(CheckedContinuation<Grant?, Never>, Grant)] = []
        var ending: [ClientConnection] = []

        func perform() {
            for (continuation, grant) in grants { continuation.resume(returning: grant) }
            for connection in ending { connection.tell { $0.endIdle() } }
        }
    }

    private static func apply(_ change: ConnectionLedger.Change, to state: inout State) -> Effects {
        var effects = Effects()
        for (waiter, granted) in change.grants {
            let grant: Grant
            switch granted {
            case .open(let number): grant = .open(number)
            case .kept(let number):
                // A connection that was kept has been opened.
                guard let connection = state.connections[number] else { continue }
                grant = .kept(connection)
            }
            if let continuation = state.waiting.removeValue(forKey: waiter) {
                effects.grants.append((continuation, grant))
            } else {
                state.early[waiter] = grant
            }
        }
        effects.ending = change.ending.compactMap { state.connections[$0] }
        return effects
    }
}
