import Foundation
import InternetMessage
import Outreach

/// Counts events of the timeline in memory, until what it counted is added to the rollups or compared with them.
///
/// What one event adds does not depend on which were counted before it: messages are counted event by event, and what is counted once for an
/// enrollment (who was contacted, what came back) is worked out from all its events and compared with what it was counted as.
struct EventCounter {
    /// All by which the counts of a day are told apart.
    struct Place: Hashable {
        let workspace: Int64
        let sequence: Int64
        let day: Int64
        /// By which version of the sequence the message was written; nil: not noted.
        let version: SequenceVersion.ID?
        let step: Int
        let variant: String?
        let identity: String
        /// nil: the event is older than the first attempt, and nothing was known yet.
        let provider: String?
    }

    struct ContactHour: Hashable {
        let contact: Int64
        let hour: Int64
    }

    /// As what an enrollment is counted.
    struct Kept: Equatable {
        var contacted: Contacted?
        var answers: [AnswerTally.Entry] = []
    }

    struct Contacted: Equatable {
        let event: Int64
        let hour: Int64
        let outbox: Int64
    }

    private struct Person: Hashable {
        let enrollment: Int64
        let contact: Int64
        let workspace: Int64
        let sequence: Int64
    }

    private struct Message {
        let version: SequenceVersion.ID?
        let step: Int
        let variant: String?
        let identity: String
        let provider: String

        init(_ record: Record) throws {
            version = record.idOrNil("version_id")
            step = try record.count("step")
            variant = record.textOrNil("variant")
            identity = try record.text("identity")
            provider = RecipientProvider.name(noted: record.textOrNil("provider"), domain: try record.text("recipient_domain"))
        }
    }

    let ledger: Ledger
    /// What came in up to this hour stands as it was counted: its events may be gone.
    let settledHour: Int64
    /// What an enrollment is counted as so far; nil: it is not.
    let known: (Int64) throws -> Kept?

    private(set) var days: [Place: Tally] = [:]
    private(set) var hours: [ContactHour: Tally] = [:]
    /// Enrollments that were looked at, as what they are counted now.
    private(set) var kept: [Int64: Kept] = [:]
    private(set) var changed: Set<Int64> = []
    private var messages: [Int64: Message] = [:]

    init(_ ledger: Ledger, settledHour: Int64, known: @escaping (Int64) throws -> Kept?) {
        self.ledger = ledger
        self.settledHour = settledHour
        self.known = known
    }

    /// Counts events, rows of `SQLiteStore.countableSQL`.
    mutating func count(_ events: [Record]) throws {
        var answered: Set<Person> = []
        for event in events {
            guard let enrollment = event.integerOrNil("enrollment_id"), let contact = event.integerOrNil("contact_id"),
                let sequence = event.integerOrNil("sequence_id")
            else { continue }
            let person = Person(
                enrollment: enrollment, contact: contact, workspace: try event.integer("workspace_id"), sequence: sequence)
            let kind: TimelineEvent.Kind = try event.word("kind")
            if kind == .unsubscribed || event.integerOrNil("intake_id") != nil {
                answered.insert(person)
                continue
            }
            guard let outbox = event.integerOrNil("outbox_id"), event.integerOrNil("step") != nil else { continue }
            let message = try Message(event)
            let hour = AnswerTally.hour(of: try event.moment("at"))
            func note(_ count: Tally.Count) { add(1, count, person, message, hour: hour, isBeforeTries: kind == .queued) }
            switch kind {
            case .queued: note(.queued)
            case .deferred: note(.deferred)
            case .cancelled: note(.cancelled)
            case .expired: note(.expired)
            case .rejected:
                note(.refused)
                note(AnswerTally.bounce(ofClass: event.textOrNil("word")))
            case .delivered:
                note(.accepted)
                try reach(person, Contacted(event: try event.integer("id"), hour: hour, outbox: outbox))
            case .opened, .clicked:
                if let count = event.textOrNil("word").flatMap(Tally.Count.init(rawValue:)) { note(count) }
            default: break
            }
        }
        for person in answered { try answer(person) }
    }

    // MARK: What counts once for an enrollment

    private mutating func look(_ enrollment: Int64) throws -> Kept {
        if let kept = kept[enrollment] { return kept }
        let found = try known(enrollment) ?? Kept()
        kept[enrollment] = found
        return found
    }

    private mutating func keep(_ kept: Kept, of enrollment: Int64) {
        self.kept[enrollment] = kept
        changed.insert(enrollment)
    }

    /// The first of an enrollment's accepted messages counts, in whatever order they are read.
    private mutating func reach(_ person: Person, _ new: Contacted) throws {
        var kept = try look(person.enrollment)
        if let old = kept.contacted {
            guard new.event < old.event else { return }
            try add(-1, .contacted, person, messageID: old.outbox, hour: old.hour)
        }
        try add(1, .contacted, person, messageID: new.outbox, hour: new.hour)
        kept.contacted = new
        keep(kept, of: person.enrollment)
    }

    private mutating func answer(_ person: Person) throws {
        var kept = try look(person.enrollment)
        let said = try ledger.db.records(
            SQLiteStore.answersSQL, ["contact": person.contact, "enrollment": person.enrollment]
        ).map(AnswerTally.Said.init)
        let settled = kept.answers.filter { $0.hour <= settledHour }
        let entries = AnswerTally.entries(of: said.filter { AnswerTally.hour(of: $0.at) > settledHour }, settled: settled)
        guard entries != kept.answers else { return }
        for entry in kept.answers { try add(-1, entry, person) }
        for entry in entries { try add(1, entry, person) }
        kept.answers = entries
        keep(kept, of: person.enrollment)
    }

    // MARK: Adding

    private mutating func add(_ number: Int, _ entry: AnswerTally.Entry, _ person: Person) throws {
        guard let count = Tally.Count(rawValue: entry.count) else { return }
        try add(number, count, person, messageID: entry.outbox, hour: entry.hour)
    }

    private mutating func add(_ number: Int, _ count: Tally.Count, _ person: Person, messageID: Int64, hour: Int64) throws {
        if messages[messageID] == nil {
            messages[messageID] = try ledger.db.record(SQLiteStore.countedMessageSQL, ["id": messageID]).map(Message.init)
        }
        guard let message = messages[messageID] else { return }
        add(number, count, person, message, hour: hour, isBeforeTries: false)
    }

    private mutating func add(_ number: Int, _ count: Tally.Count, _ person: Person, _ message: Message, hour: Int64, isBeforeTries: Bool) {
        let day = hour >= 0 ? hour / 24 : (hour - 23) / 24
        let place = Place(
            workspace: person.workspace, sequence: person.sequence, day: day, version: message.version, step: message.step,
            variant: message.variant, identity: message.identity, provider: isBeforeTries ? nil : message.provider)
        days[place, default: Tally()][count] += number
        hours[ContactHour(contact: person.contact, hour: hour), default: Tally()][count] += number
    }
}

extension EventCounter {
    /// A row of `rollup_day`, without its counts.
    struct DayRow: Hashable {
        let workspace: Int64
        let sequence: Int64
        let dimension: String
        let day: Int64
        let value: String
    }

    /// What was counted, as rows of `rollup_day`.
    var dayRows: [DayRow: Tally] {
        var rows: [DayRow: Tally] = [:]
        for (place, tally) in days where !tally.isZero {
            func add(_ dimension: StatisticsSplit, _ value: StatisticsPart.Value, sequence: Int64) {
                rows[
                    DayRow(
                        workspace: place.workspace, sequence: sequence, dimension: dimension.rawValue, day: place.day, value: value.stored),
                    default: Tally()] += tally
            }
            for sequence in [place.sequence, 0] {
                add(.all, .all, sequence: sequence)
                add(.identity, .named(place.identity), sequence: sequence)
                if let provider = place.provider { add(.provider, .named(provider), sequence: sequence) }
            }
            add(.step, .step(place.version, place.step), sequence: place.sequence)
            if let variant = place.variant {
                let step = place.version == nil ? nil : place.step
                add(.variant, .variant(place.version, step: step, variant), sequence: place.sequence)
            }
        }
        return rows
    }
}

extension AnswerTally.Said {
    init(_ record: Record) throws {
        self.init(
            at: try record.moment("at"), kind: try record.word("kind"), outbox: record.idOrNil("outbox_id"),
            intake: record.idOrNil("intake_id"), word: record.textOrNil("word"), certainty: record.textOrNil("certainty"),
            isNothing: record.integerOrNil("counts_not") == 1)
    }
}

extension EventCounter.Kept {
    init(_ record: Record) throws {
        if let event = record.integerOrNil("contacted_event") {
            contacted = .init(event: event, hour: try record.integer("contacted_hour"), outbox: try record.integer("contacted_outbox"))
        }
        if record.textOrNil("answers") != nil { answers = try record.json("answers") }
    }
}

extension Tally {
    init(_ record: Record) throws {
        self.init()
        for count in Count.allCases { self[count] = try record.count(count.rawValue) }
    }
}
