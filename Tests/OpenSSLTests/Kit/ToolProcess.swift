import Foundation
import Glibc

/// An `openssl` command that runs until it is stopped, talked to through its standard input and output.
final class ToolProcess {
    struct SaidNothing: Error {
        let said: String
    }

    private let process = Process()
    private let input = Spawning.pipe()
    private let output = Spawning.pipe()
    private(set) var said: [UInt8] = []

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try Spawning.start(process)
        // So that a test that waits in vain fails instead of hanging.
        DispatchQueue.global().asyncAfter(deadline: .now() + 60) { [weak process] in
            if let process, process.isRunning { _ = Glibc.kill(process.processIdentifier, SIGKILL) }
        }
    }

    deinit {
        // Not the polite signal: children inherit a mask in which it is blocked.
        if process.isRunning { kill() }
    }

    /// Reads on until `text` has been said; returns what follows it on its line.
    @discardableResult
    func wait(for text: String) throws -> String {
        while true {
            let all = String(decoding: said, as: UTF8.self)
            if let found = all.range(of: text), let line = all[found.upperBound...].firstIndex(where: \.isNewline) {
                return String(all[found.upperBound..<line])
            }
            // Blocks until there is something; empty at the end of the process.
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw SaidNothing(said: all) }
            said += more
        }
    }

    func say(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }

    func endInput() { input.fileHandleForWriting.closeFile() }

    /// Reads to the end and returns the exit status.
    func finish() -> Int32 {
        said += output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Ends the process without giving it a chance to say goodbye.
    func kill() {
        _ = Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
