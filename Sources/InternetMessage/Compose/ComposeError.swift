/// Why a message or a field cannot be written.
package struct ComposeError: Error, Hashable, Sendable {
    /// What kind of fault it is.
    package enum Code: Hashable, Sendable, CaseIterable {
        /// A field name that RFC 5322 does not allow, or one that the composer writes itself.
        case fieldName
        /// CR, LF, NUL or another control or line-separating character in a value.
        case controlCharacter
        /// A value that is too long to be folded into lines of 998 octets, or longer than its field may be.
        case tooLong
        /// A value that does not have the form its field demands, for example a list-unsubscribe URI.
        case syntax
        /// A value that must not be empty.
        case missing
        /// The file of an attachment cannot be read.
        case fileUnreadable
        /// The file of an attachment is no longer as long as it was when the message was composed.
        case fileChanged
    }

    /// The kind of fault.
    package let code: Code
    /// The field at fault as it would stand in the message, for example `Subject`; `text` and `html` for the bodies, `invitation` for
    /// the calendar part, `attachment 2` and `inline image 1` for files. Empty when a field has no name that could be shown.
    package let field: String
    /// The fault in words, without the value.
    package let message: String
    /// What to do about it, in words.
    package let remedy: String

    init(_ code: Code, field: String, _ message: String, remedy: String? = nil) {
        self.code = code
        self.field = field
        self.message = message
        self.remedy = remedy ?? code.remedy
    }
}

extension ComposeError: CustomStringConvertible {
    /// Where, what and what to do, in one line for people: `Subject: the value holds a line feed (U+000A); take it out`.
    package var description: String { "\(field.utf8.isEmpty ? "a header field" : field): \(message); \(remedy)" }
}

extension ComposeError.Code {
    fileprivate var remedy: String {
        switch self {
        case .fieldName: "use another name, such as X-Campaign"
        case .controlCharacter: "take it out"
        case .tooLong: "shorten it"
        case .syntax: "correct it"
        case .missing: "add it"
        case .fileUnreadable: "make it readable, or attach another"
        case .fileChanged: "attach the file again"
        }
    }
}
