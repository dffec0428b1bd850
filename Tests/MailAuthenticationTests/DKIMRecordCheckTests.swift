import OpenSSL
import Testing

@testable import MailAuthentication

@Suite("the record of a key beside the key")
struct DKIMRecordCheckTests {
    static let rsa = try? PrivateKey.generateRSA(bits: 2048)
    static let other = try? PrivateKey.generateRSA(bits: 2048)
    static let edwards = try? PrivateKey.generateEd25519()
    static let name = DKIMRecordName(domain: "example.com", selector: "s1")

    private static func text(_ key: PrivateKey?) -> [UInt8] { key.map { Array(DKIMKeyRecord.text(for: $0).utf8) } ?? [] }

    @Test(
        "each way in which a record does not fit is told apart",
        arguments: [
            (TextAnswer.records([text(rsa)]), DKIMRecordCheck.fits),
            (.records([Array("v=DKIM1; h=sha1; ".utf8) + text(rsa).dropFirst(9)]), .noSHA256),
            (.records([text(other)]), .otherKey), (.records([text(edwards)]), .otherKey),
            (.records([text(rsa), text(other)]), .several(2)), (.records([]), .missing), (.none, .missing),
            (.records([Array("v=DKIM1; p=".utf8)]), .unusable(.revoked)), (.records([Array("hello".utf8)]), .unusable(.malformed)),
            (.temporaryFailure, .noAnswer),
        ])
    func told(_ answer: TextAnswer, _ expected: DKIMRecordCheck) throws {
        let key = try #require(Self.rsa)
        let check = DKIMRecordCheck(answer, for: key, named: Self.name)
        #expect(check == expected)
        #expect((check.complaint(key, named: Self.name) == nil) == (check == .fits))
    }
}
