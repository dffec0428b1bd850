package import InternetMessage

/// One contact on its way through one version of a sequence.
package struct Enrollment: Sendable, Equatable {
    package typealias ID = RecordID<Enrollment>

    package enum State: String, Sendable, CaseIterable {
        /// The next step is due at `dueAt`.
        case active
        /// A step's message is in the outbox; what becomes of it decides.
        case sending
        /// Waits for a date, for instance the end of an absence; goes on at `dueAt`.
        case held
        /// A template tag has no value: a person must give it.
        case needsData = "needs_data"
        /// Halted by a person.
        case paused
        /// All steps left, nothing came back.
        case finished
        /// Ended before its end: see `cause`.
        case stopped
    }

    /// Why an enrollment ended or waits; nil while it just goes on.
    package enum Cause: String, Sendable, CaseIterable {
        case replied
        /// Somebody else of the same company answered.
        case company
        case unsubscribed
        case bounced
        case complained
        case suppressed
        case undeliverable
        case outOfOffice = "out_of_office"
        case missingValue = "missing_value"
        case uncertainDelivery = "uncertain_delivery"
        case person
        case completed
    }

    package let id: ID
    package let workspace: WorkspaceID
    package let contact: Contact.ID
    /// The version on which it is, from the first to the last step unless a person moves it to another (`VersionMove`).
    package let sequence: SequenceVersion.ID
    /// Name of the identity in conf that this contact hears from, from first to last step.
    package let identity: String
    package var state: State
    package var cause: Cause?
    /// Words for a person: why it is in this state.
    package var reason: String
    /// Index of the step at which it stands: the one that is done next or, with `doneAt`, was done last; the count of steps when all have
    /// left in turn.
    package var nextStep: Int
    /// When the step at `nextStep` was done, behind which it waits for what comes back; nil: that step is still to be done.
    package var doneAt: Timestamp?
    /// When `active` or `held` goes on; nil in every other state.
    package var dueAt: Timestamp?
    /// What kept a due step from leaving at the last look (window, cap, gap, ...); nil when nothing did.
    package var heldBy: String?
    /// Goes up by one with every change; a writer states the version it saw.
    package var version: Int
    package let createdAt: Timestamp

    package init(
        id: ID, workspace: WorkspaceID, contact: Contact.ID, sequence: SequenceVersion.ID, identity: String, state: State, cause: Cause?,
        reason: String, nextStep: Int, dueAt: Timestamp?, heldBy: String?, version: Int, createdAt: Timestamp,
        doneAt: Timestamp? = nil
    ) {
        self.id = id
        self.workspace = workspace
        self.contact = contact
        self.sequence = sequence
        self.identity = identity
        self.state = state
        self.cause = cause
        self.reason = reason
        self.nextStep = nextStep
        self.doneAt = doneAt
        self.dueAt = dueAt
        self.heldBy = heldBy
        self.version = version
        self.createdAt = createdAt
    }

    /// Whether something can still leave for it without a person.
    package var isLive: Bool { state == .active || state == .sending || state == .held }
}

/// A change of an enrollment, as the store applies it and keeps it for ever.
package struct Transition: Sendable, Equatable {
    package let enrollment: Enrollment.ID
    /// The version the decision was made on; the store refuses when it is not the current one.
    package let expectedVersion: Int
    package let at: Timestamp
    package let state: Enrollment.State
    package let cause: Enrollment.Cause?
    package let reason: String
    package let nextStep: Int
    package let dueAt: Timestamp?
    /// See `Enrollment.doneAt`.
    package let doneAt: Timestamp?
    /// Whether it goes on though what brought it there suppresses the address: what is no message is done all the same.
    package var outlivesSuppression = false
    /// Whether a message of the step that it leaves is taken back, though the enrollment goes on.
    package let withdraws: Bool
    /// The version of its sequence on which it goes on; nil: the one that it is on.
    package let movesTo: SequenceVersion.ID?

    package init(
        enrollment: Enrollment.ID, expectedVersion: Int, at: Timestamp, state: Enrollment.State, cause: Enrollment.Cause?, reason: String,
        nextStep: Int, dueAt: Timestamp?, doneAt: Timestamp? = nil, withdraws: Bool = false, movesTo: SequenceVersion.ID? = nil
    ) {
        self.enrollment = enrollment
        self.expectedVersion = expectedVersion
        self.at = at
        self.state = state
        self.cause = cause
        self.reason = reason
        self.nextStep = nextStep
        self.dueAt = dueAt
        self.doneAt = doneAt
        self.withdraws = withdraws
        self.movesTo = movesTo
    }

    /// Whether mail of the enrollment that has not reached its final dot is cancelled with it.
    package var cancelsQueuedMail: Bool { withdraws || (state != .active && state != .sending) }
}

/// Everything that one event makes true, committed together or not at all.
package struct Consequence: Sendable, Equatable {
    /// nil when the enrollment does not change.
    package var transition: Transition?
    package var suppressions: [Suppression]
    /// Failures that count against an address.
    package var strikes: [Strike]
    package var timeline: [TimelineEvent]
    /// Values that a step of a plan gives to fields of contacts.
    package var fields: [FieldChange]
    /// Tags and lists that a step of a plan gives and takes.
    package var groups: [ContactGroup.Change]
    /// Sequences that a step of a plan begins, where the contact may be enrolled.
    package var enrollments: [Enrollment]
    /// Companies whose other people are no longer written to.
    package var companies: [CompanyStop]

    /// Calls to other systems that a step of a plan decided on.
    package var calls: [WebhookCall]

    /// The enrollment that what is suppressed with it does not stop; nil: there is none.
    package var spared: Enrollment.ID? { transition.flatMap { $0.outlivesSuppression ? $0.enrollment : nil } }

    /// A field of a contact that gets a value; an empty one takes the field.
    package struct FieldChange: Sendable, Equatable {
        package let contact: Contact.ID
        package let name: String
        package let value: String

        package init(contact: Contact.ID, name: String, value: String) {
            self.contact = contact
            self.name = name
            self.value = value
        }
    }

    package init(
        transition: Transition? = nil, suppressions: [Suppression] = [], strikes: [Strike] = [], timeline: [TimelineEvent] = [],
        fields: [FieldChange] = [], groups: [ContactGroup.Change] = [], enrollments: [Enrollment] = [], companies: [CompanyStop] = [],
        calls: [WebhookCall] = []
    ) {
        self.transition = transition
        self.suppressions = suppressions
        self.strikes = strikes
        self.timeline = timeline
        self.fields = fields
        self.groups = groups
        self.enrollments = enrollments
        self.companies = companies
        self.calls = calls
    }
}
