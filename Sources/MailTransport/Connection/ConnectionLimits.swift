/// How many connections a route may have, and for how long each of them serves.
package struct ConnectionLimits: Sendable, Hashable {
    /// Connections of the route at the same time, those in use and those kept for the next message.
    package var total: Int
    /// Of these, to one address.
    package var perHost: Int
    /// Messages on one connection.
    package var messages: Int
    /// How long a connection is kept for the next message; then it is ended with QUIT. Zero: none is kept.
    package var idle: Duration
    /// The age at which a connection takes no further message.
    package var age: Duration

    package init(
        total: Int = 20, perHost: Int = 10, messages: Int = 100, idle: Duration = .seconds(2), age: Duration = .seconds(300)
    ) {
        self.total = total
        self.perHost = perHost
        self.messages = messages
        self.idle = idle
        self.age = age
    }

    /// A connection of its own for each message, and no bound on their number.
    package static let single = ConnectionLimits(total: .max, perHost: .max, messages: 1, idle: .zero)
}
