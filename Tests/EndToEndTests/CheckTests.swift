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
        let lines = outcome.errorText.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("note: ") }
        #expect(outcome.status == 1 && lines.count == 3, "\(outcome.errorText)")
        #expect(lines.allSatisfy { $0.hasPrefix("\(bad.conf):") })
        #expect(lines.first?.contains("[route.out]: 127.0.0.1[127.0.0.1]:\(sink.port) offers no login") == true)
        #expect(lines.dropFirst().first?.contains("[route.gone]: cannot connect") == true)
        #expect(lines.last?.contains("[mailbox.anna]: cannot connect") == true)
        #expect(sink.messages.isEmpty)
    }

    @Test("what laws ask for, hours that never meet, keys that do nothing and replies that nobody reads are notes, and no faults")
    func notes() async throws {
        let bench = try StateBench(listener: try FreePort.next())
        func check(_ change: (String) -> String) async throws -> [String] {
            let before = TextFile.read(bench.conf)
            try bench.folder.write("postrider.conf", text: change(before))
            let outcome = try await bench.run("check")
            try bench.folder.write("postrider.conf", text: before)
            #expect(outcome.status == 0, "\(outcome.errorText)")
            return outcome.errorText.split(separator: "\n").map(String.init)
        }
        let address = "[compliance]\npostal_address = \"1 Street\"\n"
        let bare = try await check { $0 }
        #expect(bare.count == 1 && bare.first?.hasPrefix("note: the messages of 'anna' name no postal address") == true, "\(bare)")
        #expect(try await check { $0 + address } == [])
        #expect(try await check { $0.replacing("min_gap = \"0s\"", with: "signature = \"Anna, 1 Street\"") } == [])
        let apart = try await check {
            $0.replacing("days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]", with: "days = [\"sat\"]")
                + address + "[recipients]\nweek = [\"mon-fri 08:00-18:00\"]\n"
        }
        #expect(
            apart.count == 1 && apart.first?.hasPrefix("note: the hours of [window] and [recipients] never meet for people in ") == true,
            "\(apart)")
        let noWayOut = try await check { text in
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.filter { !$0.hasPrefix("key_files") && !$0.hasPrefix("reply_to") && !$0.hasPrefix("return_path") }.joined(
                separator: "\n") + address
        }
        let unread =
            "note: nothing reads the replies to 'anna', so that no reply ever ends a sequence or is seen here; add a [mailbox.NAME]"
        #expect(
            noWayOut.first == "note: messages offer no way to unsubscribe: there are no token addresses; set key_files in [tokens]"
                && noWayOut.count == 2 && noWayOut.last?.hasPrefix(unread) == true, "\(noWayOut)")
        let deaf = try await check { $0.replacing("[listener.smtp]\nlisten", with: "#").replacing("accept_domains", with: "#") + address }
        #expect(deaf.count == 1 && deaf.first?.hasPrefix(unread) == true, "\(deaf)")
        let idle = try await check {
            $0.replacing("[window]\n", with: "[window]\nweek = [\"mon 09:00-12:00\", \"tue 14:00-17:00\"]\npreferred_hour = 13\n")
                .replacing("min_gap = \"0s\"", with: "daily_starts = 50\nmin_gap = \"0s\"") + address
        }
        #expect(
            idle.map { $0.split(separator: ": ").dropFirst(2).joined(separator: ": ") } == [
                "'days' means nothing beside 'week', which says the days and hours; take one of them out",
                "'hours' means nothing beside 'week', which says the days and hours; take one of them out",
                "13 o'clock lies outside the hours of every day, so that it means nothing",
                "it is more than the daily_limit of 'anna', 40, so that it caps nothing",
            ], "\(idle)")
        for hour in [9, 11, 14] {
            let within = try await check {
                $0.replacing("hours = \"00:00-24:00\"", with: "hours = \"09:00-15:00\"\npreferred_hour = \(hour)") + address
            }
            #expect(within == [], "\(within)")
        }
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
        let lines = outcome.errorText.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("note: ") }
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
