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
            contact is never enrolled, nor one that is on its way through the sequence already; who has \
            been through it is only with --again. Exit status 65 when an address is no contact.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence.") var sequence: String
    @Argument(help: "Email addresses of contacts.") var contacts: [String] = []
    @Option(help: SenderChoice.help) var identity: String?
    @Flag(help: "Every contact.") var all = false
    @OptionGroup var segment: SegmentOption
    @Flag(help: "Those, too, who have been through the sequence before.") var again = false
    @Flag(help: "Say who would be started and who would write to them, and start nobody.") var dryRun = false
    @Flag(help: "One JSON object per contact.") var json = false

    func validate() throws {
        guard [!contacts.isEmpty, all, segment.isGiven].count(where: { $0 }) == 1 else {
            throw ValidationError("name the contacts, or give --all, --where or --segment")
        }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let enrolling = Enrolling(
                state: state, version: try await state.sequence(sequence),
                senders: try SenderChoice.senders(identity, in: state.settings, of: state.here.name), isDryRun: dryRun, again: again)
            try SequenceConfCheck(state.settings, workspace: state.here.name).checkLaws(of: enrolling.version, as: enrolling.senders)
            var counts = (enrolled: 0, refused: 0)
            var shares: [String: Int] = [:]
            func report(_ verdicts: [(address: String, verdict: Enrolling.Verdict)]) {
                for (address, verdict) in verdicts {
                    if let identity = verdict.identity {
                        counts.enrolled += 1
                        shares[identity, default: 0] += 1
                    }
                    if verdict.isFault { counts.refused += 1 }
                    write(address, verdict)
                }
            }
            if all || segment.isGiven {
                try await state.eachPage(in: try await segment.query(state)) { report(try await enrolling.enroll($0)) }
            } else {
                for text in contacts { report([try await enrolling.enroll(text)]) }
            }
            let who = shares.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
            let share = enrolling.senders.only.map { " as \($0)" } ?? (shares.isEmpty ? "" : ": \(who)")
            if let mark = try await state.pausedSequences()[sequence] {
                Console.error(TerminalText.line("\(mark.words): who was enrolled begins after 'postrider sequence resume \(sequence)'"))
            }
            if ConfNotes.isUnconfigured(state.settings), let note = ConfNotes.nowhere(state.settings) { Console.error("note: \(note)") }
            let summary = "\(sequence): \(counts.enrolled) \(dryRun ? "would be " : "")enrolled\(share)"
            if json { Console.error(summary) } else { Console.out(summary) }
            if counts.refused > 0 { throw ExitStatus.badInput.code }
        }
    }

    private func write(_ address: String, _ verdict: Enrolling.Verdict) {
        if json {
            return JSONLine.write([
                "address": .string(address), "verdict": .string(verdict.name), "enrollment": .id(verdict.enrollment),
                "reason": .text(verdict.reason), "identity": .text(verdict.identity),
            ])
        }
        let who = verdict.identity.map { " as \($0)" } ?? ""
        let line = "\(TerminalText.line(address)): \(verdict.name)\(who)" + (verdict.reason.map { " (\($0))" } ?? "")
        if verdict.isFault { Console.error(line) } else { Console.out(line) }
    }
}

/// Who writes to those who are enrolled.
enum SenderChoice {
    /// How senders are named on the command line.
    static let help: ArgumentHelp = """
        Who writes: an [identity.NAME] of the conf, several to share those who start (anna,ben or anna:3,ben:1), or a [rotation.NAME]; needed \
        when there are several identities.
        """

    /// Those who share whom is enrolled; nil means the only identity that there is.
    ///
    /// - Parameter workspace: whose people they write to; nobody else may.
    static func senders(_ text: String?, in settings: Settings, of workspace: String) throws(Failure) -> SenderRotation {
        if let text, let rotation = settings.rotation(named: text) {
            for member in rotation.members { _ = try named(member.identity, in: settings, of: workspace) }
            return SenderRotation(rotation.members.map { .init($0.identity, weight: $0.weight) })
        }
        guard let text, settings.identity(named: text) == nil,
            text.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ":") })
        else {
            return SenderRotation(only: try named(text, in: settings, of: workspace))
        }
        var members: [SenderRotation.Member] = []
        for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let pieces = part.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
                .map { String(decoding: Array($0), as: UTF8.self) }
            let name = try named(pieces[0], in: settings, of: workspace)
            guard let weight = pieces.count == 1 ? 1 : Int(pieces[1]), (1...1_000_000).contains(weight) else {
                throw Failure(.usage, "--identity \(TerminalText.line(text)): a weight is a whole number from 1 to 1000000, as in anna:3")
            }
            guard !members.contains(where: { $0.identity.utf8.elementsEqual(name.utf8) }) else {
                throw Failure(.usage, "--identity \(TerminalText.line(text)): '\(name)' stands there twice; write it once, with its weight")
            }
            members.append(.init(name, weight: weight))
        }
        return SenderRotation(members)
    }

    /// The identity of that name; nil means the only one that the workspace has.
    private static func named(_ identity: String?, in settings: Settings, of workspace: String) throws(Failure) -> String {
        let known = settings.identities(of: workspace).map(\.name)
        // Where there is one workspace only, nobody need hear of it.
        let isTold = settings.workspaces.count > 1 || known.isEmpty && !settings.identities.isEmpty
        let whose = isTold ? " of workspace '\(TerminalText.line(workspace))'" : ""
        if let identity {
            guard let found = settings.identity(named: identity) else {
                throw Failure(
                    .badInput, "there is no [identity.\(TerminalText.line(identity))] in the conf; it has \(known.joined(separator: ", "))")
            }
            guard found.workspace.utf8.elementsEqual(workspace.utf8) else {
                throw Failure(
                    .badInput,
                    "[identity.\(identity)] is of workspace '\(found.workspace)' and writes to nobody\(whose); "
                        + (known.isEmpty ? "name its workspace with --workspace" : "that has \(known.joined(separator: ", "))"))
            }
            return identity
        }
        guard let only = known.first else {
            throw Failure(.configuration, "the conf has no [identity.NAME]\(whose); somebody must write the mail")
        }
        guard known.count == 1 else {
            throw Failure(.usage, "say who writes with --identity; the conf has \(known.joined(separator: ", "))\(whose)")
        }
        return only
    }
}

/// Starts contacts on one version of a sequence.
struct Enrolling {
    enum Verdict {
        case enrolled(Enrollment.ID, as: String)
        /// In a dry run.
        case wouldEnroll(as: String)
        case alreadyEnrolled(Enrollment.ID)
        /// It has been through it, and how that ended.
        case enrolledBefore(Enrollment.ID, String)
        case suppressed(String)
        case refused(String)

        var name: String {
            switch self {
            case .enrolled: "enrolled"
            case .wouldEnroll: "would_enroll"
            case .alreadyEnrolled: "already_enrolled"
            case .enrolledBefore: "enrolled_before"
            case .suppressed: "suppressed"
            case .refused: "refused"
            }
        }

        var enrollment: Enrollment.ID? {
            switch self {
            case .enrolled(let id, _), .alreadyEnrolled(let id), .enrolledBefore(let id, _): id
            case .wouldEnroll, .suppressed, .refused: nil
            }
        }

        /// Who writes to whom was enrolled, or would be; nil for everybody else.
        var identity: String? {
            switch self {
            case .enrolled(_, let identity), .wouldEnroll(let identity): identity
            case .alreadyEnrolled, .enrolledBefore, .suppressed, .refused: nil
            }
        }

        var reason: String? {
            switch self {
            case .enrolled, .wouldEnroll, .alreadyEnrolled: nil
            case .enrolledBefore(_, let reason), .suppressed(let reason), .refused(let reason): reason
            }
        }

        /// Whether the input was wrong.
        var isFault: Bool { if case .refused = self { true } else { false } }
    }

    let state: OpenState
    let version: SequenceVersion
    let senders: SenderRotation
    /// Nothing is written: the verdicts say what would be.
    var isDryRun = false
    /// Those, too, who have been through it.
    var again = false

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
        let identities = try await identities(of: contacts)
        if isDryRun {
            var verdicts: [(address: String, verdict: Verdict)] = []
            for (contact, identity) in zip(contacts, identities) {
                verdicts.append((contact.address.text, try await preview(contact, as: identity, at: now)))
            }
            return verdicts
        }
        var entries: [String: (step: Int, dueAt: Timestamp, doneAt: Timestamp?)] = [:]
        let calendar = try ConfCalendar(state.settings)
        let enrollments = try zip(contacts, identities).map { contact, identity in
            let entry = try entries[identity] ?? entry(of: identity, calendar, at: now)
            entries[identity] = entry
            return Enrollment(
                id: state.ids.next(), workspace: contact.workspace, contact: contact.id, sequence: version.id, identity: identity,
                state: .active, cause: nil, reason: "enrolled by \(OpenState.person)", nextStep: entry.step, dueAt: entry.dueAt,
                heldBy: nil, version: 0, createdAt: now, doneAt: entry.doneAt)
        }
        let events = enrollments.map { enrollment in
            TimelineEvent(
                id: state.ids.next(), at: now, kind: .enrolled, contact: enrollment.contact, enrollment: enrollment.id,
                summary: "in '\(version.plan.name)' as \(enrollment.identity)",
                facts: [
                    "sequence": version.plan.name, "version": version.hash, "identity": enrollment.identity, "by": OpenState.person,
                    "due": (enrollment.dueAt ?? now).iso8601,
                ])
        }
        let verdicts = try await state.store.enroll(enrollments, timeline: events, again: again)
        return zip(zip(contacts, identities), verdicts).map { chosen, verdict in
            (chosen.0.address.text, Verdict(verdict, as: chosen.1))
        }
    }

    private func preview(_ contact: Contact, as identity: String, at now: Timestamp) async throws -> Verdict {
        if let suppression = try await state.store.suppression(workspace: contact.workspace, address: contact.address, now: now) {
            return .suppressed(suppression.reason.rawValue)
        }
        var verdict = Verdict.wouldEnroll(as: identity)
        for enrollment in try await state.store.enrollments(contact: contact.id) {
            let other = try await state.store.sequence(id: enrollment.sequence)
            guard other?.plan.name.utf8.elementsEqual(version.plan.name.utf8) == true else { continue }
            if enrollment.state != .stopped, enrollment.state != .finished { return .alreadyEnrolled(enrollment.id) }
            if !again, case .wouldEnroll = verdict {
                verdict = Verdict(.enrolledBefore(enrollment.id, enrollment.state, enrollment.cause), as: identity)
            }
        }
        return verdict
    }

    private func entry(of identity: String, _ calendar: ConfCalendar, at now: Timestamp) throws -> (
        step: Int, dueAt: Timestamp, doneAt: Timestamp?
    ) {
        let name = state.settings.identity(named: identity).map { state.settings.timezone(of: $0).identifier } ?? "UTC"
        guard let zone = LocalZone(name) else { throw Failure(.configuration, "time zone '\(name)' is not known on this machine") }
        return version.plan.entry(at: now, in: zone, holidays: try calendar.window(zone).holidays)
    }

    /// Who writes to each.
    func identities(of contacts: [Contact]) async throws -> [String] {
        if let only = senders.only { return contacts.map { _ in only } }
        let known = try await state.store.senders(of: contacts.map(\.id))
        let paused = Set(
            try await state.store.pauses().compactMap { if case .identity(let name) = $0.subject { name } else { nil } })
        return try contacts.map { contact in
            // Who is gone from the conf writes no more.
            let writer = known[contact.id].flatMap { state.settings.identity(named: $0) }
                .flatMap { $0.workspace.utf8.elementsEqual(state.here.name.utf8) ? $0.name : nil }
            let sender = senders.sender(
                for: contact.address, in: version.plan.name, known: writer, paused: paused, chance: state.installation.chance)
            guard let sender else { throw Failure(.configuration, "no identity of the rotation has a weight") }
            return sender
        }
    }
}

extension Enrolling.Verdict {
    init(_ verdict: EnrollVerdict, as identity: String) {
        switch verdict {
        case .enrolled(let id): self = .enrolled(id, as: identity)
        case .alreadyEnrolled(let id): self = .alreadyEnrolled(id)
        case .enrolledBefore(let id, let state, let cause):
            let end = [state.rawValue, cause?.rawValue].compactMap { $0 }.joined(separator: ", ")
            self = .enrolledBefore(id, "\(end); --again enrolls all the same")
        case .suppressed(let reason): self = .suppressed(reason)
        case .noSuchContact: self = .refused("there is no such contact any more")
        }
    }
}

struct Unenroll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unenroll",
        abstract: "Take contacts out of a sequence, for good; mail that waits in the queue is taken back.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence.") var sequence: String
    @Argument(help: "Email addresses of contacts.") var contacts: [String]

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
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
