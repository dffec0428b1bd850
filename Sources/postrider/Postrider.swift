import ArgumentParser

/// The command line.
@main
struct Postrider: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postrider", abstract: "Self-hosted, mail-native outreach: sequences out, replies in, no third party.",
        discussion: """
            Commands that read or change state work on the database directly, whether 'postrider serve' runs or not.
            Conf file: --conf, else $POSTRIDER_CONF, else /etc/postrider/postrider.conf.
            Exit status: 0 ok, 1 a check found faults, 64 usage, 65 bad input, 69 a peer is unavailable, 70 internal, 75 try again, 77 no permission,
            78 configuration.
            """, version: Version.text,
        subcommands: [Serve.self, Check.self, Conf.self] + RehearsalCommands.all + StateCommands.all + ToolCommands.all)

    /// Also before the command, as in `postrider --conf FILE check`; each command takes it from here.
    @OptionGroup var conf: ConfOption

    static func main() async {
        await main(FilesBeyond.taken(from: Array(CommandLine.arguments.dropFirst())))
    }
}

enum Version {
    static let text = "0.1.0"
}
