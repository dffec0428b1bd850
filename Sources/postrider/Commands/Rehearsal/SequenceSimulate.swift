import ArgumentParser
import Outreach

struct SequenceSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "What leaves in the next days, by identity and recipient domain, and what binds everybody who waits.",
        discussion: """
            As 'rehearse' does it, with what is enrolled and queued now: of all sequences, since they share the budgets. Who still waits at the \
            end is listed for the named one, with the limit that binds and when it lifts.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence.") var name: String
    @OptionGroup var stage: StageOptions
    @Option(help: "Days that are looked ahead.") var days = 7
    @Flag(help: "Each message as well.") var messages = false

    func validate() throws { try stage.validate(days: days) }

    func run() async throws {
        try await reportingFailures {
            let settings = try conf.load()
            try await stage.play(settings, workspace: conf.asked, days: days, detail: messages ? .messages : .domains) { state in
                try await state.sequence(name).plan.name
            }
        }
    }
}
