import InternetMessage
import Mailroom
import Outreach
import SQLiteStore

/// What the database says of mail to somebody at this moment: what keeps it back, and until when.
struct Standing {
    /// That nothing leaves at all, that the address is suppressed.
    let stops: [(name: String, value: String)]
    /// Of the contact; nil when there is none.
    let contact: Contact?
    /// Where the contact stands in the sequences that it is on its way through.
    let enrollments: [(identity: String, words: String)]
    private let pauses: [SendingPause]

    /// - Parameter workspace: whose contact is meant.
    init(of address: EmailAddress, in workspace: WorkspaceID, _ installation: Installation) async throws {
        let store = installation.store
        let now = installation.clock.now()
        var stops: [(name: String, value: String)] = []
        if let reason = try await store.stopReason() { stops.append(("stopped", Self.words(ofStop: reason))) }
        if let suppression = try await store.suppression(workspace: workspace, address: address, now: now) {
            stops.append(("suppressed", suppression.words))
        }
        self.stops = stops
        pauses = try await store.pauses()
        contact = try await store.contact(workspace: workspace, address: address)
        var enrollments: [(identity: String, words: String)] = []
        let marks = try await store.pausedSequences().filter { $0.workspace == workspace }
        if let contact {
            for enrollment in try await store.enrollments(contact: contact.id) where ![.finished, .stopped].contains(enrollment.state) {
                guard let plan = try await store.sequence(id: enrollment.sequence)?.plan else { continue }
                var words = "\(plan.name), \(enrollment.state.rawValue) at \(plan.stepName(enrollment.nextStep) ?? "its end")"
                if let due = enrollment.dueAt { words += ", due \(due.iso8601)" }
                if let reason = enrollment.heldBy ?? ([.active, .sending].contains(enrollment.state) ? nil : enrollment.reason) {
                    words += ": \(reason)"
                }
                if let mark = marks.first(where: { $0.sequence.utf8.elementsEqual(plan.name.utf8) }) { words += "; \(mark.words)" }
                enrollments.append((enrollment.identity, words))
            }
        }
        self.enrollments = enrollments
    }

    /// That nothing leaves, for a person.
    static func words(ofStop reason: String) -> String { "everything, by stop-all: \(reason)" }

    /// The pauses that hold mail of an identity on a route.
    func pauses(identity: String, route: String) -> [String] {
        let subjects: [SendingPause.Subject] = [.instance, .identity(identity), .route(route)]
        return pauses.filter { subjects.contains($0.subject) }.map(\.words)
    }
}

extension ContactZone {
    /// The time zone with how sure it is, for a person.
    var words: String { "\(zone.name) (\(certainty.word), by its \(source.rawValue))" }
}

extension Suppression {
    /// For a person.
    var words: String {
        let end = expiresAt.map { ", until \($0.iso8601)" } ?? ""
        return "\(subject.text): \(reason.rawValue), \(at.iso8601)\(end)"
    }
}
