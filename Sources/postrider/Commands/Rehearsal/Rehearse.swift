import ArgumentParser
import Foundation
import InternetMessage
import Outreach
import Settings

struct Rehearse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Play a whole campaign before anything is sent: what would leave, when, from whom, and which limit held it.",
        discussion: """
            The real engine works on a copy of the database, by a clock that is wound, with a sink on this machine behind every route. Nothing \
            leaves and nothing is changed. Chances (gaps, hours, pools) are drawn from the seed of the installation, so a real run that begins at \
            the same moment has the same calendar, as long as nobody answers and every server takes the mail. What is enrolled and queued \
            already takes its share of the budgets.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "A sequence file, or the name of a loaded sequence.") var sequence: String
    @Option(help: "Who is enrolled: a CSV file as for 'contacts import', or - for standard input.") var contacts: String
    @OptionGroup var stage: StageOptions
    @Option(help: SenderChoice.help) var identity: String?
    @Option(help: "Days that are played at most.") var days = 366

    func validate() throws { try stage.validate(days: days) }

    func run() async throws {
        try await reportingFailures {
            let settings = try conf.load()
            let senders = try SenderChoice.senders(identity, in: settings, of: conf.asked ?? settings.workspaceMeant)
            let file = try Self.file(sequence, settings)
            try await stage.play(settings, workspace: conf.asked, days: days, detail: .messages) { state in
                let version: SequenceVersion
                if let file {
                    version = try await state.store.load(
                        SequenceVersion(id: state.ids.next(), workspace: state.workspace, plan: file.plan, hash: file.hash))
                } else {
                    version = try await state.sequence(sequence)
                }
                try await CampaignContacts(state: state, version: version, senders: senders, file: contacts).enroll()
                return version.plan.name
            }
        }
    }

    /// Nil when it is no file but a name.
    private static func file(_ text: String, _ settings: Settings) throws(Failure) -> SequenceFile? {
        guard text.utf8.contains(UInt8(ascii: "/")) || FileManager.default.fileExists(atPath: text) else { return nil }
        return try SequenceFiles.read([text], settings).first?.file
    }
}
