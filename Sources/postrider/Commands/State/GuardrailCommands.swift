import ArgumentParser
import InternetMessage
import Outreach

struct Guardrail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guardrail",
        abstract: "Show what is paused and why, and end a pause.",
        discussion: "Without a subcommand: the list.", subcommands: [GuardrailList.self, GuardrailOverride.self],
        defaultSubcommand: GuardrailList.self)
}

struct GuardrailList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what is paused, by which rule and until when (the default).",
        discussion: """
            A route is paused when its login, its certificate or its quota is out of order, an identity when mail is refused because of its \
            SPF, DKIM or DMARC. When the pause is over one message at a time tries whether it works again; the first that gets through ends it.
            """)

    @OptionGroup var conf: ConfOption
    @Flag(help: "One JSON object per pause.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let pauses = try await state.store.pauses()
            if json {
                for pause in pauses { JSONLine.write(pause.json) }
                return
            }
            guard !pauses.isEmpty else { return Console.out("nothing is paused") }
            var table = Table([
                .init("WHAT"), .init("SINCE"), .init("UNTIL"), .init("RULE"), .init("RENEWED", number: true), .init("REASON", limit: 100),
            ])
            for pause in pauses {
                let until = pause.holds(at: state.now()) ? pause.until.iso8601 : "a try gets through"
                table.add([pause.subject.text, pause.since.iso8601, until, pause.failureClass, "\(pause.renewals)", pause.reason])
            }
            table.write()
        }
    }
}

struct GuardrailOverride: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override", abstract: "End a pause; what waited for it is due at once.",
        discussion: "Mend first what paused it: the next failure pauses it again.")

    @OptionGroup var conf: ConfOption
    @Argument(help: ArgumentHelp("What 'guardrail list' names, as route:office or identity:anna.", valueName: "what")) var subject: String
    @Option(help: "Why, for those who look later.") var reason: String

    func validate() throws {
        if reason.utf8.allSatisfy({ $0 <= 32 }) { throw ValidationError("--reason must say something") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            guard let what = SendingPause.Subject(subject),
                try await state.store.resume(what, by: "\(reason) (\(OpenState.person))", at: state.now())
            else {
                let paused = try await state.store.pauses().map(\.subject.text)
                let hint = paused.isEmpty ? "nothing is paused" : "paused are \(paused.joined(separator: ", "))"
                throw Failure(.badInput, "'\(TerminalText.line(subject))' is not paused: \(hint)")
            }
            Console.out("\(what.text) is no longer paused; its mail is due at once")
        }
    }
}

extension SendingPause {
    var json: JSONValue {
        [
            "what": .string(subject.text), "since": .moment(since), "until": .moment(until), "rule": .string(failureClass),
            "renewals": .count(renewals), "reason": .string(reason),
        ]
    }
}
