package import InternetMessage

/// By what a sequence's counts are told apart.
package enum StatisticsSplit: String, Sendable, CaseIterable {
    /// By nothing: one tally.
    case all
    case day
    case step
    case variant
    case identity
    case provider

    /// Whether a part holds people from their first message on, so that replies are a share of those who were contacted.
    package var isOfPeople: Bool { self == .all || self == .identity || self == .provider }

    /// Whether it tells apart what one sequence says.
    package var isOfOneSequence: Bool { self == .step || self == .variant }
}

/// The counts of one part.
package struct StatisticsPart: Sendable, Equatable {
    /// By what it is told apart.
    package enum Value: Sendable, Hashable {
        case all
        case day(CivilDate)
        /// Index of a step in a version; nil: it was not noted in which.
        case step(SequenceVersion.ID?, Int)
        /// Name of a variant of a step in a version; both are nil where that was not noted.
        case variant(SequenceVersion.ID?, step: Int?, String)
        /// An identity or a provider.
        case named(String)
    }

    package let value: Value
    package let tally: Tally

    package init(value: Value, tally: Tally) {
        self.value = value
        self.tally = tally
    }
}

/// How many enrollments of a sequence are in a state for a cause.
package struct EnrollmentCount: Sendable, Equatable {
    package let state: Enrollment.State
    package let cause: Enrollment.Cause?
    package let count: Int

    package init(state: Enrollment.State, cause: Enrollment.Cause?, count: Int) {
        self.state = state
        self.cause = cause
        self.count = count
    }
}

/// Counts of what the timeline tells, kept beside it. One method, one transaction.
///
/// They follow the timeline: nobody who writes to it counts anything. What was read and what was counted are stored together, so that
/// nothing counts twice or not at all, whenever the process ends; an event that is stored behind those that were read is noted by the store
/// and read next.
package protocol StatisticsStore: Sendable {
    /// Counts the next events that have not been counted; how many were read, 0: everything is counted.
    ///
    /// - Parameters:
    ///   - before: only events whose ids were made before that moment, so that those which are on their way are not overtaken; nil: all.
    ///   - limit: at most so many.
    func countEvents(before: Timestamp?, limit: Int) async throws(StoreError) -> Int

    /// The counts of a sequence, or of a workspace where `sequenceName` is nil, by value; days of UTC in their order.
    ///
    /// - Parameter since: the first day that counts; nil: from the beginning.
    func statistics(workspace: WorkspaceID, sequenceName: String?, by split: StatisticsSplit, since: CivilDate?) async throws(StoreError)
        -> [StatisticsPart]

    /// How many enrollments of a sequence are in each state, by state and cause.
    func enrollmentCounts(workspace: WorkspaceID, sequenceName: String?) async throws(StoreError) -> [EnrollmentCount]

    /// The counts of one contact by hour: hours since 1970-01-01T00:00Z, oldest first.
    func statistics(contact: Contact.ID) async throws(StoreError) -> [(hour: Int64, tally: Tally)]

    /// Counts everything from the beginning beside what is kept; the differences, one line each, empty when there are none. Reads the whole
    /// timeline.
    func verifyStatistics() async throws(StoreError) -> [String]
}

extension StatisticsStore {
    /// Counts until everything is counted that the timeline holds, in small pieces with a rest in between, so that no other process waits long.
    package func countAllEvents() async throws(StoreError) {
        let piece = 2000
        while try await countEvents(before: nil, limit: piece) == piece { try? await Task.sleep(for: .milliseconds(10)) }
    }
}

extension RecordIDSource {
    /// The moment at which an id was made, or a little before it.
    package static func moment(of id: Int64) -> Timestamp { Timestamp(milliseconds: origin + max(0, id) >> 8) }

    /// No id that was made before `moment` is as high.
    package static func first(at moment: Timestamp) -> Int64 {
        let milliseconds = max(0, moment.milliseconds - origin)
        return milliseconds >= 1 << 40 ? .max : milliseconds << 8
    }
}
