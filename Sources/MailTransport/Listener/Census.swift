import Synchronization

/// How many connections stand, in all and from each address.
final class Census: Sendable {
    private let limit: Int
    private let limitPerAddress: Int
    private let counts = Mutex((all: 0, byAddress: [String: Int]()))

    init(limit: Int, limitPerAddress: Int) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress
    }

    /// Counts a connection whose client is not known yet; false when it is one too many.
    func enter() -> Bool {
        counts.withLock { counts in
            counts.all += 1
            return counts.all <= limit
        }
    }

    /// Counts a connection that has entered for its client; false when it is one too many of that one's.
    func identify(_ address: String) -> Bool {
        counts.withLock { counts in
            let own = (counts.byAddress[address] ?? 0) + 1
            counts.byAddress[address] = own
            return own <= limitPerAddress
        }
    }

    /// A connection has gone.
    ///
    /// - Parameter address: what it was counted for; nil when it was for no client.
    func leave(_ address: String?) {
        counts.withLock { counts in
            counts.all -= 1
            guard let address else { return }
            let left = (counts.byAddress[address] ?? 1) - 1
            counts.byAddress[address] = left > 0 ? left : nil
        }
    }
}
