/// Which connections there are, who uses them and who waits for one. Numbers only: no socket, no clock, so every rule can be tested.
///
/// Invariants: a connection is used by one attempt at a time; those of a route, and those to one address, never exceed their limits, where a
/// connection counts until it is closed; who waits is served in the order of asking, but for a connection that fits another alone.
struct ConnectionLedger {
    enum Grant: Hashable {
        /// A connection that stands and is ready for MAIL.
        case kept(Int)
        /// Leave to open one under this number; `closed(_:)` ends it, also when nothing came of it.
        case open(Int)
    }

    /// What is to be done after an event.
    struct Change: Hashable {
        var grants: [Int: Grant] = [:]
        /// Connections to end with QUIT; they count until they are closed.
        var ending: [Int] = []
    }

    private enum Use { case attempt, none, ending }

    private struct Entry {
        let key: ConnectionKey
        let limits: ConnectionLimits
        var use = Use.attempt
    }

    private struct Waiter {
        let number: Int
        let key: ConnectionKey
        let limits: ConnectionLimits
        let mustBeNew: Bool
        /// A kept connection was ended in favour of this one already.
        var hasRoomMade = false
    }

    private var entries: [Int: Entry] = [:]
    /// Connections kept, the one used last at the end.
    private var kept: [ConnectionKey: [Int]] = [:]
    private var ofRoute: [String: Int] = [:]
    private var toHost: [ConnectionKey.Host: Int] = [:]
    private var waiting: [Waiter] = []
    private var last = 0
    private var isRetired = false

    var isEmpty: Bool { entries.isEmpty }

    func contains(_ connection: Int) -> Bool { entries[connection] != nil }

    /// An attempt wants a connection; the grant comes with this change or with a later one.
    ///
    /// - Parameter mustBeNew: none that is kept will do.
    mutating func ask(_ waiter: Int, for key: ConnectionKey, limits: ConnectionLimits, mustBeNew: Bool) -> Change {
        waiting.append(Waiter(number: waiter, key: key, limits: limits, mustBeNew: mustBeNew))
        return serve()
    }

    /// An attempt does not wait any longer.
    mutating func leave(_ waiter: Int) { waiting.removeAll { $0.number == waiter } }

    /// The attempt is done and the connection ready for the next one; false: it is to be ended, since nobody may use it again.
    mutating func giveBack(_ connection: Int, into change: inout Change) -> Bool {
        guard let entry = entries[connection], case .attempt = entry.use else { return false }
        guard !isRetired, entry.limits.idle > .zero else {
            entries[connection]?.use = .ending
            return false
        }
        entries[connection]?.use = .none
        kept[entry.key, default: []].append(connection)
        change = serve()
        guard let place = change.ending.firstIndex(of: connection) else { return true }
        change.ending.remove(at: place)
        return false
    }

    /// A connection was kept long enough; false when it is in use again.
    mutating func expire(_ connection: Int) -> Bool {
        guard let entry = entries[connection], case .none = entry.use else { return false }
        end(connection, entry.key)
        return true
    }

    /// A connection is gone, or was never made.
    mutating func closed(_ connection: Int) -> Change {
        guard let entry = entries.removeValue(forKey: connection) else { return Change() }
        if case .none = entry.use { forget(connection, entry.key) }
        count(entry.key, by: -1)
        return serve()
    }

    /// From now on no connection is kept.
    mutating func retire() -> Change {
        isRetired = true
        let ending = kept.values.flatMap { $0 }.sorted()
        for connection in ending { entries[connection]?.use = .ending }
        kept = [:]
        return Change(ending: ending)
    }

    private mutating func serve() -> Change {
        var change = Change()
        var index = 0
        while index < waiting.count {
            let waiter = waiting[index]
            if !waiter.mustBeNew, let connection = kept[waiter.key]?.last {
                forget(connection, waiter.key)
                entries[connection]?.use = .attempt
                change.grants[waiter.number] = .kept(connection)
                waiting.remove(at: index)
            } else if isFull(for: waiter) {
                if !waiter.hasRoomMade, let victim = victim(for: waiter) {
                    waiting[index].hasRoomMade = true
                    end(victim, entries[victim]?.key ?? waiter.key)
                    change.ending.append(victim)
                }
                index += 1
            } else {
                last += 1
                entries[last] = Entry(key: waiter.key, limits: waiter.limits)
                count(waiter.key, by: 1)
                change.grants[waiter.number] = .open(last)
                waiting.remove(at: index)
            }
        }
        return change
    }

    private func isFull(for waiter: Waiter) -> Bool {
        ofRoute[waiter.key.route, default: 0] >= waiter.limits.total || isHostFull(for: waiter)
    }

    private func isHostFull(for waiter: Waiter) -> Bool { toHost[waiter.key.host, default: 0] >= waiter.limits.perHost }

    /// The oldest connection that is kept and stands in the way.
    private func victim(for waiter: Waiter) -> Int? {
        let hostIsFull = isHostFull(for: waiter)
        let inTheWay = kept.filter { hostIsFull ? $0.key.host == waiter.key.host : $0.key.route == waiter.key.route }
        return inTheWay.values.compactMap(\.first).min()
    }

    private mutating func end(_ connection: Int, _ key: ConnectionKey) {
        forget(connection, key)
        entries[connection]?.use = .ending
    }

    private mutating func forget(_ connection: Int, _ key: ConnectionKey) {
        kept[key]?.removeAll { $0 == connection }
        if kept[key]?.isEmpty == true { kept[key] = nil }
    }

    private mutating func count(_ key: ConnectionKey, by step: Int) {
        let route = ofRoute[key.route, default: 0] + step
        ofRoute[key.route] = route > 0 ? route : nil
        let host = toHost[key.host, default: 0] + step
        toHost[key.host] = host > 0 ? host : nil
    }
}
