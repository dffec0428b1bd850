package import InternetMessage
package import Outreach

extension OutboxStore {
    /// Claims what is due without any limit, as a check wants it: oldest first, what is unwanted being cancelled on the way.
    package func claimDeliverable(now: Timestamp, limit: Int, routes: [String: Int] = [:], lease: Lease) async throws(StoreError)
        -> [OutboxMessage]
    {
        try await freeOverdue(except: lease.owner, now: now)
        var claimed: [OutboxMessage] = []
        var room = routes
        while claimed.count < limit {
            let left = limit - claimed.count
            let found = try await candidates(now: now, limit: left, routes: room.mapValues { min($0, left) }, sites: [:]).prefix(left)
            if found.isEmpty { break }
            for answer in try await claim(found.map { ClaimBid(id: $0.id, wish: .leave([])) }, now: now, lease: lease) {
                guard case .claimed(let message, _) = answer else { continue }
                claimed.append(message)
                if let count = room[message.route] { room[message.route] = count - 1 }
            }
        }
        return claimed
    }
}

extension SequenceStore {
    /// What an identity has used of a date's budget.
    package func usage(identity: String, localDate: CivilDate) async throws(StoreError) -> IdentityUsage {
        let usage = try await usage(identity: identity, localDate: localDate, at: localDate.adding(days: 1).startOfDayUTC)
        return IdentityUsage(countOnDate: usage.countOnDate, lastAt: usage.lastAt)
    }
}
