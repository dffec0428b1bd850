import InternetMessage
import Testing

@testable import Outreach

@Suite("what smarthosts call a message")
struct ProviderNameTests {
    @Test(
        "the id is found in the last reply",
        arguments: [
            ("Ok 0102018f3a7b-1a2b3c4d-5e6f-000000", "0102018f3a7b-1a2b3c4d-5e6f-000000", nil),
            ("2.0.0 Ok: queued as 4VxYz12AbC3dEf", "4VxYz12AbC3dEf", nil), ("2.0.0 Ok: queued as 4VxYz12", nil, nil),
            ("OK id=1rXYZq-000AbC-2f", "1rXYZq-000AbC-2f", nil),
            ("2.0.0 OK <other@host.example> [Hostname=x12345678901234]", "other@host.example", "other@host.example"),
            ("2.0.0 OK <own@out.example.com> [InternalId=12345678901234567]", nil, nil), ("thank you", nil, nil), ("", nil, nil),
            ("accepted messageforyou", nil, nil), ("<> 1234567890123", "1234567890123", nil),
            ("<\u{1}@x> 1234567890ab", "1234567890ab", nil),
            ("2.0.0 Message accepted for delivery by mail-out-12.smarthost.example", nil, nil),
            ("2.0.0 OK mail-out-12.smarthost.example", nil, nil), ("2.0.0 OK 192.168.100.200", nil, nil),
            ("2.0.0 Saved for 20261122T202907Z", nil, nil), ("2.0.0 Ok: accepted by smtp-relay-out-12", nil, nil),
            ("Great success id=0102018f.abcd1234@smtp.example", "0102018f.abcd1234@smtp.example", "0102018f.abcd1234@smtp.example"),
            ("2.0.0 Ok 0102018f@eu-west-1.amazonses.com", "0102018f@eu-west-1.amazonses.com", "0102018f@eu-west-1.amazonses.com"),
            ("2.5.0 Ok, envelope id 0RXY00AB@mail.host.example.", "0RXY00AB@mail.host.example", "0RXY00AB@mail.host.example"),
            ("2.0.0 OK  1700000000 d2e1a72fcca58-6cb1a2b3c4dsm12b3a.12 - gsmtp", "d2e1a72fcca58-6cb1a2b3c4dsm12b3a.12", nil),
            ("Ok: queued as _Y8Jkq3-sQ2aBcD5eFgHiJ-", "_Y8Jkq3-sQ2aBcD5eFgHiJ-", nil),
            (
                "OK: queued as <202611222029.1234567@smtp-relay.host.example>", "202611222029.1234567@smtp-relay.host.example",
                "202611222029.1234567@smtp-relay.host.example"
            ),
            ("2.0.0 3AMKT7xx012345 Message accepted for delivery", "3AMKT7xx012345", nil),
            ("Requested mail action okay, completed: id=1MxYZq-1a2b3c4d5e-00Ab", "1MxYZq-1a2b3c4d5e-00Ab", nil),
            (
                "2.0.0 Mail queued for delivery, ID: 1MxYZq1a2b3c.relay.example by mail-out-12.smarthost.example",
                "1MxYZq1a2b3c.relay.example", nil
            ),
            ("2.0.0 <Bo7@example.net> 1MxYZq1a2b3c Saved", "1MxYZq1a2b3c", nil), ("2.1.5 bo7@example.net Ok", nil, nil),
        ] as [(String, String?, String?)])
    func found(reply: String, id: String?, messageID: String?) throws {
        let own = try #require(MessageID("own@out.example.com"))
        let name = ProviderName(reply: reply, own: own, recipient: EmailAddress("bo7@example.net"), domain: nil)
        #expect(name?.id == id && name?.messageID?.text == messageID)
    }

    @Test("where the host's own domain is known, so is the whole Message-ID")
    func known() throws {
        let own = try #require(MessageID("own@out.example.com"))
        let name = try #require(ProviderName(reply: "Ok 0102018f3a7b-000000", own: own, domain: "eu-west-1.amazonses.com"))
        let id = try #require(name.messageID)
        #expect(id.text == "0102018f3a7b-000000@eu-west-1.amazonses.com")
        #expect(ProviderName.possible(id) == [id.text, "0102018f3a7b-000000"])
        #expect(ProviderName.possible(own) == ["own@out.example.com"], "short parts mean nothing")
    }
}
