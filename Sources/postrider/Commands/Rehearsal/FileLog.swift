import Foundation
import InternetMessage
import Logging
import Mailroom
import Synchronization

/// Log lines in a file, for a command whose terminal shows something else.
final class LogFile: Sendable {
    private let handle: Mutex<FileHandle>
    private let clock: any MailClock

    /// Makes the file, or empties it.
    ///
    /// - Parameter clock: gives each line its time.
    init(path: String, clock: any MailClock) throws(Failure) {
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw Failure(.noPermission, "\(path) cannot be written") }
        self.handle = Mutex(handle)
        self.clock = clock
    }

    private func write(_ line: String) {
        let bytes = Data("\(clock.now().iso8601) \(line)\n".utf8)
        handle.withLock { try? $0.write(contentsOf: bytes) }
    }

    func logger(_ label: String) -> Logger { Logger(label: label) { FileLog(label: $0, file: self) } }

    private struct FileLog: LogHandler {
        let label: String
        let file: LogFile
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
            file.write("\(label): \(event.level): \(event.message)\(facts.isEmpty ? "" : ": ")\(facts)")
        }
    }
}
