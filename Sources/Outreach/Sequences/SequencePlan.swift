package import InternetMessage

/// What a sequence says: its steps, the ways between them, and what ends it.
///
/// A plan whose steps name no ways is gone through in the order of its file.
package struct SequencePlan: Sendable, Equatable {
    /// What ends an enrollment before its last step.
    package enum StopRule: String, Sendable, CaseIterable, Codable {
        case reply
        case unsubscribe
        case hardBounce = "hard_bounce"
        case complaint
    }

    /// A part of each day in which nothing of the plan leaves; it goes over midnight when it ends before it begins.
    package struct QuietHours: Sendable, Equatable, Codable {
        /// Minutes since midnight, 0 ... 1439.
        package let start: Int
        package let end: Int
        /// A JSON object of what its file says beside that; nil when there is nothing.
        package let extra: String?

        package init(start: Int, end: Int, extra: String? = nil) {
            self.start = start
            self.end = end
            self.extra = extra
        }

        /// When they end that hold at `now`; nil when none do.
        package func end(at now: Timestamp, in zone: LocalZone) -> Timestamp? {
            let minute = zone.minuteOfDay(at: now)
            let today = zone.date(at: now)
            if start <= end { return minute >= start && minute < end ? zone.moment(today, minuteOfDay: end) : nil }
            if minute >= start { return zone.moment(today.adding(days: 1), minuteOfDay: end) }
            return minute < end ? zone.moment(today, minuteOfDay: end) : nil
        }
    }

    package let name: String
    package let description: String
    package let steps: [Step]
    /// Unsubscribe and complaint always stop, listed or not.
    package let stopOn: Set<StopRule>
    /// Name of the step that it begins with; nil: the first.
    package let start: String?
    /// IANA name of the zone of `quietHours` and of business days; nil: the identity's.
    package let timezone: String?
    package let quietHours: QuietHours?
    /// Whose answer ends it for the others of their company; nil: nobody's.
    package let companyRule: CompanyRule?
    /// How many may get their first message of it on one date of their sender; nil: no cap.
    package let dailyStarts: Int?
    /// What it says of counting opens and clicks of its messages.
    package let tracking: Tracking
    /// Pieces of text by name, for `{{> name}}` in templates.
    package let snippets: [String: String]
    /// A JSON object of what its file says beside that; nil when there is nothing.
    package let extra: String?

    package init(
        name: String, description: String, steps: [Step], stopOn: Set<StopRule>, start: String? = nil, timezone: String? = nil,
        quietHours: QuietHours? = nil, companyRule: CompanyRule? = nil, dailyStarts: Int? = nil, tracking: Tracking = .unsaid,
        snippets: [String: String] = [:], extra: String? = nil
    ) {
        self.name = name
        self.description = description
        self.steps = steps
        self.stopOn = stopOn.union([.unsubscribe, .complaint])
        self.start = start
        self.timezone = timezone
        self.quietHours = quietHours
        self.companyRule = companyRule
        self.dailyStarts = dailyStarts
        self.tracking = tracking
        self.snippets = snippets
        self.extra = extra
    }

    package func stops(on rule: StopRule) -> Bool { stopOn.contains(rule) }

    /// Index of the step of that name; nil when there is none.
    package func index(of name: String) -> Int? { steps.firstIndex { $0.name.utf8.elementsEqual(name.utf8) } }

    /// Name of a step; nil behind the last one.
    package func stepName(_ index: Int) -> String? { steps.indices.contains(index) ? steps[index].name : nil }

    /// Index of the step that it begins with.
    package var startIndex: Int { start.flatMap(index(of:)) ?? 0 }

    /// The ways out of a step, the one to the step after it spelled out.
    package func ways(of index: Int) -> [Way] {
        if let ways = steps[index].ways { return ways }
        // Nothing follows a stop, whatever stands behind it.
        if case .stop = steps[index].work { return [] }
        return index + 1 < steps.count ? [Way(on: .done, to: steps[index + 1].name)] : []
    }

    /// Whether its steps are only messages, one after the other.
    package var isLine: Bool { startIndex == 0 && steps.allSatisfy { $0.ways == nil && $0.letter != nil } }

    /// Where somebody stands who begins it at `now`.
    ///
    /// - Parameters:
    ///   - zone: where business days are counted, unless the plan names its own.
    ///   - holidays: days that are none.
    package func entry(at now: Timestamp, in zone: LocalZone, holidays: Holidays = .none) -> (
        step: Int, dueAt: Timestamp, doneAt: Timestamp?
    ) {
        let start = startIndex
        guard steps.indices.contains(start) else { return (start, now, nil) }
        let isWait = steps[start].work == .wait
        return (start, isWait ? now : steps[start].due(after: now, in: self.zone ?? zone, holidays: holidays), isWait ? now : nil)
    }

    /// The zone that it names; nil when it names none.
    package var zone: LocalZone? { timezone.flatMap { LocalZone($0) } }
}

extension SequencePlan: Codable {
    private enum CodingKeys: String, CodingKey {
        case name, description, steps, stopOn, start, timezone, quietHours, companyRule, dailyStarts, tracking, snippets, extra
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try values.decode(String.self, forKey: .name), description: try values.decode(String.self, forKey: .description),
            steps: try values.decode([Step].self, forKey: .steps), stopOn: try values.decode(Set<StopRule>.self, forKey: .stopOn),
            start: try values.decodeIfPresent(String.self, forKey: .start),
            timezone: try values.decodeIfPresent(String.self, forKey: .timezone),
            quietHours: try values.decodeIfPresent(QuietHours.self, forKey: .quietHours),
            companyRule: try values.decodeIfPresent(CompanyRule.self, forKey: .companyRule),
            dailyStarts: try values.decodeIfPresent(Int.self, forKey: .dailyStarts),
            tracking: try values.decodeIfPresent(Tracking.self, forKey: .tracking) ?? .unsaid,
            snippets: try values.decodeIfPresent([String: String].self, forKey: .snippets) ?? [:],
            extra: try values.decodeIfPresent(String.self, forKey: .extra))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(description, forKey: .description)
        try values.encode(steps, forKey: .steps)
        try values.encode(stopOn, forKey: .stopOn)
        try values.encodeIfPresent(start, forKey: .start)
        try values.encodeIfPresent(timezone, forKey: .timezone)
        try values.encodeIfPresent(quietHours, forKey: .quietHours)
        try values.encodeIfPresent(companyRule, forKey: .companyRule)
        try values.encodeIfPresent(dailyStarts, forKey: .dailyStarts)
        if tracking != .unsaid { try values.encode(tracking, forKey: .tracking) }
        if !snippets.isEmpty { try values.encode(snippets, forKey: .snippets) }
        try values.encodeIfPresent(extra, forKey: .extra)
    }
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
