import Testing

@testable import MailAuthentication

@Suite("Authentication-Results")
struct AuthenticationResultsTests {
    private func read(_ text: String) -> AuthenticationResults? { AuthenticationResults(parsing: Array(text.utf8)[...]) }

    @Test("what others write is read")
    func others() throws {
        let google = try #require(
            read(
                """
                 mx.google.com;\r
                       dkim=pass header.i=@example.com header.s=s1 header.b="ab/C+d=";\r
                       spf=pass (google.com: domain of ann@example.com designates 192.0.2.1 as permitted sender) smtp.mailfrom=ann@example.com;\r
                       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.com
                """))
        #expect(google.authservID == "mx.google.com" && google.entries.map(\.method) == ["dkim", "spf", "dmarc"])
        #expect(google.entry("dkim")?.property("header", "b") == "ab/C+d=")
        #expect(
            google.entry("dmarc")?.comment == "p=REJECT sp=REJECT dis=NONE"
                && google.entry("dmarc")?.property("header", "from") == "example.com")
        let exchange = try #require(
            read(
                "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com; dkim=none (message not signed)\r\n header.d=none;dmarc=fail action=oreject header.from=example.com;compauth=fail reason=000"
            ))
        #expect(exchange.authservID == "" && exchange.entry("dmarc")?.result == "fail" && exchange.entry("compauth")?.reason == "000")
        #expect(exchange.entry("dmarc")?.property("", "action") == "oreject")
        let odd = try #require(
            read(
                "(c) \"mx.example.com\" (v) 1 (d); (e) DKIM / 1 = Pass (ok (really)) reason = \"a \\\" ; b\" header . d = example.com ; x ; arc=none"
            ))
        #expect(odd.authservID == "mx.example.com" && odd.entries.map(\.method) == ["dkim", "arc"])
        #expect(odd.entries[0].reason == "a \" ; b" && odd.entries[0].comment == "ok (really)" && odd.entries[0].result == "pass")
        #expect(read("mx.example.com; none")?.entries == [])
    }

    @Test("what we write is read back, whatever strangers put into it")
    func roundTrip() throws {
        let values = [
            "ann@example.com", "\"a b\"@example.com", "x\r\nBcc: y", "2001:db8::1", "a;b=c", "\\", "(", "=?utf-8?q?x?=", "", "a@b@c",
            String(repeating: "x", count: 900),
        ]
        for value in values {
            let results = AuthenticationResults(
                authservID: "mx.example.com",
                entries: [
                    .init(method: "spf", result: "pass", reason: value, comment: value, properties: [.init("smtp", "mailfrom", value)]),
                    .init(method: "dmarc", result: "fail", properties: [.init("header", "from", "example.com")]),
                ])
            let field = results.field
            #expect(field.allSatisfy { $0 < 127 && ($0 >= 32 || $0 == 13 || $0 == 10 || $0 == 9) })
            #expect(field.split(separator: 10).allSatisfy { $0.count <= 998 && $0.last == 13 })
            #expect(field.split(separator: 10).dropFirst().allSatisfy { $0.first == 9 })
            for text in [String(decoding: field.dropFirst("Authentication-Results:".utf8.count).dropLast(2), as: UTF8.self), results.value]
            {
                let back = try #require(read(text))
                #expect(back.authservID == "mx.example.com" && back.entries.map(\.method) == ["spf", "dmarc"])
                let clean = String(decoding: value.utf8.prefix(320).map { $0 < 32 || $0 > 126 ? 63 : $0 }, as: UTF8.self)
                #expect(back.entries[0].property("smtp", "mailfrom") ?? "" == clean && back.entries[0].reason ?? "" == clean)
                #expect(back.entries[1].property("header", "from") == "example.com")
            }
        }
        #expect(AuthenticationResults(authservID: "a.example", entries: []).value == "a.example; none")
    }

    private let message = Array(
        """
        Received: from b by mx.example.com\r
        Authentication-Results: MX.example.com; dmarc=fail header.from=example.org\r
        Authentication-Results: other.example; dmarc=pass header.from=example.org\r
        Authentication-results: mx.example.com; dmarc=pass\r
        \theader.from=example.org\r
        From: ann@example.org\r
        \r
        Authentication-Results: mx.example.com; dmarc=pass\r

        """.utf8)

    @Test("only the topmost field of a trusted name counts")
    func trust() {
        #expect(AuthenticationResults.trusted(in: message, from: ["mx.example.com"])?.entry("dmarc")?.result == "fail")
        // Below the line of a server that is not its own it may be anybody's; without that line it is the topmost of its name.
        #expect(AuthenticationResults.trusted(in: message, from: ["other.example"]) == nil)
        let above = Array(message.drop { $0 != 10 }.dropFirst())
        #expect(AuthenticationResults.trusted(in: above, from: ["other.example"])?.entry("dmarc")?.result == "pass")
        #expect(AuthenticationResults.trusted(in: message, from: ["example.com"]) == nil)
        #expect(AuthenticationResults.trusted(in: message, from: []) == nil)
    }

    @Test(
        "a field is believed above all Received fields or beside those of its server, and not below those of others",
        arguments: [
            (["AR"], true), (["mx", "AR"], true), (["mx", "AR", "evil"], true), (["AR", "evil"], true), (["evil", "AR"], false),
            (["mx", "evil", "AR"], false), (["evil", "AR", "evil"], false), (["mx", "evil", "mx", "AR"], false),
            (["inner", "AR", "mx", "evil"], true), (["inner", "mx", "AR", "evil"], true), (["beside", "AR"], true),
            (["lookalike", "AR"], false), (["mx", "mx", "AR"], true), (["mx", "evil", "AR", "mx"], false),
        ])
    func below(fields: [String], isBelieved: Bool) {
        let lines = fields.map { field in
            switch field {
            case "AR": "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"
            case "mx": "Received: from a.example.net (a [192.0.2.1])\r\n\tBY MX.example.com (Postfix) with ESMTPS id 1; Mon, 1 Jan 2026"
            case "beside": "Received: from a by store2.example.com with LMTP"
            case "lookalike": "Received: from a by evilexample.com; from mx.example.com"
            case "inner": "Received: by 2002:a05:6a10::1 with SMTP id x"
            default: "Received: from mx.example.com by evil.example"
            }
        }
        let message = Array((lines + ["From: ann@example.org", "", "Hi", ""]).joined(separator: "\r\n").utf8)
        #expect((AuthenticationResults.trusted(in: message, from: ["mx.example.com"]) != nil) == isBelieved, "\(fields)")
    }

    @Test("fields that claim to be ours are taken out, others and the body stay")
    func claims() {
        let text = String(decoding: AuthenticationResults.withoutClaims(of: "mx.example.com", in: message), as: UTF8.self)
        #expect(
            text == """
                Received: from b by mx.example.com\r
                Authentication-Results: other.example; dmarc=pass header.from=example.org\r
                From: ann@example.org\r
                \r
                Authentication-Results: mx.example.com; dmarc=pass\r

                """)
    }

    @Test("arbitrary octets are read to an end", arguments: [1, 2, 3])
    func arbitrary(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        let pieces: [[UInt8]] =
            ["a", "=", ";", "(", ")", "\"", "\\", ".", "/", " ", "\r\n ", "dkim", "pass", "reason"].map { Array($0.utf8) } + [[0], [255]]
        for _ in 0..<3_000 {
            var value: [UInt8] = []
            for _ in 0..<24 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                value += pieces[Int(state % UInt64(pieces.count))]
            }
            guard let results = AuthenticationResults(parsing: value[...]) else { continue }
            #expect(results.value.utf8.allSatisfy { $0 >= 32 && $0 < 127 })
        }
        #expect(
            AuthenticationResults(parsing: Array("a; x=y ".utf8)[...] + Array(repeating: UInt8(ascii: "("), count: 60_000))?.entries.count
                == 1)
    }
}
