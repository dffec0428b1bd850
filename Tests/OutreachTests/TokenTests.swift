import InternetMessage
import Testing

@testable import Outreach

private let now = Timestamp(seconds: 1_772_438_400)

private func key(_ byte: UInt8) throws -> TokenCodec.Key { try #require(TokenCodec.Key(secret: Array(repeating: byte, count: 32))) }

private func addresses(_ keys: [UInt8]) throws -> TokenAddresses {
    let codec = try #require(TokenCodec(keys: keys.map(key)))
    return try #require(TokenAddresses(domain: "r.example.com", codec: codec))
}

@Suite("tokens")
struct TokenTests {
    @Test("an address fits 64 octets with a BATV prefix and reads back", arguments: MailToken.Kind.allCases)
    func roundTrip(kind: MailToken.Kind) throws {
        let ours = try addresses([1])
        let id = OutboxMessage.ID(rawValue: 0xABCD_EF01_2345)
        let address = try #require(ours.address(kind, for: id, at: now))
        #expect(address.localPart.utf8.count + "prvs=1234567890=".utf8.count <= 64)
        guard case .valid(let token) = ours.read(address, at: now) else { Issue.record("not valid: \(address.text)"); return }
        #expect(token.message == id)
        #expect(token.kind == kind)
    }

    @Test(
        "spellings that mail systems make of an address still read",
        arguments: [
            { (local: String) in local.uppercased() },
            { "prvs=0123abcdef=\($0)" },
            { "SRS0=HH=TT=r.ex=\($0)" },
            { "SRS0=HHHH=TT=replies.example.com=\($0)" },
            { "srs0+HHHH=TT=replies.example.com=\($0)" },
            { "SRS0-HHHH=TT=replies.example.com=\($0.uppercased())" },
            { "SRS1=HHHH=forwarder.example.net==HHHH=TT=replies.example.com=\($0)" },
            { $0.replacing("+", with: "-") },
            { $0.replacing("+", with: "=") },
        ] as [@Sendable (String) -> String])
    func spellings(change: @Sendable (String) -> String) throws {
        let ours = try addresses([1])
        let address = try #require(ours.address(.bounce, for: .init(rawValue: 99), at: now))
        let other = try #require(EmailAddress(rewritten: (change(address.localPart) + "@R.Example.COM").utf8))
        guard case .valid(let token) = ours.read(other, at: now) else { Issue.record("not read: \(other.text)"); return }
        #expect(token.message.rawValue == 99)
    }

    @Test("every changed character breaks the token")
    func tampering() throws {
        let ours = try addresses([1])
        let address = try #require(ours.address(.reply, for: .init(rawValue: 77), at: now))
        let local = Array(address.localPart.utf8)
        for index in local.indices where index != 5 {
            var changed = local
            changed[index] = changed[index] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
            let other = try #require(EmailAddress(String(decoding: changed, as: UTF8.self) + "@r.example.com"))
            #expect(ours.read(other, at: now) == .unknown, "position \(index)")
        }
    }

    @Test("a token of one kind is not taken for another, nor of another domain")
    func kindAndDomain() throws {
        let ours = try addresses([1])
        let reply = try #require(ours.address(.reply, for: .init(rawValue: 5), at: now))
        let forged = try #require(EmailAddress("bounce+\(reply.localPart.dropFirst(6))@r.example.com"))
        #expect(ours.read(forged, at: now) == .unknown)
        let elsewhere = try #require(EmailAddress("\(reply.localPart)@example.net"))
        #expect(ours.read(elsewhere, at: now) == .unknown)
    }

    @Test("an old key still verifies after rotation; a dropped one does not")
    func rotation() throws {
        let before = try addresses([1])
        let address = try #require(before.address(.reply, for: .init(rawValue: 5), at: now))
        guard case .valid = try addresses([2, 1]).read(address, at: now) else { Issue.record("old key refused"); return }
        #expect(try addresses([2]).read(address, at: now) == .unknown)
    }

    @Test("a reply token expires after 400 days, a bounce token after 60, an unsubscribe token never")
    func expiry() throws {
        let ours = try addresses([1])
        let cases: [(MailToken.Kind, Int, Bool)] = [
            (.reply, 400, true), (.reply, 401, false), (.bounce, 60, true), (.bounce, 61, false), (.unsubscribe, 20_000, true),
        ]
        for (kind, days, valid) in cases {
            let address = try #require(ours.address(kind, for: .init(rawValue: 5), at: now))
            let verdict = ours.read(address, at: now + .seconds(days * 86_400))
            switch verdict {
            case .valid: #expect(valid, "\(kind) after \(days) days")
            case .expired(let token): #expect(!valid && token.message.rawValue == 5, "\(kind) after \(days) days")
            case .unknown: Issue.record("\(kind) after \(days) days is unknown")
            }
        }
    }

    @Test("keys shorter than 16 bytes are refused, and two keys with one id")
    func keys() throws {
        #expect(TokenCodec.Key(secret: Array(repeating: 1, count: 15)) == nil)
        #expect(TokenCodec(keys: []) == nil)
        #expect(TokenCodec(keys: [try key(1), try key(1)]) == nil)
    }

    @Test("base 32 refuses spare bits and foreign bytes")
    func base32() {
        for count in 0..<12 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 201) }
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
        }
        #expect(Base32.decode("ab".utf8) == nil)
        #expect(Base32.decode("a1".utf8) == nil)
        #expect(Base32.decode("aa".utf8) == [0])
    }
}
