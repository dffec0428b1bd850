/// Why a message or a field cannot be written.
package struct ComposeError: Error, Hashable, Sendable {
    /// What kind of fault it is.
    package enum Code: Hashable, Sendable {
        /// A field name that RFC 5322 does not allow, or one that the composer writes itself.
        case fieldName
        /// CR, LF, NUL or another control or line-separating character in a value.
        case controlCharacter
        /// A value that is too long to be folded into lines of 998 octets.
        case tooLong
        /// A value that does not have the form its field demands, for example a list-unsubscribe URI.
        case syntax
        /// A value that must not be empty.
        case missing
    }

    /// The kind of fault.
    package let code: Code
    /// The field at fault as it would stand in the message, for example `Subject`; `text` and `html` for the bodies.
    package let field: String
    /// The fault in words, without the value.
    package let message: String

    init(_ code: Code, field: String, _ message: String) {
        self.code = code
        self.field = field
        self.message = message
    }
}
