import ArgumentParser
import Foundation
import InternetMessage
import MailTransport
import OpenSSL
import SASL

struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Try a server with the real clients, without conf and database.", subcommands: [ProbeSMTP.self, ProbeIMAP.self])
}

/// The server that a probe talks to, how, and as whom.
struct ProbeTarget: ParsableArguments {
    @Option(help: "The server: a name or an address.")
    var host: String
    @Option(help: "Its port.")
    var port: Int
    @Option(help: ArgumentHelp("Authorities to trust instead of the machine's, PEM.", valueName: "file"))
    var ca: String?
    @Option(help: "The name the certificate must bear, if not the host's.")
    var name: String?
    @Option(help: ArgumentHelp("Give up after this time, whatever is going on.", valueName: "seconds"))
    var timeout: Double?

    func validate() throws {
        guard !host.utf8.isEmpty else { throw ValidationError("--host is empty") }
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be 1 to 65535") }
        if let timeout { guard timeout > 0, timeout <= 1_000_000 else { throw ValidationError("--timeout must be more than 0 seconds") } }
    }

    /// The whole time a call may take; nil: as long as it needs.
    var limit: Duration? { timeout.map { .seconds($0) } }

    /// The end of a call that begins now.
    var deadline: CallDeadline { CallDeadline(limit) }

    /// Whether it is this machine, so that a password may travel in clear.
    var isLocal: Bool {
        var bytes = host.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") { bytes = Array(bytes.dropFirst().dropLast()) }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isVersion4 = labels.count == 4 && labels[0] == Array("127".utf8)[...] && labels.allSatisfy { $0.allSatisfy { $0 &- 48 < 10 } }
        return isVersion4 || bytes.elementsEqual("localhost".utf8) || bytes.elementsEqual("::1".utf8)
    }

    func trust() throws(Failure) -> TLSClientContext {
        do throws(TLSError) {
            return try TLSClientContext(trust: ca.map { .caFile($0) } ?? .system)
        } catch {
            throw Failure(.badInput, "\(error)")
        }
    }

    /// - Parameter passwordFile: one line.
    func credentials(user: String, passwordFile: String) throws(Failure) -> Route.Credentials {
        Route.Credentials(sasl: .password(try Input.secret(passwordFile), user: user), isLocal: isLocal)
    }
}

/// When a whole call has to be over, whatever is going on.
struct CallDeadline {
    private let limit: Duration?
    private let end: ContinuousClock.Instant?

    /// - Parameter limit: from now on; nil: as long as it needs.
    init(_ limit: Duration?) {
        self.limit = limit
        end = limit.map { .now + $0 }
    }

    /// Time that is left; nil: as much as is needed.
    var left: Duration? { end.map { max(.zero, $0 - .now) } }

    var isOver: Bool { end.map { $0 <= .now } ?? false }

    /// What to say when the time ran out before `matter` came to its end.
    func words(for matter: String) -> String {
        let milliseconds = limit.map { $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000 } ?? 0
        let time = milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(Double(milliseconds) / 1000)"
        return "\(matter) did not come to its end within the \(time) s of --timeout"
    }

    /// Runs `work`, and cancels it when the time is over; `work` then ends by itself with what it knows.
    func bound<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let left else { return try await work() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try? await Task.sleep(for: left)
                return nil
            }
            while let ended = try await group.next() {
                // The clock brought down the work, or the work the clock; either way the work has the word.
                group.cancelAll()
                if let value = ended { return value }
            }
            throw CancellationError()
        }
    }
}
