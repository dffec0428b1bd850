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
}
