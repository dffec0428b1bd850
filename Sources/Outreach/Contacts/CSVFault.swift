/// Why a sheet cannot be read, with the line where.
package struct CSVFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// 1 for the first line of the file.
    package let line: Int
    package let message: String

    package init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "\(line): \(message)" }
}
