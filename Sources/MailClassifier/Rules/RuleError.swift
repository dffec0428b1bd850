/// Why a rule file cannot be used; prints as `file:line: what; what to do`.
package struct RuleError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The binary carries no file of that name.
        case missing
        /// The file is not TOML.
        case syntax
        /// A key, a class, a strength or a pattern that the rules do not know.
        case content
    }

    package let code: Code
    package let file: String
    /// Counted from 1.
    package let line: Int
    package let message: String

    package var description: String { "\(file):\(line): \(message)" }
}
