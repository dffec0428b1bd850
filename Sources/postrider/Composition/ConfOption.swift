import ArgumentParser
import Foundation
import Settings

/// The conf file that a command works with.
struct ConfOption: ParsableArguments {
    @Option(name: .long, help: "The conf file; else $POSTRIDER_CONF, else /etc/postrider/postrider.conf.")
    var conf: String?

    var path: String { conf ?? ProcessInfo.processInfo.environment["POSTRIDER_CONF"] ?? "/etc/postrider/postrider.conf" }

    /// The settings; all faults go to standard error, and the command ends with 78.
    func load() throws(Failure) -> Settings {
        switch Settings.load(path) {
        case .success(let settings): return settings
        case .failure(let error): throw Failure(.configuration, error.description)
        }
    }

    /// The same for a brake: where the conf has faults its `[main]` is enough, and the faults are only told.
    func loadForBrake() throws(Failure) -> (settings: Settings, isWhole: Bool) {
        switch Settings.load(path) {
        case .success(let settings): return (settings, true)
        case .failure(let error):
            guard let alone = error.mainAlone else { throw Failure(.configuration, error.description) }
            Console.error("\(error.description)\nthe conf has faults, which do not matter to this command")
            return (alone, false)
        }
    }
}
