/// Why a source is not a TOML document that we take; prints as `file:line: what`.
package struct TomlError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The text breaks the grammar or defines something twice.
        case syntax
        /// The text is not UTF-8, or holds a NUL.
        case encoding
        /// The text is larger or deeper than ``TomlDocument/Limits`` allows.
        case limit
    }

    package var code: Code
    package var file: String
    /// Counted from 1.
    package var line: Int
    package var message: String

    package var description: String { "\(file):\(line): \(message)" }
}
