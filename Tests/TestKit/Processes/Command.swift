/// A program run to its end.
package enum Command {
    /// What a program left behind.
    package struct Outcome: Sendable {
        package let ending: ChildProcess.Ending
        package let output: [UInt8]
        package let errors: [UInt8]

        package var outputText: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
        /// The exit status; nil when a signal ended the program.
        package var status: Int32? { if case .exited(let status) = ending { status } else { nil } }
    }

    /// A program that should have succeeded and did not.
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs `program` to its end and returns what it printed; throws `TimedOut`, and kills it, when it takes longer than `limit`.
    package static func run(
        _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:], input: [UInt8] = [], directory: String? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> Outcome {
        let child = try ChildProcess(program, arguments, environment: environment, input: input, directory: directory)
        let ending = try await child.waitForEnd(within: limit)
        return Outcome(ending: ending, output: TextFile.bytes(child.outputFile), errors: TextFile.bytes(child.errorFile))
    }

    /// Runs `program` as above and throws `Failed`, with its errors, unless its exit status is 0.
    @discardableResult
    package static func succeed(
        _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:], input: [UInt8] = [], directory: String? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> Outcome {
        let outcome = try await run(program, arguments, environment: environment, input: input, directory: directory, within: limit)
        guard outcome.status == 0 else {
            throw Failed(
                description: "\(program) \(arguments.joined(separator: " ")): \(outcome.ending)\n\(outcome.errorText)\(outcome.outputText)")
        }
        return outcome
    }
}
