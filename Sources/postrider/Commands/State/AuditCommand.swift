import ArgumentParser
import InternetMessage
import Outreach

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "List the commands that changed the state: who gave them and when, oldest first.",
        discussion: """
            A command is noted before it is done; where it was not done, or not all of it, a second line says why. What decided by itself is \
            in the timeline of each contact, 'postrider contacts show'.
            """)

    @OptionGroup var conf: ConfOption
    @Option(help: "Only from this moment or day on (2026-03-04, 2026-03-04T08:00; UTC).") var since: String?
    @Flag(help: "One JSON object per line.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let start = try since.map { text throws(Failure) in
                guard let moment = WrittenMoment.read(text, in: nil) else {
                    throw Failure(.usage, "--since \(TerminalText.line(text)) is no moment; write 2026-03-04 or 2026-03-04T08:00")
                }
                return moment
            }
            var table = Table([.init("AT"), .init("WHO"), .init("COMMAND", limit: 120), .init("FAILED", limit: 90)])
            var after: AuditEntry.ID?
            while true {
                let page = try await state.store.audit(after: after, limit: 500)
                guard let last = page.last else { break }
                after = last.id
                for entry in page where start.map({ entry.at >= $0 }) ?? true {
                    if json {
                        JSONLine.write([
                            "id": .id(entry.id), "at": .string(entry.at.iso8601), "person": .string(entry.person),
                            "command": .string(entry.command), "failure": .text(entry.failure),
                        ])
                    } else {
                        table.add([entry.at.iso8601, entry.person, entry.command, entry.failure ?? ""])
                        table.writeWhenLong()
                    }
                }
            }
            if !json { table.isEmpty ? Console.out("nothing was changed yet") : table.write() }
        }
    }
}
