/// What the status page shows.
package struct StatusSnapshot: Sendable, Equatable {
    /// One contact in a sequence.
    package struct Row: Sendable, Equatable {
        package let contact: String
        package let sequence: String
        package let stepsSent: Int
        package let state: String
        package let reason: String

        package init(contact: String, sequence: String, stepsSent: Int, state: String, reason: String) {
            self.contact = contact
            self.sequence = sequence
            self.stepsSent = stepsSent
            self.state = state
            self.reason = reason
        }
    }

    /// One line of the timeline.
    package struct Event: Sendable, Equatable {
        package let at: String
        package let kind: String
        package let contact: String
        package let summary: String

        package init(at: String, kind: String, contact: String, summary: String) {
            self.at = at
            self.kind = kind
            self.contact = contact
            self.summary = summary
        }
    }

    package let title: String
    package let now: String
    /// Messages by outbox state, in the order to show.
    package let queue: [(state: String, count: Int)]
    package let rows: [Row]
    /// Newest first.
    package let events: [Event]

    package init(title: String, now: String, queue: [(state: String, count: Int)], rows: [Row], events: [Event]) {
        self.title = title
        self.now = now
        self.queue = queue
        self.rows = rows
        self.events = events
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.title == b.title && a.now == b.now && a.rows == b.rows && a.events == b.events
            && a.queue.map(\.state) == b.queue.map(\.state) && a.queue.map(\.count) == b.queue.map(\.count)
    }
}

/// Where the status page and the health check look.
package protocol StatusBoard: Sendable {
    /// A snapshot for the page; nil when the page is not offered.
    func snapshot() async throws -> StatusSnapshot?

    /// What is wrong, one line each; empty when all is well.
    func troubles() async -> [String]
}
