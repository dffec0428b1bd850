/// One thing wrong in the conf, where it stands and what to do; prints as `file:line: message; remedy`.
package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path of the file as it was opened.
    package var file: String
    /// Counted from 1.
    package var line: Int
    package var message: String
    /// What the reader should do, nil when the message says it.
    package var remedy: String?

    package init(file: String, line: Int, message: String, remedy: String? = nil) {
        self.file = file
        self.line = line
        self.message = message
        self.remedy = remedy
    }

    package var description: String { "\(file):\(line): \(message)" + (remedy.map { "; \($0)" } ?? "") }
}

/// Where a key or a section was written.
package struct Origin: Sendable, Equatable, CustomStringConvertible {
    package var file: String
    package var line: Int

    package var description: String { "\(file):\(line)" }
}

/// All faults of a conf at once, in the order of the files and their lines.
package struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    package var faults: [Fault]
    /// The conf as if it held `[main]` alone, for what must work whatever else is wrong; nil when that section cannot be relied on.
    package var mainAlone: Settings?

    package static func == (a: SettingsError, b: SettingsError) -> Bool { a.faults == b.faults }

    package var description: String { faults.map(\.description).joined(separator: "\n") }
}
