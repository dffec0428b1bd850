import ArgumentParser
import InternetMessage
import Outreach
import Settings

struct Guardrail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guardrail",
        abstract: "Show what is paused and why, and release it.",
        discussion: "Without a subcommand: the list.", subcommands: [GuardrailList.self, OverrideGuardrail.self],
        defaultSubcommand: GuardrailList.self)
}

struct GuardrailList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what is paused, by which rule and until when (the default).",
        discussion: """
            A route is paused when its login, its certificate or its quota is out of order, an identity when mail is refused because of its \
            SPF, DKIM or DMARC. When the pause is over one message at a time tries whether it works again; the first that gets through ends it.
            A [guardrail.NAME] of the conf, or a built-in one, pauses an identity, a sequence or the instance for its figures: these pauses end \
            when the figures are in order again, or by a person. Guardrails that only say something are listed as well while they are passed.
            Of all workspaces together; with --workspace what keeps the mail of that one back. A sequence is that of its workspace alone, \
            which a line names where there are several, and 'override' takes with --workspace.
            """)

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per pause.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let pauses = try await state.store.pauses().filter { state.concerns($0.subject) }
            // Of the latest looks: one every quarter of an hour.
            let alerts = try await state.store.violations(since: state.now() - .seconds(1800)).filter { finding in
                !pauses.contains { $0.subject == finding.subject } && state.concerns(finding.subject)
            }
            if json {
                for pause in pauses { JSONLine.write(state.json(pause)) }
                for alert in alerts { JSONLine.write(state.json(alert)) }
                return
            }
            for alert in alerts {
                Console.out(TerminalText.line("alert: \(state.place(of: alert.subject).words)\(alert.subject.text): \(alert.words)"))
            }
            guard !pauses.isEmpty else { return Console.out("nothing is paused") }
            var table = Table(
                [.init("WHAT")] + state.workspaceColumn + [
                    .init("SINCE"), .init("UNTIL"), .init("RULE"), .init("RENEWED", number: true), .init("REASON", limit: 100),
                ])
            for pause in pauses {
                let until =
                    pause.finding?.isOpenEnded == true
                    ? "a person ends it" : pause.holds(at: state.now()) ? pause.until.iso8601 : "a try gets through"
                table.add(
                    [pause.subject.text] + state.workspaceCell(pause.subject.workspace) + [
                        pause.since.iso8601, until, pause.failureClass, "\(pause.renewals)", pause.reason,
                    ])
            }
            table.write()
        }
    }
}

struct OverrideGuardrail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override", abstract: "End a pause; what waited for it is due at once.",
        discussion: """
            Mend first what paused it: the next failure pauses it again. What a guardrail counted until now is not held against an identity, a \
            sequence or the instance again: it is judged by what comes after this, with --for not before that time is over. With --for it need \
            not be paused.
            """)

    @OptionGroup var conf: StateOption
    @Argument(
        help: ArgumentHelp("What 'guardrail list' names, as route:office, identity:anna, sequence:intro or instance.", valueName: "what"))
    var subject: String
    @Option(help: "Why, for those who look later.") var reason: String
    @Option(name: .customLong("for"), help: "For so long no guardrail pauses it: 12h, 3d, 2w.") var duration: String?

    func validate() throws {
        if reason.utf8.allSatisfy({ $0 <= 32 }) { throw ValidationError("--reason must say something") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let now = state.now()
            let words = "\(reason) (\(OpenState.person))"
            let until = try duration.map { text throws(Failure) in now + (try Self.duration(text)) }
            var released: SendingPause.Subject?
            let pauses = try await state.store.pauses()
            if let what = SendingPause.Subject(subject, workspace: state.workspace) {
                let isPaused = pauses.contains { $0.subject == what }
                if case .route = what {
                    if until != nil { throw Failure(.usage, "--for is for what guardrails watch; a route is paused by its failures only") }
                    if try await state.store.resume(what, by: words, at: now) { released = what }
                } else if isPaused || until != nil {
                    if !isPaused { try await state.requireWatched(what) }
                    _ = try await state.store.override(GuardrailOverride(subject: what, reason: words, at: now, until: until))
                    if !isPaused {
                        return Console.out("no guardrail pauses \(what.text) before \(until?.iso8601 ?? now.iso8601)")
                    }
                    released = what
                }
            }
            guard let what = released else {
                let paused = pauses.map { "\($0.subject.text)\(state.place(of: $0.subject).option)" }
                let hint = paused.isEmpty ? "nothing is paused" : "paused are \(paused.joined(separator: ", "))"
                throw Failure(.badInput, "'\(TerminalText.line(subject))' is not paused: \(hint)")
            }
            Console.out("\(what.text) is no longer paused; its mail is due at once")
            if let until { Console.out("no guardrail pauses it before \(until.iso8601)") }
        }
    }

    private static func duration(_ text: String) throws(Failure) -> Duration {
        let units: [UInt8: Int64] = [
            UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3600, UInt8(ascii: "d"): 86_400, UInt8(ascii: "w"): 7 * 86_400,
        ]
        let bytes = Array(text.utf8)
        let digits = String(decoding: bytes.dropLast(), as: UTF8.self)
        guard let unit = bytes.last.flatMap({ units[$0] }), digits.utf8.count <= 4, let count = Int64(digits), count > 0,
            count * unit <= 366 * 86_400
        else { throw Failure(.usage, "--for \(TerminalText.line(text)): write it as 30m, 12h, 3d or 2w, a year at most") }
        return .seconds(count * unit)
    }
}

extension OpenState {
    /// Whether a pause keeps mail back of the workspace that a person named; true when none was named.
    func concerns(_ subject: SendingPause.Subject) -> Bool {
        guard let asked else { return true }
        switch subject {
        case .route, .instance: return true
        case .sequence(_, in: let workspace): return workspace == asked.id
        case .identity(let name): return settings.identity(named: name)?.workspace.utf8.elementsEqual(asked.name.utf8) ?? true
        }
    }

    /// The workspace of a paused sequence as a line begins with it, and as a command takes it; both empty where it goes without saying.
    func place(of subject: SendingPause.Subject) -> (words: String, option: String) {
        guard subject.workspace != .instance, installation.workspaces.hasSeveral else { return ("", "") }
        let name = TerminalText.line(name(of: subject.workspace))
        return ("workspace \(name): ", " --workspace \(name)")
    }

    func json(_ finding: GuardrailFinding) -> JSONValue { located(finding.json, finding.subject) }

    func json(_ pause: SendingPause) -> JSONValue { located(pause.json, pause.subject) }

    private func located(_ value: JSONValue, _ subject: SendingPause.Subject) -> JSONValue {
        guard case .object(let facts) = value else { return value }
        let workspace = subject.workspace == .instance ? nil : name(of: subject.workspace)
        return .object(facts + [(key: "workspace", value: .text(workspace))])
    }

    /// - Throws: `Failure` when there is no such identity or sequence.
    fileprivate func requireWatched(_ subject: SendingPause.Subject) async throws {
        switch subject {
        case .identity(let name):
            guard settings.identity(named: name) == nil else { return }
            let known = settings.identities.map(\.name).joined(separator: ", ")
            throw Failure(.badInput, "there is no identity '\(TerminalText.line(name))' in the conf: there are \(known)")
        case .sequence(let name, in: _): _ = try await sequence(name)
        case .instance, .route: break
        }
    }
}

extension GuardrailFinding {
    fileprivate var json: JSONValue {
        [
            "what": .string(subject.text), "alert": true, "at": .moment(at), "rule": .string("guardrail \(rule.name)"),
            "origin": .string(rule.origin), "metric": .string(rule.metric.rawValue), "figures": rate.json, "days": .count(rule.days),
            "reason": .string(words),
        ]
    }
}

extension SendingPause {
    fileprivate var json: JSONValue {
        [
            "what": .string(subject.text), "since": .moment(since), "until": .moment(until), "rule": .string(failureClass),
            "renewals": .count(renewals), "reason": .string(reason), "origin": .text(finding?.origin), "metric": .text(finding?.metric),
            "figures": finding?.rate.json ?? .null, "days": .count(finding?.days),
            "open_ended": .bool(finding?.isOpenEnded ?? false),
        ]
    }
}
