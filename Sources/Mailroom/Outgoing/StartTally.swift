import InternetMessage
import Outreach

/// A cap on how many get their first message of a sequence on one date: of an identity, or of a sequence over the identities of the conf.
struct StartCap {
    let subject: StartTally.Subject
    let limit: Int
    let identities: [String]
    let sequence: SequenceVersion.ID?
    let date: CivilDate

    /// For a person.
    var words: String {
        switch subject {
        case .identity(let name): "daily starts of \(limit) for identity \(name) are reached"
        case .sequence(_, let name): "daily starts of \(limit) for sequence \(name) are reached"
        }
    }

    /// The caps that count for somebody who is to get a first message.
    static func all(of due: DueEnrollment, identity: SenderIdentity, among identities: [String], on date: CivilDate) -> [StartCap] {
        var caps: [StartCap] = []
        if let limit = identity.pacing.dailyStarts {
            caps.append(StartCap(subject: .identity(identity.name), limit: limit, identities: [identity.name], sequence: nil, date: date))
        }
        if let limit = due.sequence.plan.dailyStarts {
            caps.append(
                StartCap(
                    subject: .sequence(of: due.sequence), limit: limit, identities: identities, sequence: due.sequence.id, date: date))
        }
        return caps
    }
}

/// How many got a first message, with those that one round has decided: read once for each subject and date.
struct StartTally {
    enum Subject: Hashable {
        case identity(String)
        case sequence(WorkspaceID, String)

        static func sequence(of version: SequenceVersion) -> Subject { .sequence(version.workspace, version.plan.name) }
    }

    private struct Key: Hashable {
        let subject: Subject
        let date: CivilDate
    }

    private var counts: [Key: Int] = [:]

    /// The first cap that has no room for one more; nil when all have.
    mutating func reached(_ caps: [StartCap], store: any SequenceStore) async throws(StoreError) -> StartCap? {
        for cap in caps {
            let key = Key(subject: cap.subject, date: cap.date)
            let count: Int
            if let known = counts[key] {
                count = known
            } else {
                count = try await store.starts(identities: cap.identities, sequence: cap.sequence, on: cap.date)
                counts[key] = count
            }
            if count >= cap.limit { return cap }
        }
        return nil
    }

    /// Counts somebody who was asked for and whose first message is about to be queued.
    mutating func note(_ caps: [StartCap]) {
        for cap in caps { counts[Key(subject: cap.subject, date: cap.date), default: 0] += 1 }
    }
}
