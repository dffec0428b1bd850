import Foundation
import TestKit
import Testing

/// The whole way of mail through `postrider serve`, on a real Postfix and a real Dovecot, told by its own commands.
@Suite("the main job on real servers")
struct MainJobTests {
    static let people = ["stays", "by-smtp", "by-lmtp", "by-imap"].map { "\($0)@customers.example.net" }
    static let gone = "gone@gone.example.org"

    @Test(
        "three steps leave, replies come back by SMTP, LMTP and IMAP, a bounce by DSN, and each moves its contact", .timeLimit(.minutes(3)))
    func mainJob() async throws {
        let keys = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: keys)
        let sink = try SinkSMTP()
        let dovecot = try await DovecotProcess.start(users: [.init("anna@example.com", password: "secret")], certificate: certificate)
        let socket = keys("lmtp.sock")
        // Submission smarthost for a login under TLS, MX for two domains, and the way to the rest of the world.
        var front = PostfixProcess.Configuration(routes: [
            "r.example.com": .lmtpSocket(socket), "example.com": .lmtp(port: dovecot.lmtpPort),
            "gone.example.org": .bounce("5.1.1 User unknown"), "*": .smtp(port: sink.port),
        ])
        front.certificate = certificate
        front.authSocket = dovecot.authSocket
        front.authenticatesOnlyUnderTLS = true
        front.extra = [
            "relay_domains": "r.example.com, example.com",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, permit_auth_destination, reject",
        ]
        let postfix = try await PostfixProcess.start(front)

        try keys.write("anna.pass", text: "secret\n", permissions: 0o600)
        let record = try await Command.succeed(
            Executable.path, ["dkim", "keygen", "--domain", "example.com", "--selector", "s1", "--out", keys.path])
        let smtpPort = try FreePort.next()
        let premises = try Premises(
            """
            [route.office]
            type = "submission"
            host = "localhost"
            port = \(postfix.port)
            tls = "starttls"
            tls_security_level = "verify"
            tls_ca_file = "\(certificate.certificate)"
            auth = { user = "anna@example.com", password_file = "\(keys("anna.pass"))" }

            \(Premises.identity(route: "office"))
            [dkim.key."example.com"]
            selector = "s1"
            key_file = "\(keys("example.com.s1.pem"))"

            [listener.smtp]
            listen = ["127.0.0.1:\(smtpPort)"]
            accept_domains = ["r.example.com"]
            tls_cert_file = "\(certificate.certificate)"
            tls_key_file = "\(certificate.key)"

            [listener.lmtp]
            listen = ["unix:\(socket)"]
            socket_mode = "0660"
            accept_domains = ["r.example.com"]

            [mailbox.anna]
            host = "127.0.0.1"
            port = \(dovecot.imapsPort)
            tls = "implicit"
            tls_ca_file = "\(certificate.certificate)"
            auth = { user = "anna@example.com", password_file = "\(keys("anna.pass"))" }
            folders = ["INBOX"]
            access = "examine"
            """)
        #expect(chmod(certificate.key, 0o640) == 0)
        #expect(try await premises.run(["check"]).outputText.contains("no faults"))

        // What is loaded before `serve` starts and while it runs must both be noticed.
        try await premises.load(sequence: "three", delays: ["PT0S", "PT1S", "PT2S"])
        try await premises.load(sequence: "answered", delays: ["PT0S", "P1D"])
        try await premises.importContacts(Self.people + [Self.gone])
        try await premises.run(["enroll", "three", Self.people[0]])
        let serve = try await premises.serve()
        #expect(chmod(socket, 0o666) == 0)
        try await premises.run(["enroll", "answered"] + Self.people.dropFirst() + [Self.gone])

        // Three steps, one thread, signed.
        let thread = try await sink.waitForMessages(3) { $0.recipients == [Self.people[0]] }
        try Self.expectThread(thread)
        let text = record.outputText.components(separatedBy: "( ").last?.replacing("\" \"", with: "").replacing("\"", with: "") ?? ""
        let dns = [
            DKIMRecord(
                name: "s1._domainkey.example.com", text: text.replacing(")", with: "").trimmingCharacters(in: .whitespacesAndNewlines))
        ]
        for message in thread {
            #expect(
                try await DKIMPy.verify(message.bytes, records: dns)
                    == [DKIMVerdict(domain: "example.com", selector: "s1", algorithm: "rsa-sha256", isValid: true)])
            #expect(message.bareLineEnds == 0)
        }

        // Three ways in. The first by the plus-address alone, the last by References alone.
        let firsts = try await sink.waitForMessages(6)
        let bySMTP = try #require(firsts.first { $0.recipients == [Self.people[1]] })
        let token = Letter.address(Letter.field("Reply-To", of: bySMTP.text))
        #expect(token.hasPrefix("reply+") && token.hasSuffix("@r.example.com"))
        let taken = try await Letter.submit(
            Letter.reply(
                from: Self.people[1], to: token, id: "r1@world.example.net", text: "Yes, I am interested. Let us talk on Tuesday."),
            from: Self.people[1], to: token, port: smtpPort)
        #expect(taken.hasPrefix("250 "), "\(taken)")
        let byLMTP = try #require(firsts.first { $0.recipients == [Self.people[2]] })
        let lmtpToken = Letter.address(Letter.field("Reply-To", of: byLMTP.text))
        _ = try await Letter.submit(
            Letter.reply(
                from: Self.people[2], to: lmtpToken, id: "r2@world.example.net", references: "<\(byLMTP.messageID)>",
                text: "How much does it cost for twenty people?"),
            from: Self.people[2], to: lmtpToken, port: postfix.port)
        let byIMAP = try #require(firsts.first { $0.recipients == [Self.people[3]] })
        _ = try await Letter.submit(
            Letter.reply(
                from: "somebody.else@customers.example.net", to: "anna@example.com", id: "r3@world.example.net",
                references: "<\(byIMAP.messageID)>", text: "No thank you, we are not interested."),
            from: Self.people[3], to: "anna@example.com", port: postfix.port)

        let replies = try await eventually("four sorted messages\n\(serve.outputTail)", within: .seconds(60)) {
            let replies = try await premises.query(Premises.Reply.self, ["inbox", "list"])
            return replies.count >= 4 ? replies : nil
        }
        #expect(replies.count == 4)
        for (way, person, kind, proof) in [
            ("smtp", Self.people[1], "positive", "token"), ("lmtp", Self.people[2], "question", "token"),
            ("imap", Self.people[3], "negative", "references"), ("lmtp", Self.gone, "bounce", "token"),
        ] {
            let reply = try #require(replies.first { $0.contact?.address == person }, "nothing from \(person)")
            #expect(reply.way == way && reply.class == kind && reply.certainty == "high", "\(reply)")
            #expect(reply.proofs.contains { $0.lowercased().contains(proof) }, "\(reply.proofs)")
        }

        // One list with everything, the dialogue of each attempt in it.
        let answer = try #require(replies.first { $0.way == "smtp" })
        let shown = try await premises.run(["inbox", "show", answer.id, "--json"]).outputText
        #expect(shown.contains(#""dialogue":"#) && shown.contains("MAIL FROM:<bounce+") && !shown.contains(#""dialogue":null"#), "\(shown)")
        #expect(shown.contains(#""participants":["\#(Self.people[1])"]"#), "\(shown)")

        try await Self.expectTimelines(premises)
        #expect(try await premises.query(Premises.Queued.self, ["queue"]).isEmpty)
        // Nothing was touched in the mailbox.
        #expect(try await dovecot.doveadm(["fetch", "-u", "anna@example.com", "flags", "mailbox", "INBOX"]).contains("Seen") == false)
        #expect(sink.messages.count == 6 && sink.refusals.isEmpty)
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
    }

    private static func expectThread(_ thread: [SinkSMTP.Message]) throws {
        #expect(thread.count == 3 && Set(thread.map(\.messageID)).count == 3)
        let subjects = thread.map { Letter.field("Subject", of: $0.text) }
        #expect(subjects == ["A question about Example GmbH", "Re: A question about Example GmbH", "Re: A question about Example GmbH"])
        let ids = thread.map { "<\($0.messageID)>" }
        #expect(thread.map { Letter.field("In-Reply-To", of: $0.text) } == ["", ids[0], ids[1]])
        #expect(thread.map { Letter.field("References", of: $0.text) } == ["", ids[0], "\(ids[0]) \(ids[1])"])
        for (index, message) in thread.enumerated() {
            #expect(message.text.contains("Hello stays,") && message.text.contains("this is message \(index + 1) for Example GmbH."))
            #expect(message.reversePath.hasPrefix("bounce+") && message.reversePath.hasSuffix("@r.example.com"))
        }
    }

    private static func expectTimelines(_ premises: Premises) async throws {
        let stays = try await eventually("the end of the first contact's sequence") {
            let sheet = try await premises.sheet(people[0])
            return sheet.enrollments.first?.state == "finished" ? sheet : nil
        }
        #expect(stays.enrollments.first?.nextStep == 3 && stays.suppression == nil)
        #expect(
            stays.timeline.map(\.kind).filter { ["enrolled", "queued", "accepted"].contains($0) } == ["enrolled"]
                + Array(repeating: ["queued", "accepted"], count: 3).joined())

        for (person, cause, kind) in [
            (people[1], "replied", "positive"), (people[2], "replied", "question"), (people[3], "replied", "negative"),
        ] {
            let sheet = try await premises.sheet(person)
            let enrollment = try #require(sheet.enrollments.first)
            #expect(enrollment.state == "stopped" && enrollment.cause == cause && enrollment.nextStep == 1, "\(enrollment)")
            let kinds = sheet.timeline.map(\.kind)
            let expected = ["enrolled", "queued", "accepted", "received", "correlated", "classified"]
            #expect(kinds.filter(expected.contains) == expected, "\(kinds)")
            #expect(sheet.timeline.first { $0.kind == "classified" }.map { "\($0.summary) \($0.facts)" }?.contains(kind) == true)
        }

        let gone = try await premises.sheet(Self.gone)
        #expect(gone.enrollments.first?.state == "stopped" && gone.enrollments.first?.cause == "bounced", "\(gone)")
        #expect(gone.suppression != nil && gone.timeline.contains { $0.kind == "bounced" })
    }
}
