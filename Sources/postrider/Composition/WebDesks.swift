import InternetMessage
import Logging
import Mailroom
import Outreach
import SQLiteStore
import WebInterface

/// The one-click endpoint on the real unsubscriber.
struct LinkDesk: UnsubscribeDesk {
    let unsubscriber: Unsubscriber
    let logger: Logger

    func knows(token: String) async -> Bool {
        do {
            return try await unsubscriber.message(token: token) != nil
        } catch {
            logger.error("unsubscribe page failed", metadata: ["error": "\(error)"])
            return false
        }
    }

    func unsubscribe(token: String) async -> UnsubscribeOutcome {
        do {
            return try await unsubscriber.unsubscribe(token: token, source: .link) == .done ? .done : .unknownToken
        } catch {
            logger.error("unsubscribe failed", metadata: ["error": "\(error)"])
            return .tryAgain
        }
    }
}

/// Opens and clicks on the real recorder.
struct TrackingLinks: TrackingDesk {
    let recorder: HitRecorder
    let logger: Logger

    func opened(token: String, agent: String) async { await recorder.opened(token: token, agent: agent) }

    func target(token: String, agent: String, counts: Bool) async -> TrackingAnswer {
        do {
            return try await recorder.target(token: token, agent: agent, counts: counts).map { .leadsTo($0) } ?? .unknown
        } catch {
            logger.error("a link cannot be followed", metadata: ["error": "\(error)"])
            return .tryAgain
        }
    }
}

/// What health checks and the status page see.
struct StoreBoard: StatusBoard {
    let store: SQLiteStore
    let title: String
    let clock: any MailClock
    /// Mailboxes that are not watched; nil: there are none.
    var mailboxes: MailboxBoard?
    /// Whether the page is shown; `serve` shows none until there are logins.
    let showsPage: Bool

    func troubles() async -> [String] {
        do {
            _ = try await store.counts()
            return try await allTroubles().map(\.words)
        } catch {
            return ["store: \(error)"] + (mailboxes?.troubles.map(\.words) ?? [])
        }
    }

    /// What is out of order as far as the store can be read.
    func allTroubles() async throws -> [Trouble] {
        let pauses = try await store.pauses()
        // Those of which the last look said so; one is taken every quarter of an hour.
        let alerts = try await store.violations(since: clock.now() - .seconds(1800)).filter { finding in
            !pauses.contains { $0.subject == finding.subject }
        }
        let book = try await store.workspaces()
        func workspace(_ subject: SendingPause.Subject) -> String? {
            book.hasSeveral && subject.workspace != .instance ? book.name(of: subject.workspace) : nil
        }
        return pauses.map { Trouble($0, of: workspace($0.subject)) } + alerts.map { Trouble($0, of: workspace($0.subject)) }
            + (mailboxes?.troubles ?? [])
    }

    func snapshot() async throws -> StatusSnapshot? {
        guard showsPage else { return nil }
        let counts = try await store.counts()
        let queue = OutboxMessage.State.allCases.compactMap { state in counts[state].map { (state: state.rawValue, count: $0) } }
        var rows: [StatusSnapshot.Row] = []
        var names: [Contact.ID: String] = [:]
        var contacts: [Contact] = []
        for workspace in try await store.workspaces().all {
            contacts += try await store.contacts(workspace: workspace.id, after: nil, limit: 200 - contacts.count)
        }
        for contact in contacts {
            names[contact.id] = contact.address.text
            for enrollment in try await store.enrollments(contact: contact.id) {
                let sequence = try await store.sequence(id: enrollment.sequence)
                rows.append(
                    .init(
                        contact: contact.address.text, sequence: sequence?.plan.name ?? "", stepsSent: enrollment.nextStep,
                        state: enrollment.state.rawValue, reason: enrollment.reason))
            }
        }
        let events = try await store.timeline(after: nil, limit: 10_000).suffix(100).reversed().map { event in
            StatusSnapshot.Event(
                at: event.at.iso8601, kind: event.kind.rawValue, contact: event.contact.flatMap { names[$0] } ?? "", summary: event.summary)
        }
        return StatusSnapshot(title: title, now: clock.now().iso8601, queue: queue, rows: rows, events: events)
    }
}
