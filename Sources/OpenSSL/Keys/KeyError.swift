/// Why a key could not be read, made or used.
package struct KeyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: Sendable, Equatable {
        /// The octets are no key in the form asked for.
        case malformed
        /// The key is under a passphrase, and a service has nobody to ask for it.
        case encrypted
        /// A key of an algorithm that is neither RSA nor Ed25519.
        case unsupportedAlgorithm
        /// The operation is not one of this kind of key.
        case wrongAlgorithm
        /// The file cannot be opened or read.
        case unreadableFile
        /// Everybody on this machine may read the file.
        case worldReadableFile
        /// The library refused for a reason of its own.
        case failed
    }

    package let code: Code
    /// What is wrong, where, and what to do; holds no part of a key.
    package let message: String
    /// What the library or the system said, for the log; nil if it said nothing.
    package let cause: String?

    init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
