import Foundation
import TestKit
import Testing

/// The tools on messages, keys and refusals, through the built executable and in the words of its contract.
@Suite("tool commands")
struct ToolCommandsTests {
    static func fixture(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL?.appending(path: "Fixtures/Messages/\(name)").path)
    }

    static func objects(_ outcome: Command.Outcome) throws -> [[String: Any]] {
        try outcome.outputText.split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    /// JSON as one text with its keys in order, so that a whole value can be compared.
    static func canonical(_ value: Any?) throws -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes]
        return String(decoding: try JSONSerialization.data(withJSONObject: value ?? NSNull(), options: options), as: UTF8.self)
    }

    // MARK: parse

    @Test("parse --json says everything about a reply, each value in its place")
    func parseReply() async throws {
        let path = try Self.fixture("reply.eml")
        let outcome = try await Executable.run(["parse", "--json", path])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let object = try #require(try Self.objects(outcome).first)
        let expected: [String: String] = [
            "file": "\"\(path)\"", "message_id": "\"reply-1@example.com\"", "date": "\"2026-03-04T09:45:18+01:00\"",
            "from": #"[{"address":"juergen@müller.example.com","name":"Jürgen Müller"}]"#,
            "sender": #"{"address":"office@example.com","name":null}"#, "to": #"[{"address":"ann@example.org","name":"Ann, Sales"}]"#,
            "cc": "[]", "reply_to": #"[{"address":"juergen+answers@example.com","name":null}]"#, "subject": #""Re: Grüße""#,
            "in_reply_to": #"["sent-2@example.org"]"#, "references": #"["sent-1@example.org","sent-2@example.org"]"#,
            "html": #""<p>Schön, <b>gern</b>.</p>""#, "report": "null", "defects": #"["missing final boundary"]"#,
            "attachments":
                #"[{"content_id":"part-1@example.com","disposition":"attachment","filename":"a.pdf","sha256":"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","size":6,"type":"application/pdf"}]"#,
        ]
        for (key, value) in expected { #expect(try Self.canonical(object[key]) == value, "\(key)") }
        #expect((object["text"] as? String)?.trimmingCharacters(in: .whitespacesAndNewlines) == "Schön, gern.")
        let headers = try #require(object["headers"] as? [[String]])
        #expect(headers.first == ["From", "Jürgen Müller <juergen@xn--mller-kva.example.com>"])
        #expect(headers.contains(["References", "<sent-1@example.org> <sent-2@example.org>"]) && headers.count == 11)
        #expect(
            Set(object.keys)
                == Set(expected.keys).union(["text", "headers"]))
    }

    @Test(
        "parse --json gives reports in one form",
        arguments: [
            (
                "bounce.eml",
                #"{"kind":"dsn","original_envelope_id":"env-1","original_message_id":"sent-1@example.org","recipients":[{"action":"failed","diagnostic":"550 5.1.1 <nobody@example.com>: User unknown","final_recipient":"nobody@example.com","original_recipient":"Nobody@Example.com","remote_mta":"mx.example.com","status":"5.1.1"}],"reporting_mta":"mx.example.org"}"#
            ),
            (
                "complaint.eml",
                #"{"kind":"arf","original_message_id":"sent-7@example.org","original_recipient":"bob@example.net","reported_domain":"example.org","source_ip":"192.0.2.1","type":"abuse"}"#
            ),
            (
                "receipt.eml",
                #"{"disposition":"manual-action/MDN-sent-manually; displayed","final_recipient":"joe@example.com","kind":"mdn","original_message_id":"sent-9@example.org"}"#
            ),
        ])
    func parseReports(_ file: String, expected: String) async throws {
        let outcome = try await Executable.run(["parse", "--json", Self.fixture(file)])
        #expect(try Self.canonical(Self.objects(outcome).first?["report"]) == expected)
    }

    @Test("parse reads several files and standard input, says which cannot be read, and ends with 65 for those")
    func parseMany() async throws {
        let reply = try Self.fixture("reply.eml")
        let outcome = try await Executable.run(
            ["parse", "--json", reply, "/nonexistent/a.eml", "-", "/tmp"], input: Array("Subject: in\n\nx\n".utf8))
        #expect(outcome.status == 65)
        #expect(try Self.objects(outcome).map { $0["file"] as? String } == [reply, "-"])
        #expect(try Self.objects(outcome).map { $0["subject"] as? String } == ["Re: Grüße", "in"])
        #expect(outcome.errorText.split(separator: "\n").count == 2 && outcome.errorText.hasPrefix("/nonexistent/a.eml: "))
    }

    @Test("parse reads devices, and files whose names are no UTF-8")
    func parseOddNames() async throws {
        let folder = try TemporaryFolder()
        let script = """
            cd "$1" && cp "$2" "$(printf 'a\\377.eml')" && "$0" parse --json /dev/null "$(printf 'a\\377.eml')"
            """
        let outcome = try await Command.run("/bin/sh", ["-c", script, Executable.path, folder.path, try Self.fixture("reply.eml")])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errorText)")
        #expect(try Self.objects(outcome).map { $0["subject"] as? String } == [nil, "Re: Grüße"])
    }

    @Test(
        "parse makes one line of anything",
        arguments: [
            [], [0], Array("\r\n\r\n".utf8), Array(repeating: 0xff, count: 5000), Array("From: \u{2028}\u{1b}[2J\"\\ <a@b>\n\n\u{7}".utf8),
            Array("Content-Type: multipart/mixed; boundary=a\n\n".utf8) + Array(repeating: Array("--a\n".utf8), count: 300).flatMap { $0 },
        ])
    func parseAnything(_ bytes: [UInt8]) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("m", bytes)
        let outcome = try await Executable.run(["parse", "--json", path])
        #expect(outcome.status == 0)
        #expect(try Self.objects(outcome).count == 1 && outcome.output.allSatisfy { $0 == 10 || $0 >= 32 })
        let summary = try await Executable.run(["parse", path])
        #expect(summary.status == 0 && !summary.output.contains(0x1b))
    }

    // MARK: classify

    @Test("classify --json knows an absence with its day, a hard bounce and a complaint, without conf")
    func classify() async throws {
        let files = try ["absence.eml", "bounce.eml", "complaint.eml"].map(Self.fixture)
        let outcome = try await Executable.run(
            ["classify", "--json"] + files, environment: ["POSTRIDER_CONF": "/nonexistent/postrider.conf"])
        #expect(outcome.status == 0)
        let objects = try Self.objects(outcome)
        try #require(objects.count == 3)
        let keys: Set<String> = [
            "file", "class", "intent", "confidence", "automatic", "reply_text", "signature", "return_date", "come_back_date", "referred_to",
            "evidence", "bounces", "complaint",
        ]
        for object in objects { #expect(Set(object.keys) == keys) }
        #expect(objects.map { $0["class"] as? String } == ["out_of_office", "bounce", "complaint"])
        #expect(objects[0]["return_date"] as? String == "2026-08-17" && objects[0]["automatic"] as? Bool == true)
        #expect(try Self.canonical(objects[0]["referred_to"]).contains("bo@example.com"))
        #expect(
            try Self.canonical(objects[1]["bounces"])
                == #"[{"action":"failed","class":"invalid_recipient","diagnostic":"550 5.1.1 <nobody@example.com>: User unknown","permanent":true,"recipient":"Nobody@Example.com","remote_mta":"mx.example.com","reply_code":550,"scope":"recipient","status":"5.1.1"}]"#
        )
        #expect(
            try Self.canonical(objects[2]["complaint"])
                == #"{"original_message_id":"sent-7@example.org","original_recipient":"bob@example.net","type":"abuse"}"#)
        let evidence = try #require(objects[0]["evidence"] as? [[String: Any]])
        #expect(!evidence.isEmpty && evidence.allSatisfy { Set($0.keys) == ["rule", "where", "text"] })
    }

    @Test(
        "bounce explain names the rule and what follows",
        arguments: [
            ("550 5.1.1 User unknown", "invalid_recipient", "recipient", true, "suppress"),
            ("451 4.7.1 Greylisted, try again later", "greylisted", "source", false, "retry_later"),
            ("452 4.2.2 Mailbox full", "mailbox_full", "recipient", false, "retry_later"),
            ("535 5.7.3 Authentication unsuccessful", "route_auth", "us", false, "pause_route"),
        ])
    func bounceExplain(_ text: String, failureClass: String, scope: String, permanent: Bool, action: String) async throws {
        let object = try #require(try Self.objects(await Executable.run(["bounce", "explain", "--json", text])).first)
        #expect(object["class"] as? String == failureClass && object["scope"] as? String == scope)
        #expect(object["permanent"] as? Bool == permanent && object["action"] as? String == action)
        let rule = try #require(object["rule"] as? String)
        #expect(rule.hasPrefix("builtin:bounce/base.toml:"))
        let shown = try await Executable.run(["bounce", "explain", text])
        #expect(shown.status == 0 && shown.outputText.contains(rule) && shown.outputText.contains(failureClass))
    }

    @Test("bounce explain refuses what is no refusal, and says what a rule comes to for a reply that is not final")
    func bounceExplainNothing() async throws {
        for text in ["", "  ", "250 ok", "354 go on"] {
            let refused = try await Executable.run(["bounce", "explain", text])
            #expect(refused.status == 65 && refused.outputText.isEmpty, "\(text): \(refused.errorText)")
        }
        let shown = try await Executable.run(["bounce", "explain", "454 4.7.1 Not for you"]).outputText
        #expect(shown.contains("meaning:   deferred") && !shown.contains("action:    fail"), "\(shown)")
        #expect(try await Executable.run(["bounce", "explain", "User unknown"]).status == 0)
    }

    @Test("rules of the installation stand before the built-in ones, are explained with their place, and are linted by check")
    func localBounceRules() async throws {
        let premises = try Premises("")
        let sample = Checkout.url("conf/bounce/local.toml").path
        let route = "[route.r]\ntype = \"sink\"\n"
        try premises.configure(route + "[bounce]\nrules = [\"\(sample)\"]\n")
        try await premises.run(["check"])
        let words = "550 5.7.1 Mail is not taken during the lunch break of our server"
        let shown = try await premises.run(["bounce", "explain", words]).outputText
        #expect(shown.contains("\(sample):") && shown.contains("rate_limited") && shown.contains("retry_later 30m"), "\(shown)")
        let dead = """
            [[rule]]
            class = "policy"
            any = '''
            user unknown
            '''
            example = "550 5.1.1 User unknown"
            [[rule]]
            class = "policy"
            any = '''
            never seen
            '''
            """
        let file = try premises.folder.write("dead.toml", text: dead)
        try premises.configure(route + "[bounce]\nrules = [\"\(sample)\", \"\(file)\"]\n")
        let check = try await Command.run(Executable.path, ["check", "--conf", premises.confFile])
        #expect(check.status == 1)
        #expect(check.errorText.contains("\(file):7: the rule has no 'example'"), "\(check.errorText)")
        // It takes what a built-in rule has as its example, and both places are told.
        #expect(check.errorText.contains("\(file):1 takes the example '550 5.1.1"), "\(check.errorText)")
        try premises.folder.write("dead.toml", text: "[[rule]]\nclass = \"nonsense\"\n")
        let broken = try await Command.run(Executable.path, ["check", "--conf", premises.confFile])
        #expect(broken.status == 1 && broken.errorText.contains("\(file):2: 'class' must be one of"), "\(broken.errorText)")
    }

    // MARK: dkim

    static let unsigned = Array("From: Ann <ann@example.com>\nTo: bo@example.net\nSubject: Hello\n\n.A dot\nand text\n".utf8)

    /// What a zone line publishes.
    static func recordText(_ line: String) -> String {
        line.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }.joined()
    }

    @Test("keys made here sign what dkimpy and we verify, and a changed message fails", arguments: ["rsa", "ed25519"])
    func dkim(_ type: String) async throws {
        let folder = try TemporaryFolder()
        let name = ["--domain", "example.com", "--selector", "s1"]
        let made = try await Executable.run(["dkim", "keygen", "--out", folder("keys"), "--type", type] + name)
        #expect(made.status == 0)
        let lines = made.outputText.split(separator: "\n").map(String.init)
        try #require(lines.count == 2)
        let key = lines[0]
        let attributes = try FileManager.default.attributesOfItem(atPath: key)
        #expect(key.hasPrefix(folder("keys")) && (attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(lines[1].hasPrefix("s1._domainkey.example.com. IN TXT ( \"v=DKIM1; k=\(type); p="))
        #expect(lines[1].split(separator: "\"").allSatisfy { $0.utf8.count <= 255 })
        let before = TextFile.bytes(key)
        let again = try await Executable.run(["dkim", "keygen", "--out", folder("keys"), "--type", type] + name)
        #expect(again.status == 65 && TextFile.bytes(key) == before)
        #expect(try await Executable.run(["dkim", "record", "--key", key] + name).outputText == lines[1] + "\n")

        let signed = try await Executable.run(["dkim", "sign", "--key", key] + name, input: Self.unsigned)
        #expect(signed.status == 0)
        let crlf = Array(String(decoding: Self.unsigned, as: UTF8.self).replacing("\n", with: "\r\n").utf8)
        #expect(signed.output.suffix(crlf.count) == crlf[...] && signed.output.starts(with: Array("DKIM-Signature: ".utf8)))
        let text = Self.recordText(lines[1])
        let records = [DKIMRecord(name: "s1._domainkey.example.com", text: text)]
        let verdict = DKIMVerdict(domain: "example.com", selector: "s1", algorithm: "\(type)-sha256", isValid: true)
        #expect(try await DKIMPy.verify(signed.output, records: records) == [verdict])

        let offline = ["--key-record", "s1._domainkey.example.com=\(text)"]
        let good = try await Executable.run(["dkim", "verify"] + offline, input: signed.output)
        #expect(good.status == 0 && good.outputText == "dkim=pass example.com s=s1 a=\(type)-sha256\n")
        let changed = Array(String(decoding: signed.output, as: UTF8.self).replacing("and text", with: "no text").utf8)
        let bad = try await Executable.run(["dkim", "verify"] + offline, input: changed)
        #expect(bad.status == 1 && bad.outputText.hasPrefix("dkim=fail example.com"))
        let none = try await Executable.run(["dkim", "verify"] + offline, input: Self.unsigned)
        #expect(none.status == 1 && none.outputText == "dkim=none\n")

        #expect(try await Executable.run(["dkim", "check", "--key", key] + name + offline).status == 0)
        let other = try await Executable.run(["dkim", "keygen", "--out", folder("other"), "--type", type] + name)
        let otherText = Self.recordText(String(other.outputText.split(separator: "\n")[1]))
        let misfit = try await Executable.run(
            ["dkim", "check", "--key", key, "--key-record", "s1._domainkey.example.com=\(otherText)"] + name)
        #expect(misfit.status == 1 && misfit.errorText.contains(lines[1]))
        let absent = try await Executable.run(["dkim", "check", "--key", key, "--key-record", "x.example.com=\(text)"] + name)
        #expect(absent.status == 1 && absent.errorText.contains("no TXT record"))
    }

    @Test("dkim sign takes LF, CR and CRLF for the same message")
    func dkimLineEnds() async throws {
        let folder = try TemporaryFolder()
        let name = ["--domain", "example.com", "--selector", "s1"]
        let made = try await Executable.run(["dkim", "keygen", "--out", folder("keys")] + name)
        let lines = made.outputText.split(separator: "\n").map(String.init)
        for end in ["\r", "\r\n"] {
            let input = Array(String(decoding: Self.unsigned, as: UTF8.self).replacing("\n", with: end).utf8)
            let signed = try await Executable.run(["dkim", "sign", "--key", lines[0]] + name, input: input)
            #expect(String(decoding: signed.output, as: UTF8.self).hasSuffix("Subject: Hello\r\n\r\n.A dot\r\nand text\r\n"))
        }
        let noKey = try await Executable.run(["dkim", "sign", "--key", folder("none")] + name, input: Self.unsigned)
        #expect(noKey.status == 65 && noKey.output.isEmpty)
        #expect(
            try await Executable.run(["dkim", "keygen", "--out", folder("keys"), "--domain", "a/../b", "--selector", "s"]).status == 64)
    }

    // MARK: send-test and token

    @Test("send-test leaves signed over the identity's route; its token addresses can be inspected; a suppressed recipient gets nothing")
    func sendTest() async throws {
        let folder = try TemporaryFolder()
        let sink = try SinkSMTP()
        sink.script("no@example.net", then: .refuse("550 5.1.1 No such user"))
        let made = try await Executable.run(["dkim", "keygen", "--out", folder("keys"), "--domain", "example.com", "--selector", "s1"])
        let lines = made.outputText.split(separator: "\n").map(String.init)
        let tokenKey = try folder.write("token.key", text: String(repeating: "0123456789abcdef", count: 4), permissions: 0o600)
        let conf = try folder.write(
            "postrider.conf",
            text: """
                config_version = 1
                [main]
                myhostname = "out1.example.com"
                state_directory = "\(folder("state"))"
                run_directory = "\(folder("run"))"
                [route.out]
                type = "submission"
                host = "127.0.0.1"
                port = \(sink.port)
                tls = "none"
                tls_security_level = "none"
                [tokens]
                domain = "r.example.com"
                key_files = ["\(tokenKey)"]
                [dkim.key."example.com"]
                selector = "s1"
                key_file = "\(lines[0])"
                [identity.ann]
                from = "Ann Example <ann@example.com>"
                route = "out"
                reply_to = "token"
                return_path = "bounce"

                """)
        let sent = try await Executable.run(["send-test", "--conf", conf, "--to", "bo@example.net"])
        #expect(sent.status == 0, "\(sent.errorText)")
        #expect(sent.outputText.contains("signed for example.com") && sent.outputText.contains("accepted: 250"))
        #expect(sent.errorText.contains("> RCPT TO:<bo@example.net>"))
        let message = try #require(sink.messages.first)
        let records = [DKIMRecord(name: "s1._domainkey.example.com", text: Self.recordText(lines[1]))]
        #expect(try await DKIMPy.verify(message.bytes, records: records).map(\.isValid) == [true])
        // A program sent it to try the route, so no responder is to answer.
        #expect(message.text.contains("\r\nAuto-Submitted: auto-generated\r\n"))

        let bounce = try await Executable.run(["token", "inspect", "--conf", conf, "--json", message.reversePath])
        let object = try #require(try Self.objects(bounce).first)
        #expect(bounce.status == 0 && object["kind"] as? String == "bounce" && object["signature_holds"] as? Bool == true)
        #expect(object["expired"] as? Bool == false && (object["last_day"] as? String)?.utf8.count == 10)
        let id = try #require(object["message"] as? String)
        #expect(message.messageID.hasPrefix("\(id)."))
        let local = message.reversePath.prefix { $0 != "@" }
        let forged = String(local.dropLast()) + (local.last == "a" ? "b" : "a") + "@r.example.com"
        let refused = try await Executable.run(["token", "inspect", "--conf", conf, forged])
        #expect(refused.status == 1 && refused.errorText.contains("does not hold"))

        #expect(try await Executable.run(["send-test", "--conf", conf, "--to", "no@example.net"]).status == 69)
        #expect(try await Executable.run(["send-test", "--conf", conf, "--to", "bo@example.net", "--identity", "nobody"]).status == 65)
        #expect(try await Executable.run(["suppress", "add", "--conf", conf, "bo@example.net"]).status == 0)
        let suppressed = try await Executable.run(["send-test", "--conf", conf, "--to", "BO@example.net"])
        #expect(suppressed.status == 77 && suppressed.errorText.contains("suppressed"))
        #expect(sink.messages.count == 1)
    }
}
