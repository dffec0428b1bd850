import Foundation
import InternetMessage
import OpenSSL
import Testing

@testable import MailAuthentication

private let football: @Sendable (String) async -> TextAnswer = { name in
    switch name {
    case "brisbane._domainkey.football.example.com":
        .records([Array("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".utf8)])
    case "test._domainkey.football.example.com":
        .records([
            Array(
                """
                v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b\
                yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
                """.utf8)
        ])
    default: .none
    }
}

private func fixture(_ name: String) throws -> [UInt8] {
    let url = try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
    return [UInt8](try Data(contentsOf: url))
}

private let now = Timestamp(seconds: 1_772_438_400)

private let message = Array(
    """
    From: Anna <anna@example.com>\r
    To: Bo <bo@example.net>\r
    Subject: Hello\r
    Date: Mon, 02 Mar 2026 09:00:00 +0100\r
    Message-ID: <1@example.com>\r
    MIME-Version: 1.0\r
    Content-Type: text/plain; charset=utf-8\r
    List-Unsubscribe: <mailto:unsub@example.com>,\r
    \t<https://u.example.com/u/1>\r
    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r
    \r
    Hello  Bo, \r
    \r
    bye\r
    \r
    \r

    """.utf8)

private struct Signed {
    let bytes: [UInt8]
    let verifier: DKIMVerifier
}

private func signed(_ message: [UInt8] = message, keys: [PrivateKey]) throws -> Signed {
    let named = keys.enumerated().map { DKIMSigner.Key(selector: "s\($0.offset)", key: $0.element) }
    let records = Dictionary(uniqueKeysWithValues: named.map { ("\($0.selector)._domainkey.example.com", DKIMKeyRecord.text(for: $0.key)) })
    return Signed(
        bytes: try DKIMSigner(domain: "example.com", keys: named).sign(message, at: now),
        verifier: DKIMVerifier { name in records[name].map { .records([Array($0.utf8)]) } ?? .none })
}

@Suite("DKIM")
struct DKIMTests {
    static let rsa = try? PrivateKey.generateRSA(bits: 2048)
    static let ed25519 = try? PrivateKey.generateEd25519()

    @Test("both signatures of RFC 8463 appendix A verify")
    func publishedVectors() async throws {
        let results = await DKIMVerifier(lookUp: football).verify(try fixture("rfc8463-appendix-a.eml"), at: now)
        #expect(results.map(\.outcome) == [.pass, .pass])
        #expect(results.map(\.algorithm) == ["ed25519-sha256", "rsa-sha256"])
    }

    @Test("what we sign verifies, with both kinds of key at once, and says nothing longer than 998 octets a line")
    func roundTrip() async throws {
        let signed = try signed(keys: [#require(Self.rsa), #require(Self.ed25519)])
        let results = await signed.verifier.verify(signed.bytes, at: now)
        #expect(results.map(\.outcome) == [.pass, .pass])
        #expect(signed.bytes.suffix(message.count).elementsEqual(message))
        for line in signed.bytes.split(separator: 10) { #expect(line.count <= 100) }
    }

    @Test(
        "a change that a receiver must notice breaks the signature",
        arguments: [
            ("Hello  Bo", "Hello! Bo", DKIMResult.Failure.bodyHash),
            ("Subject: Hello", "Subject: Hallo", .signature),
            ("List-Unsubscribe-Post: List-Unsubscribe=One-Click", "List-Unsubscribe-Post: none", .signature),
            ("u.example.com/u/1", "u.example.com/u/2", .signature),
            ("From: Anna", "Reply-To: evil@example.org\r\nFrom: Anna", .signature),
            ("From: Anna", "Subject: second\r\nFrom: Anna", .signature),
            ("From: Anna", "Cc: added@example.org\r\nFrom: Anna", .signature),
            ("From: Anna", "List-Unsubscribe: <https://evil.example>\r\nFrom: Anna", .signature),
        ])
    func tampering(old: String, new: String, failure: DKIMResult.Failure) async throws {
        let signed = try signed(keys: [#require(Self.rsa)])
        let changed = String(decoding: signed.bytes, as: UTF8.self).replacing(old, with: new)
        let results = await signed.verifier.verify(Array(changed.utf8), at: now)
        #expect(results.map(\.outcome) == [.fail(failure)])
    }

    @Test(
        "what relays may change does not break it",
        arguments: [
            ("Subject: Hello", "subject:   Hello  "), ("bye\r\n\r\n\r\n", "bye\r\n"), ("Hello  Bo, ", "Hello Bo,"),
            ("DKIM-Signature", "Received: from a by b\r\nDKIM-Signature"),
        ])
    func survives(old: String, new: String) async throws {
        let signed = try signed(keys: [#require(Self.ed25519)])
        let changed = String(decoding: signed.bytes, as: UTF8.self).replacing(old, with: new)
        #expect(await signed.verifier.verify(Array(changed.utf8), at: now).map(\.outcome) == [.pass])
    }

    @Test("what a route writes anew may change, what it does not may not; From cannot be left out")
    func unsigned() async throws {
        let key = try #require(Self.ed25519)
        let signer = DKIMSigner(domain: "example.com", keys: [.init(selector: "s", key: key)])
        let signed = try signer.sign(message, leavingOut: ["date", "Message-Id", "From"], at: now)
        let record = Array(DKIMKeyRecord.text(for: key).utf8)
        for (old, new, outcome) in [
            ("Date: Mon", "Date: Tue", DKIMResult.Outcome.pass), ("<1@example.com>", "<2@amazonses.com>", .pass),
            ("From: Anna", "From: Eve", .fail(.signature)), ("Subject: H", "Subject: h", .fail(.signature)),
        ] {
            let changed = Array(String(decoding: signed, as: UTF8.self).replacing(old, with: new).utf8)
            #expect(await DKIMVerifier { _ in .records([record]) }.verify(changed, at: now).map(\.outcome) == [outcome])
        }
    }

    @Test("a signature expires after its validity")
    func expiry() async throws {
        let signed = try signed(keys: [#require(Self.rsa)])
        #expect(await signed.verifier.verify(signed.bytes, at: now + .seconds(7 * 86_400)).map(\.outcome) == [.pass])
        #expect(await signed.verifier.verify(signed.bytes, at: now + .seconds(7 * 86_400 + 1)).map(\.outcome) == [.fail(.expired)])
    }

    @Test(
        "every way in which a signature or its key cannot be used is told apart",
        arguments: [
            ("v=1", "v=2", DKIMResult.Outcome.permanentError(.unknownVersion)),
            ("a=rsa-sha256", "a=rsa-sha1", .permanentError(.obsoleteAlgorithm)),
            ("h=From:From", "h=To:To", .permanentError(.fromNotSigned)),
            ("s=s0;", "s=s9;", .permanentError(.noKey)),
            ("d=example.com;", "d=example.com; i=@example.org;", .permanentError(.identityOutsideDomain)),
            ("t=1772438400", "t=99999999999999999999", .permanentError(.malformed)),
            ("d=example.com;", "d=example.com; d=example.com;", .permanentError(.malformed)),
        ])
    func faults(old: String, new: String, outcome: DKIMResult.Outcome) async throws {
        let signed = try signed(keys: [#require(Self.rsa)])
        let changed = String(decoding: signed.bytes, as: UTF8.self).replacing(old, with: new)
        #expect(await signed.verifier.verify(Array(changed.utf8), at: now).map(\.outcome) == [outcome])
    }

    @Test(
        "key records that cannot be used are told apart",
        arguments: [
            ("v=DKIM1; k=rsa; p=", DKIMKeyRecord.Fault.revoked), ("v=DKIM2; p=abcd", .wrongVersion), ("hello", .malformed),
            ("v=DKIM1; k=dsa; p=abcd", .unknownKeyType("dsa")), ("v=DKIM1; p=!!!!", .unreadableKey), ("v=DKIM1; p=YWJj", .unreadableKey),
        ])
    func keyRecords(text: String, fault: DKIMKeyRecord.Fault) {
        #expect(throws: fault) { try DKIMKeyRecord(parsing: Array(text.utf8)) }
    }

    @Test("a DNS that gives no answer now is temporary")
    func temporary() async throws {
        let signed = try signed(keys: [#require(Self.rsa)])
        let results = await DKIMVerifier { _ in .temporaryFailure }.verify(signed.bytes, at: now)
        #expect(results.map(\.outcome) == [.temporaryError])
    }

    @Test("a short RSA key is refused")
    func shortKey() async throws {
        let signed = try signed(keys: [PrivateKey(pem: fixture("rsa-768.pem"))])
        #expect(await signed.verifier.verify(signed.bytes, at: now).map(\.outcome) == [.permanentError(.keyTooShort)])
    }

    @Test(
        "bodies in canonical form (RFC 6376 §3.4.5)",
        arguments: [
            ("", "\r\n", ""), ("\r\n\r\n", "\r\n", ""), (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
            ("x", "x\r\n", "x\r\n"),
            (" \t \r\n", " \t \r\n", ""), ("a\r\n\r\nb", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
        ])
    func bodies(body: String, simple: String, relaxed: String) {
        #expect(String(decoding: Canonicalization.simple.body(Array(body.utf8)[...]), as: UTF8.self) == simple)
        #expect(String(decoding: Canonicalization.relaxed.body(Array(body.utf8)[...]), as: UTF8.self) == relaxed)
    }

    @Test(
        "header fields in canonical form (RFC 6376 §3.4.5)",
        arguments: [("A: X\r\n", "A: X", "a:X"), ("B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  ", "b:Y Z"), ("C:\r\n", "C:", "c:")])
    func fields(field: String, simple: String, relaxed: String) {
        #expect(String(decoding: Canonicalization.simple.header(Array(field.utf8)[...]), as: UTF8.self) == simple)
        #expect(String(decoding: Canonicalization.relaxed.header(Array(field.utf8)[...]), as: UTF8.self) == relaxed)
    }

    @Test("a published record is cut into strings of at most 255 octets that join to the whole")
    func strings() throws {
        let key = try #require(Self.rsa)
        let strings = DKIMKeyRecord.strings(for: key)
        #expect(strings.count == 2)
        #expect(strings.allSatisfy { $0.utf8.count <= 255 })
        #expect(strings.joined() == DKIMKeyRecord.text(for: key))
    }
}
