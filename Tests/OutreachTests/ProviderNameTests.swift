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
        ] as [(String, String?, String?)])
    func found(reply: String, id: String?, messageID: String?) throws {
        let own = try #require(MessageID("own@out.example.com"))
        let name = ProviderName(reply: reply, own: own, domain: nil)
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
