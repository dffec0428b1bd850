import Foundation
import TestKit
import Testing

/// `postrider probe imap`.
extension ProbeTests {
    struct Mailbox {
        let port: Int
        var options: [String]
        let state: String
        var user = "bo@example.net"

        func poll(_ more: [String] = []) async throws -> Command.Outcome {
            try await Executable.run(
                ["probe", "imap", "--host", "127.0.0.1", "--port", "\(port)", "--user", user, "--state", state] + options + more,
                environment: ["POSTRIDER_CONF": "/nonexistent/postrider.conf"])
        }

        /// The Message-IDs of one poll.
        func seen() async throws -> [String] {
            let outcome = try await poll()
            #expect(outcome.status == 0, "\(outcome.errorText)")
            return try outcome.outputText.split(separator: "\n").map { line in
                let words = line.split(separator: " ").map(String.init)
                try #require(words.count == 4 && words[0] == "SEEN" && UInt32(words[1]) != nil && UInt32(words[2]) != nil)
                return words[3]
            }
        }
    }

    static func letter(_ id: String) -> [UInt8] { Array("From: a@example.com\r\nMessage-ID: <\(id)>\r\nSubject: x\r\n\r\nText\r\n".utf8) }

    @Test(
        "each message is seen once over any number of polls, in the clear, with STARTTLS and with TLS",
        arguments: ["none", "starttls", "implicit"])
    func imap(_ tls: String) async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let server = try await DovecotProcess.start(users: [.init("bo@example.net", password: "secret")], certificate: certificate)
        let password = try folder.write("password", text: "secret\n", permissions: 0o600)
        let mailbox = Mailbox(
            port: tls == "implicit" ? server.imapsPort : server.imapPort,
            options: ["--tls", tls, "--ca", certificate.certificate, "--password-file", password], state: folder("state"))
        #expect(try await mailbox.seen().isEmpty)
        // One of long ago: a probe looks back as far as the mailbox goes.
        try await Self.append(Self.letter("old@example.com"), date: "02-Jan-1999 00:00:00 +0000", to: server)
        try await server.deliver(Self.letter("one@example.com"), to: "bo@example.net")
        try await server.deliver(Array("Subject: no id\r\n\r\nText\r\n".utf8), to: "bo@example.net")
        #expect(try await mailbox.seen() == ["old@example.com", "one@example.com", "-"])
        #expect(try await mailbox.seen().isEmpty)
        try await server.deliver(Self.letter("two@example.com"), to: "bo@example.net")
        #expect(try await mailbox.seen() == ["two@example.com"])
        #expect(try await mailbox.seen().isEmpty)
        // Nothing was touched.
        #expect(try await server.doveadm(["fetch", "-u", "bo@example.net", "flags", "mailbox", "INBOX"]).contains("\\Seen") == false)
        let another = Mailbox(port: mailbox.port, options: mailbox.options, state: folder("another"))
        #expect(try await another.seen().count == 4)
    }

    @Test("a refused login is 69, an unsafe one 77, no server 75, and a mailbox that is not there is told")
    func imapTroubles() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let server = try await DovecotProcess.start(users: [.init("bo@example.net", password: "secret")], certificate: certificate)
        let good = ["--password-file", try folder.write("password", text: "secret\n", permissions: 0o600)]
        let wrong = ["--password-file", try folder.write("wrong", text: "guess\n", permissions: 0o600)]
        let ca = ["--ca", certificate.certificate]
        let cases: [(Int, [String], Int32)] = [
            (server.imapPort, ["--tls", "none"] + wrong, 69),
            (server.imapsPort, ["--tls", "implicit"] + ca + wrong, 69),
            (server.imapsPort, ["--tls", "implicit", "--name", "imap.example.org"] + ca + good, 77),
            (server.imapsPort, ["--tls", "implicit"] + good, 77),
            (server.imapPort, ["--tls", "starttls", "--name", "imap.example.org"] + ca + good, 77),
            (server.imapPort, ["--tls", "none", "--mailbox", "Nowhere"] + good, 69),
            (try FreePort.next(), ["--tls", "none"] + good, 75),
        ]
        for (port, options, status) in cases {
            let mailbox = Mailbox(port: port, options: options, state: folder("state"))
            let outcome = try await mailbox.poll(["--timeout", "20"])
            #expect(outcome.status == status, "\(options): \(outcome.errorText)")
            #expect(outcome.output.isEmpty && !outcome.errors.isEmpty && !outcome.errorText.contains("guess"))
        }
    }

    /// Puts a message of another day into the mailbox.
    static func append(_ message: [UInt8], date: String, to server: DovecotProcess) async throws {
        let client = try await LineClient.connect(port: server.imapPort)
        defer { client.close() }
        _ = try await client.readLine()
        try await client.send("a LOGIN bo@example.net secret")
        _ = try await client.readLines { $0.hasPrefix("a ") }
        try await client.send("b APPEND INBOX \"\(date)\" {\(message.count)}")
        _ = try await client.readLines { $0.hasPrefix("+ ") }
        try await client.sendRaw(message + [13, 10])
        #expect(try await client.readLines { $0.hasPrefix("b ") }.last?.hasPrefix("b OK") == true)
    }

    /// An IMAP server of a few lines: it answers each command by its first word, and prints what it was told.
    static func scripted(capability: String) async throws -> (server: ChildProcess, port: Int) {
        let port = try FreePort.next()
        let script = """
            import socket
            s = socket.create_server(('127.0.0.1', \(port)))
            print('up', flush=True)
            c, _ = s.accept()
            f = c.makefile('rwb')
            def say(text):
                f.write(text.encode() + b'\\r\\n'); f.flush()
            say('* OK [CAPABILITY \(capability)] hello')
            for line in f:
                text = line.decode().strip()
                print(text, flush=True)
                tag, verb = text.split(' ')[0], text.split(' ')[1].upper()
                if verb == 'CAPABILITY': say('* CAPABILITY \(capability)')
                if verb in ('SELECT', 'EXAMINE'):
                    say('* 0 EXISTS'); say('* OK [UIDVALIDITY 7] x'); say('* OK [UIDNEXT 1] x')
                if verb == 'LOGOUT': say('* BYE x')
                say(tag + ' OK done')
            """
        let server = try ChildProcess(try Interop.require("python3"), ["-c", script])
        _ = try await server.waitForLine(containing: "up")
        return (server, port)
    }

    @Test(
        "a server that offers no STARTTLS, or no login in the clear, gets no password: 77",
        arguments: [("starttls", "IMAP4rev1 AUTH=PLAIN"), ("none", "IMAP4rev1 LOGINDISABLED")])
    func imapUnsafe(_ tls: String, capability: String) async throws {
        let folder = try TemporaryFolder()
        let (server, port) = try await Self.scripted(capability: capability)
        let password = try folder.write("password", text: "secret\n", permissions: 0o600)
        let mailbox = Mailbox(port: port, options: ["--tls", tls, "--password-file", password], state: folder("state"))
        #expect(try await mailbox.poll().status == 77)
        let told = TextFile.read(server.outputFile)
        #expect(!told.contains("LOGIN") && !told.contains("AUTHENTICATE") && !told.contains("secret"))
    }

    @Test("a server that knows the LOGIN command only is read all the same")
    func imapLogin() async throws {
        let folder = try TemporaryFolder()
        let (server, port) = try await Self.scripted(capability: "IMAP4rev1")
        let password = try folder.write("password", text: "sec\"ret\n", permissions: 0o600)
        let mailbox = Mailbox(port: port, options: ["--tls", "none", "--password-file", password], state: folder("state"))
        let outcome = try await mailbox.poll()
        #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.errorText)")
        #expect(TextFile.read(server.outputFile).contains(#"LOGIN "bo@example.net" "sec\"ret""#))
    }

    /// A server of so many messages that answers each connection; `fetch` is what it does first with a FETCH, in lines of Python.
    ///
    /// Names there: `uids` that are asked for, `wantsBody`, `say`, `tag`, `give(uid, body)`, and `isBroken`: the file `healthy` is not there yet.
    private static func hoarder(_ count: Int, in folder: TemporaryFolder, fetch: String) async throws -> (server: ChildProcess, port: Int) {
        let port = try FreePort.next()
        let script = """
            import os, re, socket
            s = socket.create_server(('127.0.0.1', \(port)))
            print('up', flush=True)
            while True:
                c, _ = s.accept()
                print('connected', flush=True)
                f = c.makefile('rwb')
                def say(text):
                    f.write(text.encode() + b'\\r\\n'); f.flush()
                say('* OK [CAPABILITY IMAP4rev1] hello')
                for line in f:
                    text = line.decode().strip()
                    tag, verb = text.split(' ')[0], text.split(' ')[1].upper()
                    if verb == 'CAPABILITY': say('* CAPABILITY IMAP4rev1')
                    if verb == 'EXAMINE':
                        say('* \(count) EXISTS'); say('* OK [UIDVALIDITY 7] x'); say('* OK [UIDNEXT \(count + 1)] x')
                    if 'SEARCH' in text:
                        key = text.split('SEARCH')[1]
                        low = re.search(r'UID (\\d+)', key)
                        low = int(low.group(1)) if low else 1
                        found = [\(count)] if 'UID *' in text else [low] if 'UID' in key and ':' not in key else range(low, \(count + 1))
                        say('* SEARCH' + ''.join(' %d' % u for u in found))
                    if 'FETCH' in text:
                        uids = []
                        for part in text.split(' ')[3].split(','):
                            ends = [int(n) for n in part.split(':')]
                            uids += range(ends[0], ends[-1] + 1)
                        wantsBody = 'BODY' in text
                        isBroken = not os.path.exists('\(folder("healthy"))')
                        def give(uid, body):
                            say('* %d FETCH (UID %d RFC822.SIZE 30%s)' % (uid, uid, ' ' + body if wantsBody else ''))
            \(fetch.split(separator: "\n").map { "            " + $0 }.joined(separator: "\n"))
                        for uid in uids:
                            body = 'Message-ID: <m%d@example.com>\\r\\n\\r\\nx\\r\\n' % uid
                            give(uid, 'BODY[] {%d}\\r\\n%s' % (len(body), body))
                    if verb == 'LOGOUT': say('* BYE x')
                    say(tag + ' OK done')
                    if verb == 'LOGOUT': break
                f.close(); c.close()
            """
        let server = try ChildProcess(try Interop.require("python3"), ["-c", script])
        _ = try await server.waitForLine(containing: "up")
        return (server, port)
    }

    @Test(
        "a message that the server has and does not give is passed over after three sessions, recorded and told; the others are read once")
    func imapWithheld() async throws {
        let folder = try TemporaryFolder()
        let (server, port) = try await Self.hoarder(
            3, in: folder, fetch: "if 2 in uids: give(2, 'BODY[] NIL')\nuids = [u for u in uids if u != 2]")
        let password = try folder.write("password", text: "secret\n", permissions: 0o600)
        let mailbox = Mailbox(port: port, options: ["--tls", "none", "--password-file", password], state: folder("state"))
        let first = try await mailbox.poll()
        #expect(first.status == 75, "\(first.outputText) \(first.errorText)")
        #expect(first.outputText == "SEEN 7 1 m1@example.com\nSEEN 7 3 m3@example.com\n")
        #expect(first.errorText.contains("INBOX 7 2: passed over and recorded"))
        let second = try await mailbox.poll()
        #expect(second.status == 0 && second.output.isEmpty, "\(second.errorText)")
        server.kill()
    }

    @Test("what was passed over is shown, and fetched anew by serve when intake retry asks for it")
    func imapFetchedAnew() async throws {
        let bench = try StateBench()
        let (server, port) = try await Self.hoarder(
            3, in: bench.folder,
            fetch: "if 2 in uids and isBroken: give(2, 'BODY[] NIL')\nuids = [u for u in uids if u != 2 or not isBroken]")
        let password = try bench.folder.write("password", text: "secret\n", permissions: 0o600)
        var mailbox = Mailbox(port: port, options: ["--tls", "none", "--password-file", password], state: bench.folder("state"))
        mailbox.user = "anna"
        #expect(try await mailbox.poll().status == 75)

        let record = try #require(try await bench.objects("intake", "list").first { $0["state"] == "quarantined" })
        #expect(record.bool("can_be_fetched") == true && record.isNull("fetched_from") && record.number("size") == 0)
        let id = try #require(record["id"])
        let orphan = try await bench.run("intake", "retry", id)
        #expect(orphan.status == 0 && orphan.errorText.contains("no [mailbox.anna] is in the conf"), "\(orphan.errorText)")
        #expect(orphan.outputText == "0 will be sorted again; 1 will be fetched anew when their mailbox is next read\n")
        #expect(try await bench.output("intake", "list").contains("waits to be fetched anew; the server has it"))

        let conf =
            TextFile.read(bench.conf) + """
                [mailbox.anna]
                host = "127.0.0.1"
                port = \(port)
                tls = "none"
                folders = ["INBOX"]
                auth = { user = "anna", password_file = "\(password)" }

                """
        _ = try bench.folder.write("postrider.conf", text: conf)
        let serve = try await bench.serve()
        try await eventually("the server is asked and does not give it") {
            try await bench.objects("intake", "list").contains { $0["id"] == id && $0["reason"]?.contains("tried 1 of 3 times") == true }
        }
        _ = try bench.folder.write("healthy", text: "", permissions: 0o600)
        // It rests for a quarter of an hour unless somebody asks again; the next session asks at once.
        #expect(try await bench.run("intake", "retry").errorText.isEmpty)
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
        let again = try await bench.serve()
        try await eventually("it is taken in and sorted") {
            try await bench.objects("intake", "list").contains { $0["id"] == id && $0["state"] == "unmatched" }
        }
        #expect(try await bench.objects("intake", "list").count == 3)
        let none = try await bench.run("intake", "retry")
        #expect(none.outputText == "0 will be sorted again\n")
        #expect(await again.end(patience: .seconds(40)) == .exited(0))
        server.kill()
    }

    @Test(
        "a server that gives nothing for a while costs one session and no message: the next call reads them all",
        arguments: [
            "if isBroken: say(tag + ' OK done'); continue", "if isBroken: say(tag + ' NO internal server error'); continue",
            "if isBroken: say(tag + ' BAD internal server error'); continue",
            "if isBroken and wantsBody: say(tag + ' OK done'); continue", "if isBroken and wantsBody: break",
        ])
    func imapInTrouble(fetch: String) async throws {
        let folder = try TemporaryFolder()
        let (server, port) = try await Self.hoarder(5, in: folder, fetch: fetch)
        let password = try folder.write("password", text: "secret\n", permissions: 0o600)
        let mailbox = Mailbox(port: port, options: ["--tls", "none", "--password-file", password], state: folder("state"))
        for calls in 1...4 {
            let outcome = try await mailbox.poll()
            #expect(outcome.status == 75 && outcome.output.isEmpty, "\(outcome.outputText) \(outcome.errorText)")
            #expect(TextFile.read(server.outputFile).split(separator: "\n").count == 1 + calls, "one session for each call")
        }
        _ = try folder.write("healthy", text: "", permissions: 0o600)
        #expect(try await mailbox.seen() == (1...5).map { "m\($0)@example.com" })
        #expect(try await mailbox.seen().isEmpty)
        server.kill()
    }
}
