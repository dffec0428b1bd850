import InternetMessage
import NIOCore
import OpenSSL
import SASL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// Servers that lie, flood, dawdle and break the grammar: each comes to the outcome that is right for us, and no dot is written too early.
@Suite("hostile servers", .timeLimit(.minutes(4)))
struct HostileServerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let word: String
        let answer: String?
        let outcome: String
        var extensions: [String] = []

        var testDescription: String {
            let said = answer.map { $0.utf8.count > 60 ? "\($0.utf8.count) octets" : $0.debugDescription } ?? "silence"
            return "\(word.isEmpty ? "greeting" : word): \(said) - \(outcome)"
        }

        init(_ word: String, _ answer: String?, _ outcome: String, offering extensions: [String] = []) {
            self.word = word
            self.answer = answer
            self.outcome = outcome
            self.extensions = extensions
        }
    }

    private static let megabyte = String(repeating: "x", count: 1 << 20)
    private static let long = String(repeating: "x", count: 20_000)
    private static let lines = String(repeating: "250-x\r\n", count: 4000)

    /// No reply at all, whatever is awaited.
    static let noReplies = [
        "hello\r\n", "22x hi\r\n", "2 0 hi\r\n", "-20 hi\r\n", "+25 hi\r\n", "220_hi\r\n", "250x\r\n", "25\r\n", "\r\n", " 250 hi\r\n",
        "250\t\r\n",
        "000 hi\r\n", "120 hi\r\n", "600 hi\r\n", "999 hi\r\n", "2\u{0662}0 hi\r\n", "\0\0\0\0250 hi\r\n", "250 hi\n", "250 a\rb\r\n",
        "250-a\r\n220 b\r\n", "220-a\r\n250 b\r\n", "250-a\r\nb\r\n", "HTTP/1.1 400 Bad Request\r\n", "* OK IMAP4rev1\r\n", "+OK POP3\r\n",
        "SSH-2.0-x\r\n", "\u{16}\u{3}\u{1}\0\u{5}hello\r\n", "250 " + long + "\r\n", long, lines,
    ]

    static let cases: [Case] = {
        var cases: [Case] = []
        for (word, stage) in [("", "greeting"), ("EHLO", "hello"), ("MAIL", "mail"), ("RCPT", "recipient"), ("DATA", "data")] {
            for reply in noReplies { cases.append(Case(word, reply, "deferred \(stage)")) }
            cases.append(Case(word, nil, "deferred \(stage)"))
            cases.append(Case(word, "421 4.3.2 Closing\r\n", "deferred \(stage)"))
            cases.append(Case(word, "451 4.3.0 Later\r\n", "deferred \(stage)"))
            cases.append(Case(word, "300 hi\r\n", "deferred \(stage)"))
            cases.append(Case(word, "334 \r\n", "deferred \(stage)"))
            if word != "DATA" { cases.append(Case(word, "354 go\r\n", "deferred \(stage)")) }
            if word != "EHLO" { cases.append(Case(word, "530 5.7.0 Log in\r\n", "deferred \(stage)")) }
            cases.append(Case(word, "220-half\r\n", "deferred \(stage)"))
            cases.append(Case(word, "250-half", "deferred \(stage)"))
        }
        for reply in noReplies + [
            "354 go\r\n", "334 \r\n", "300 x\r\n", "250", "250 ok", "250 ok\r", "250-ok\r\n", "250-ok\r\n250-x\r\n", "5",
        ] {
            cases.append(Case(".", reply, "ambiguous finalDot"))
        }
        cases += [
            Case("EHLO", megabyte, "deferred hello"), Case("MAIL", "250 " + megabyte + "\r\n", "deferred mail"),
            Case(".", megabyte, "ambiguous finalDot"), Case(".", nil, "ambiguous finalDot"), Case(".", "421 4.3.2 bye\r\n", "deferred finalDot"),
            Case(".", "452 4.3.1 full\r\n", "deferred finalDot"), Case(".", "550 5.7.1 no\r\n", "rejected finalDot"),
            Case(".", "535 5.7.8 who\r\n", "deferred finalDot"), Case(".", "552 5.2.2 big\r\n", "rejected finalDot"),
            Case(".", "250\r\n", "accepted"), Case(".", "250 \r\n", "accepted"), Case(".", "251-a\r\n251 b\r\n", "accepted"),
            Case(".", "250 \0\u{1b}[2J\r\n", "accepted"), Case(".", "250 ok\r\n550 no\r\n", "accepted"),
            Case(".", "250 ok\r\n" + lines, "accepted"), Case(".", "250 ok\r\n2", "accepted"),
            // What comes after is not asked for any more.
            Case("QUIT", nil, "accepted"), Case("QUIT", "550 no\r\n", "accepted"), Case("QUIT", megabyte, "accepted"),
            Case("QUIT", lines, "accepted"),

            Case("", "554 5.3.2 No mail here\r\n", "deferred greeting"), Case("", "250 hi\r\n", "deferred greeting"),
            Case("", "220\r\n", "accepted"), Case("", "220-a\r\n220-b\r\n220 c\r\n", "accepted"),
            // Somebody speaks before he is asked.
            Case("", "220 a\r\n250 b\r\n", "deferred hello"), Case("", "220 a\r\n2", "deferred hello"),
            Case("EHLO", "250 a\r\n250 b\r\n", "deferred mail"), Case("EHLO", "250 a\r\n5", "deferred mail"),
            Case("MAIL", "250 a\r\n250 b\r\n250 c\r\n354 d\r\n250 e\r\n", "deferred recipient"),
            Case("RCPT", "250 a\r\n354 b\r\n", "deferred data"), Case("DATA", "354 a\r\n250 b\r\n", "deferred content"),
            Case("DATA", "354 a\r\n421 b\r\n", "deferred content"), Case("DATA", "354 a\r\n2", "deferred content"),

            Case("DATA", "250 Ok\r\n", "deferred data"), Case("DATA", "220 Ok\r\n", "deferred data"),
            Case("DATA", "350 go\r\n", "deferred data"),
            Case("DATA", "354-a\r\n354 b\r\n", "accepted"), Case("DATA", "354\r\n", "accepted"),
            Case("DATA", "554 5.5.1 no\r\n", "rejected data"),
            Case("DATA", "503 5.5.1 no\r\n", "deferred data"),

            Case("MAIL", "550 5.7.1 no\r\n", "rejected mail"), Case("MAIL", "552 5.3.4 big\r\n", "rejected mail"),
            Case("MAIL", "503 5.5.1 no\r\n", "deferred mail"), Case("MAIL", "259 odd\r\n", "accepted"),
            Case("RCPT", "550 5.1.1 no\r\n", "rejected recipient"), Case("RCPT", "552 5.2.2 full\r\n", "deferred recipient"),
            Case("RCPT", "552-5.2.2 full\r\n552 still\r\n", "deferred recipient"), Case("RCPT", "251 forwarded\r\n", "accepted"),
            Case("RCPT", "452 4.5.3 too many\r\n", "deferred recipient"), Case("RCPT", "503 5.5.1 no\r\n", "deferred recipient"),

            // HELO is the way out for a server without EHLO, where neither TLS nor a login is asked for.
            Case("EHLO", "500 5.5.1 What\r\n", "accepted"), Case("EHLO", "554 5.3.2 No\r\n", "accepted"),
            Case("HELO", "250 x\r\n", "accepted"),
            // Junk among the extensions, and extensions that are not what they say.
            Case(
                "EHLO",
                "250-x\r\n250-\r\n250- \r\n250-=\r\n250-SIZE\r\n250-SIZE -1\r\n250-SIZE 99999999999999999999999\r\n250-size 1000000 more\r\n"
                    + "250-AUTH\r\n250-AUTH=\r\n250-AUTH=LOGIN PLAIN\r\n250-LIMITS MAILMAX=0 RCPTMAX=99999999999999999999 X\r\n250-\u{ff}\u{0}\r\n"
                    + "250-X-\(String(repeating: "y", count: 3000))\r\n250 8bitmime\r\n", "accepted"),
            Case("EHLO", "250-x\r\n250 SIZE 10\r\n", "rejected mail"), Case("EHLO", "250-x\r\n250 SIZE 0\r\n", "accepted"),
            Case("EHLO", "250-x\r\n250 pipelining\r\n", "accepted"), Case("EHLO", "250\r\n", "accepted"),
            // One reply for three commands.
            Case("RCPT", nil, "deferred recipient", offering: ["PIPELINING"]), Case("DATA", nil, "deferred data", offering: ["PIPELINING"]),
            Case("MAIL", "451 later\r\n", "deferred mail", offering: ["PIPELINING"]),
            Case("MAIL", "421 bye\r\n", "deferred mail", offering: ["PIPELINING"]),
            Case("RCPT", "421 bye\r\n", "deferred recipient", offering: ["PIPELINING"]),
            Case("RCPT", "552 full\r\n", "deferred recipient", offering: ["PIPELINING"]),
            Case("DATA", "421 bye\r\n", "deferred data", offering: ["PIPELINING"]),
            Case("DATA", "250 Ok\r\n", "deferred data", offering: ["PIPELINING"]),
            Case("DATA", "354 a\r\n250 b\r\n", "deferred content", offering: ["PIPELINING"]),
        ]
        return cases
    }()

    private static var timeouts: Timeouts {
        var timeouts = Timeouts()
        for path in [
            \Timeouts.greeting, \.hello, \.startTLS, \.tls, \.authentication, \.mail, \.recipient, \.data, \.content, \.reset, \.quit,
        ] {
            timeouts[keyPath: path] = .milliseconds(300)
        }
        return timeouts
    }

    private static func deliver(
        _ script: HostilePeer.Script, level: Route.TLSLevel = .none, trust: TLSClientContext? = nil, credentials: Route.Credentials? = nil
    ) async throws -> (report: DeliveryReport, state: HostilePeer.State) {
        let peer = try await HostilePeer.start(script)
        let kind: Route.Kind = script.isLMTP ? .lmtp(.host("127.0.0.1", port: peer.port)) : .submission(host: "127.0.0.1", port: peer.port)
        let route = try Bench.route(
            kind, tls: level == .none ? .none : .starttls, level: level, trust: trust, finalDot: .milliseconds(300), timeouts: timeouts,
            credentials: credentials)
        let courier = Bench.courier(route)
        let report = await courier.deliver(
            try Bench.message(), route: "r", checks: DeliveryChecks(mayLeave: { true }, finalDot: { true }))
        await courier.drain(within: .seconds(5))
        await peer.stop()
        return (report, peer.now)
    }

    @Test("every answer at every stage has one outcome", arguments: [false, true])
    func everyAnswer(isLMTP: Bool) async throws {
        let cases = Self.cases.filter { !isLMTP || $0.word != "HELO" && $0.outcome != "deferred hello" && $0.word != "EHLO" }
        try await withThrowingTaskGroup(of: (Case, DeliveryReport, HostilePeer.State).self) { group in
            var rest = cases[...]
            func begin() {
                guard let next = rest.popFirst() else { return }
                var script = HostilePeer.Script(isLMTP: isLMTP, extensions: next.extensions, answers: [next.word: next.answer])
                if next.word == "HELO" { script.answers["EHLO"] = "502 5.5.1 What\r\n" }
                group.addTask { [script] in
                    let (report, state) = try await Self.deliver(script)
                    return (next, report, state)
                }
            }
            for _ in 0..<30 { begin() }
            while let (tried, report, state) = try await group.next() {
                begin()
                let outcome = report.failure.map { "\(report.word) \($0.stage)" } ?? report.word
                #expect(outcome == tried.outcome, "\(tried.testDescription): \(report)")
                let dots = report.transcript.components(dots: ())
                #expect(dots == (tried.outcome == "accepted" || tried.outcome.hasSuffix("finalDot") ? 1 : 0), "\(tried.testDescription)")
                #expect(state.connections == 1 && state.contents.count == dots && report.transcript.utf8.count <= 32_768)
                #expect(!report.reason.utf8.contains { $0 < 32 }, "\(tried.testDescription): \(report.reason.debugDescription)")
            }
        }
    }

    @Test(
        "the time for a reply is that of the whole reply, however many octets of it trickle in",
        arguments: ["", "EHLO", "MAIL", "RCPT", "DATA", "."])
    func drip(_ word: String) async throws {
        let (report, state) = try await Self.deliver(
            .init(
                answers: [word: "250-this is a long reply\r\n250-of several lines\r\n250 which takes its time\r\n"],
                drip: [word: .milliseconds(20)]))
        #expect(report.word == (word == "." ? "ambiguous" : "deferred") && report.failure?.cause == .timeout, "\(report)")
        #expect(state.connections == 1)
    }

    @Test("a server that offers PIPELINING and reads one command at a time costs time, and nothing more")
    func brokenPipelining() async throws {
        let (report, state) = try await Self.deliver(.init(extensions: ["PIPELINING"], readsOneCommand: true))
        #expect(report.word == "deferred" && report.failure?.cause == .timeout && report.failure?.stage == .recipient, "\(report)")
        #expect(state.contents.isEmpty && state.lines.count { $0.hasPrefix("RCPT") } == 0)
    }

    struct Security: Sendable, CustomTestStringConvertible {
        let what: String
        let level: Route.TLSLevel
        var offersTLS = true
        var answers: [String: String] = [:]
        var extensions: [String] = []
        var isTrusted = true
        var withLogin = false
        let outcome: String

        var testDescription: String { "\(level.rawValue), \(what): \(outcome)" }
    }

    static let securities = [
        Security(what: "STARTTLS stripped", level: .may, offersTLS: false, outcome: "accepted"),
        Security(what: "STARTTLS stripped", level: .encrypt, offersTLS: false, outcome: "deferred startTLS"),
        Security(what: "STARTTLS stripped", level: .verify, offersTLS: false, outcome: "deferred startTLS"),
        Security(what: "EHLO refused", level: .encrypt, answers: ["EHLO": "502 what\r\n"], outcome: "deferred hello"),
        Security(what: "STARTTLS 454", level: .may, answers: ["STARTTLS": "454 4.7.0 later\r\n"], outcome: "accepted"),
        Security(what: "STARTTLS 454", level: .encrypt, answers: ["STARTTLS": "454 4.7.0 later\r\n"], outcome: "deferred startTLS"),
        Security(what: "STARTTLS 500", level: .verify, answers: ["STARTTLS": "500 5.5.1 what\r\n"], outcome: "deferred startTLS"),
        Security(what: "STARTTLS 421", level: .may, answers: ["STARTTLS": "421 4.3.2 bye\r\n"], outcome: "deferred startTLS"),
        Security(what: "STARTTLS 250", level: .may, answers: ["STARTTLS": "250 ok\r\n"], outcome: "deferred startTLS"),
        Security(what: "STARTTLS 354", level: .encrypt, answers: ["STARTTLS": "354 go\r\n"], outcome: "deferred startTLS"),
        Security(
            what: "octets behind the go-ahead", level: .may, answers: ["STARTTLS": "220 go\r\n250 x\r\n"], outcome: "deferred startTLS"),
        Security(what: "octets behind the go-ahead", level: .verify, answers: ["STARTTLS": "220 go\r\n\0"], outcome: "deferred startTLS"),
        Security(what: "STARTTLS offered within TLS", level: .verify, extensions: ["STARTTLS"], outcome: "accepted"),
        Security(what: "a certificate of nobody", level: .verify, isTrusted: false, outcome: "deferred tls"),
        Security(what: "a certificate of nobody", level: .encrypt, isTrusted: false, outcome: "accepted"),
        Security(what: "no AUTH", level: .verify, withLogin: true, outcome: "deferred authentication"),
        Security(
            what: "AUTH in clear only", level: .may, offersTLS: false, extensions: ["AUTH PLAIN"], withLogin: true,
            outcome: "deferred authentication"),
        Security(
            what: "AUTH with a certificate of nobody", level: .encrypt, extensions: ["AUTH PLAIN"], isTrusted: false, withLogin: true,
            outcome: "deferred authentication"),
        Security(
            what: "AUTH of unknown names", level: .verify, extensions: ["AUTH X Y", "AUTH=\u{7f} Z"], withLogin: true,
            outcome: "deferred authentication"),
        Security(what: "AUTH in the old form", level: .verify, extensions: ["AUTH=PLAIN"], withLogin: true, outcome: "accepted"),
        Security(
            what: "AUTH refused", level: .verify, answers: ["AUTH": "535 5.7.8 no\r\n"], extensions: ["AUTH PLAIN"], withLogin: true,
            outcome: "deferred authentication"),
        Security(
            what: "AUTH answered by 250", level: .verify, answers: ["AUTH": "250 ok\r\n"], extensions: ["AUTH PLAIN"], withLogin: true,
            outcome: "deferred authentication"),
        Security(
            what: "AUTH answered twice", level: .verify, answers: ["AUTH": "235 ok\r\n250 x\r\n"], extensions: ["AUTH PLAIN"],
            withLogin: true, outcome: "deferred authentication"),
        Security(
            what: "a challenge for ever", level: .verify, answers: ["AUTH": "334 !!!\r\n"], extensions: ["AUTH PLAIN"], withLogin: true,
            outcome: "deferred authentication"),
    ]

    @Test("what is asked of TLS and of the login is kept, or nothing of the message is said")
    func security() async throws {
        let folder = try TemporaryFolder()
        let files = try await CertificateFiles.selfSigned(in: folder)
        let tls = try TLSServerContext(certificateChainFile: files.certificate, keyFile: files.key)
        let trust = try TLSClientContext(trust: .caFile(files.certificate))
        for example in Self.securities {
            var script = HostilePeer.Script(extensions: example.extensions, answers: example.answers.mapValues { $0 })
            if example.offersTLS { script.tls = tls }
            if example.withLogin, script.answers["AUTH"] == nil { script.answers["AUTH"] = "235 2.7.0 ok\r\n" }
            let (report, state) = try await Self.deliver(
                script, level: example.level, trust: example.isTrusted ? trust : nil,
                credentials: example.withLogin ? .init(sasl: .password(Array("secret".utf8), user: "ann")) : nil)
            let outcome = report.failure.map { "\(report.word) \($0.stage)" } ?? report.word
            #expect(outcome == example.outcome, "\(example.testDescription): \(report)")
            #expect(state.lines.contains { $0.hasPrefix("MAIL") } == (outcome == "accepted"), "\(example.testDescription)")
            #expect(state.lines.count { $0 == "STARTTLS" } <= 1 && !report.transcript.contains("c2VjcmV0"))
            // AHNlY3JldA is how every mechanism would spell the password in clear.
            if example.outcome == "deferred authentication", example.level != .verify {
                #expect(!state.lines.contains { $0.hasPrefix("AUTH") }, "\(example.testDescription)")
            }
        }
    }
}

extension String {
    /// How often the final dot stands in a transcript.
    fileprivate func components(dots: ()) -> Int { split(separator: "\n").count { $0 == "> ." } }
}
