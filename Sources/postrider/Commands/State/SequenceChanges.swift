import ArgumentParser
import Outreach

struct SequencePause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Halt a sequence; mail that waits in the queue is taken back.",
        discussion: "Whoever is enrolled while it is paused begins when it goes on. With --contact only that contact is halted.")

    @OptionGroup var change: EnrollmentChange

    func run() async throws { try await change.run("paused", pauses: true) { _, _ in .paused(by: OpenState.person) } }
}

struct SequenceResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let paused contacts, and those that waited for a value, go on where they were.",
        discussion: "Nothing leaves earlier than it would have without the pause: delays and absences that are not over hold on.",
        aliases: ["start"])

    @OptionGroup var change: EnrollmentChange

    func run() async throws {
        try await change.run("resumed", pauses: false) { state, enrollment in
            .resumed(
                by: OpenState.person, log: try await state.store.transitions(of: enrollment.id),
                absences: try await state.store.absences(of: enrollment))
        }
    }
}

struct SequenceStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "End a sequence for its contacts, for good; mail that waits in the queue is taken back.")

    @OptionGroup var change: EnrollmentChange

    func run() async throws { try await change.run("stopped") { _, _ in .stopped(by: OpenState.person) } }
}

/// One event for the enrollments of a sequence, or for those of one contact.
struct EnrollmentChange: ParsableArguments {
    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence.") var name: String
    @Option(help: "Only this contact (an email address).") var contact: String?

    /// - Parameter pauses: whether the sequence as a whole is paused, or goes on; nil: neither.
    func run(
        _ done: String, pauses: Bool? = nil, _ event: (OpenState, Enrollment) async throws -> SequenceEvent
    ) async throws {
        try await OpenState.use(conf, noting: true, isBrake: pauses != false) { state in
            let plan = try await state.sequence(name).plan
            // First the whole, so that nobody comes into it between.
            if let pauses, contact == nil {
                _ = try await state.store.setPause(
                    of: plan.name, workspace: state.workspace, by: pauses ? OpenState.person : nil, at: state.now())
            }
            var only: Contact.ID?
            if let contact { only = try await state.contact(contact).id }
            var changed = 0
            var unchanged = 0
            var stuck = 0
            func apply(_ enrollment: Enrollment) async throws {
                let event = try await event(state, enrollment)
                if case .resumed = event, let message = try await state.unsettled(enrollment) {
                    stuck += 1
                    return Console.error(
                        "enrollment \(enrollment.id) cannot go on: message \(message.id) of its step may have left; "
                            + "'postrider queue delete \(message.id)' to send the step anew")
                }
                if try await state.change(enrollment.id, event) == nil { unchanged += 1 } else { changed += 1 }
            }
            if let only {
                for enrollment in try await state.store.enrollments(contact: only) {
                    let version = try await state.store.sequence(id: enrollment.sequence)
                    if version?.plan.name.utf8.elementsEqual(plan.name.utf8) == true { try await apply(enrollment) }
                }
            } else {
                try await state.eachEnrollment(of: plan.name, apply)
            }
            Console.out("\(plan.name): \(changed) \(done), \(unchanged) left as they were")
            if pauses == false, contact != nil, let mark = try await state.pausedSequences()[plan.name] {
                Console.error(TerminalText.line("\(mark.words): nothing goes on before 'postrider sequence resume \(plan.name)'"))
            }
            if stuck > 0 { throw ExitStatus.badInput.code }
        }
    }
}

extension OpenState {
    /// The message of a paused enrollment's next step that is still in the queue, because its final dot may have left.
    func unsettled(_ enrollment: Enrollment) async throws -> OutboxMessage? {
        guard enrollment.state == .paused || enrollment.state == .needsData else { return nil }
        return try await store.messages(enrollment: enrollment.id).first { $0.step == enrollment.nextStep && !$0.state.isFinal }
    }
}
