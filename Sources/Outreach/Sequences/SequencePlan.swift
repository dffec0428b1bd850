package import InternetMessage

/// What a sequence says: its steps in order and what ends it.
package struct SequencePlan: Sendable, Equatable, Codable {
    /// One message to each contact.
    package struct Step: Sendable, Equatable, Codable {
        package let name: String
        /// Wait after the step before was accepted (first step: after enrolling).
        package let delay: ISODuration
        /// Whether the days of the delay are business days, Monday to Friday; nil is no.
        package let businessDays: Bool?
        /// Mustache source. Set on the first step; a later step without one goes on in the thread with `Re:`.
        package let subject: String?
        /// Mustache source of the plain text.
        package let text: String
        /// Mustache source of the HTML alternative; nil: plain text only.
        package let html: String?

        package init(name: String, delay: ISODuration, businessDays: Bool? = nil, subject: String?, text: String, html: String? = nil) {
            self.name = name
            self.delay = delay
            self.businessDays = businessDays
            self.subject = subject
            self.text = text
            self.html = html
        }

        /// When the step is due that waits from `moment` on.
        ///
        /// - Parameter zone: where business days are counted.
        package func due(after moment: Timestamp, in zone: LocalZone) -> Timestamp {
            guard businessDays == true, let days = BusinessDays(days: Weekday.business, zone: zone) else { return moment + delay.duration }
            return days.adding(Int(delay.seconds / 86_400), to: moment)
        }
    }

    /// What ends an enrollment before its last step.
    package enum StopRule: String, Sendable, CaseIterable, Codable {
        case reply
        case unsubscribe
        case hardBounce = "hard_bounce"
        case complaint
    }

    package let name: String
    package let description: String
    package let steps: [Step]
    /// Unsubscribe and complaint always stop, listed or not.
    package let stopOn: Set<StopRule>

    package init(name: String, description: String, steps: [Step], stopOn: Set<StopRule>) {
        self.name = name
        self.description = description
        self.steps = steps
        self.stopOn = stopOn.union([.unsubscribe, .complaint])
    }

    package func stops(on rule: StopRule) -> Bool { stopOn.contains(rule) }
}

/// An immutable version of a sequence as it was loaded; enrollments stay on theirs.
package struct SequenceVersion: Sendable, Equatable {
    package typealias ID = RecordID<SequenceVersion>

    package let id: ID
    package let workspace: WorkspaceID
    package let plan: SequencePlan
    /// SHA-256 of the file it came from, in hex; the same file loaded twice is the same version.
    package let hash: String

    package init(id: ID, workspace: WorkspaceID, plan: SequencePlan, hash: String) {
        self.id = id
        self.workspace = workspace
        self.plan = plan
        self.hash = hash
    }
}
