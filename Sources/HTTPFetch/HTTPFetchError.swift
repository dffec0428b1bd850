/// Why an HTTP call gave no response; a response of any status is none of these.
package struct HTTPFetchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: Sendable, Equatable {
        /// The URL is none, holds a user, or is `http` to another machine.
        case badURL
        /// The file with the certificates to trust cannot be used.
        case badTrust
        /// No connection: no such name, refused, no route, or not in time; nobody heard the request.
        case unreachable
        /// TLS did not come about: an untrusted or wrong certificate, or no common protocol.
        case tls
        /// The call took longer than its limit.
        case timeout
        /// The response is larger than its limit.
        case tooLarge
        /// The connection broke, or what came is no HTTP.
        case broken
        /// The task was cancelled, or the fetcher is shut down.
        case cancelled
    }

    package let code: Code
    /// What is wrong, with the host; holds no query, no form and no header.
    package let message: String
    /// What the library said, for the log; nil if nothing.
    package let cause: String?

    init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the same call may go through later without anybody's doing.
    package var isTemporary: Bool {
        switch code {
        case .unreachable, .timeout, .broken, .cancelled: true
        case .badURL, .badTrust, .tls, .tooLarge: false
        }
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
