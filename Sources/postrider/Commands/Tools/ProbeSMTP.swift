import ArgumentParser
import DNS
import Foundation
import InternetMessage
import Logging
import MailTransport
import NIOPosix
import OpenSSL
import SMTP

struct ProbeSMTP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smtp", abstract: "Send the message on standard input through the real SMTP client.",
        discussion: """
            The dialogue goes to standard error, one line with the outcome to standard output. LF and CR line ends become CRLF.
            Exit status: 0 accepted; 75 deferred (4xx, cannot connect, lost before the final dot); 69 rejected for good (5xx, a refused login
            too); 70 ambiguous (lost between the final dot and its complete reply); 77 refused for our own safety (certificate, missing
            STARTTLS or AUTH, a password that would travel in clear or that others may read); 65 input that is no legal mail (NUL, a line of
            more than 998 octets).
            """)

    enum TLS: String, ExpressibleByArgument, CaseIterable {
        case none, may, starttls, implicit
    }

    @OptionGroup var target: ProbeTarget
    @Option(help: "may: STARTTLS when offered, nobody verified; starttls, implicit: only with a certificate that verifies.")
    var tls: TLS = .may
    @Option(help: "Log in as this user.")
    var user: String?
    @Option(help: ArgumentHelp("A file with the password.", valueName: "file"))
    var passwordFile: String?
    @Option(help: ArgumentHelp("The reverse-path; empty or <> is the null one.", valueName: "address"))
    var from: String
    @Option(help: ArgumentHelp("The forward-path.", valueName: "address"))
    var to: String

    func validate() throws {
        guard (user == nil) == (passwordFile == nil) else { throw ValidationError("--user and --password-file go together") }
        guard reversePath != nil else { throw ValidationError("--from: '\(from)' is not an email address") }
        guard recipient != nil else { throw ValidationError("--to: '\(to)' is not an email address") }
    }

    private var reversePath: ReversePath? {
        let bytes = Self.bare(from)
        return bytes.isEmpty ? .null : EmailAddress(parsing: bytes).map { .address($0) }
    }

    private var recipient: EmailAddress? { EmailAddress(parsing: Self.bare(to)) }

    private static func bare(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return bytes.first == UInt8(ascii: "<") && bytes.last == UInt8(ascii: ">") ? Array(bytes.dropFirst().dropLast()) : bytes
    }

    func run() async throws {
        try await reportingFailures {
            guard let reversePath, let recipient else { return }
            let deadline = target.deadline
            let route = try route()
            guard let input = try Input.standard(within: deadline) else {
                Console.out(TerminalText.line("deferred (input): \(deadline.words(for: "the message on standard input"))"))
                throw Failure(.tryAgain, "")
            }
            let content = Input.normalised(input)
            try Input.refuseIllegal(content)
            let message = OutboundMessage(reversePath: reversePath, recipient: recipient, content: content, envelopeID: "probe")
            let logger = Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() }
            let courier = Courier(
                routes: [route], resolver: StaticResolver([:]), eventLoops: MultiThreadedEventLoopGroup.singleton, seed: 0, logger: logger)
            let checks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
            let report = try await deadline.bound { await courier.deliver(message, route: route.name, checks: checks) }
            let outcome = ProbeOutcome(report, deadline: deadline)
            for line in report.transcript.utf8.split(separator: UInt8(ascii: "\n")) {
                Console.error(String(decoding: line.map(\.self), as: UTF8.self))
            }
            if let note = report.note { Console.error(TerminalText.line("* \(note)")) }
            Console.out(outcome.line)
            await courier.drain(within: min(.seconds(1), deadline.left ?? .seconds(1)))
            guard outcome.status == .ok else { throw Failure(outcome.status, "") }
        }
    }

    private func route() throws(Failure) -> Route {
        var credentials: Route.Credentials?
        if let user, let passwordFile { credentials = try target.credentials(user: user, passwordFile: passwordFile) }
        let (mode, level): (Route.TLSMode, Route.TLSLevel) =
            switch tls {
            case .none: (.none, .none)
            case .may: (.starttls, .may)
            case .starttls: (.starttls, .verify)
            case .implicit: (.implicit, .verify)
            }
        var timeouts = Timeouts()
        if let limit = target.limit { timeouts.connect = min(timeouts.connect, limit) }
        return Route(
            name: "probe", kind: .submission(host: target.host, port: target.port), tls: mode, level: level, trust: try target.trust(),
            credentials: credentials, certificateName: target.name, helloName: Self.helloName, timeouts: timeouts)
    }

    /// The machine's own name when it is one to show, else an address literal (RFC 5321 §4.1.3).
    private static var helloName: String {
        let name = ProcessInfo.processInfo.hostName
        let bytes = Array(name.utf8)
        let isName =
            bytes.contains(UInt8(ascii: ".")) && bytes.count <= 253
            && bytes.allSatisfy { ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        return isName ? name : "[127.0.0.1]"
    }
}
