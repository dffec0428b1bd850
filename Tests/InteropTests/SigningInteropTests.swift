import Foundation
import InternetMessage
import MailAuthentication
import OpenSSL
import TestKit
import Testing

/// Every kind of message that leaves us, signed as it leaves, before verifiers that share no code with us.
@Suite("signatures before OpenDKIM and dkimpy")
struct SigningInteropTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case plain, alternative, followUp, nonASCII, longLines, unsubscribe, emptyText, trailingBlanks, everything

        var testDescription: String { rawValue }

        func message() throws -> [UInt8] {
            let from = Mailbox(displayName: "Ann Example", address: try #require(EmailAddress("ann@example.com")))
            let to = Mailbox(displayName: "Bo", address: try #require(EmailAddress("bo@example.net")))
            let date = MessageDate(timestamp: Timestamp(seconds: 1_793_000_000), offsetMinutes: 60)
            let id = try #require(MessageID("m1.x@mx.example.com"))
            var draft = MessageDraft(
                from: from, to: [to], subject: "Hello", date: date, messageID: id, text: "Hello Bo,\n\n.one dot\n\nAnn\n")
            if self == .alternative || self == .everything { draft.html = "<p>Hello Bo,</p>\n<p>.one dot  \t</p>\n" }
            if self == .followUp || self == .everything {
                draft.subject = "Re: Hello"
                let thread = try (0..<12).map { try #require(MessageID("m\($0).abcdefghijklmnop@mx.example.com")) }
                draft.inReplyTo = [thread[11]]
                draft.references = thread
            }
            if self == .nonASCII || self == .everything {
                draft.subject = "Grüße aus Zürich – 你好, und noch viel mehr Wörter, damit der Betreff über eine Zeile hinausgeht"
                draft.from = Mailbox(displayName: "Jürgen „JM“ Müller", address: try #require(EmailAddress("ann@example.com")))
                draft.text = "Schöne Grüße\n你好\n"
                draft.replyTo = [Mailbox(displayName: "Jürgen", address: try #require(EmailAddress("reply+abc@example.com")))]
            }
            if self == .longLines || self == .everything {
                draft.text += String(repeating: "A line far beyond what a mail may have. ", count: 60) + "\n"
            }
            if self == .unsubscribe || self == .everything {
                draft.listUnsubscribe = [
                    "mailto:unsub+abc@example.com?subject=unsubscribe", "https://example.com/u/abcdefghijklmnopqrstuvwxyz234567",
                ]
                draft.oneClick = true
            }
            if self == .emptyText { draft.text = "" }
            if self == .trailingBlanks { draft.text = "Hello  \t\n\n \nend \n\n\n\n" }
            return try draft.compose()
        }
    }

    @Test(
        "verify with RSA and with RSA and Ed25519 together, and fail when something signed is changed", arguments: Kind.allCases,
        [false, true])
    func verified(_ kind: Kind, withEd25519: Bool) async throws {
        let rsa = try Self.rsa.get()
        var keys = [DKIMSigner.Key(selector: "r1", key: rsa)]
        var records = [DKIMRecord(name: "r1._domainkey.example.com", text: DKIMKeyRecord.text(for: rsa))]
        var expected = [DKIMVerdict(domain: "example.com", selector: "r1", algorithm: "rsa-sha256", isValid: true)]
        if withEd25519 {
            let key = try PrivateKey.generateEd25519()
            keys.append(DKIMSigner.Key(selector: "e1", key: key))
            records.append(DKIMRecord(name: "e1._domainkey.example.com", text: DKIMKeyRecord.text(for: key)))
            expected.append(DKIMVerdict(domain: "example.com", selector: "e1", algorithm: "ed25519-sha256", isValid: true))
        }
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let signed = try DKIMSigner(domain: "example.com", keys: keys).sign(try kind.message(), at: now)
        #expect(try await DKIMPy.verify(signed, records: records) == expected)
        // OpenDKIM's library may be built without Ed25519; then it names no verdict on that signature, and never a bad one on RSA.
        let verdicts = try await OpenDKIM.verify(signed, records: records)
        #expect(verdicts.contains(expected[0]) && verdicts.allSatisfy(expected.contains))

        // A second field of a kind that is signed must not slip in, and the text must not change.
        let injected = Array("Subject: Other\r\n".utf8) + signed
        let appended = signed + Array("more\r\n".utf8)
        for tampered in [injected, appended] {
            #expect(try await DKIMPy.verify(tampered, records: records).allSatisfy { !$0.isValid })
            #expect(try await OpenDKIM.verify(tampered, records: records).allSatisfy { !$0.isValid })
        }
    }

    @Test("List-Unsubscribe and its Post field are covered, so that one-click counts (RFC 8058)")
    func oneClickIsCovered() async throws {
        let rsa = try Self.rsa.get()
        let records = [DKIMRecord(name: "r1._domainkey.example.com", text: DKIMKeyRecord.text(for: rsa))]
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let signed = try DKIMSigner(domain: "example.com", keys: [.init(selector: "r1", key: rsa)]).sign(
            try Kind.unsubscribe.message(), at: now)
        let text = String(decoding: signed, as: UTF8.self)
        for (old, new) in [
            ("https://example.com/u/", "https://example.org/u/"), ("List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Click"),
        ] {
            let changed = Array(text.replacing(old, with: new).utf8)
            try #require(changed != signed)
            #expect(try await DKIMPy.verify(changed, records: records).map(\.isValid) == [false])
            #expect(try await OpenDKIM.verify(changed, records: records).map(\.isValid) == [false])
        }
    }

    /// Made once: RSA keys take their time.
    private static let rsa = Result { () throws -> PrivateKey in try PrivateKey.generateRSA(bits: 2048) }
}
