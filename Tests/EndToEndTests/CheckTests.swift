import Foundation
import TestKit
import Testing

/// `check` with what the world outside says, through the built executable.
@Suite("check of peers")
struct CheckTests {
    @Test("--connect logs in everywhere, sends nothing, and names what does not come about with its place")
    func connect() async throws {
        let sink = try SinkSMTP()
        let folder = try TemporaryFolder()
        let password = try folder.write("password", text: "secret\n", permissions: 0o600)
        let gone = try FreePort.next()
        let good = try StateBench(route: .server(port: sink.port))
        #expect(try await good.output("check", "--connect").contains("no faults"))
        #expect(sink.messages.isEmpty && sink.connections == 1)

        let bad = try StateBench(
            route: .text(
                """
                \(StateBench.submission(sink.port))auth = { user = "anna", password_file = "\(password)" }
                [route.gone]
                \(StateBench.submission(gone))[transport]
                default = "out"
                [mailbox.anna]
                host = "127.0.0.1"
                port = \(gone)
                tls = "none"
                auth = { user = "anna", password_file = "\(password)" }

                """))
        #expect(try await bad.run("check").status == 0)
        let outcome = try await bad.run("check", "--connect")
        let lines = outcome.errorText.split(separator: "\n").map(String.init)
        #expect(outcome.status == 1 && lines.count == 3, "\(outcome.errorText)")
        #expect(lines.allSatisfy { $0.hasPrefix("\(bad.conf):") })
        #expect(lines.first?.contains("[route.out]: 127.0.0.1:\(sink.port) offers no login") == true)
        #expect(lines.dropFirst().first?.contains("[route.gone]: cannot connect") == true)
        #expect(lines.last?.contains("[mailbox.anna]: cannot connect") == true)
        #expect(sink.messages.isEmpty)
    }

    @Test("--dns names what receivers will look for in vain, with its place")
    func dns() async throws {
        let dns = try await SignedDNS.start(records: [
            "out.example.com. A 192.0.2.1", "relay.example.com. A 192.0.2.2", "r.example.com. MX 10 out.example.com.",
            "example.com. TXT \"v=spf1 -all\"", "hook.example.com. A 10.0.0.9",
        ])
        func bench(_ text: String, _ resolvers: String) throws -> StateBench {
            try StateBench(
                route: .text("type = \"submission\"\n\(text)[dns]\nresolvers = [\"\(resolvers)\"]\n[transport]\ndefault = \"out\"\n"),
                listener: try FreePort.next())
        }
        let good = try bench("host = \"relay.example.com\"\n", dns.address)
        #expect(try await good.output("check", "--dns").contains("no faults"))
        let source = "[source.one]\naddress = \"198.51.100.7\"\nhelo = \"one.example.com\"\n"
        let folder = try TemporaryFolder()
        let key = try folder.write("hook", text: String(repeating: "k", count: 32), permissions: 0o600)
        let webhook = "[webhook.crm]\nurl = \"https://hook.example.com/\"\nsecret_file = \"\(key)\"\n"
        let bad = try bench("host = \"nothere.example.com\"\nsource = \"one\"\n\(source)\(webhook)", dns.address)
        let outcome = try await bad.run("check", "--dns")
        let lines = outcome.errorText.split(separator: "\n").map(String.init)
        #expect(outcome.status == 1 && lines.count == 3 && lines.allSatisfy { $0.hasPrefix("\(bad.conf):") }, "\(outcome.errorText)")
        #expect(lines.contains { $0.contains("198.51.100.7 has no PTR record; let it name one.example.com") })
        #expect(lines.contains { $0.contains("nothere.example.com has no address in DNS") })
        #expect(lines.contains { $0.contains("hook.example.com is on a private address, and allow_private is not set") })
        // A name server that is not there: nothing is known.
        let silent = try bench("host = \"relay.example.com\"\n", "127.0.0.1@\(try FreePort.next())")
        #expect(try await silent.run("check", "--dns").status == 69)
    }

    @Test("--connect takes a mailbox whose server takes the login, and reads nothing")
    func mailbox() async throws {
        let folder = try TemporaryFolder()
        let dovecot = try await DovecotProcess.start(
            users: [.init("anna", password: "secret")], certificate: try await .selfSigned(in: folder))
        for (text, status) in [("secret\n", 0), ("wrong\n", 1)] as [(String, Int32)] {
            let password = try folder.write("password", text: text, permissions: 0o600)
            let bench = try StateBench(
                route: .text(
                    """
                    type = "sink"
                    [mailbox.anna]
                    host = "127.0.0.1"
                    port = \(dovecot.imapPort)
                    tls = "none"
                    auth = { user = "anna", password_file = "\(password)" }

                    """))
            let outcome = try await bench.run("check", "--connect")
            #expect(outcome.status == status, "\(outcome.errorText)")
            #expect(status == 0 || outcome.errorText.contains("[mailbox.anna]: login refused"))
        }
    }
}
