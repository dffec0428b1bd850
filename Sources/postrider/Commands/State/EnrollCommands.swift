import ArgumentParser
import Foundation
import InternetMessage
import Outreach
import Settings

struct Enroll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Start contacts on a sequence, with a verdict for each.",
        discussion: """
            The first step is due at once (or after its own delay); pace and sending window of the identity decide when it leaves. A suppressed \
            contact is never enrolled, nor one that is on its way through the sequence already. Exit status 65 when an address is no contact.
            """)

    @OptionGroup var conf: ConfOption
    @Argument(help: "Name of the sequence.") var sequence: String
    @Argument(help: "Email addresses of contacts.") var contacts: [String] = []
    @Option(help: "Who writes: an [identity.NAME] of the conf; needed when there are several.") var identity: String?
    @Flag(help: "Every contact.") var all = false
    @Flag(help: "One JSON object per contact.") var json = false

    func validate() throws {
        guard contacts.isEmpty == all else { throw ValidationError("name the contacts, or give --all") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            let enrolling = Enrolling(
                state: state, version: try await state.sequence(sequence), identity: try SenderChoice.named(identity, in: state.settings))
            var counts = (enrolled: 0, refused: 0)
            func report(_ verdicts: [(address: String, verdict: Enrolling.Verdict)]) {
                for (address, verdict) in verdicts {
                    if case .enrolled = verdict { counts.enrolled += 1 }
                    if verdict.isFault { counts.refused += 1 }
                    write(address, verdict)
                }
            }
            if all {
                var batch: [Contact] = []
                try await state.eachContact { contact in
                    batch.append(contact)
                    guard batch.count == 500 else { return }
                    report(try await enrolling.enroll(batch))
                    batch = []
                }
                report(try await enrolling.enroll(batch))
            } else {
                for text in contacts { report([try await enrolling.enroll(text)]) }
            }
            let summary = "\(sequence): \(counts.enrolled) enrolled as \(enrolling.identity)"
            if json { Console.error(summary) } else { Console.out(summary) }
            if counts.refused > 0 { throw ExitStatus.badInput.code }
        }
    }

    private func write(_ address: String, _ verdict: Enrolling.Verdict) {
        if json {
            return JSONLine.write([
                "address": .string(address), "verdict": .string(verdict.name), "enrollment": .id(verdict.enrollment),
                "reason": .text(verdict.reason),
            ])
        }
        let line = "\(TerminalText.line(address)): \(verdict.name)" + (verdict.reason.map { " (\($0))" } ?? "")
        if verdict.isFault { Console.error(line) } else { Console.out(line) }
    }
}

/// Who writes to those who are enrolled.
enum SenderChoice {
    /// The identity of that name; nil means the only one that there is.
    static func named(_ identity: String?, in settings: Settings) throws(Failure) -> String {
        let known = settings.identities.map(\.name)
        if let identity {
            guard settings.identity(named: identity) != nil else {
                throw Failure(
                    .badInput, "there is no [identity.\(TerminalText.line(identity))] in the conf; it has \(known.joined(separator: ", "))")
            }
            return identity
        }
        guard let only = known.first else { throw Failure(.configuration, "the conf has no [identity.NAME]; somebody must write the mail") }
        guard known.count == 1 else {
            throw Failure(.usage, "say who writes with --identity; the conf has \(known.joined(separator: ", "))")
        }
        return only
    }
}

/// Starts contacts on one version of a sequence.
struct Enrolling {
    enum Verdict {
        case enrolled(Enrollment.ID)
        case alreadyEnrolled(Enrollment.ID)
        case suppressed(String)
        case refused(String)

        var name: String {
            switch self {
            case .enrolled: "enrolled"
            case .alreadyEnrolled: "already_enrolled"
            case .suppressed: "suppressed"
            case .refused: "refused"
            }
        }

        var enrollment: Enrollment.ID? {
            switch self {
            case .enrolled(let id), .alreadyEnrolled(let id): id
            case .suppressed, .refused: nil
            }
        }

        var reason: String? {
            switch self {
            case .enrolled, .alreadyEnrolled: nil
            case .suppressed(let reason), .refused(let reason): reason
            }
        }

        /// Whether the input was wrong.
        var isFault: Bool { if case .refused = self { true } else { false } }
    }

    let state: OpenState
    let version: SequenceVersion
    let identity: String

    /// Enrolls whom the text names.
    func enroll(_ text: String) async throws -> (address: String, verdict: Verdict) {
        do {
            let contact = try await state.contact(text)
            return try await enroll([contact]).first ?? (text, .refused("no verdict"))
        } catch let failure as Failure where failure.status == .badInput {
            if let address = EmailAddress(text),
                let suppression = try await state.store.suppression(workspace: state.workspace, address: address, now: state.now())
            {
                return (text, .suppressed(suppression.reason.rawValue))
            }
            return (text, .refused(failure.message))
        }
    }

    func enroll(_ contacts: [Contact]) async throws -> [(address: String, verdict: Verdict)] {
        guard !contacts.isEmpty else { return [] }
        let now = state.now()
        let section = state.settings.identity(named: identity)
        let zone = section.flatMap { LocalZone(state.settings.timezone(of: $0).identifier) }
        guard let zone = zone ?? LocalZone("UTC") else { return [] }
        let entry = version.plan.entry(at: now, in: zone, holidays: try ConfCalendar(state.settings).window(zone).holidays)
        let enrollments = contacts.map { contact in
            Enrollment(
                id: state.ids.next(), workspace: contact.workspace, contact: contact.id, sequence: version.id, identity: identity,
                state: .active, cause: nil, reason: "enrolled by \(OpenState.person)", nextStep: entry.step, dueAt: entry.dueAt,
                heldBy: nil, version: 0, createdAt: now, doneAt: entry.doneAt)
        }
        let events = enrollments.map { enrollment in
            TimelineEvent(
                id: state.ids.next(), at: now, kind: .enrolled, contact: enrollment.contact, enrollment: enrollment.id,
                summary: "in '\(version.plan.name)' as \(identity)",
                facts: [
                    "sequence": version.plan.name, "version": version.hash, "identity": identity, "by": OpenState.person,
                    "due": entry.dueAt.iso8601,
                ])
        }
        let verdicts = try await state.store.enroll(enrollments, timeline: events)
        return zip(contacts, verdicts).map { contact, verdict in
            (contact.address.text, Verdict(verdict))
        }
    }
}

extension Enrolling.Verdict {
    init(_ verdict: EnrollVerdict) {
        switch verdict {
        case .enrolled(let id): self = .enrolled(id)
        case .alreadyEnrolled(let id): self = .alreadyEnrolled(id)
        case .suppressed(let reason): self = .suppressed(reason)
        case .noSuchContact: self = .refused("there is no such contact any more")
        }
    }
}

struct Unenroll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unenroll",
        abstract: "Take contacts out of a sequence, for good; mail that waits in the queue is taken back.")

    @OptionGroup var conf: ConfOption
    @Argument(help: "Name of the sequence.") var sequence: String
    @Argument(help: "Email addresses of contacts.") var contacts: [String]

    func run() async throws {
        try await OpenState.use(conf) { state in
            let name = try await state.sequence(sequence).plan.name
            var faults = 0
            for text in contacts {
                do {
                    let contact = try await state.contact(text)
                    var stopped = 0
                    for enrollment in try await state.store.enrollments(contact: contact.id)
                    where enrollment.state != .stopped && enrollment.state != .finished {
                        let version = try await state.store.sequence(id: enrollment.sequence)
                        guard version?.plan.name.utf8.elementsEqual(name.utf8) == true else { continue }
                        if try await state.change(enrollment.id, .stopped(by: OpenState.person)) != nil { stopped += 1 }
                    }
                    Console.out("\(contact.address.text): \(stopped > 0 ? "unenrolled" : "was not on its way through \(name)")")
                } catch let failure as Failure where failure.status == .badInput {
                    Console.error(failure.message)
                    faults += 1
                }
            }
            if faults > 0 { throw ExitStatus.badInput.code }
        }
    }
}
