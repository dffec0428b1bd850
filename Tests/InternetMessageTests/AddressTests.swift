import Testing

@testable import InternetMessage

@Suite("Addresses")
struct AddressTests {
    @Test(
        "a bare addr-spec is read, and written for SMTP",
        arguments: [
            ("ann@example.com", "ann@example.com", false),
            ("Ann.Example+tag=x@Example.COM", "Ann.Example+tag=x@example.com", false),
            ("\"ann b\"@example.com", "\"ann b\"@example.com", false),
            ("\"ann\"@example.com", "ann@example.com", false),
            ("\"a\\\"b\\\\c@d\"@example.com", "\"a\\\"b\\\\c@d\"@example.com", false),
            ("ann@bücher.example", "ann@xn--bcher-kva.example", false),
            ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example", false),
            ("пеле@пример.example", "пеле@xn--e1afmkfd.example", true),
            ("ann@[192.0.2.1]", "ann@[192.0.2.1]", false),
            ("ann@[IPv6:2001:db8::1]", "ann@[ipv6:2001:db8::1]", false),
            ("ann@[IPv6:::ffff:192.0.2.1]", "ann@[ipv6:::ffff:192.0.2.1]", false),
            ("root@localhost", "root@localhost", false),
            ("!#$%&'*+-/=?^_`{|}~@a.b", "!#$%&'*+-/=?^_`{|}~@a.b", false),
        ])
    func accepts(text: String, wire: String, needsUTF8: Bool) throws {
        let address = try #require(EmailAddress(text))
        #expect(String(decoding: address.wireBytes, as: UTF8.self) == wire)
        #expect(address.needsSMTPUTF8 == needsUTF8)
        #expect(EmailAddress(address.text) == address)
    }

    @Test(
        "anything that is no bare addr-spec is refused",
        arguments: [
            "", "@", "ann", "ann@", "@example.com", "ann @example.com", " ann@example.com", "ann@example.com ", "<ann@example.com>",
            "Ann <ann@example.com>", "ann(c)@example.com", "ann@exam ple.com", "a..b@example.com", ".a@example.com", "a.@example.com",
            "ann@example..com", "ann@.example.com", "ann@example.com.", "ann@-example.com", "ann@example-.com", "ann@exa!mple.com",
            "ann@example.com\r\n", "ann\r\n@example.com", "\"ann\r\nb\"@example.com", "ann@example.com\0", "\"ann@example.com",
            "\"\"@example.com",
            "a\"b@example.com", "\"a\"b\"@example.com", "ann@[300.0.2.1]", "ann@[192.0.2]", "ann@[IPv6:::1::2]", "ann@[IPv6:12345::]",
            "ann@[x y]", "ann@example.com,bob@example.com", "ann@\u{2028}example.com", "ann@exa\u{0}mple.com", "ann@ex\u{FF0F}ample.com",
            "\u{7F}@example.com", String(repeating: "a", count: 65) + "@example.com", "a@" + String(repeating: "b", count: 64) + ".com",
            "a@" + String(repeating: "b.", count: 130) + "com",
        ])
    func refuses(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test("bytes that are not UTF-8 are no address")
    func refusesBadUTF8() {
        #expect(EmailAddress(parsing: [0xFF, 0x40, 0x61]) == nil)
        #expect(EmailAddress(parsing: [0x61, 0x40, 0xC3]) == nil)
    }

    @Test("the suppression key folds case in ASCII only, and the domain to A-labels")
    func suppressionKey() throws {
        #expect(EmailAddress("Ann@Bücher.Example")?.suppressionKey == "ann@xn--bcher-kva.example")
        // The Kelvin sign is canonically equivalent to K in String comparison; the key keeps it apart.
        let kelvin = try #require(EmailAddress("\u{212A}@example.com"))
        let letter = try #require(EmailAddress("K@example.com"))
        #expect(Array(kelvin.suppressionKey.utf8) != Array(letter.suppressionKey.utf8))
        #expect(kelvin != letter)
    }

    @Test("equality goes by bytes")
    func equality() {
        #expect(EmailAddress("é@example.com") != EmailAddress("e\u{301}@example.com"))
        #expect(Set([EmailAddress("é@example.com"), EmailAddress("e\u{301}@example.com")]).count == 2)
        let address = EmailAddress("ann@example.com")
        #expect(address.map { Mailbox(displayName: "é", address: $0) } != address.map { Mailbox(displayName: "e\u{301}", address: $0) })
    }

    @Test("a description does not give the address away")
    func description() {
        #expect(EmailAddress("ann@example.com").map { "\($0)" } == "a***@example.com")
    }

    @Test(
        "domain names",
        arguments: [
            ("EXAMPLE.com", "example.com"), ("Bücher.example", "xn--bcher-kva.example"), ("faß.example", "xn--fa-hia.example"),
            ("XN--BCHER-KVA.Example", "xn--bcher-kva.example"), ("_dmarc.example.com", "_dmarc.example.com"),
            ("a。bücher.example", "a.xn--bcher-kva.example"),
            ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"), ("localhost", "localhost"),
        ])
    func domains(unicode: String, ascii: String) {
        #expect(DomainName.toASCII(unicode) == ascii)
        #expect(DomainName.toASCII(DomainName.toUnicode(ascii)) == ascii)
        #expect(DomainName.toASCII(ascii) == ascii)
    }

    @Test(
        "what IDNA2008 does not allow has no A-label form",
        arguments: [
            "", "\u{2665}.example", "a\u{0}b", "xn--ü.example", String(repeating: "ü", count: 2000), "b c.example", "b c.ü.example",
            "a..ü.example", ".ü.example", "ü.example.", "a.example.", "a..example", ".example", "-a.example", "a-.example", "a!b.example",
            "xn--example.com", "xn--0.example", "[192.0.2.1", "[a b]", "[]", "example.com\r\nX",
            String(repeating: "a", count: 64) + ".example",
        ])
    func badDomains(domain: String) {
        #expect(DomainName.toASCII(domain) == nil)
    }

    static let lists: [(String, [String], [Defect])] = [
        ("ann@example.com", ["ann@example.com"], []),
        ("Ann <ann@example.com>, bob@example.com", ["Ann|ann@example.com", "bob@example.com"], []),
        ("\"Example, Ann\" <ann@example.com>", ["Example, Ann|ann@example.com"], []),
        ("\"a \\\"b\\\" c\" <ann@example.com>", ["a \"b\" c|ann@example.com"], []),
        ("ann@example.com (Ann (the (first)) Example)", ["Ann (the (first)) Example|ann@example.com"], []),
        ("Team: a@example.com, B <b@example.com>;, c@example.com", ["a@example.com", "B|b@example.com", "c@example.com"], []),
        ("undisclosed-recipients:;", [], []),
        ("<@relay.example,@two.example:ann@example.com>", ["ann@example.com"], []),
        ("Ann . Example @ example . com", ["Ann.Example@example.com"], []),
        ("=?utf-8?Q?J=C3=B6rg?= <j@example.com>", ["Jörg|j@example.com"], []),
        ("=?utf-8?Q?Doe,_Jane?= <j@example.com>", ["Doe, Jane|j@example.com"], []),
        ("\"=?utf-8?B?SsO2cmc=?=\" <j@example.com>", ["Jörg|j@example.com"], []),
        ("=?utf-8?Q?A?= =?utf-8?Q?B?= C <j@example.com>", ["AB C|j@example.com"], []),
        ("\"ann b\"@example.com", ["\"ann b\"@example.com"], []),
        ("ann@[192.0.2.1]", ["ann@[192.0.2.1]"], []),
        (" ,, ann@example.com,,", ["ann@example.com"], []),
        ("Ann\r\n <ann@example.com>", ["Ann|ann@example.com"], []),
        ("Ann Example ann@example.com", ["Ann Example|ann@example.com"], [.addressSyntax]),
        ("\"ann@example.com\"", ["ann@example.com"], [.addressSyntax]),
        ("\"Ann <ann@example.com>", ["Ann|ann@example.com"], [.unclosedQuote]),
        ("Ann (oops <ann@example.com>", ["Ann (oops|ann@example.com"], [.unclosedComment]),
        ("<<ann@example.com>>", ["ann@example.com"], []),
        ("ann@example.com <>", ["ann@example.com"], [.addressSyntax]),
        ("ann..b@example.com", ["\"ann..b\"@example.com"], []),
        ("Ann <ann@example.com", ["Ann|ann@example.com"], []),
        ("Ann <ann@example.com, bob@example.com", ["Ann|ann@example.com", "bob@example.com"], []),
        ("a@example.com; b@example.com", ["a@example.com", "b@example.com"], []),
        ("mailto:ann@example.com", ["ann@example.com"], []),
        ("nobody", [], [.addressSyntax]),
        ("<Undisclosed-Recipient:@example.com;>", [], [.addressSyntax]),
        ("<>", [], [.addressSyntax]),
        ("=?utf-8?Q?x=0D=0ABcc:_y?= <j@example.com>", ["x  Bcc: y|j@example.com"], []),
        ("Example, Ann <ann@example.com>, bob@example.com", ["Example, Ann|ann@example.com", "bob@example.com"], [.addressSyntax]),
        ("Example, Ann, MD <ann@example.com>", ["Example, Ann, MD|ann@example.com"], [.addressSyntax]),
        ("root, bob@example.com", ["bob@example.com"], [.addressSyntax]),
        ("Ann B. Example, Jr. <ann@example.com>", ["Ann B. Example, Jr.|ann@example.com"], [.addressSyntax]),
        ("J.R. \"Bob\" Dobbs <bob@example.com>", ["J.R. Bob Dobbs|bob@example.com"], []),
        ("<ann@example.com>;", ["ann@example.com"], []),
        ("Ann ann@example.com>", ["Ann|ann@example.com"], [.addressSyntax]),
        ("Ann <ann@example.com>>, bob@example.com", ["Ann|ann@example.com", "bob@example.com"], []),
        ("Ann [ann@example.com]", ["Ann|ann@example.com"], [.addressSyntax]),
        ("[ann@example.com]", ["ann@example.com"], [.addressSyntax]),
        ("<[[[ann@example.com>", ["ann@example.com"], []), ("<\"[ann\"@example.com>", ["\"[ann\"@example.com"], []),
        ("'ann@example.com'", ["ann@example.com"], []),
        ("\"'ann@example.com'\" <ann@example.com>", ["'ann@example.com'|ann@example.com"], []),
        ("Pat O'Neil <o'neil@example.com>", ["Pat O'Neil|o'neil@example.com"], []),
        ("(ann@example.com)", ["ann@example.com"], [.addressSyntax]),
        ("Ann Example (ann@example.com)", ["Ann Example|ann@example.com"], [.addressSyntax]),
        ("(nothing here)", [], []),
        ("=?utf-8?Q?ann=40example.com?=", ["ann@example.com"], [.addressSyntax]),
        ("=?utf-8?Q?Ann_=3Cann=40example.com=3E?=", ["Ann|ann@example.com"], [.addressSyntax]),
        ("Ann <=?utf-8?B?YW5uQGV4YW1wbGUuY29t?=>", ["Ann|ann@example.com"], [.addressSyntax]),
        ("=?utf-8?Q?evil=40evil.example=3E=2C?= <ann@example.com>", ["evil@evil.example>,|ann@example.com"], []),
        ("=?utf-8?Q?evil=40evil.example?=@example.com", ["=?utf-8?Q?evil=40evil.example?=@example.com"], []),
        // No address: with its "@" inside, it would be read as an encoded word when it comes back.
        ("=?utf\"-8?B?ann@example?= <", [], [.unclosedQuote, .addressSyntax]),
        ("\"Ann Example <ann@example.com>\"", ["Ann Example|ann@example.com"], [.addressSyntax]),
        ("\"ann@example.com\" <Ann Example>", ["Ann Example|ann@example.com"], [.addressSyntax]),
        ("\"ann@example.com\" <>", ["ann@example.com"], [.addressSyntax]),
        ("ann@example.com <Ann Example>", ["Ann Example|ann@example.com"], [.addressSyntax]),
        ("<mailto:ann@example.com?subject=Hello>", ["ann@example.com"], []),
        ("Ann Example [mailto:ann@example.com]", ["Ann Example|ann@example.com"], [.addressSyntax]),
        ("SMTP:ann@example.com", ["ann@example.com"], []),
        ("a@b@example.com", ["\"a@b\"@example.com"], []),
        ("<a@b@example.com>", ["\"a@b\"@example.com"], []),
        ("ann@@example.com", ["ann@example.com"], []),
        ("<ann@example.com> Ann Example", ["Ann Example|ann@example.com"], []),
        ("<ann@example.com> bob@example.com", ["ann@example.com", "bob@example.com"], [.addressSyntax]),
        ("Ann <ann@example.com> Bo <bo@example.com>", ["Ann|ann@example.com", "Bo|bo@example.com"], [.addressSyntax]),
        ("ann@example.com bob@example.com\r\n\tc@example.com", ["ann@example.com", "bob@example.com", "c@example.com"], [.addressSyntax]),
        ("ann@example.com ann@example.com <ann@example.com>", ["ann@example.com ann@example.com|ann@example.com"], []),
        ("ann@example.com.", ["ann@example.com"], []),
        ("\"Ann\".\"B\"@example.com (obsolete)", ["obsolete|Ann.B@example.com"], []),
        ("Managing (the board):Ann <ann@example.com>;", ["Ann|ann@example.com"], []),
        (
            "\u{43F}\u{435}\u{43B}\u{435}@\u{43F}\u{440}\u{438}\u{43C}\u{435}\u{440}.example",
            ["\u{43F}\u{435}\u{43B}\u{435}@\u{43F}\u{440}\u{438}\u{43C}\u{435}\u{440}.example"], []
        ),
    ]

    @Test("address lists, legal and not", arguments: lists)
    func readsLists(text: String, expected: [String], defects: [Defect]) {
        let list = AddressList(parsing: text)
        #expect(list.mailboxes.map { ($0.displayName.map { $0 + "|" } ?? "") + $0.address.text } == expected)
        #expect(list.defects == defects)
    }

    @Test("8-bit names are read as UTF-8 or windows-1252")
    func eightBitNames() {
        #expect(AddressList(parsing: Array("J\u{F6}rg <j@example.com>".utf8)).mailboxes.first?.displayName == "Jörg")
        #expect(AddressList(parsing: [0x4A, 0xF6, 0x72, 0x67] + Array(" <j@example.com>".utf8)).mailboxes.first?.displayName == "Jörg")
    }

    @Test(
        "hostile lists cost linear time",
        arguments: [
            "(", "\"", "\\\"", "<", ">", ",", ":", ";", "@", "a:", "=?", "=?a?q?", "a@b,", "<a@b> ", "(()", "\"\\", "[", "a@[", "a, ",
            "<a@b> c@d ", "mailto:", "=?utf-8?Q?a=40b?= ", "'a@b' ", "(a@b) ", "a@b ", "a@@", "\"a@b\" <c> ",
        ])
    func hostileLists(piece: String) {
        let list = AddressList(parsing: String(repeating: piece, count: 100_000))
        #expect(list.mailboxes.count <= Limits.default.addresses)
    }

    @Test(
        "identifiers that may be written",
        arguments: [
            ("a@b", true), ("a.b-c$1@[192.0.2.1]", true), ("a@b.example", true), ("<a@b>", false), ("a b@c", false), ("a@b\r\n", false),
            ("a", false), ("@b", false), ("a@", false), ("ü@b", false), ("a@b@c", false),
            ("a@" + String(repeating: "b", count: 900), false),
        ])
    func messageIDs(text: String, legal: Bool) {
        #expect((MessageID(text) != nil) == legal)
    }

    @Test(
        "identifiers as other programs write them",
        arguments: [
            ("<a@x> <b@x>", ["a@x", "b@x"]), ("<a@x>\r\n\t<b@x>,<a@x>", ["a@x", "b@x"]), ("Your message of Tue <a@x>", ["a@x"]),
            ("a@x b@x", ["a@x", "b@x"]), ("<a\r\n @x>", ["a@x"]), ("<a@x <b@x>", ["a@x", "b@x"]), ("<a@x", ["a@x"]), ("<>", []), ("", []),
            ("none", []),
            ("<no-at>", ["no-at"]),
        ] as [(String, [String])])
    func messageIDLists(text: String, expected: [String]) {
        #expect(MessageID.list(parsing: Array(text.utf8)[...]).map(\.text) == expected)
    }
}
