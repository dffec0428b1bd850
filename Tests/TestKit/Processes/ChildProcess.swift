import Foundation
package import Glibc
import Synchronization

/// A process that a test started, with its output in files, ended by its id.
///
/// It leads a process group of its own, so what it started ends with it; it inherits no descriptor of ours. When the last reference
/// goes while it still runs, it is killed: a test that throws leaves nothing behind.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    package let id: pid_t
    /// The path of the program.
    package let program: String
    /// The files that receive the standard output and the standard error.
    package let outputFile: String
    package let errorFile: String

    private let folder: TemporaryFolder
    /// Nil as long as the process was not seen to end; its id may be signalled only until then.
    private let ending = Mutex<Ending?>(nil)

    /// Starts `program` with `arguments`.
    ///
    /// `environment` is laid over our own; a nil value takes a variable away. `input` is the standard input, empty when not given.
    /// `outputFile` receives both outputs when given; else each goes to a file of its own in a temporary folder. A program that
    /// `makesItsOwnGroup` (by `setsid`, which fails for who leads a group already) is left to do so.
    package init(
        _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:], input: [UInt8] = [], directory: String? = nil,
        outputFile: String? = nil, makesItsOwnGroup: Bool = false
    ) throws {
        folder = try TemporaryFolder()
        self.program = program
        self.outputFile = outputFile ?? folder("stdout")
        errorFile = outputFile ?? folder("stderr")

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let appending = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input.isEmpty ? "/dev/null" : try folder.write("stdin", input), O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, self.outputFile, appending, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, appending, 0o644)
        try LaterSpawnActions.closeAll(from: 3, &actions)
        if let directory { try LaterSpawnActions.change(to: directory, &actions) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let group = makesItsOwnGroup ? 0 : POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)

        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        let argumentTexts = CStrings([program] + arguments)
        let variableTexts = CStrings(variables.map { "\($0)=\($1)" })
        var started: pid_t = 0
        let code = posix_spawn(&started, program, &actions, &attributes, argumentTexts.pointers, variableTexts.pointers)
        guard code == 0 else { throw SystemError("cannot start \(program)", code: code) }
        id = started
    }

    deinit {
        kill()
        ending.withLock { ending in
            guard ending == nil else { return }
            var status: CInt = 0
            _ = waitpid(id, &status, 0)
        }
    }

    /// How the process ended; nil while it runs.
    package var ended: Ending? {
        ending.withLock { ending in
            if ending == nil {
                var status: CInt = 0
                if waitpid(id, &status, WNOHANG) == id { ending = Self.decode(status) }
            }
            return ending
        }
    }

    /// Sends a signal to the process alone, unless it has ended.
    package func signal(_ number: Int32) {
        _ = ended
        ending.withLock { if $0 == nil { _ = Glibc.kill(id, number) } }
    }

    /// Kills the process and all that it started, at once.
    package func kill() {
        ending.withLock { ending in
            guard ending == nil else { return }
            _ = Glibc.kill(-id, SIGKILL)
            _ = Glibc.kill(id, SIGKILL)
        }
    }

    /// Waits for the end of the process.
    package func waitForEnd(within limit: Duration = .seconds(60)) async throws -> Ending {
        try await eventually("the end of \(program) [\(id)]\n\(outputTail)", within: limit) { self.ended }
    }

    /// Ends the process: SIGTERM first and, when it still runs after `patience`, SIGKILL to all that it started.
    @discardableResult
    package func end(patience: Duration = .seconds(10)) async -> Ending? {
        signal(SIGTERM)
        if let ending = try? await waitForEnd(within: patience) { return ending }
        kill()
        return try? await waitForEnd(within: patience)
    }

    /// Waits until something listens on `port` of 127.0.0.1; throws at once when the process ends before.
    package func waitForPort(_ port: Int, within limit: Duration = .seconds(90)) async throws {
        try await eventually("\(program) on port \(port)\n\(outputTail)", within: limit) {
            try self.checkRuns()
            return try await onThread { (try? Socket.connect(port: port)) != nil }
        }
    }

    /// Waits until `file` (the output file when nil) holds `text`, and returns the line; throws at once when the process ends before.
    @discardableResult
    package func waitForLine(containing text: String, in file: String? = nil, within limit: Duration = .seconds(90)) async throws -> String
    {
        let file = file ?? outputFile
        return try await eventually("'\(text)' in \(file)\n\(outputTail)", within: limit) {
            if let line = TextFile.line(containing: text, in: file) { return line }
            try self.checkRuns()
            return nil
        }
    }

    private func checkRuns() throws {
        guard let ended else { return }
        throw TimedOut(description: "\(program) ended (\(ended)) before it was ready\n\(outputTail)")
    }

    /// The last lines of both outputs, for a message about a failure.
    package var outputTail: String {
        Set([outputFile, errorFile]).sorted().map { file in
            TextFile.read(file).split(separator: "\n").suffix(20).joined(separator: "\n")
        }
        .joined(separator: "\n")
    }

    private static func decode(_ status: CInt) -> Ending {
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
    }
}

/// Text files that another process writes.
package enum TextFile {
    /// The whole text; empty when there is no such file.
    package static func read(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    /// The whole content; empty when there is no such file.
    package static func bytes(_ path: String) -> [UInt8] { FileManager.default.contents(atPath: path).map(Array.init) ?? [] }

    /// The first line that holds `text`; nil when there is none yet.
    package static func line(containing text: String, in path: String) -> String? {
        read(path).split(separator: "\n").first { $0.contains(text) }.map(String.init)
    }
}

/// C strings in an array that ends with nil, as `posix_spawn` wants them.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointers = .allocate(capacity: count + 1)
        for (index, text) in texts.enumerated() { pointers[index] = strdup(text) }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}

/// Two actions of `posix_spawn` that the C library has and its Swift module leaves out (they are GNU extensions).
private enum LaterSpawnActions {
    /// In the child, closes all descriptors from `first` on.
    static func closeAll(from first: CInt, _ actions: inout posix_spawn_file_actions_t) throws {
        typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt
        let code = unsafeBitCast(try symbol("posix_spawn_file_actions_addclosefrom_np"), to: Function.self)(&actions, first)
        guard code == 0 else { throw SystemError("addclosefrom", code: code) }
    }

    /// In the child, changes to the folder `path`.
    static func change(to path: String, _ actions: inout posix_spawn_file_actions_t) throws {
        typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> CInt
        let code = unsafeBitCast(try symbol("posix_spawn_file_actions_addchdir_np"), to: Function.self)(&actions, path)
        guard code == 0 else { throw SystemError("addchdir", code: code) }
    }

    private static func symbol(_ name: String) throws -> UnsafeMutableRawPointer {
        guard let symbol = dlsym(nil, name) else { throw SystemError("no \(name) in the C library", code: ENOSYS) }
        return symbol
    }
}
