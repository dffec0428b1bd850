import ArgumentParser
import Foundation
import InternetMessage
import Outreach
import Settings

struct Queue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Look at the messages on their way out, and act on them.",
        discussion: """
            Without a subcommand: the list, as postqueue shows it. It is one queue for all workspaces: with --workspace only the messages of one \
            are looked at or changed, and --sequence means one of the workspace at hand.
            """,
        subcommands: [
            QueueList.self, QueueShow.self, QueueHold.self, QueueRelease.self, QueueRequeue.self, QueueDelete.self, QueueFlush.self,
            QueueShape.self,
        ], defaultSubcommand: QueueList.self)
}

/// Which messages a person means.
struct QueueFilter: ParsableArguments {
    @Option(help: "To this address.") var to: String?
    @Option(help: "To this domain.") var domain: String?
    @Option(help: "Of this sequence.") var sequence: String?
    @Option(help: "By this route.") var route: String?
    @Option(help: "Sent by this identity.") var identity: String?
    @Option(help: "In this state: \(OutboxMessage.State.allCases.map(\.rawValue).joined(separator: ", ")).") var state: OutboxMessage.State?

    var isEmpty: Bool { to == nil && domain == nil && sequence == nil && route == nil && identity == nil && state == nil }

    func selection(_ state: OpenState, ids: [String] = []) async throws -> OutboxSelection {
        var selection = OutboxSelection()
        if !ids.isEmpty {
            var found: [OutboxMessage.ID] = []
            for text in ids {
                let id: OutboxMessage.ID = try OpenState.id(text, of: "message")
                guard let message = try await state.store.message(id: id) else { throw Failure(.badInput, "there is no message \(id)") }
                try state.requireMeant(message.workspace, "message \(id)")
                found.append(id)
            }
            selection.ids = found
        }
        if let to { selection.recipient = try state.address(to) }
        if let domain {
            guard let ascii = OpenState.domain(domain) else {
                throw Failure(.badInput, "'\(TerminalText.line(domain))' is not a domain; give one like example.com")
            }
            selection.domain = ascii
        }
        selection.workspace = state.asked?.id
        if let sequence {
            selection.sequenceName = try await state.sequence(sequence).plan.name
            // Of another one it is another sequence.
            selection.workspace = state.workspace
        }
        try await require("route", route, among: state.settings.routes.map(\.name), \.route, state)
        try await require("identity", identity, among: state.settings.identities.map(\.name), \.identity, state)
        selection.route = route
        selection.identity = identity
        selection.states = self.state.map { [$0] }
        return selection
    }

    /// Refuses a name that neither the conf has nor any message: what is mistyped must not look like an empty queue.
    private func require(
        _ what: String, _ name: String?, among known: [String], _ part: WritableKeyPath<OutboxSelection, String?>, _ state: OpenState
    ) async throws {
        guard let name, !known.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else { return }
        var selection = OutboxSelection()
        selection[keyPath: part] = name
        guard try await state.store.list(selection, after: nil, limit: 1).isEmpty else { return }
        let hint = known.isEmpty ? "the conf has none" : "the conf has \(known.joined(separator: ", "))"
        throw Failure(.badInput, "there is no \(what) '\(TerminalText.line(name))', and no message has it: \(hint)")
    }
}

extension OutboxMessage.State: ExpressibleByArgument {
    /// States in which a message still takes room in the queue.
    static var waiting: Set<Self> { Set(allCases.filter { !$0.isFinal }) }
}

extension OutboxSelection {
    /// The whole queue.
    static var waiting: Self { OutboxSelection(states: OutboxMessage.State.waiting) }
}

extension OutboxMessage {
    /// On hold because the final dot may have left and no complete reply came.
    var isAmbiguous: Bool { state == .hold && finalDotAt != nil }
}

struct QueueList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the queue: what waits, is on its way, deferred or held, with the reason (the default).")

    @OptionGroup var conf: StateOption
    @Argument(help: "Ids of messages.") var ids: [String] = []
    @OptionGroup var filter: QueueFilter
    @Flag(help: "Also what left, bounced, expired or was cancelled.") var all = false
    @Flag(help: "One JSON object per message.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var selection = try await filter.selection(state, ids: ids)
            if !all, ids.isEmpty, filter.state == nil { selection.states = OutboxMessage.State.waiting }
            let seal = try await state.seal()
            if json {
                return try await state.eachMessage(selection) { JSONLine.write(state.json($0, seal)) }
            }
            var table = Table(
                [.init("ID")] + state.workspaceColumn + [
                    .init("SIZE", number: true), .init("ARRIVED"), .init("STATE"), .init("TRIES", number: true),
                    .init("SENDER", limit: 40),
                    .init("RECIPIENT", limit: 40), .init("NEXT TRY"), .init("REASON", limit: 100),
                ])
            if let reason = seal.stop {
                Console.out("STOPPED: \(TerminalText.line(reason)); 'postrider resume-all' ends it")
            }
            for pause in seal.pauses {
                guard state.concerns(pause.subject) else { continue }
                let (place, option) = state.place(of: pause.subject)
                Console.out(
                    "PAUSED: \(place)\(TerminalText.line(pause.words)); 'postrider guardrail override \(pause.subject.text)\(option)' ends it"
                )
            }
            if seal.safety.isDryRun { Console.out("DRY RUN: nothing is delivered ([safety] dry_run)") }
            var counts: [OutboxMessage.State: Int] = [:]
            var octets = 0
            var ambiguous: [OutboxMessage.ID] = []
            try await state.eachMessage(selection) { message in
                counts[message.state, default: 0] += 1
                octets += message.size
                if message.isAmbiguous { ambiguous.append(message.id) }
                table.add(
                    [message.id.description] + state.workspaceCell(message.workspace) + [
                        "\(message.size)", message.createdAt.iso8601,
                        message.isAmbiguous ? "hold!" : message.state.rawValue, "\(message.attempts)", message.identity,
                        message.recipient.text, message.nextAttemptAt?.iso8601 ?? "-", seal.why(message) ?? message.reason,
                    ])
                table.writeWhenLong()
            }
            if table.isEmpty { return Console.out(selection == .waiting ? "the queue is empty" : "no message is like that") }
            table.write()
            let totals = OutboxMessage.State.allCases.compactMap { state in counts[state].map { "\($0) \(state.rawValue)" } }
            Console.out("-- \(octets / 1024) KB in \(counts.values.reduce(0, +)) messages: \(totals.joined(separator: ", "))")
            for id in ambiguous {
                Console.out("-- \(id) is ambiguous: it may have left; 'postrider queue release --resend' or 'queue delete' decides")
            }
        }
    }
}

struct QueueShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one message: facts, every attempt with its dialogue, or the message itself.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Id of the message.") var id: String
    @Flag(help: "The message as composed, before any signature, and nothing else.") var content = false
    @Flag(help: "One JSON object.") var json = false

    func validate() throws {
        if content, json { throw ValidationError("--content is the message itself, which is no JSON: give one of --content and --json") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            guard let message = try await state.store.message(id: try OpenState.id(id, of: "message")) else {
                throw Failure(.badInput, "there is no message \(id)")
            }
            try state.requireMeant(message.workspace, "message \(id)")
            if content {
                try FileHandle.standardOutput.write(contentsOf: Data(message.bytes))
                return
            }
            let attempts = try await state.store.attempts(of: message.id)
            let seal = try await state.seal()
            if json {
                guard case .object(let facts) = state.json(message, seal) else { return }
                return JSONLine.write(
                    .object(
                        facts + [(key: "tries", value: .array(attempts.map(state.json)))]))
            }
            let obstacle = seal.obstacle(message)
            FactSheet.write([
                ("id", message.id.description),
                ("workspace", state.installation.workspaces.hasSeveral ? state.name(of: message.workspace) : nil),
                ("state", message.isAmbiguous ? "hold (ambiguous: it may have left)" : message.state.rawValue),
                ("reason", message.reason), ("why it waits", seal.why(message)), ("waits for", obstacle?.name),
                ("lifts", obstacle?.lifts?.iso8601), ("identity", message.identity),
                ("route", message.route), ("first route", message.firstRoute),
                ("reverse-path", message.reversePath.shown), ("recipient", message.recipient.text), ("subject", message.subject),
                ("Message-ID", message.messageID.text), ("provider's id", message.providerID),
                ("Message-ID as sent", message.sentMessageID?.text), ("size", "\(message.size) bytes"),
                ("step", "\(message.step + 1)"),
                ("enrollment", message.enrollment?.description), ("arrived", message.createdAt.iso8601),
                ("next try", message.nextAttemptAt?.iso8601), ("final dot", message.finalDotAt?.iso8601),
            ])
            for (number, attempt) in attempts.enumerated() {
                Console.out("")
                FactSheet.write([
                    ("try \(number + 1)", "\(attempt.startedAt.iso8601) to \(attempt.endedAt.iso8601)"),
                    ("outcome", attempt.outcome.rawValue),
                    ("stage", attempt.stage), ("remote MTA", attempt.remoteMTA), ("TLS", attempt.tls), ("reply", attempt.text),
                ])
                Console.out(TerminalText.lines(attempt.transcript))
            }
        }
    }
}

extension OpenState {
    /// What keeps all mail back at this moment.
    func seal() async throws -> QueueSeal {
        QueueSeal(
            stop: try await store.stopReason(), safety: try Desks.safety(settings), pauses: try await store.pauses(),
            fallbacks: Desks.fallbacks(settings), now: now())
    }

    func json(_ message: OutboxMessage, _ seal: QueueSeal) -> JSONValue {
        let obstacle = seal.obstacle(message)
        return [
            "id": .id(message.id), "workspace": .string(name(of: message.workspace)), "state": .string(message.state.rawValue),
            "ambiguous": .bool(message.isAmbiguous),
            "arrived_at": .moment(message.createdAt), "identity": .string(message.identity), "route": .string(message.route),
            "first_route": .text(message.firstRoute),
            "sender": .string(message.reversePath.shown), "recipient": .string(message.recipient.text), "subject": .string(message.subject),
            "size": .count(message.size), "message_id": .string(message.messageID.text), "provider_id": .text(message.providerID),
            "sent_message_id": .text(message.sentMessageID?.text), "contact": .id(message.contact), "enrollment": .id(message.enrollment),
            "step": .count(message.step), "occurrence": .count(message.occurrence), "attempts": .count(message.attempts),
            "reason": .string(message.reason), "why": .text(seal.why(message)), "awaits": .text(obstacle?.name),
            "lifts_at": .moment(obstacle?.lifts), "next_attempt_at": .moment(message.nextAttemptAt),
            "final_dot_at": .moment(message.finalDotAt),
        ]
    }

    func json(_ attempt: DeliveryAttempt) -> JSONValue {
        [
            "started_at": .moment(attempt.startedAt), "ended_at": .moment(attempt.endedAt), "outcome": .string(attempt.outcome.rawValue),
            "stage": .string(attempt.stage), "reply_code": .count(attempt.replyCode), "status": .text(attempt.enhancedStatus?.text),
            "text": .string(attempt.text), "remote_mta": .text(attempt.remoteMTA), "tls": .text(attempt.tls),
            "transcript": .string(attempt.transcript),
        ]
    }
}

extension ReversePath {
    /// `<>` for the null one.
    var shown: String {
        switch self {
        case .null: "<>"
        case .address(let address): address.text
        }
    }
}
