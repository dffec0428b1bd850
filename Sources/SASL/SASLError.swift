/// Why an authentication exchange could not begin or go on.
package struct SASLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: Sendable, Equatable {
        /// The server offers none of the mechanisms allowed here.
        case nothingInCommon
        /// What is in common would show the secret, and the channel is not protected.
        case unprotectedChannel
        /// The library has no plugin for the mechanism.
        case missingPlugin
        /// User, password or token hold what the mechanism cannot carry, or are of the wrong kind.
        case badCredentials
        /// The server said something that has no place in the exchange, or is too long.
        case protocolViolation
        /// The server did not prove that it knows the password: it may be somebody else.
        case serverNotProven
        /// The server did not take the token; the cause has its words.
        case tokenRejected
        /// The exchange was called in the wrong order by its user.
        case misuse
        /// The library refused for a reason of its own.
        case failed
    }

    package let code: Code
    /// What is wrong and what to do; holds no secret.
    package let message: String
    /// What the library or the server said, printable, for the log; nil if nothing.
    package let cause: String?

    init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
