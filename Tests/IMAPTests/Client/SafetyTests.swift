import Testing

import struct NIOCore.ByteBuffer

@testable import IMAP

@Suite("safety of the connection")
struct SafetyTests {
    private func session(
        _ encryption: ClientSession.Configuration.Encryption = .implicit, username: String = "ann", password: String = "s3cret"
    ) -> ClientSession {
        guard let credentials = Credentials(username: bytes(username), password: bytes(password)) else {
            preconditionFailure("no NUL here")
        }
        var configuration = ClientSession.Configuration(authentication: .login(credentials))
        configuration.encryption = encryption
        return ClientSession(configuration: configuration, cursors: [:])
    }

    private func withoutTimers(_ actions: [ClientSession.Action]) -> [ClientSession.Action] {
        actions.filter {
            switch $0 {
            case .startTimer, .cancelTimer: false
            default: true
            }
        }
    }

    @Test("bytes behind the answer to STARTTLS end the session, in the same packet or a later one, whole line or half")
    func injected() {
        let answer = "A1 OK begin\r\n"
        for tail in ["A", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "\r\n", "{"] {
            for cut in 0...(answer + tail).utf8.count {
                var session = session(.startTLS)
                _ = session.connected()
                _ = session.received(buffer("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"))
                let all = bytes(answer + tail)
                let actions = withoutTimers(
                    session.received(ByteBuffer(bytes: all[..<cut])) + session.received(ByteBuffer(bytes: all[cut...])))
                #expect(actions.last == .close(.safety(.injectedBeforeTLS)))
                #expect(actions.count == (cut == answer.utf8.count ? 2 : actions.count) && actions.count <= 2)
                #expect(session.tlsEstablished(verified: true) == [])
            }
        }
    }

    @Test("what was said in the clear is forgotten after the handshake")
    func forgotten() {
        var session = session(.startTLS)
        _ = session.connected()
        _ = session.received(buffer("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN LITERAL+] ready\r\nA1 OK begin\r\n"))
        #expect(withoutTimers(session.tlsEstablished(verified: true)) == [.send(buffer("A2 CAPABILITY\r\n"))])
        let actions = withoutTimers(session.received(buffer("* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nA2 OK\r\n")))
        #expect(actions == [.close(.loginUnavailable)])
    }

    @Test("implicit TLS: nothing is read before the handshake")
    func early() {
        var session = session()
        _ = session.connected()
        #expect(withoutTimers(session.received(buffer("* OK hello\r\n"))) == [.close(.safety(.injectedBeforeTLS))])
    }

    @Test(
        "credentials go where the policy lets them",
        arguments: [
            (ClientSession.Configuration.CredentialPolicy.verifiedTLS, true, true), (.verifiedTLS, false, false), (.anyTLS, false, true),
            (.anywhere, false, true),
        ])
    func policy(policy: ClientSession.Configuration.CredentialPolicy, verified: Bool, isSent: Bool) {
        let template = session()
        var configuration = template.configuration
        configuration.credentialPolicy = policy
        var session = ClientSession(configuration: configuration, cursors: [:])
        _ = session.connected()
        let actions = session.tlsEstablished(verified: verified) + session.received(buffer("* OK [CAPABILITY IMAP4rev1] x\r\n"))
        #expect(actions.contains(.sendSecret(buffer("A1 LOGIN \"ann\" \"s3cret\"\r\n"))) == isSent)
        #expect(actions.contains(.close(.safety(.unprotectedCredentials))) == !isSent)
    }

    @Test("on a clear connection only by the last policy", arguments: [ClientSession.Configuration.CredentialPolicy.anyTLS, .anywhere])
    func clear(policy: ClientSession.Configuration.CredentialPolicy) {
        var configuration = session(.none).configuration
        configuration.credentialPolicy = policy
        var session = ClientSession(configuration: configuration, cursors: [:])
        _ = session.connected()
        let actions = session.received(buffer("* OK [CAPABILITY IMAP4rev1] x\r\n"))
        #expect(actions.contains(.sendSecret(buffer("A1 LOGIN \"ann\" \"s3cret\"\r\n"))) == (policy == .anywhere))
    }

    @Test("a password that cannot be quoted is sent piece by piece, each at the server's word")
    func literalLogin() {
        var session = session(username: "ann", password: "pä\r\nss")
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        let first = session.received(buffer("* OK [CAPABILITY IMAP4rev1] x\r\n"))
        #expect(withoutTimers(first) == [.sendSecret(buffer("A1 LOGIN \"ann\" {7}\r\n"))])
        #expect(withoutTimers(session.received(buffer("+ go\r\n"))) == [.sendSecret(buffer("pä\r\nss\r\n"))])
        #expect(withoutTimers(session.received(buffer("A1 OK [CAPABILITY IMAP4rev1] in\r\n"))).first == .authenticated)
    }

    @Test("an answer before the command is wholly sent: OK ends the session, NO is a refusal")
    func earlyAnswer() {
        for (answer, reason) in [
            ("A1 OK in", ClientSession.CloseReason.protocolError(.earlyAnswer)), ("A1 NO too long", .loginRefused(text: bytes("too long"))),
        ] {
            var session = session(password: "ä")
            _ = session.connected()
            _ = session.tlsEstablished(verified: true)
            _ = session.received(buffer("* OK [CAPABILITY IMAP4rev1] x\r\n"))
            #expect(withoutTimers(session.received(buffer(answer + "\r\n"))) == [.close(reason)])
        }
    }

    @Test("a continuation nobody waits for ends the session")
    func strayContinuation() {
        var session = session()
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        _ = session.received(buffer("* OK [CAPABILITY IMAP4rev1] x\r\n"))
        #expect(withoutTimers(session.received(buffer("+ more\r\n"))) == [.close(.protocolError(.unexpectedContinuation))])
    }

    @Test("after the close nothing is answered any more")
    func closed() {
        var session = session()
        _ = session.connected()
        #expect(withoutTimers(session.connectionClosed()) == [.close(.connectionLost)])
        let after =
            session.connected() + session.tlsEstablished(verified: true) + session.received(buffer("* OK x\r\n")) + session.poll()
            + session.refreshIdle() + session.logout() + session.messageCommitted(uid(1)) + session.saslResponse([])
            + session.authenticate(mechanism: "PLAIN", initialResponse: nil) + session.abandonAuthentication() + session.connectionClosed()
            + ClientSession.Timer.allCases.flatMap { session.timedOut($0) }
        #expect(after == [])
    }

    @Test("neither credentials nor configuration show the password")
    func redaction() {
        let session = session(username: "ann@example.com", password: "hunter2")
        var dumped = ""
        dump(session.configuration, to: &dumped)
        for text in ["\(session.configuration)", String(reflecting: session.configuration), dumped] {
            #expect(!bytesContain(text, "hunter2"))
            #expect(!bytesContain(text, "ann@"))
            #expect(!bytesContain(text, "104, 117"), "nor its octets")
        }
    }

    private func bytesContain(_ text: String, _ part: String) -> Bool {
        let all = bytes(text)
        let wanted = bytes(part)
        return all.indices.contains { all[$0...].starts(with: wanted) }
    }

    @Test("a NUL is in no credentials")
    func noNUL() {
        #expect(Credentials(username: bytes("a\0b"), password: bytes("p")) == nil)
        #expect(Credentials(username: bytes("a"), password: bytes("p\0")) == nil)
    }

    @Test(
        "a mechanism by a name that is none is not asked for", arguments: ["", "PLAIN X", "A1 LOGOUT\r\n", "ÄÖ", "ABCDEFGHIJKLMNOPQRSTU"])
    func mechanism(name: String) {
        var configuration = session().configuration
        configuration.authentication = .sasl
        var session = ClientSession(configuration: configuration, cursors: [:])
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        _ = session.received(buffer("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n"))
        #expect(withoutTimers(session.authenticate(mechanism: name, initialResponse: nil)) == [.close(.loginUnavailable)])
    }
}
