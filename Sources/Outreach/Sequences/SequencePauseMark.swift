package import InternetMessage

/// That a person paused a sequence as a whole: nobody goes on in it, whoever comes into it meanwhile.
package struct SequencePauseMark: Sendable, Equatable {
    package let workspace: WorkspaceID
    /// Name of the sequence.
    package let sequence: String
    package let since: Timestamp
    /// Who paused it.
    package let person: String

    package init(workspace: WorkspaceID, sequence: String, since: Timestamp, person: String) {
        self.workspace = workspace
        self.sequence = sequence
        self.since = since
        self.person = person
    }

    /// What waits for its end says so in these words.
    package var words: String { "\(SendingPause.Subject.sequence(sequence, in: workspace).beginning)by \(person) since \(since.iso8601)" }
}
