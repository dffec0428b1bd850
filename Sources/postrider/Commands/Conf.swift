import ArgumentParser
import Settings

struct Conf: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conf",
        abstract: "Show the conf: values that differ from the defaults, the defaults, or what applies to an address.",
        subcommands: [ConfShow.self, ConfExplain.self], defaultSubcommand: ConfShow.self)
}

struct ConfShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Values that differ from the defaults (-n), or all defaults (-d); the default.")

    @OptionGroup var conf: ConfOption
    @Flag(name: .customShort("n"), help: "Values that are not the defaults (secrets are file names only).")
    var nonDefault = false
    @Flag(name: .customShort("d"), help: "All defaults.")
    var defaults = false

    func validate() throws {
        guard nonDefault != defaults else { throw ValidationError("give either -n or -d, or 'explain ADDRESS'") }
    }

    func run() async throws {
        try await reportingFailures {
            if defaults {
                Console.out(Settings.defaults())
            } else {
                Console.out(try conf.load().nonDefault())
            }
        }
    }
}
