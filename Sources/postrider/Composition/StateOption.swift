import ArgumentParser
import Foundation
import Settings

/// The conf and the workspace that a command works with.
struct StateOption: ParsableArguments {
    @OptionGroup var conf: ConfOption
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The workspace; else $POSTRIDER_WORKSPACE, else the only one of the conf's identities, else 'default'.", valueName: "name"))
    var workspace: String?

    /// The workspace that a person named; nil: none.
    var asked: String? { workspace ?? Self.inEnvironment }

    /// The same, for whoever did not name it on the command line.
    static var inEnvironment: String? {
        ProcessInfo.processInfo.environment["POSTRIDER_WORKSPACE"].flatMap { $0.utf8.isEmpty ? nil : $0 }
    }

    func load() throws(Failure) -> Settings { try conf.load() }
}
