import ArgumentParser
import InternetMessage
import Outreach
import Settings

struct Webhooks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks",
        abstract: "Look at the calls to other systems that steps of sequences decided on, and make failed ones again.",
        subcommands: [WebhooksList.self, WebhooksShow.self, WebhooksRetry.self, WebhooksCancel.self])
}

struct WebhooksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List calls: what waits, what was taken, and what failed and why.",
        discussion: "Of all workspaces together; with --workspace of that one.")

    enum State: String, ExpressibleByArgument, CaseIterable { case queued, delivered, failed, cancelled }

    @OptionGroup var conf: StateOption
    @Option(help: "Only these: queued, delivered, failed or cancelled.") var state: State?
    @Flag(help: "One JSON object per call.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table(
                [.init("ID")] + state.workspaceColumn + [
                    .init("WEBHOOK", limit: 30), .init("STATE"), .init("STEP", limit: 20), .init("CREATED"),
                    .init("ATTEMPTS", number: true), .init("NEXT"), .init("WHY", limit: 90),
                ])
            let obstacle = try await CallObstacle(state)
            try await state.eachCall(self.state.flatMap { WebhookCall.State(rawValue: $0.rawValue) }) { call in
                guard state.asked.map({ $0.id == call.workspace }) ?? true else { return }
                let heldBy = obstacle.why(call)
                if json { return JSONLine.write(state.json(call, withBody: false, heldBy: heldBy)) }
                table.add(
                    [call.id.description] + state.workspaceCell(call.workspace) + [
                        call.webhook, call.state.rawValue, call.step, call.createdAt.iso8601, "\(call.attempts)",
                        call.nextAttemptAt?.iso8601 ?? "-", heldBy ?? call.reason ?? "",
                    ])
                table.writeWhenLong()
            }
            if !json { table.isEmpty ? Console.out("no call was queued") : table.write() }
        }
    }
}

struct WebhooksShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one call with what it hands over.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Id of a call.") var id: String
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let call = try await state.call(id)
            let obstacle = try await CallObstacle(state)
            if json { return JSONLine.write(state.json(call, withBody: true, heldBy: obstacle.why(call))) }
            FactSheet.write([
                ("call", call.id.description), ("webhook", call.webhook),
                ("state", call.state.rawValue), ("sequence", try await state.store.sequence(id: call.version)?.plan.name),
                ("step", call.step), ("contact", try await state.store.contact(id: call.contact)?.address.text),
                ("enrollment", call.enrollment.description), ("created", call.createdAt.iso8601), ("attempts", "\(call.attempts)"),
                ("next attempt", call.nextAttemptAt?.iso8601), ("last status", call.lastStatus.map { "\($0)" }), ("outcome", call.reason),
                ("held by", obstacle.why(call)), ("ended", call.endedAt?.iso8601),
                ("content", call.body ?? "gone; the call cannot be made again"),
            ])
        }
    }
}

struct WebhooksRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Make calls after all, with the same ids and content: those that are named, or all that failed with --failed.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Ids of calls that failed or were cancelled.") var ids: [String] = []
    @Flag(help: "All that failed and still have their content; with --workspace those of that one.") var failed = false

    func validate() throws {
        if ids.isEmpty != failed { throw ValidationError("name calls, or give --failed for all of them") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            var named: [WebhookCall.ID] = []
            for text in ids {
                let call = try await state.call(text)
                guard call.state == .failed || call.state == .cancelled else {
                    throw Failure(.badInput, "\(call.id) is \(call.state.rawValue), neither failed nor cancelled; nothing was done")
                }
                guard call.body != nil else {
                    throw Failure(.badInput, "\(call.id) has no content any more, so it cannot be made again; nothing was done")
                }
                named.append(call.id)
            }
            var all: [WebhookCall.ID]? = failed ? nil : named
            if failed, let asked = state.asked {
                try await state.eachCall(.failed) { call in if call.workspace == asked.id { named.append(call.id) } }
                all = named
            }
            let count = try await state.store.retryCalls(all, at: state.now())
            Console.out("\(count) will be made again")
        }
    }
}

struct WebhooksCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Take calls back that wait: those that are named, or all to a webhook.",
        discussion: "The sequences that decided them go on. 'webhooks retry' with their ids makes them after all.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Ids of queued calls.") var ids: [String] = []
    @Option(help: ArgumentHelp("All that wait for this webhook; with --workspace those of that one.", valueName: "name")) var webhook:
        String?
    @Option(help: "Why, for the timeline.") var reason = "cancelled by a person"

    func validate() throws {
        if ids.isEmpty != (webhook != nil) { throw ValidationError("name calls, or the webhook with --webhook") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            var named: [WebhookCall.ID] = []
            for text in ids {
                let call = try await state.call(text)
                guard call.state == .queued else {
                    throw Failure(.badInput, "\(call.id) is \(call.state.rawValue) and does not wait; nothing was done")
                }
                named.append(call.id)
            }
            if let webhook {
                try await state.eachCall(.queued) { call in
                    guard state.asked.map({ $0.id == call.workspace }) ?? true else { return }
                    if call.webhook.utf8.elementsEqual(webhook.utf8) { named.append(call.id) }
                }
            }
            var (cancelled, underWay) = (0, 0)
            for start in stride(from: 0, to: named.count, by: 500) {
                let page = Array(named[start..<min(start + 500, named.count)])
                let count = try await state.store.cancelCalls(page, because: reason, at: state.now())
                cancelled += count.cancelled
                underWay += count.underWay
            }
            Console.out("\(cancelled) cancelled")
            if underWay > 0 { Console.error("\(underWay) of them were being made at this moment and may have been heard") }
        }
    }
}

/// What keeps calls that wait from being made, beside their own time.
private struct CallObstacle {
    private let stop: String?
    private let isDryRun: Bool
    private let known: Set<String>

    init(_ state: OpenState) async throws {
        stop = try await state.store.stopReason()
        isDryRun = state.settings.safety.dryRun
        known = Set(state.settings.webhooks.map(\.name))
    }

    /// nil when nothing does.
    func why(_ call: WebhookCall) -> String? {
        guard call.state == .queued else { return nil }
        if let stop { return "global STOP: \(stop)" }
        if isDryRun { return "dry run: nothing is called ([safety] dry_run)" }
        return known.contains(call.webhook) ? nil : "there is no [webhook.\(call.webhook)] in the conf"
    }
}

extension OpenState {
    fileprivate func call(_ text: String) async throws -> WebhookCall {
        let id: WebhookCall.ID = try Self.id(text, of: "webhook call")
        guard let call = try await store.call(id: id) else {
            throw Failure(.badInput, "there is no webhook call \(id); 'postrider webhooks list' shows those that there are")
        }
        try requireMeant(call.workspace, "webhook call \(id)")
        return call
    }

    /// Calls `body` with calls in id order, without their content; nil: in any state.
    func eachCall(
        _ kind: WebhookCall.State? = nil, after start: WebhookCall.ID? = nil, _ body: (WebhookCall) async throws -> Void
    ) async throws {
        var after = start
        while true {
            let page = try await store.calls(state: kind, after: after, limit: 500, withBody: false)
            for call in page { try await body(call) }
            guard let last = page.last else { return }
            after = last.id
        }
    }
}
