package import InternetMessage

/// Who holds a claimed row, and until when; a row whose lease ran out is free again.
package struct Lease: Sendable, Equatable {
    package let owner: String
    package let until: Timestamp

    package init(owner: String, until: Timestamp) {
        self.owner = owner
        self.until = until
    }
}

/// A due enrollment with what is needed to decide on it.
package struct DueEnrollment: Sendable, Equatable {
    package let enrollment: Enrollment
    package let contact: Contact
    package let sequence: SequenceVersion
    /// Every message of the enrollment, cancelled ones included, by step and occurrence.
    package let earlier: [OutboxMessage]

    package init(enrollment: Enrollment, contact: Contact, sequence: SequenceVersion, earlier: [OutboxMessage] = []) {
        self.enrollment = enrollment
        self.contact = contact
        self.sequence = sequence
        self.earlier = earlier
    }

    /// Whether its next message is the first: none that counts against a budget came before it.
    package var isStart: Bool { !earlier.contains(where: \.usesBudget) }
}

/// What was decided about a due enrollment.
package enum StepVerdict: Sendable, Equatable {
    /// Its step's message goes into the outbox: both, or neither. One that would exceed a cap of the rule is postponed instead; nil: none
    /// counts.
    case queued(OutboxMessage, Consequence, under: FrequencyRule?)
    /// It comes due again at `until`, without a transition, with a note of what held it.
    case postponed(Enrollment.ID, expectedVersion: Int, until: Timestamp, heldBy: String)
    /// Something else became of it.
    case changed(Consequence)
}

/// What enrolling did with one contact.
package enum EnrollVerdict: Sendable, Equatable {
    case enrolled(Enrollment.ID)
    /// It is on its way through this sequence already.
    case alreadyEnrolled(Enrollment.ID)
    /// It has been through this sequence, which it was not to do again.
    case enrolledBefore(Enrollment.ID, Enrollment.State, Enrollment.Cause?)
    case suppressed(reason: String)
    case noSuchContact
}

/// What an identity has used of its budget.
package struct IdentityUsage: Sendable, Equatable {
    /// Messages put into the outbox for the sender's local date; what was cancelled, refused or given up before a final dot is not counted.
    package let countOnDate: Int
    /// The latest moment a message of the identity was put into the outbox; nil when never.
    package let lastAt: Timestamp?
    /// Messages put into the outbox within the last hour, counted as those of the date are.
    package let countInHour: Int
    /// When the first of these was put there: an hour later there is one less. nil when there are none.
    package let lifting: Timestamp?

    package init(countOnDate: Int, lastAt: Timestamp?, countInHour: Int = 0, lifting: Timestamp? = nil) {
        self.countOnDate = countOnDate
        self.lastAt = lastAt
        self.countInHour = countInHour
        self.lifting = lifting
    }
}

/// A write that states what it was decided on.
package enum CommitResult: Sendable, Equatable {
    case committed
    /// Something else changed first: nothing was written; look again and decide anew.
    case stale
    /// A frequency cap is reached: the step was postponed until it lifts.
    case held
}

/// Sequences and enrollments. One method, one transaction.
package protocol SequenceStore: Sendable {
    /// Stores a version as the latest; the same name and hash again gives back the one that is there, as the latest again.
    func load(_ version: SequenceVersion) async throws(StoreError) -> SequenceVersion

    /// The latest version of that name; nil when there is none.
    func sequence(workspace: WorkspaceID, name: String) async throws(StoreError) -> SequenceVersion?

    func sequence(id: SequenceVersion.ID) async throws(StoreError) -> SequenceVersion?

    /// The latest version of each name.
    func sequences(workspace: WorkspaceID) async throws(StoreError) -> [SequenceVersion]

    /// Enrolls contacts, each with its timeline event; suppression wins; a contact is in one live enrollment per sequence name at most.
    ///
    /// - Parameter again: those, too, who have been through the sequence.
    func enroll(_ enrollments: [Enrollment], timeline: [TimelineEvent], again: Bool) async throws(StoreError) -> [EnrollVerdict]

    func enrollment(id: Enrollment.ID) async throws(StoreError) -> Enrollment?

    /// Every transition of an enrollment, oldest first.
    func transitions(of enrollment: Enrollment.ID) async throws(StoreError) -> [Transition]

    /// Every enrollment of a contact, newest first.
    func enrollments(contact: Contact.ID) async throws(StoreError) -> [Enrollment]

    /// Who wrote to each of the contacts last, or is about to: as the latest message of a sequence that left or waits, else as an enrollment
    /// that runs. Who was never written to is not in it.
    func senders(of contacts: [Contact.ID]) async throws(StoreError) -> [Contact.ID: String]

    /// Enrollments of a sequence name in id order, from above `after`, at most `limit`.
    func enrollments(workspace: WorkspaceID, sequenceName: String, after: Enrollment.ID?, limit: Int) async throws(StoreError)
        -> [Enrollment]

    /// The largest id of the enrollments of a sequence name; nil when there is none.
    func lastEnrollment(workspace: WorkspaceID, sequenceName: String) async throws(StoreError) -> Enrollment.ID?

    /// Claims enrollments that are `active` or `held`, due at `now` and free of a living lease; oldest due first.
    ///
    /// Nothing is claimed while the global STOP is set.
    func claimDue(now: Timestamp, limit: Int, lease: Lease) async throws(StoreError) -> [DueEnrollment]

    /// Ends every lease of that owner on enrollments and messages.
    func releaseLeases(owner: String) async throws(StoreError)

    /// Whether somebody holds a lease on an enrollment or a message: something is being decided or is on its way.
    func hasLeases() async throws(StoreError) -> Bool

    /// The earliest moment after which something is due; nil when nothing waits, or under the global STOP.
    func nextDue() async throws(StoreError) -> Timestamp?

    func usage(identity: String, localDate: CivilDate, at now: Timestamp) async throws(StoreError) -> IdentityUsage

    /// How many people got their first message of a sequence on that local date of their sender; a message counts as it does for `usage`.
    ///
    /// - Parameters:
    ///   - identities: as whom it was written.
    ///   - sequence: any version of the sequence that counts; nil: all sequences.
    func starts(identities: [String], sequence: SequenceVersion.ID?, on date: CivilDate) async throws(StoreError) -> Int

    /// What those identities together have sent: the days before `date` on which something left, and what became of what was queued since
    /// `since`.
    func history(identities: [String], before date: CivilDate, since: CivilDate) async throws(StoreError) -> SendingHistory

    /// Stores what was decided about enrollments, in order and in one transaction; one result for each.
    ///
    /// A message is unique by (enrollment, step, occurrence). It is `stale` when the enrollment's version moved, a message of the step is
    /// there that was not cancelled, the contact is suppressed or the STOP is set. It is `held` when it would exceed a cap of its rule, those
    /// before it in `verdicts` counted. Postponing ends the lease.
    ///
    /// - Throws: `constraint` when one of them cannot be stored; then none is.
    func store(_ verdicts: [StepVerdict]) async throws(StoreError) -> [CommitResult]

    /// What came back for an enrollment: replies and reports that are tied to it with certainty, and messages that were refused for good.
    ///
    /// - Parameter withTouches: with what a person opened and clicked.
    func history(of enrollment: Enrollment, withTouches: Bool) async throws(StoreError) -> SequenceHistory

    /// The absences that replies told of which are tied to an enrollment with certainty, as they are labelled now; oldest first.
    func absences(of enrollment: Enrollment) async throws(StoreError) -> [Absence]

    /// Makes every enrollment that was postponed due at `now`, in the order in which they would have come, because what held them may be
    /// gone: the conf is another one. Leased ones stay. Returns how many there were.
    func reconsiderPostponed(now: Timestamp) async throws(StoreError) -> Int

    /// Pauses a sequence as a whole, or ends that, then what waited for it is due at once; false when it was so already or there is none.
    ///
    /// - Parameter person: who pauses it; nil ends it.
    func setPause(of sequence: String, workspace: WorkspaceID, by person: String?, at now: Timestamp) async throws(StoreError) -> Bool

    /// The sequences that are paused as a whole, of every workspace.
    func pausedSequences() async throws(StoreError) -> [SequencePauseMark]

    /// Sets or ends the global STOP; nil ends it.
    func setStop(reason: String?, at: Timestamp) async throws(StoreError)

    /// The reason of the global STOP; nil when mail may leave.
    func stopReason() async throws(StoreError) -> String?
}

extension SequenceStore {
    /// Stores what was decided about one enrollment.
    package func store(_ verdict: StepVerdict) async throws(StoreError) -> CommitResult {
        try await store([verdict]).first ?? .stale
    }

    /// Puts a step's message into the outbox and moves its enrollment, or neither.
    package func dispatch(_ message: OutboxMessage, with consequence: Consequence, under rule: FrequencyRule? = nil)
        async throws(StoreError) -> CommitResult
    {
        try await store(.queued(message, consequence, under: rule))
    }

    /// Moves a due enrollment to `until` without a transition and notes what held it; ends its lease.
    package func postpone(_ enrollment: Enrollment.ID, expectedVersion: Int, until: Timestamp, heldBy: String) async throws(StoreError)
        -> CommitResult
    {
        try await store(.postponed(enrollment, expectedVersion: expectedVersion, until: until, heldBy: heldBy))
    }

    /// Applies one consequence: transition, cancelled mail, suppressions and timeline.
    package func apply(_ consequence: Consequence) async throws(StoreError) -> CommitResult {
        try await store(.changed(consequence))
    }
}

extension SequenceStore {
    /// The same, of those alone who have not been through the sequence.
    package func enroll(_ enrollments: [Enrollment], timeline: [TimelineEvent]) async throws(StoreError) -> [EnrollVerdict] {
        try await enroll(enrollments, timeline: timeline, again: false)
    }
}
