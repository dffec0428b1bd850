import Foundation

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
        let (give, take, complain) = (Pipe(), Pipe(), Pipe())
        process.standardInput = give
        process.standardOutput = take
        process.standardError = complain
        try process.run()
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
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("postrider-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
