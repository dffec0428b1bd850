import Foundation

/// The built `postrider` program: the one that `POSTRIDER_BINARY` names, else the one built beside the tests.
package enum Executable {
    /// The path of the program.
    package static var path: String {
        if let path = ProcessInfo.processInfo.environment["POSTRIDER_BINARY"] { return path }
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "postrider").path
    }

    /// Runs `postrider` to its end and returns its outputs and exit status; kills it and throws when it takes longer than `limit`.
    package static func run(
        _ arguments: [String], environment: [String: String?] = [:], input: [UInt8] = [], directory: String? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> Command.Outcome {
        try await Command.run(path, arguments, environment: environment, input: input, directory: directory, within: limit)
    }

    /// Starts `postrider` for as long as the test wants it; it is killed when the last reference to it goes.
    package static func start(_ arguments: [String], environment: [String: String?] = [:], directory: String? = nil) throws -> ChildProcess
    {
        try ChildProcess(path, arguments, environment: environment, directory: directory)
    }
}
