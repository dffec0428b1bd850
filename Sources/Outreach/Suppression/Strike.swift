package import InternetMessage

/// How many failures of one kind, and within how long, an address may have before it is written to no more.
package struct StrikeLimit: Sendable, Equatable, Codable {
    /// With that many the address is suppressed; at least 1.
    package let count: Int
    package let within: Duration

    package init(count: Int, within: Duration) {
        self.count = count
        self.within = within
    }
}

/// A message that failed for good in a way which alone says nothing against its address, such as a full mailbox.
///
/// A message counts once, however often it failed and whoever said so: the next host, or a report that came back.
package struct Strike: Sendable, Equatable {
    package let message: OutboxMessage.ID
    package let workspace: WorkspaceID
    package let address: EmailAddress
    /// Strikes of one class are counted together.
    package let failureClass: String
    package let limit: StrikeLimit
    package let at: Timestamp

    package init(
        message: OutboxMessage.ID, workspace: WorkspaceID, address: EmailAddress, failureClass: String, limit: StrikeLimit, at: Timestamp
    ) {
        self.message = message
        self.workspace = workspace
        self.address = address
        self.failureClass = failureClass
        self.limit = limit
        self.at = at
    }
}
