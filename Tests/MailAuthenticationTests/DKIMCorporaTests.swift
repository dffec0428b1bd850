import Foundation
import InternetMessage
import OpenSSL
import Testing

@testable import MailAuthentication

@Suite("DKIM against foreign messages")
struct DKIMCorporaTests {
    /// A message of the set, the records to publish under its names, and what must come of each signature.
    struct Case: Sendable {
        let message: String
        /// Name and file.
        let records: [String: String]
        let outcomes: [DKIMResult.Outcome]
        var now: Int64 = 1_600_000_000
    }

    private static let data = "dkimpy/dkim/tests/data"
    private static let football = [
        "test._domainkey.football.example.com": "test2.txt", "brisbane._domainkey.football.example.com": "=football",
    ]

    @Test(
        "the messages of dkimpy verify or fail as they are named", .enabled(if: Corpora.isWanted, Corpora.absence),
        arguments: [
            Case(message: "rfc6376.signed.msg", records: football, outcomes: [.pass, .pass]),
            Case(message: "rfc6376.signed.rsa.msg", records: football, outcomes: [.pass]),
            // Its signature was made with t= and lacks it now.
            Case(message: "rfc6376.signed.no_t.msg", records: football, outcomes: [.fail(.signature)]),
            Case(message: "rfc6376.msg", records: football, outcomes: []),
            Case(message: "rfc6376.w1258.msg", records: football, outcomes: []),
            Case(message: "ed25519test2.msg", records: ["sed._domainkey.test.ex": "eximtest.dns"], outcomes: [.pass]),
            Case(message: "ed25519test.msg", records: [:], outcomes: []),
            Case(message: "test.message", records: [:], outcomes: []),
            Case(message: "test_nofrom.message", records: [:], outcomes: []),
            Case(message: "test_extra.message", records: [:], outcomes: []),
            Case(
                message: "test.message.baddomain", records: ["test._domainkey.legitimate.com(.attacker.com": "test.txt"],
                outcomes: [.permanentError(.malformed)]),
            Case(message: "test2.message", records: ["20120113._domainkey.gmail.com": "=gmail"], outcomes: [.pass]),
            // Its key is gone from DNS: with another one in its place the body must agree and the signature not.
            Case(message: "message.mbox", records: ["2007-00._domainkey.kitterman.com": "test.txt"], outcomes: [.fail(.signature)]),
            Case(message: "rfc6376.signed.rsa.msg", records: [:], outcomes: [.permanentError(.noKey)]),
            Case(
                message: "rfc6376.signed.rsa.msg", records: ["test._domainkey.football.example.com": "badversion.txt"],
                outcomes: [.permanentError(.key(.wrongVersion))]),
            Case(
                message: "rfc6376.signed.rsa.msg", records: ["test._domainkey.football.example.com": "badk.txt"],
                outcomes: [.permanentError(.key(.unknownKeyType("ed25519-sha256")))]),
            Case(
                message: "rfc6376.signed.rsa.msg", records: ["test._domainkey.football.example.com": "test_bad.txt"],
                outcomes: [.permanentError(.key(.unreadableKey))]),
            Case(
                message: "rfc6376.signed.rsa.msg", records: ["test._domainkey.football.example.com": "test_tlsrpt.txt"],
                outcomes: [.permanentError(.key(.notForMail))]),
            Case(
                message: "rfc6376.signed.rsa.msg", records: ["test._domainkey.football.example.com": "1024_testkey_wo_markers.pub.txt"],
                outcomes: [.fail(.signature)]),
            Case(
                message: "rfc6376.signed.rsa.msg",
                records: ["test._domainkey.football.example.com": "1024_testkey_wo_markers.pub.rsa.txt"], outcomes: [.fail(.signature)]),
            Case(
                message: "rfc6376.signed.rsa.msg", records: ["test._domainkey.football.example.com": "ed25519test.dns"],
                outcomes: [.permanentError(.keyOfAnotherType)]),
            Case(message: "rfc6376.signed.rsa.msg", records: football, outcomes: [.fail(.notYetValid)], now: 1_500_000_000),
        ])
    func dkimpy(_ test: Case) async throws {
        var records: [String: [UInt8]] = [:]
        for (name, file) in test.records {
            records[name] = try Self.published[file].map { Array($0.utf8) } ?? Corpora.bytes("\(Self.data)/\(file)").filter { $0 != 10 }
        }
        let known = records
        let verifier = DKIMVerifier { name in known[name].map { .records([$0]) } ?? .none }
        let results = await verifier.verify(try Corpora.message("\(Self.data)/\(test.message)"), at: Timestamp(seconds: test.now))
        #expect(results.map(\.outcome) == test.outcomes, "\(test.message): \(results.map(\.summary))")
    }

    /// Records that the set has in its code, or that the owners published: public keys are facts.
    private static let published = [
        "=football": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "=gmail": """
        k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/UeJjenpabgbFwh+eBCsSTrqmwIYYvywlbhbqoo2DymndFkbjOVIPIldNs/m40KF+yzMn\
        1skyoxcTUGCQs8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07y2+07wlNWwIt8svnxgdxGkVbbhzY8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjViiAH+\
        ghvvIhkx4xYSIc9oSwVmAl5OctMEeWUwg8Istjqz8BZeTWbf41fbNhte7Y+YqZOwq1Sd0DbvYAD9NOZK9vlfuac0598HY+vtSBczUiKERHv1yRbcaQtZFh\
        5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB
        """,
    ]

    @Test(
        "a message signed by us with each key of the set verifies with its published half", .enabled(if: Corpora.isWanted, Corpora.absence),
        arguments: [
            ("1024_testkey.key", "1024_testkey_wo_markers.pub.txt"), ("1024_testkey.key", "1024_testkey_wo_markers.pub.rsa.txt"),
            ("2048_testkey.key", "2048_testkey_wo_markers.pub.txt"), ("2048_testkey.key", "2048_testkey_wo_markers.pub.rsa.txt"),
            ("2048_testkey_PKCS8.key", "2048_testkey_PKCS8.key.pub.txt"), ("test.private", "test.txt"), ("test2.private", "test2.txt"),
        ])
    func keys(key: String, record: String) async throws {
        let signer = DKIMSigner(
            domain: "example.com", keys: [.init(selector: "s", key: try PrivateKey(pem: Corpora.bytes("\(Self.data)/\(key)")))])
        let record = try Corpora.bytes("\(Self.data)/\(record)").filter { $0 != 10 }
        for message in ["test.message", "rfc6376.msg", "rfc6376.w1258.msg", "test_extra.message"] {
            let now = Timestamp(seconds: 1_600_000_000)
            let signed = try signer.sign(try Corpora.message("\(Self.data)/\(message)"), at: now)
            #expect(await DKIMVerifier { _ in .records([record]) }.verify(signed, at: now).map(\.outcome) == [.pass], "\(message)")
        }
    }

    @Test("flanker's canonicalization cases", .enabled(if: Corpora.isWanted, Corpora.absence), arguments: Canonicalization.allCases)
    func flanker(_ canonicalization: Canonicalization) throws {
        let folder = "flanker/dkim-canonicalization"
        let numbers = try Corpora.names(folder).filter { $0.hasPrefix("email.") }.map { $0.dropFirst(6) }
        var right = 0
        for number in numbers {
            let parts = SignedParts(try Corpora.message("\(folder)/email.\(number)"))
            var output: [UInt8] = []
            for field in parts.fields { output += canonicalization.header(parts.raw(field)) + [13, 10] }
            output += [13, 10] + canonicalization.body(parts.body)
            let expected = try Corpora.bytes("\(folder)/\(canonicalization.rawValue).expected.\(number)")
            if output == expected { right += 1 }
            #expect(
                output == expected,
                "\(number): \(String(decoding: output, as: UTF8.self).debugDescription), wanted \(String(decoding: expected, as: UTF8.self).debugDescription)"
            )
        }
        print("flanker, \(canonicalization.rawValue): \(right) of \(numbers.count)")
        #expect(numbers.count == 21)
    }
}
