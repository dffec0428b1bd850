package import InternetMessage

/// Logins to one mailbox that its server refused in a row.
package struct LoginRefusals: Sendable, Equatable {
    /// What was logged in with, in words of the caller's that are no secret and change with the credentials.
    package let login: String
    package let count: Int
    /// The server's words to the latest.
    package let reason: String
    package let since: Timestamp

    package init(login: String, count: Int, reason: String, since: Timestamp) {
        self.login = login
        self.count = count
        self.reason = reason
        self.since = since
    }
}
