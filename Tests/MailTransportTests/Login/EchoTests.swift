import Foundation
import IMAP
import InternetMessage
import NIOCore
import OpenSSL
import SASL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// Servers that repeat what they were told in confidence.
@Suite("credentials that a server repeats")
struct EchoTests {
    private static let password = "hunter22 and more"
    private static let plain = Data("\0anna\0\(password)".utf8).base64EncodedString()
    private static var credentials: Route.Credentials {
        .init(sasl: .password(Array(password.utf8), user: "anna"), mechanisms: [.plain, .login], isLocal: true)
    }

    private func expectSilence(_ texts: [String?], sourceLocation: SourceLocation = #_sourceLocation) {
        let secrets = [Self.password, Self.plain, Data(Self.password.utf8).base64EncodedString()]
        for text in texts.compactMap({ $0 }) {
            for secret in secrets { #expect(!text.lowercased().contains(secret.lowercased()), "\(text)", sourceLocation: sourceLocation) }
        }
    }

    @Test(
        "neither transcript nor reason of a delivery hold them",
        arguments: [
            ("PLAIN", "535 5.7.8 failed for: AUTH PLAIN \(plain)\r\n"),
            ("PLAIN", "500-unrecognized\r\n500 AUTH PLAIN \(plain.uppercased())\r\n"),
            ("PLAIN", "535 anna has another password than \(password)\r\n"), ("LOGIN", "535 failed: LOGIN \(password)\r\n"),
        ])
    func delivery(_ mechanism: String, _ answer: String) async throws {
        let peer = try await LinePeer.start(greeting: "220 peer ESMTP\r\n") { lines in
            let line = lines.last ?? ""
            if line.hasPrefix("EHLO") { return "250-peer\r\n250 AUTH \(mechanism)\r\n" }
            if line.hasPrefix("AUTH LOGIN") { return "334 VXNlcm5hbWU6\r\n" }
            if line == Data("anna".utf8).base64EncodedString() { return "334 UGFzc3dvcmQ6\r\n" }
            return line == "QUIT" ? "221 bye\r\n" : answer
        }
        let route = try Bench.route(.submission(host: "127.0.0.1", port: peer.port), credentials: Self.credentials)
        let report = await Bench.deliver(try Bench.message(), over: route)
        #expect(report.failure?.cause == .authenticationFailed, "\(report)")
        #expect(report.reason.contains("[credentials]"), "\(report.reason)")
        #expect(report.transcript.contains("[credentials]"))
        expectSilence([report.reason, report.transcript, report.failure?.reply?.text])
        await peer.stop()
    }

    @Test("a line that comes octet by octet is one line of the transcript, and its secrets are found")
    func dribble() {
        var transcript = Transcript(mask: SecretMask(.password(Array(Self.password.utf8), user: "anna")))
        transcript.sent(ByteBuffer(string: "NOOP\r\n"))
        for octet in "535 no \(Self.password)\r\n250 next".utf8 { transcript.received(ByteBuffer(bytes: [octet])) }
        #expect(transcript.text == "> NOOP\n< 535 no [credentials]\n< 250 next\n")
        transcript.note("over")
        #expect(transcript.text == "> NOOP\n< 535 no [credentials]\n< 250 next\n* over\n")
    }

    @Test(
        "neither the end of a mailbox's session nor its alerts hold them",
        arguments: ["NO unknown: AUTHENTICATE PLAIN \(plain)", "NO [ALERT] \(password) is not it", "BAD \(plain)"])
    func mailbox(_ answer: String) async throws {
        let peer = try await LinePeer.start(greeting: "* OK ready\r\n") { lines in
            let words = (lines.last ?? "").split(separator: " ").map(String.init)
            switch words.dropFirst().first {
            case "CAPABILITY": return "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n\(words[0]) OK done\r\n"
            case "LOGOUT": return "* BYE \(Self.plain)\r\n\(words[0]) OK done\r\n"
            default: return "* OK [ALERT] heard \(Self.plain)\r\n\(words[0]) \(answer)\r\n"
            }
        }
        let account = MailboxAccount(
            name: "anna", host: "127.0.0.1", port: peer.port, tls: .none, trust: try TLSClientContext(trust: .system),
            credentials: Self.credentials, mailboxes: [.named(.inbox)])
        let watcher = MailboxWatcher(account: account, desk: NoDesk(), eventLoops: Bench.eventLoops, logger: Bench.logger)
        let ending = try await watcher.session(watches: false, now: Timestamp(seconds: 1_790_000_000))
        guard case .loginRefused(let text)? = ending.reason else {
            Issue.record("\(ending)")
            return
        }
        #expect(String(decoding: text, as: UTF8.self).contains("[credentials]"))
        #expect(ending.alerts.first.map { String(decoding: $0.text, as: UTF8.self) }?.contains("[credentials]") == true)
        expectSilence(
            [String(decoding: text, as: UTF8.self), ending.words] + ending.alerts.map { String(decoding: $0.text, as: UTF8.self) })
        await peer.stop()
    }

    private struct NoDesk: MailboxDesk {
        func cursors(account: String) async throws -> [MailboxName: MailboxCursor] { [:] }
        func store(_ messages: [FetchedMessage], account: String) async throws {}
        func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {}
    }
}
