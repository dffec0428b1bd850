import InternetMessage
import Outreach

/// What left in a rehearsal, and who waits at its end, read from the copy that it was played in.
struct CampaignCalendar {
    /// One message that left.
    struct Entry {
        let at: Timestamp
        let identity: String
        let recipient: EmailAddress
        let sequence: String
        let step: String
        let subject: String
        let route: String
        /// What kept the step from leaving earlier, at last; nil when nothing did.
        let heldBy: String?
    }

    /// Somebody for whom something is still to come, or who needs a person.
    struct Waiting {
        let contact: String
        let identity: String
        let sequence: String
        let state: Enrollment.State
        let step: String
        /// When it goes on; nil when only a person can make it.
        let until: Timestamp?
        /// The limit that binds, or what the state says.
        let because: String
    }

    let state: OpenState
    let mark: TimelineEvent.ID

    /// Calls `body` with each message that left, in the order of time.
    func eachEntry(_ body: (Entry) throws -> Void) async throws {
        var names: [SequenceVersion.ID: SequencePlan] = [:]
        var held: [OutboxMessage.ID: String] = [:]
        var after = mark
        while true {
            let page = try await state.store.timeline(after: after, limit: 2000)
            guard let last = page.last else { return }
            after = last.id
            for event in page {
                guard let id = event.outbox else { continue }
                if event.kind == .queued { held[id] = event.facts["held_by"] }
                guard event.kind == .delivered else { continue }
                guard let message = try await state.store.list(OutboxSelection(ids: [id]), after: nil, limit: 1).first else { continue }
                let plan = try await plan(of: message, &names)
                try body(
                    Entry(
                        at: message.finalDotAt ?? event.at, identity: message.identity, recipient: message.recipient,
                        sequence: plan?.name ?? "", step: plan.flatMap { Self.name(of: message.step, in: $0) } ?? "",
                        subject: message.subject, route: message.route, heldBy: held.removeValue(forKey: id)))
            }
        }
    }

    /// Calls `body` with each enrollment of the sequence that has not come to its end.
    func eachWaiting(of sequence: String, _ body: (Waiting) throws -> Void) async throws {
        var names: [SequenceVersion.ID: SequencePlan] = [:]
        try await state.eachEnrollment(of: sequence) { enrollment in
            guard enrollment.state != .finished, enrollment.state != .stopped else { return }
            let plan = try await plan(enrollment.sequence, &names)
            let contact = try await state.store.contact(id: enrollment.contact)
            try body(
                Waiting(
                    contact: contact?.address.text ?? "", identity: enrollment.identity, sequence: sequence, state: enrollment.state,
                    step: plan.flatMap { Self.name(of: enrollment.nextStep, in: $0) } ?? "", until: enrollment.dueAt,
                    because: enrollment.heldBy ?? enrollment.reason))
        }
    }

    /// Calls `body` with each call to another system that a step decided on, its contact's address and its sequence.
    func eachCall(_ body: (WebhookCall, String, String) throws -> Void) async throws {
        var names: [SequenceVersion.ID: SequencePlan] = [:]
        try await state.eachCall(after: WebhookCall.ID(rawValue: mark.rawValue)) { call in
            let contact = try await state.store.contact(id: call.contact)?.address.text ?? ""
            try body(call, contact, try await plan(call.version, &names)?.name ?? "")
        }
    }

    private func plan(of message: OutboxMessage, _ names: inout [SequenceVersion.ID: SequencePlan]) async throws -> SequencePlan? {
        guard let id = message.enrollment, let enrollment = try await state.store.enrollment(id: id) else { return nil }
        return try await plan(enrollment.sequence, &names)
    }

    private func plan(_ id: SequenceVersion.ID, _ names: inout [SequenceVersion.ID: SequencePlan]) async throws -> SequencePlan? {
        if let known = names[id] { return known }
        let plan = try await state.store.sequence(id: id)?.plan
        names[id] = plan
        return plan
    }

    private static func name(of step: Int, in plan: SequencePlan) -> String {
        plan.steps.indices.contains(step) ? plan.steps[step].name : "\(step + 1)"
    }
}

/// How much leaves on each day, counted while the calendar is read.
struct CampaignTotals {
    struct Day: Hashable {
        let date: CivilDate
        let identity: String
    }

    struct Count {
        var messages = 0
        var first: Timestamp
        var last: Timestamp
        var domains: [String: Int] = [:]
    }

    private(set) var days: [Day: Count] = [:]
    /// How many messages each limit held, in its own words without the moments in them.
    private(set) var limits: [String: Int] = [:]
    private(set) var messages = 0
    private(set) var last: Timestamp?

    mutating func count(_ entry: CampaignCalendar.Entry, zone: LocalZone) {
        messages += 1
        last = max(last ?? entry.at, entry.at)
        let day = Day(date: zone.date(at: entry.at), identity: entry.identity)
        var count = days[day] ?? Count(first: entry.at, last: entry.at)
        count.messages += 1
        count.first = min(count.first, entry.at)
        count.last = max(count.last, entry.at)
        count.domains[entry.recipient.domain, default: 0] += 1
        days[day] = count
        if let limit = entry.heldBy { limits[Self.withoutMoment(limit), default: 0] += 1 }
    }

    /// What stands before `, not before 2027-...`.
    private static func withoutMoment(_ limit: String) -> String {
        let bytes = Array(limit.utf8)
        let mark = Array(", not before ".utf8)
        let place = bytes.indices.dropLast(mark.count - 1).first { bytes[$0...].starts(with: mark) }
        return place.map { String(decoding: bytes[..<$0], as: UTF8.self) } ?? limit
    }

    /// In the order of the calendar.
    var sorted: [(day: Day, count: Count)] {
        days.map { (day: $0.key, count: $0.value) }.sorted { left, right in
            left.day.date != right.day.date
                ? left.day.date < right.day.date : left.day.identity.utf8.lexicographicallyPrecedes(right.day.identity.utf8)
        }
    }

    /// The most frequent first.
    var sortedLimits: [(limit: String, count: Int)] {
        limits.map { (limit: $0.key, count: $0.value) }.sorted { left, right in
            left.count != right.count ? left.count > right.count : left.limit.utf8.lexicographicallyPrecedes(right.limit.utf8)
        }
    }
}
