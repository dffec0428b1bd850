import ArgumentParser
import InternetMessage
import Outreach

/// The messages that a change is for: by id, by filter, or all; one of them must be said.
struct QueueTarget: ParsableArguments {
    @OptionGroup var conf: StateOption
    @Argument(help: "Ids of messages.") var ids: [String] = []
    @OptionGroup var filter: QueueFilter
    @Flag(help: "Every message that this can be done to; with --workspace every one of that.") var all = false
    @Flag(help: "One JSON object with the counts.") var json = false

    func validate() throws {
        guard all == (ids.isEmpty && filter.isEmpty) else {
            throw ValidationError("name messages by id, --to, --domain, --sequence, --route, --identity or --state, or give --all")
        }
    }

    func use(_ body: (OpenState, OutboxSelection) async throws -> Void) async throws {
        try await OpenState.use(conf, noting: true) { state in try await body(state, try await filter.selection(state, ids: ids)) }
    }

    /// Names on standard error those that were named by id and that this cannot be done to.
    static func nameOthers(_ selection: OutboxSelection, of state: OpenState, _ done: String, only can: Set<OutboxMessage.State>)
        async throws
    {
        for id in selection.ids ?? [] {
            guard let message = try await state.store.message(id: id), !can.contains(message.state) else { continue }
            let now = message.state == .active ? "on its way at this moment" : message.state.rawValue
            Console.error("\(id): not \(done), for it is \(now)")
        }
    }

    /// Says what was done: as a sentence to a person, as counts to a program.
    func tell(_ sentence: String, _ counts: KeyValuePairs<String, Int>) { QueueTarget.tell(sentence, counts, json: json) }

    static func tell(_ sentence: String, _ counts: KeyValuePairs<String, Int>, json: Bool) {
        guard json else { return Console.out(sentence) }
        JSONLine.write(.object(counts.map { (key: $0.key, value: .count($0.value)) }))
    }
}

struct QueueHold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keep waiting messages back until they are released.")

    @OptionGroup var target: QueueTarget
    @Option(help: "Why, for those who find them held.") var reason: String?

    func run() async throws {
        try await target.use { state, selection in
            let why = reason.map { "\($0) (\(OpenState.person))" } ?? "held by \(OpenState.person)"
            try await QueueTarget.nameOthers(selection, of: state, "held", only: [.incoming, .deferred])
            let count = try await state.store.command(.hold(reason: why), on: selection, at: state.now())
            target.tell("\(count) held", ["held": count])
        }
    }
}

struct QueueRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let held messages go.",
        discussion: """
            Their lifetime in the queue starts anew. A message whose sequence is paused, held or stopped is named: it is taken back when its \
            turn comes. \
            An ambiguous message (its final dot may have left and no complete reply came) is refused unless --resend says that its recipient \
            may get it twice; nothing is released then. 'postrider queue show ID' shows how far it came.
            """)

    @OptionGroup var target: QueueTarget
    @Flag(help: "Send ambiguous ones again, too; their recipients may get them twice.") var resend = false

    func run() async throws {
        try await target.use { state, selection in
            if !resend { try await state.refuseAmbiguous(selection) }
            let unwanted = try await state.unwanted(selection)
            try await QueueTarget.nameOthers(selection, of: state, "released", only: [.hold])
            let count = try await state.store.command(.release(resend: resend), on: selection, at: state.now())
            target.tell("\(count) released", ["released": count])
            for line in unwanted { Console.error(line) }
        }
    }
}

struct QueueRequeue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue", abstract: "Put held and deferred messages back into the queue, due at once.")

    @OptionGroup var target: QueueTarget
    @Flag(help: "Ambiguous ones, too; their recipients may get them twice.") var resend = false

    func run() async throws {
        try await target.use { state, selection in
            if !resend { try await state.refuseAmbiguous(selection) }
            let unwanted = try await state.unwanted(selection)
            try await QueueTarget.nameOthers(selection, of: state, "due at once", only: [.incoming, .deferred, .hold])
            let released = try await state.store.command(.release(resend: resend), on: selection, at: state.now())
            // What was held waits now.
            var waiting = selection
            waiting.states = nil
            let due = selection.states == [.hold] ? released : try await state.store.command(.flush, on: waiting, at: state.now())
            target.tell("\(due) due at once, \(released) of them were held", ["due": due, "released": released])
            for line in unwanted { Console.error(line) }
        }
    }
}

struct QueueFlush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush", abstract: "Try waiting messages at once: all of them, or those named.",
        discussion: """
            A host that rests because it did not answer is tried once more, and all its mail follows when it answers. What is paused stays so: \
            'postrider guardrail override' ends a pause. Limits hold, too.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Ids of messages.") var ids: [String] = []
    @OptionGroup var filter: QueueFilter
    @Flag(help: "One JSON object with the count.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let selection = try await filter.selection(state, ids: ids)
            try await QueueTarget.nameOthers(selection, of: state, "due at once", only: [.incoming, .deferred])
            let count = try await state.store.command(.flush, on: selection, at: state.now())
            QueueTarget.tell("\(count) due at once", ["due": count], json: json)
        }
    }
}

struct QueueDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Take messages out of the queue for good.",
        discussion: """
            A contact whose sequence waits for the deleted message is stopped with it; 'postrider enroll' starts the sequence anew. The facts \
            and the timeline stay. A message that is on the wire at this moment is left alone.
            """)

    @OptionGroup var target: QueueTarget

    func run() async throws {
        try await target.use { state, selection in
            var candidates = selection
            let can: Set<OutboxMessage.State> = [.incoming, .deferred, .hold]
            try await QueueTarget.nameOthers(selection, of: state, "deleted", only: can)
            candidates.states = selection.states?.intersection(can) ?? can
            var deleted = 0
            var stopped = 0
            try await state.eachMessage(candidates) { message in
                // First the enrollment: a message that is gone must not leave one behind that waits for it.
                if let id = message.enrollment, let enrollment = try await state.store.enrollment(id: id), enrollment.state == .sending,
                    enrollment.nextStep == message.step
                {
                    let by = "\(OpenState.person), who deleted message \(message.id) of its step"
                    if try await state.change(id, .stopped(by: by)) != nil { stopped += 1 }
                }
                _ = try await state.store.command(.delete, on: OutboxSelection(ids: [message.id]), at: state.now())
                if try await state.store.message(id: message.id)?.state == .cancelled { deleted += 1 }
            }
            target.tell("\(deleted) deleted, \(stopped) sequences stopped with them", ["deleted": deleted, "stopped": stopped])
        }
    }
}

extension OpenState {
    /// A line for each held message of a selection that will not leave even when it is released.
    func unwanted(_ selection: OutboxSelection) async throws -> [String] {
        var held = selection
        held.states = selection.states.map { $0.intersection([.hold]) } ?? [.hold]
        var lines: [String] = []
        try await eachMessage(held) { message in
            let what = "\(message.id) to \(TerminalText.line(message.recipient.text)) will not leave"
            if let suppression = try await store.suppression(workspace: message.workspace, address: message.recipient, now: now()) {
                lines.append(
                    "\(what): \(suppression.subject.kind) \(suppression.subject.text) is suppressed (\(suppression.reason.rawValue))")
            } else if let id = message.enrollment, let enrollment = try await store.enrollment(id: id),
                enrollment.state != .active, enrollment.state != .sending
            {
                lines.append("\(what): its sequence is \(enrollment.state.rawValue) (\(TerminalText.line(enrollment.reason)))")
            }
        }
        return lines
    }

    /// Refuses a selection that has ambiguous messages, naming each.
    func refuseAmbiguous(_ selection: OutboxSelection) async throws {
        var held = selection
        held.states = selection.states.map { $0.intersection([.hold]) } ?? [.hold]
        var ambiguous: [String] = []
        try await eachMessage(held) { message in
            if message.isAmbiguous { ambiguous.append("\(message.id) to \(message.recipient.text): \(TerminalText.line(message.reason))") }
        }
        guard ambiguous.isEmpty else {
            throw Failure(
                .usage,
                (ambiguous + [
                    "\(ambiguous.count) ambiguous: each may have reached its recipient; nothing was done. Add --resend to send again"
                ])
                .joined(separator: "\n"))
        }
    }
}

struct QueueShape: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shape", abstract: "Show how old the queue is, by recipient domain: minutes in columns, as qshape does.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Ids of messages.") var ids: [String] = []
    @OptionGroup var filter: QueueFilter
    @Flag(help: "One JSON object per domain.") var json = false

    /// Ends of the age buckets in minutes; the last bucket is what is older.
    static let edges: [Int64] = [5, 10, 20, 40, 80, 160, 320, 640, 1280]

    func run() async throws {
        try await OpenState.use(conf) { state in
            var selection = try await filter.selection(state, ids: ids)
            if selection.states == nil { selection.states = OutboxMessage.State.waiting }
            var shape: [String: [Int]] = [:]
            let none = [Int](repeating: 0, count: Self.edges.count + 1)
            var total = none
            let now = state.now()
            try await state.eachMessage(selection) { message in
                let bucket = Self.bucket(of: now - message.createdAt)
                let domain = message.recipient.asciiDomain ?? message.recipient.domain
                shape[domain, default: none][bucket] += 1
                total[bucket] += 1
            }
            let titles = Self.edges.map(String.init) + ["\(Self.edges.last ?? 0)+"]
            let domains = shape.sorted { a, b in
                let (first, second) = (a.value.reduce(0, +), b.value.reduce(0, +))
                return first == second ? a.key < b.key : first > second
            }
            if json {
                for (domain, buckets) in domains {
                    JSONLine.write([
                        "domain": .string(domain), "total": .count(buckets.reduce(0, +)),
                        "minutes": .object(zip(titles, buckets).map { (key: $0, value: .count($1)) }),
                    ])
                }
                return
            }
            var table = Table([.init("", number: true), .init("T", number: true)] + titles.map { .init($0, number: true) })
            table.add(["TOTAL", "\(total.reduce(0, +))"] + total.map(String.init))
            for (domain, buckets) in domains { table.add([domain, "\(buckets.reduce(0, +))"] + buckets.map(String.init)) }
            table.write()
        }
    }

    private static func bucket(of age: Duration) -> Int {
        edges.firstIndex { age < .seconds($0 * 60) } ?? edges.count
    }
}
