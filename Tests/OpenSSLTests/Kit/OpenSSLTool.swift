import Foundation
import Glibc
import Synchronization

/// The `openssl` command: a second opinion from outside this package.
enum OpenSSLTool {
    struct Failed: Error {
        let text: String
    }

    /// What `openssl ARGUMENTS` writes to standard output, fed with `input`.
    @discardableResult
    static func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        try command("openssl", arguments, input: input)
    }

    @discardableResult
    static func command(_ name: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let (give, take, complain) = (Spawning.pipe(), Spawning.pipe(), Spawning.pipe())
        process.standardInput = give
        process.standardOutput = take
        process.standardError = complain
        try Spawning.start(process)
        // Small inputs only: they fit the pipe.
        give.fileHandleForWriting.write(Data(input))
        give.fileHandleForWriting.closeFile()
        let output = take.fileHandleForReading.readDataToEndOfFile()
        let errors = complain.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(text: "\(name) \(arguments.joined(separator: " ")): \(String(decoding: errors, as: UTF8.self))")
        }
        return [UInt8](output)
    }
}

/// A folder of its own under the system's temporary folder, removed at the end.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("postrider-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { remove() }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

/// Starts processes so that none inherits a pipe of another: a pipe that a stranger holds open never ends.
enum Spawning {
    private static let lock = Mutex(())

    /// A pipe that no other process can have inherited.
    static func pipe() -> Pipe {
        lock.withLock { _ in
            let pipe = Pipe()
            for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
                _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
            }
            return pipe
        }
    }

    static func start(_ process: Process) throws { try lock.withLock { _ in try process.run() } }
}
