import ArgumentParser
import Foundation
import Outreach

/// Exit statuses of the command line (sysexits).
enum ExitStatus: Int32, Error {
    case ok = 0
    case faults = 1
    case usage = 64
    case badInput = 65
    case unavailable = 69
    case internalError = 70
    case tryAgain = 75
    case noPermission = 77
    case configuration = 78

    var code: ExitCode { ExitCode(rawValue) }
}

/// A failure that ends a command: what to say on standard error, and the status.
struct Failure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ error: StoreError) {
        let status: ExitStatus =
            switch error.code {
            case .busy, .full: .tryAgain
            case .unusable: .configuration
            case .cannotCreate: .badInput
            case .io, .constraint: .internalError
            }
        let remedy =
            error.code == .io
            ? "; the file of the database could not be read or written (the disk, a quota, or a limit of file size): see the system's log, then "
                + "start again; what was acknowledged is stored" : ""
        self.init(status, error.message + remedy)
    }
}

/// Where commands write.
enum Console {
    static func out(_ line: String) { write(line, to: .standardOutput) }

    static func error(_ line: String) { write(line, to: .standardError) }

    private static func write(_ line: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data((line + "\n").utf8))
    }
}

/// Runs a command's body and turns what it throws into a line on standard error and an exit status.
func reportingFailures(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let failure as Failure {
        if !failure.message.isEmpty { Console.error(failure.message) }
        throw failure.status.code
    } catch let error as StoreError {
        let failure = Failure(error)
        Console.error(failure.message)
        throw failure.status.code
    }
}
