/// Why a store could not do what was asked; outcomes a caller plans for are values of the methods instead.
package struct StoreError: Error, CustomStringConvertible, Sendable {
    package enum Code: Sendable {
        /// Another writer holds the database longer than the busy timeout.
        case busy
        /// No room on the disk: nothing was stored, try again when there is.
        case full
        /// Input, output or fsync failed: the process must stop accepting and exit.
        case io
        /// The file is damaged, is not ours, or was written by a newer version.
        case unusable
        /// A file cannot be made where it was asked for.
        case cannotCreate
        /// The store's own rules were broken: a fault of the program.
        case constraint
    }

    package let code: Code
    package let message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
