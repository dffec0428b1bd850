import InternetMessage
import NIOCore
import OpenSSL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// A connection that breaks off after each single octet of a full dialogue, in each way in which it can.
///
/// The outcome follows from where it broke: deferred before the final dot, ambiguous from there to the end of its reply, accepted behind.
/// Nothing hangs, and no message is given to a server twice.
@Suite("connections that break off", .timeLimit(.minutes(5)))
struct CutTests {
    struct Dialogue: Sendable, CustomTestStringConvertible {
        let name: String
        var isLMTP = false
        var extensions: [String] = []
        var usesTLS = false
        /// The breach is in the second message of a connection.
        var isReused = false

        var testDescription: String { name }
    }

    static let dialogues = [
        Dialogue(name: "plain", extensions: ["SIZE 1000000"]),
        Dialogue(name: "pipelined", extensions: ["PIPELINING", "ENHANCEDSTATUSCODES"]),
        Dialogue(name: "STARTTLS", extensions: ["PIPELINING"], usesTLS: true),
        Dialogue(name: "LMTP", isLMTP: true, extensions: ["PIPELINING"]),
        Dialogue(name: "used again", extensions: ["PIPELINING"], isReused: true),
        Dialogue(name: "used again, one command at a time", isReused: true),
        Dialogue(name: "used again, STARTTLS", usesTLS: true, isReused: true),
    ]

    /// So short only where a server falls silent: nothing else may run into them.
    private static func timeouts(_ fault: HostilePeer.Fault?) -> Timeouts {
        var timeouts = Timeouts()
        guard fault == .stall else { return timeouts }
        for path in [
            \Timeouts.greeting, \.hello, \.startTLS, \.tls, \.mail, \.recipient, \.data, \.content, \.reset, \.quit, \.finalDot,
        ] {
            timeouts[keyPath: path] = .milliseconds(800)
        }
        return timeouts
    }

    private struct Run: Sendable {
        let report: DeliveryReport
        let state: HostilePeer.State
    }

    /// One delivery, behind another one where the connection is to be used again.
    private static func run(_ dialogue: Dialogue, _ fault: (HostilePeer.Fault, Int)?, tls: TLSServerContext?, trust: TLSClientContext)
        async throws -> Run
    {
        var script = HostilePeer.Script(isLMTP: dialogue.isLMTP, extensions: dialogue.extensions)
        if dialogue.usesTLS { script.tls = tls }
        if let fault { script.fault = (fault.0, fault.1) }
        if dialogue.isReused {
            script.faultAfterDots = 1
            script.onlyFirst = true
        }
        let peer = try await HostilePeer.start(script)
        let kind: Route.Kind =
            dialogue.isLMTP ? .lmtp(.host("127.0.0.1", port: peer.port)) : .submission(host: "127.0.0.1", port: peer.port)
        let timeouts = timeouts(fault?.0)
        let route = try Bench.route(
            kind, tls: dialogue.usesTLS ? .starttls : .none, level: dialogue.usesTLS ? .verify : .none, trust: trust,
            finalDot: timeouts.finalDot, timeouts: timeouts,
            connections: dialogue.isReused ? ConnectionLimits(idle: .seconds(20)) : .single)
        let courier = Bench.courier(route)
        let checks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
        if dialogue.isReused {
            let first = await courier.deliver(try Bench.message(to: "first@example.net"), route: "r", checks: checks)
            #expect(first.word == "accepted", "\(first)")
        }
        let report = await courier.deliver(try Bench.message(), route: "r", checks: checks)
        await courier.drain(within: .seconds(2))
        await peer.stop()
        return Run(report: report, state: peer.now)
    }

    @Test("each octet of the dialogue, each way to break off", arguments: dialogues, HostilePeer.Fault.allCases)
    func everyOctet(_ dialogue: Dialogue, _ fault: HostilePeer.Fault) async throws {
        if fault == .cut, !dialogue.usesTLS { return }
        let folder = try TemporaryFolder()
        let files = try await CertificateFiles.selfSigned(in: folder)
        let tls = try TLSServerContext(certificateChainFile: files.certificate, keyFile: files.key)
        let trust = try TLSClientContext(trust: .caFile(files.certificate))

        let whole = try await Self.run(dialogue, nil, tls: tls, trust: trust)
        #expect(whole.report.word == "accepted" && whole.state.connections == 1, "\(whole.report)")
        func end(_ word: String) throws -> Int { try #require(whole.state.marks.first { $0.word == word }?.end, "no \(word)") }
        let (mail, go, taken) = (try end("MAIL"), try end("DATA"), try end("."))
        #expect(0 < mail && mail < go && go < taken)

        try await withThrowingTaskGroup(of: (Int, Run).self) { group in
            var next = 0
            func begin() {
                let position = next
                next += 1
                group.addTask { (position, try await Self.run(dialogue, (fault, position), tls: tls, trust: trust)) }
            }
            // Silence takes time and nothing else.
            let atOnce = fault == .stall ? 250 : 40
            while next <= min(taken, atOnce) { begin() }
            while let (position, run) = try await group.next() {
                if next <= taken { begin() }
                let problem = Self.problem(with: run, dialogue, fault, at: position, mail: mail, go: go, taken: taken)
                #expect(problem == nil, "\(problem ?? ""), broken off after octet \(position) of \(taken): \(run.report)")
            }
        }
    }

    /// What is wrong with what came of a breach; nil: nothing.
    private static func problem(
        with run: Run, _ dialogue: Dialogue, _ fault: HostilePeer.Fault, at position: Int, mail: Int, go: Int, taken: Int
    ) -> String? {
        let report = run.report
        let given = run.state.contents.count { $0.contains(Bench.bo) }
        let dotWasSent = report.transcript.contains("\n> .\n")
        guard given <= 1 else { return "given \(given) times" }
        // A connection that proves dead at MAIL costs the message nothing.
        if dialogue.isReused, position < mail {
            guard report.word == "accepted", given == 1, run.state.connections == 2 else { return "no fresh connection took it" }
            return nil
        }
        guard run.state.connections == 1 else { return "\(run.state.connections) connections" }
        switch report.word {
        case "deferred":
            if dotWasSent { return "deferred behind the dot" }
            if position > go { return "deferred though the dot was due" }
        case "ambiguous":
            if !dotWasSent { return "ambiguous before the dot" }
            // A reset destroys what was said and not read yet.
            if position < go || position >= taken && fault != .reset { return "ambiguous at the wrong place" }
        case "accepted":
            if position < taken || given != 1 { return "accepted without the whole reply" }
        default: return report.word
        }
        let wanted = position < go ? "deferred" : position > go && position < taken ? "ambiguous" : nil
        if let wanted, report.word != wanted { return "not \(wanted)" }
        if fault == .stall, let failure = report.failure, failure.cause != .timeout { return "no timeout" }
        return nil
    }
}
