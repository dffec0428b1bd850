package import InternetMessage

/// A command that a person gave to change the state, or why one came to nothing; it stands in the audit log for good.
package struct AuditEntry: Sendable, Equatable {
    package typealias ID = RecordID<AuditEntry>

    package let id: ID
    package let at: Timestamp
    /// Who gave it, by the name of their account.
    package let person: String
    /// With its arguments; those of a command that named somebody who was erased since are gone.
    package let command: String
    /// Why it was not done, or not all of it; nil: it was given.
    package let failure: String?

    package init(id: ID, at: Timestamp, person: String, command: String, failure: String? = nil) {
        self.id = id
        self.at = at
        self.person = person
        self.command = command
        self.failure = failure
    }

    /// Bytes of a command that are kept.
    private static let longest = 2000

    /// A command line as it is kept: without the conf it was given with, and without what is beyond all measure.
    package static func command(_ arguments: [String]) -> String {
        var words: [String] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word.utf8.elementsEqual("--conf".utf8) {
                _ = rest.popFirst()
            } else if !word.utf8.starts(with: "--conf=".utf8) {
                words.append(word.utf8.contains(0x20) || word.utf8.isEmpty ? "'\(word)'" : word)
            }
        }
        let text = words.joined(separator: " ")
        guard text.utf8.count > longest else { return text }
        return String(decoding: text.utf8.prefix(longest), as: UTF8.self) + " ..."
    }

    /// The same without its arguments, when they name one of those addresses; nil when they do not.
    package func forgetting(_ addresses: [EmailAddress]) -> AuditEntry? {
        let text = Array("\(command) \(failure ?? "")".lowercased().utf8)
        let named = addresses.flatMap { [$0.text, $0.suppressionKey] }.map { Array($0.lowercased().utf8) }
        guard named.contains(where: { Self.stands($0, in: text) }) else { return nil }
        let kept = command.split(separator: " ").prefix(2).filter { !$0.utf8.contains(UInt8(ascii: "@")) }
        return AuditEntry(
            id: id, at: at, person: person, command: (kept + ["[erased]"]).joined(separator: " "), failure: failure.map { _ in "[erased]" })
    }

    private static func stands(_ piece: [UInt8], in text: [UInt8]) -> Bool {
        guard !piece.isEmpty, piece.count <= text.count else { return false }
        return (0...(text.count - piece.count)).contains { text[$0..<($0 + piece.count)].elementsEqual(piece) }
    }
}

/// Commands that changed the state, for good.
package protocol AuditStore: Sendable {
    /// Adds entries; those that are there already are left as they are.
    func note(_ entries: [AuditEntry]) async throws(StoreError)

    /// Entries with ids above `after` (nil: from the start), oldest first, at most `limit`.
    func audit(after: AuditEntry.ID?, limit: Int) async throws(StoreError) -> [AuditEntry]
}
