/// Why a rehearsal could not go on.
package struct RehearsalError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
