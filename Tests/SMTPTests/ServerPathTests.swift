import Testing

@testable import SMTP

struct ServerPathTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let argument: String
        /// The address, or nil when the argument is refused.
        let address: String?
        var testDescription: String { argument.debugDescription }

        init(_ argument: String, _ address: String?) {
            self.argument = argument
            self.address = address
        }
    }

    static let local64 = String(repeating: "l", count: 64)
    static let local128 = String(repeating: "l", count: 128)
    static let label63 = String(repeating: "d", count: 63)

    static let cases: [Case] = [
        Case("<a@x>", "a@x"), Case("<a.b+c=d@mx.example.com>", "a.b+c=d@mx.example.com"), Case("<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        Case("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"), Case("<\"a b\"@x>", "\"a b\"@x"), Case("<\"a>b\"@x>", "\"a>b\"@x"),
        Case("<\"a\\\"b\"@x>", "\"a\\\"b\"@x"), Case("<\"a@b\"@x>", "\"a@b\"@x"), Case("<@one,@two.example:a@x>", "a@x"),
        Case("<@one:a@x>", "a@x"),
        Case("<postmaster>", "postmaster"), Case("<PostMaster>", "PostMaster"), Case("<a%b@x>", "a%b@x"), Case("<a!b@x>", "a!b@x"),
        Case("<\(local64)@x>", "\(local64)@x"), Case("<\(local128)@x>", "\(local128)@x"),
        Case("a@x", nil), Case("<a@x", nil), Case("a@x>", nil), Case("<<a@x>>", nil), Case("<a@x>b", nil), Case("<a>", nil),
        Case("<@x>", nil), Case("<a@>", nil),
        Case("<a b@x>", nil), Case("<a@x y>", nil), Case("<a..b@x>", nil), Case("<.a@x>", nil), Case("<a.@x>", nil), Case("<a@x.>", nil),
        Case("<a@.x>", nil),
        Case("<a@-x>", nil), Case("<a@x-.y>", nil), Case("<a@[]>", nil), Case("<a@[1>", nil), Case("<a@x]>", nil), Case("<\"a@x>", nil),
        Case("<\"a\"b@x>", nil),
        Case("<\"a\\\"@x>", nil), Case("<@one a@x>", nil), Case("<@one>", nil), Case("<one:a@x>", nil), Case("<@:a@x>", nil),
        Case("<@one,two:a@x>", nil),
        Case("<l\(local128)@x>", nil), Case("<a@d\(label63)>", nil),
        Case("<a@\(Array(repeating: label63, count: 4).joined(separator: "."))>", nil), Case("<é@x>", nil),
        Case("<postmaster@>", nil), Case("<a,b@x>", nil), Case("<a;b@x>", nil), Case("<a@x>\u{301}", nil), Case("<>", nil), Case("", nil),
        Case("<", nil),
    ]

    @Test("paths of MAIL and RCPT", arguments: cases)
    func path(_ example: Case) {
        for prefix in ["RCPT TO:", "rcpt to: ", "Rcpt  To:"] {
            var driver = ServerDriver()
            driver.perform(driver.session.connected())
            for line in ["EHLO c\r\n", "MAIL FROM:<>\r\n"] { driver.receive(line) }
            driver.holds = true
            _ = driver.look()
            let actions = driver.session.received(buffer(prefix + example.argument + "\r\n"))
            if let address = example.address {
                #expect(actions == [.validateRecipient(bytes(address), index: 0)])
            } else {
                driver.perform(actions)
                let reply = driver.look()
                #expect(reply == "501 5.1.3 Bad recipient address syntax\r\n" || reply == "553 5.6.7 Address needs SMTPUTF8\r\n")
            }
        }
    }

    @Test(
        "parameters of MAIL",
        arguments: [
            ("", "250 2.1.0 Ok"), (" SIZE=100", "250 2.1.0 Ok"), (" size=100 body=8bitmime", "250 2.1.0 Ok"),
            (" SIZE=10485760", "250 2.1.0 Ok"),
            (" BODY=7BIT RET=FULL ENVID=a+2Bb AUTH=<>", "250 2.1.0 Ok"), (" AUTH=a+40b", "250 2.1.0 Ok"), (" SMTPUTF8", "250 2.1.0 Ok"),
            (" SIZE=10485761", "552 5.3.4 Message size exceeds fixed limit"),
            (" SIZE=18446744073709551616", "552 5.3.4 Message size exceeds fixed limit"),
            (" SIZE=99999999999999999999", "552 5.3.4 Message size exceeds fixed limit"),
            (" SIZE=999999999999999999999", "501 5.5.4 Syntax error in parameters"),
            (" SIZE=-1", "501 5.5.4 Syntax error in parameters"), (" SIZE=abc", "501 5.5.4 Syntax error in parameters"),
            (" SIZE=", "501 5.5.4 Syntax error in parameters"),
            (" SIZE", "501 5.5.4 Syntax error in parameters"), (" SIZE=1 SIZE=2", "501 5.5.4 Syntax error in parameters"),
            (" BODY=BINARYMIME", "501 5.5.4 Syntax error in parameters"), (" RET=X", "501 5.5.4 Syntax error in parameters"),
            (" ENVID=a+2", "501 5.5.4 Syntax error in parameters"), (" SMTPUTF8=1", "501 5.5.4 Syntax error in parameters"),
            (" =1", "501 5.5.4 Syntax error in parameters"), (" FOO=1", "555 5.5.4 Parameter not recognized"),
            (" FOO", "555 5.5.4 Parameter not recognized"),
            ("SIZE=1", "501 5.1.7 Bad sender address syntax"),
        ])
    func parameters(_ parameters: String, _ expected: String) {
        var driver = ServerDriver()
        driver.perform(driver.session.connected())
        driver.receive("EHLO c\r\n")
        _ = driver.look()
        driver.receive("MAIL FROM:<s@x>" + parameters + "\r\n")
        #expect(driver.look() == expected + "\r\n")
    }

    @Test(
        "parameters of RCPT",
        arguments: [
            (" NOTIFY=NEVER", "250 2.1.5 Ok"), (" NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@x", "250 2.1.5 Ok"),
            (" NOTIFY=NEVER,DELAY", "501 5.5.4 Syntax error in parameters"),
            (" NOTIFY=", "501 5.5.4 Syntax error in parameters"), (" ORCPT=x", "501 5.5.4 Syntax error in parameters"),
            (" SIZE=1", "555 5.5.4 Parameter not recognized"),
        ])
    func recipientParameters(_ parameters: String, _ expected: String) {
        var driver = ServerDriver()
        driver.perform(driver.session.connected())
        for line in ["EHLO c\r\n", "MAIL FROM:<>\r\n"] { driver.receive(line) }
        _ = driver.look()
        driver.receive("RCPT TO:<r@x>" + parameters + "\r\n")
        #expect(driver.look() == expected + "\r\n")
    }

    @Test(
        "greeting names",
        arguments: [
            ("c", true), ("host_name.example", true), ("[192.0.2.1]", true), ("[IPv6:::1]", true), ("", false), ("a b", false),
            ("a/b", false), ("é", false), ("-a", false),
            ("a\tb", false), (String(repeating: "a", count: 256), false),
        ])
    func greetingNames(_ name: String, _ isAccepted: Bool) {
        for verb in ["EHLO", "HELO"] {
            var driver = ServerDriver()
            driver.perform(driver.session.connected())
            _ = driver.look()
            driver.receive("\(verb) \(name)\r\n")
            #expect(driver.look().utf8.starts(with: (isAccepted ? "250" : "501").utf8))
        }
    }

    @Test("UTF-8 addresses come only with SMTPUTF8, and only as UTF-8")
    func utf8() {
        var driver = ServerDriver()
        driver.perform(driver.session.connected())
        driver.receive("EHLO c\r\n")
        _ = driver.look()
        driver.receive("MAIL FROM:<é@exämple.org> SMTPUTF8\r\n")
        driver.receive("RCPT TO:<ü@x>\r\n")
        driver.receive(bytes("RCPT TO:<") + [0xC3] + bytes("@x>\r\n"))
        #expect(driver.look() == "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n501 5.1.3 Bad recipient address syntax\r\n")
        var without = ServerDriver(options: ["utf8": "off"])
        without.perform(without.session.connected())
        without.receive("EHLO c\r\n")
        _ = without.look()
        without.receive("MAIL FROM:<é@x> SMTPUTF8\r\n")
        without.receive("MAIL FROM:<é@x>\r\n")
        #expect(without.look() == "555 5.5.4 Parameter not recognized\r\n553 5.6.7 Address needs SMTPUTF8\r\n")
    }
}
