import ArgumentParser
import Outreach

struct StopAll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop-all", abstract: "Let no message leave any more until 'resume-all'.",
        discussion: """
            Nothing is queued, claimed or begun from now on; a message whose final dot is on the wire cannot be called back. What comes in is \
            still taken in and sorted.
            """)

    @OptionGroup var conf: ConfOption
    @Option(help: "Why, for those who find everything stopped.") var reason: String

    func validate() throws {
        if reason.utf8.allSatisfy({ $0 <= 32 }) { throw ValidationError("--reason must say something") }
    }

    func run() async throws {
        try await OpenState.use(conf, noting: true, isBrake: true) { state in
            try await state.store.setStop(reason: "\(reason) (\(OpenState.person))", at: state.now())
            Console.out("stopped: nothing leaves until 'postrider resume-all'")
        }
    }
}

struct ResumeAll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume-all", abstract: "End the global STOP.")

    @OptionGroup var conf: ConfOption

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            guard let reason = try await state.store.stopReason() else { return Console.out("nothing was stopped") }
            try await state.store.setStop(reason: nil, at: state.now())
            Console.out("mail may leave again; it was stopped because: \(TerminalText.line(reason))")
        }
    }
}
