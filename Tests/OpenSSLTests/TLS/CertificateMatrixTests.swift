import Foundation
import NIOCore
import NIOPosix
import OpenSSL
import Testing

@Suite struct CertificateMatrixTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let certificate: String
        let name: String
        /// Nil: the certificate is good for the name.
        let fault: TLSError.CertificateFault?

        init(_ certificate: String, _ name: String, _ fault: TLSError.CertificateFault?) {
            self.certificate = certificate
            self.name = name
            self.fault = fault
        }

        var testDescription: String { "\(certificate) for \(name)" }
    }

    static let rows = [
        Row("good", testHost, nil),
        Row("good", "MX.Test.Example.COM.", nil),
        Row("good", "localhost", nil),
        Row("good", "127.0.0.1", .nameMismatch),
        Row("good-chain", testHost, nil),
        Row("expired", testHost, .expired),
        Row("not-yet-valid", testHost, .notYetValid),
        Row("wrong-name", testHost, .nameMismatch),
        Row("wildcard", testHost, nil),
        Row("wildcard", "a.b.test.example.com", .nameMismatch),
        Row("wildcard", "test.example.com", .nameMismatch),
        Row("partial-wildcard", testHost, .nameMismatch),
        Row("cn-only", testHost, .nameMismatch),
        Row("cn-with-other-san", testHost, .nameMismatch),
        Row("address", "127.0.0.1", nil),
        Row("address", "::1", nil),
        Row("address", "127.0.0.2", .nameMismatch),
        Row("address", "localhost", .nameMismatch),
        Row("address-as-name", "127.0.0.1", .nameMismatch),
        Row("idn", "xn--bcher-kva.example", nil),
        Row("idn", "xn--bcher-kvb.example", .nameMismatch),
        Row("self-signed", testHost, .selfSigned),
        Row("unknown-ca", testHost, .unknownIssuer),
        Row("unknown-root", testHost, .unknownIssuer),
        Row("broken-chain", testHost, .unknownIssuer),
        Row("wrong-purpose", testHost, .wrongPurpose),
        Row("no-authority", testHost, .wrongPurpose),
    ]

    @Test(
        "a verified peer is accepted or refused for the right reason, an unverified one accepted with the truth in its facts",
        arguments: rows)
    func matrix(row: Row) async throws {
        let server = try TestCertificates.server(row.certificate)
        let client = try TestCertificates.client()
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)

        switch (try await Loopback.shake(client, .verified(name: row.name), port: port), row.fault) {
        case (.completed(let facts), nil):
            #expect(facts.verified && facts.verifyError == nil)
            #expect(facts.protocolVersion == "TLSv1.3" && !facts.cipher.isEmpty)
        case (.failed(let error), let fault?):
            #expect(error.code == .certificate(fault))
            #expect(error.message.contains(row.name))
            #expect(error.cause != nil)
        case (let outcome, _): Issue.record("\(outcome)")
        }

        switch try await Loopback.shake(client, .unverified(name: row.name), port: port) {
        case .completed(let facts):
            #expect(facts.verified == (row.fault == nil))
            #expect((facts.verifyError == nil) == (row.fault == nil))
            #expect(facts.peerSubject != nil)
        case .failed(let error): Issue.record("\(error)")
        }

        if case .completed(let facts) = try await Loopback.shake(client, .unverified(name: nil), port: port) {
            #expect(!facts.verified && facts.verifyError != nil)
        } else {
            Issue.record("no handshake without a name")
        }
        try await listener.close()
    }

    @Test("authorities can be given as text, and the machine's own do not know the test CA")
    func trust() async throws {
        let server = try TestCertificates.server("good")
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)
        let pem = try [UInt8](Data(contentsOf: URL(fileURLWithPath: TestCertificates.file("ca.pem"))))
        if case .failed(let error) = try await Loopback.shake(TLSClientContext(trust: .caPEM(pem)), .verified(name: testHost), port: port) {
            Issue.record("\(error)")
        }
        let system: TLSClientContext
        do throws(TLSError) {
            system = try TLSClientContext(trust: .system)
        } catch {
            // A machine without ca-certificates says so at once.
            #expect(error.code == .noTrustedAuthorities)
            return
        }
        if case .failed(let error) = try await Loopback.shake(system, .verified(name: testHost), port: port) {
            #expect(error.code == .certificate(.unknownIssuer))
        } else {
            Issue.record("the machine trusts the test CA")
        }
        try await listener.close()
    }

    @Test("the facts name the certificate in printable text")
    func facts() async throws {
        let server = try TestCertificates.server("address")
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)
        guard case .completed(let facts) = try await Loopback.shake(TestCertificates.client(), .verified(name: "127.0.0.1"), port: port)
        else {
            Issue.record("no handshake")
            return
        }
        #expect(facts.peerNames == ["127.0.0.1", "::1"])
        #expect(facts.peerSubject == "O=Postrider tests,CN=an address" || facts.peerSubject == "CN=an address,O=Postrider tests")
        try await listener.close()
    }

    @Test("a refusal names the names the certificate has")
    func mismatchNamesNames() async throws {
        let server = try TestCertificates.server("wrong-name")
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)
        guard case .failed(let error) = try await Loopback.shake(TestCertificates.client(), .verified(name: testHost), port: port) else {
            Issue.record("accepted")
            return
        }
        #expect(error.message.contains("other.example.net, another.example.net"))
        try await listener.close()
    }

    @Test(
        "names that cannot be checked are refused before anything is sent",
        arguments: [
            "", ".", ".example.com", "a..", "mx.example.com\u{0}.evil.example", "b\u{fc}cher.example", "*.example.com", "mx.example.com/x",
            "a b",
            "[::1]", "fe80::1%eth0", String(repeating: "a.", count: 127) + "com",
        ])
    func badNames(name: String) throws {
        let client = try TestCertificates.client()
        for peer in [TLSPeer.verified(name: name), .unverified(name: name)] {
            let error = #expect(throws: TLSError.self) { _ = try TLSChannelHandler(client: client, peer: peer) }
            #expect(error?.code == .invalidPeerName)
        }
    }

    @Test("files that make no context, each with its reason and its path")
    func badFiles() throws {
        let folder = try TemporaryFolder()
        let good = try TestCertificates.file("good.pem")
        let key = try TestCertificates.file("good.key")
        let keyBytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: key)))
        let certificateBytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: good)))
        let open = try folder.write("open.key", keyBytes, mode: 0o644)
        let empty = try folder.write("empty.pem", [])
        var damaged = certificateBytes
        damaged[100] = UInt8(ascii: "*")
        let broken = try folder.write("broken.pem", certificateBytes + damaged)
        let cases: [(String, String, String, TLSError.Code)] = [
            (folder.path + "/no.pem", key, "no.pem", .unreadableFile),
            (good, folder.path + "/no.key", "no.key", .unreadableFile),
            (good, open, "open.key", .worldReadableFile),
            (empty, key, "empty.pem", .malformedCertificate),
            (broken, key, "broken.pem", .malformedCertificate),
            (key, key, "good.key", .malformedCertificate),
            (good, good, "good.pem", .worldReadableFile),
            (good, empty, "empty.pem", .malformedKey),
            (good, try TestCertificates.file("wildcard.key"), "wildcard.key", .keyMismatch),
            (try TestCertificates.file("weak.pem"), try TestCertificates.file("weak.key"), "weak.pem", .malformedCertificate),
        ]
        for (chain, key, named, code) in cases {
            let error = #expect(throws: TLSError.self) { _ = try TLSServerContext(certificateChainFile: chain, keyFile: key) }
            #expect(error?.code == code, "\(named)")
            #expect(error?.message.contains(named) == true)
        }
        for (path, code) in [(empty, TLSError.Code.malformedCertificate), (broken, .malformedCertificate), (folder.path, .unreadableFile)] {
            let error = #expect(throws: TLSError.self) { _ = try TLSClientContext(trust: .caFile(path)) }
            #expect(error?.code == code)
            #expect(error?.message.contains(path) == true)
        }
        #expect(throws: TLSError.self) { _ = try TLSClientContext(trust: .caPEM([])) }
        _ = try TLSServerContext(certificateChainPEM: certificateBytes, keyPEM: keyBytes)
    }

    @Test("the committed demo certificate is good for its names for longer than this program will live")
    func demo() async throws {
        let folder = TestCertificates.root.appendingPathComponent("certs/demo")
        let read = { (name: String) in try [UInt8](Data(contentsOf: folder.appendingPathComponent(name))) }
        let server = try TLSServerContext(certificateChainPEM: read("server.pem"), keyPEM: read("server.key"))
        let client = try TLSClientContext(trust: .caFile(folder.appendingPathComponent("ca.pem").path))
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let port = try #require(listener.localAddress?.port)
        for name in ["localhost", "mx.rehearsal.example.com", "127.0.0.1"] {
            if case .failed(let error) = try await Loopback.shake(client, .verified(name: name), port: port) { Issue.record("\(error)") }
        }
        // openssl exits with 1 if the certificate ends within the given seconds: 90 years.
        try OpenSSLTool.run([
            "x509", "-in", folder.appendingPathComponent("server.pem").path, "-noout", "-checkend", String(90 * 365 * 86_400),
        ])
        try await listener.close()
    }
}
