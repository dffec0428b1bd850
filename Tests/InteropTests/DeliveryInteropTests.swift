import DNS
import InternetMessage
import MailTransport
import OpenSSL
import SASL
import SMTP
import TestKit
import Testing

/// Our SMTP client against Postfix and Dovecot.
@Suite("delivery to real servers")
struct DeliveryInteropTests {
    /// How a login is made.
    struct Login: Sendable, CustomTestStringConvertible {
        let mechanism: SASLMechanism
        let tls: Route.TLSMode

        var testDescription: String { "\(mechanism.rawValue) over \(tls.rawValue)" }
    }

    /// Every mechanism that libsasl2 speaks with a password, each kind of TLS.
    static let logins =
        SASLMechanism.withPassword.map { Login(mechanism: $0, tls: .starttls) }
        + [SASLMechanism.plain, .scramSHA256].map { Login(mechanism: $0, tls: .implicit) }

    @Test("Postfix takes mail from a login, by each mechanism, under each kind of TLS; never by a wrong password or in clear")
    func submission() async throws {
        let folder = try TemporaryFolder()
        let sink = try SinkSMTP()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let dovecot = try await DovecotProcess.start(
            users: [.init("ann@example.com", password: "secret")], certificate: certificate,
            mechanisms: "plain login cram-md5 scram-sha-1 scram-sha-256")
        var configuration = PostfixProcess.Configuration(routes: ["no.example.org": .refuse("5.1.1 Not here"), "*": .smtp(port: sink.port)])
        configuration.certificate = certificate
        configuration.authSocket = dovecot.authSocket
        configuration.authenticatesOnlyUnderTLS = true
        let postfix = try await PostfixProcess.start(configuration)
        let trust = try Peers.trust(certificate)
        func route(_ login: Login?, password: String = "secret") throws -> Route {
            let port = login?.tls == .implicit ? try #require(postfix.implicitTLSPort) : postfix.port
            return Route(
                name: "office", kind: .submission(host: "localhost", port: port), tls: login?.tls ?? .starttls, level: .verify,
                trust: trust,
                credentials: login.map { Peers.credentials($0.mechanism, password: password) }, helloName: "out.example.com")
        }

        for (index, login) in Self.logins.enumerated() {
            let report = await Peers.deliver(try Peers.message(to: "bo@example.net", id: "\(index)@example.com"), over: try route(login))
            #expect(report.word == "accepted", "\(login.testDescription): \(report.transcript) \(report.note ?? "")")
            #expect(report.tls?.hasSuffix(" verified") == true && !report.transcript.contains("secret"))
            let refused = await Peers.deliver(try Peers.message(to: "bo@example.net"), over: try route(login, password: "wrong"))
            #expect(refused.word == "deferred", "\(login.testDescription): \(refused.transcript)")
            #expect(!refused.transcript.contains("> MAIL"))
        }
        try await postfix.waitUntilQueueIsEmpty()
        let messages = try await sink.waitForMessages(Self.logins.count)
        #expect(
            Set(messages.map(\.messageID)) == Set(Self.logins.indices.map { "\($0)@example.com" }) && messages.count == Self.logins.count)
        #expect(messages.allSatisfy { $0.reversePath == "ann@example.com" && $0.recipients == ["bo@example.net"] && $0.bareLineEnds == 0 })
        #expect(
            messages.allSatisfy {
                $0.text.hasSuffix("\r\n\r\n.A line that starts with a dot\r\nend\r\n") && $0.heloName == "mx.example.com"
            })

        // A recipient that is refused, and a client that does not log in at all.
        let refused = await Peers.deliver(try Peers.message(to: "x@no.example.org"), over: try route(Self.logins[0]))
        guard case .outcome(.rejected(let failure)) = refused.result else { throw Unexpected(description: "\(refused)") }
        #expect(failure.scope == .recipient && failure.reply?.code == 550 && failure.reply?.enhancedStatusCode?.description == "5.1.1")
        #expect(await Peers.deliver(try Peers.message(to: "bo@example.net"), over: try route(nil)).word == "rejected")
    }

    @Test(
        "Exim as the exchanger of a domain takes mail under its own certificate, three over one connection, and refuses what is not its own"
    )
    func exchanger() async throws {
        let exim = try await EximProcess.start(domain: "example.net")
        let zone = StaticResolver(["example.net": [.mx(10, "mx.example.net")], "mx.example.net": [.a("127.0.0.1")]])
        func route(_ level: Route.TLSLevel) throws -> Route {
            Route(
                name: "r", kind: .mx(port: exim.port), level: level, trust: try TLSClientContext(trust: .system),
                helloName: "out.example.com",
                allowsPrivateDestinations: true, connections: ConnectionLimits(total: 1, messages: 10))
        }
        let courier = Courier(routes: [try route(.may)], resolver: zone, eventLoops: Peers.eventLoops, seed: 1, logger: Peers.logger)
        let checks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
        func deliver(_ recipient: String, id: String = "one@example.com") async throws -> DeliveryReport {
            await courier.deliver(try Peers.message(to: recipient, id: id), route: "r", checks: checks)
        }
        for number in 1...3 {
            let report = try await deliver("bo-\(number)@example.net", id: "\(number)@example.com")
            #expect(report.word == "accepted" && report.tls?.hasSuffix(" unverified") == true, "\(report)\n\(exim.log)")
            #expect(report.transcript.contains("used again") == (number > 1), "\(report.transcript)")
        }
        let unknown = try await deliver("nobody@example.net")
        guard case .outcome(.rejected(let failure)) = unknown.result else { throw Unexpected(description: "\(unknown)") }
        #expect(failure.scope == .recipient && failure.reply?.code == 550)
        // After the refusal the connection goes on.
        #expect(try await deliver("bo-4@example.net", id: "4@example.com").transcript.contains("used again"))

        // A certificate that nobody vouches for is no certificate where one is asked for.
        let strict = await Peers.deliver(try Peers.message(to: "bo@example.net"), over: try route(.verify), resolver: zone)
        #expect(strict.word == "deferred" && !strict.transcript.contains("> MAIL"), "\(strict)")

        let messages = try await exim.waitForMessages(4)
        #expect(messages.count == 4)
        for message in messages.map({ String(decoding: $0, as: UTF8.self) }) {
            #expect(
                message.contains("Return-path: <ann@example.com>") && message.contains("\n.A line that starts with a dot\nend\n"),
                "\(message)")
        }
        await courier.drain(within: .seconds(5))
        await exim.end()
    }

    @Test("Dovecot takes mail by LMTP, and says no for whom it does not know")
    func localDelivery() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let dovecot = try await DovecotProcess.start(
            users: [.init("bo@example.net", password: "secret")], certificate: certificate,
            extra: "userdb {\n driver = passwd-file\n args = username_format=%u /nonexistent\n}\n")
        let route = Route(
            name: "local", kind: .lmtp(.host("127.0.0.1", port: dovecot.lmtpPort)), tls: .none, level: .none,
            trust: try Peers.trust(certificate), helloName: "out.example.com")
        let report = await Peers.deliver(try Peers.message(to: "bo@example.net"), over: route)
        #expect(report.word == "accepted", "\(report)")
        let stored = try await dovecot.doveadm(["fetch", "-u", "bo@example.net", "text", "all"])
        #expect(stored.contains("Message-ID: <one@example.com>") && stored.contains("\n.A line that starts with a dot\nend\n"))
        #expect(stored.contains("Return-Path: <ann@example.com>"))
    }
}
