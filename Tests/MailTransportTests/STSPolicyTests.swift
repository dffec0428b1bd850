import Testing

@testable import MailTransport

@Suite("MTA-STS documents and records")
struct STSPolicyTests {
    private func parsed(_ text: String) -> Result<STSPolicy, STSPolicy.Fault> {
        Result { () throws(STSPolicy.Fault) in try STSPolicy(parsing: Array(text.utf8)) }
    }

    static let whole = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"

    @Test("a policy reads the same with either line end, spaces and unknown fields")
    func reads() throws {
        let policy = STSPolicy(mode: .enforce, hosts: ["mail.example.com", ".example.net"], maxAge: .seconds(604_800))
        for text in [
            Self.whole, Self.whole.replacing("\r\n", with: "\n"), Self.whole.replacing(": ", with: ":\t "),
            String(Self.whole.dropLast()), Self.whole.replacing("mode", with: "colour: red\r\nmode"),
            Self.whole.replacing("mail.example.com", with: "Mail.EXAMPLE.com."), Self.whole + "mode: none\r\nmax_age: 1\r\n",
            Self.whole.replacing("mode:", with: "just words\r\nmode:"),
        ] {
            #expect(parsed(text) == .success(policy), "\(text)")
        }
        #expect(parsed("version: STSv1\nmode: none\nmax_age: 9999999999\n").map(\.maxAge) == .success(.seconds(31_557_600)))
    }

    @Test(
        "what is no policy",
        arguments: [
            ("", STSPolicy.Fault.noVersion), ("mode: enforce\nversion: STSv1\nmx: a.example\nmax_age: 1\n", .noVersion),
            ("version: STSv2\nmode: none\nmax_age: 1\n", .noVersion), ("version: STSv1\nmax_age: 1\n", .noMode),
            ("version: STSv1\nmode: strict\nmax_age: 1\n", .noMode), ("version: STSv1\nmode: none\n", .noMaxAge),
            ("version: STSv1\nmode: none\nmax_age: -1\n", .noMaxAge),
            ("version: STSv1\nmode: none\nmax_age: 99999999999999999999\n", .noMaxAge),
            ("version: STSv1\nmode: enforce\nmax_age: 1\n", .badHosts), ("version: STSv1\nmode: testing\nmx: *\nmax_age: 1\n", .badHosts),
            ("version: STSv1\nmode: enforce\nmx: a.*.example\nmax_age: 1\n", .badHosts),
            ("version: STSv1\nmode: enforce\nmx: a.example\nmx: a b\nmax_age: 1\n", .badHosts),
            ("version: STSv1\nmode: none\nmax_age: 1\u{0}\n", .notText),
        ])
    func refused(text: String, fault: STSPolicy.Fault) {
        #expect(parsed(text) == .failure(fault))
    }

    @Test("size, lines and hosts are bounded")
    func bounded() {
        let head = "version: STSv1\nmode: enforce\nmax_age: 1\n"
        #expect(parsed(head + String(repeating: "mx: a.example\n", count: 500)).map(\.hosts.count) == .success(500))
        #expect(parsed(head + String(repeating: "mx: a.example\n", count: 501)) == .failure(.badHosts))
        #expect(parsed(head + String(repeating: "x: y\n", count: 1000)) == .failure(.tooLong))
        #expect(parsed(head + "mx: a.example\nx: " + String(repeating: "y", count: 65_536)) == .failure(.tooLong))
    }

    @Test("every cut and every changed octet is read or refused")
    func damaged() {
        let bytes = Array(Self.whole.utf8)
        for end in bytes.indices { _ = try? STSPolicy(parsing: Array(bytes[..<end])) }
        for place in bytes.indices {
            for value in [UInt8(0), 0x0A, 0x20, 0x2A, 0x3A, 0x80, 0xFF] {
                var changed = bytes
                changed[place] = value
                _ = try? STSPolicy(parsing: changed)
            }
        }
    }

    @Test(
        "a wildcard is one label",
        arguments: [
            ("mail.example.com", true), ("MAIL.example.COM", true), ("a.example.net", true), ("a.b.example.net", false),
            ("example.net", false),
            (".example.net", false), ("mail.example.com.evil.org", false), ("xmail.example.com", false), ("", false),
        ])
    func allows(host: String, isAllowed: Bool) throws {
        #expect(try STSPolicy(parsing: Array(Self.whole.utf8)).allows(host) == isAllowed)
    }

    @Test(
        "the record in DNS has exactly one version and an id",
        arguments: [
            (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"), (["v=STSv1;id=1"], "1"), (["v=spf1 -all", "v=STSv1; x=y; id=a ;"], "a"),
            (["v=STSv1; id=1", "v=STSv1; id=2"], nil), (["v=STSv2; id=1"], nil), (["v=STSv1; id="], nil), (["v=STSv1; id=a b"], nil),
            (["v=STSv1; id=" + String(repeating: "a", count: 33)], nil), (["V=STSv1; id=1"], nil), ([], nil), (["v=STSv1; xid=1"], nil),
        ] as [([String], String?)])
    func record(texts: [String], id: String?) {
        #expect(STSRecord(texts: texts.map { Array($0.utf8) })?.id == id)
    }
}
