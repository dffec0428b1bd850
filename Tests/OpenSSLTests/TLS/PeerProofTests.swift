import Foundation
import NIOCore
import OpenSSL
import Testing

/// How a peer is proven where no authority, or not only an authority, has the word: TLSA records, pinned keys, several names.
@Suite("whom a client takes for the one meant")
struct PeerProofTests {
    /// A digest or the whole of a certificate of the matrix, by the `openssl` command.
    enum Selection {
        case certificate, key

        func octets(_ name: String) throws -> [UInt8] {
            switch self {
            case .certificate: return try OpenSSLTool.run(["x509", "-in", TestCertificates.file(name), "-outform", "DER"])
            case .key:
                let pem = try OpenSSLTool.run(["x509", "-in", TestCertificates.file(name), "-noout", "-pubkey"])
                return try OpenSSLTool.run(["pkey", "-pubin", "-outform", "DER"], input: pem)
            }
        }

        func digest(_ name: String, _ algorithm: String = "sha256") throws -> [UInt8] {
            try OpenSSLTool.run(["dgst", "-\(algorithm)", "-binary"], input: octets(name))
        }
    }

    /// A TLSA record of a file of the matrix, in the three numbers of RFC 6698.
    static func record(_ usage: UInt8, _ selector: UInt8, _ matching: UInt8, _ file: String) throws -> DANERecord {
        let selection: Selection = selector == 0 ? .certificate : .key
        let data =
            switch matching {
            case 0: try selection.octets(file)
            case 1: try selection.digest(file)
            default: try selection.digest(file, "sha512")
            }
        return DANERecord(usage: usage, selector: selector, matchingType: matching, data: data)
    }

    /// One handshake; what the client's end made of it.
    static func shake(_ certificate: String, _ peer: TLSPeer) async throws -> Loopback.Outcome {
        let server = try TestCertificates.server(certificate)
        let listener = try await Loopback.listen { channel in
            try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(server: server), Loopback.Echo()])
        }
        let outcome = try await Loopback.shake(TestCertificates.client(), peer, port: #require(listener.localAddress?.port))
        try await listener.close()
        return outcome
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let certificate: String
        let records: [(usage: UInt8, selector: UInt8, matching: UInt8, file: String)]
        var names = [testHost]
        var fault: TLSError.CertificateFault?

        var testDescription: String {
            "\(certificate) under \(records.map { "\($0.usage) \($0.selector) \($0.matching) \($0.file)" }): \(fault.map { "\($0)" } ?? "taken")"
        }
    }

    static let rows = [
        Row(certificate: "good", records: [(3, 1, 1, "good.pem")]),
        Row(certificate: "good", records: [(3, 1, 2, "good.pem")]),
        Row(certificate: "good", records: [(3, 0, 1, "good.pem")]),
        // DANE-EE: neither dates nor names nor issuer count (RFC 7672 §3.1.1).
        Row(certificate: "expired", records: [(3, 1, 1, "expired.pem")]),
        Row(certificate: "wrong-name", records: [(3, 0, 1, "wrong-name.pem")]),
        Row(certificate: "self-signed", records: [(3, 0, 0, "self-signed.pem")]),
        Row(certificate: "unknown-ca", records: [(3, 1, 0, "unknown-ca.pem")]),
        // A certificate that an authority vouches for and DANE does not is refused.
        Row(certificate: "good", records: [(3, 1, 1, "expired.pem")], fault: .daneMismatch),
        Row(certificate: "good", records: [(3, 0, 1, "wrong-name.pem"), (3, 1, 2, "expired.pem")], fault: .daneMismatch),
        // One record of several is enough, and those that SMTP cannot use are passed over.
        Row(certificate: "good", records: [(3, 1, 1, "expired.pem"), (1, 1, 1, "expired.pem"), (3, 1, 1, "good.pem")]),
        // DANE-TA: the authority is in the chain or in the record; names and dates count.
        Row(certificate: "good-chain", records: [(2, 1, 1, "intermediate.pem")]),
        Row(certificate: "good-chain", records: [(2, 0, 1, "intermediate.pem")], names: ["base.example.org", testHost]),
        Row(certificate: "good-chain", records: [(2, 0, 1, "intermediate.pem")], names: ["other.example.org"], fault: .nameMismatch),
        Row(certificate: "good", records: [(2, 0, 0, "ca.pem")]),
        Row(certificate: "wrong-name", records: [(2, 0, 0, "ca.pem")], fault: .nameMismatch),
        Row(certificate: "expired", records: [(2, 0, 0, "ca.pem")], fault: .expired),
        Row(certificate: "unknown-ca", records: [(2, 0, 0, "ca.pem")], fault: .daneMismatch),
    ]

    @Test("TLSA records decide, and no authority beside them", arguments: rows)
    func dane(_ row: Row) async throws {
        if row.records.contains(where: { $0.file == "intermediate.pem" }) { try Self.writeIntermediate() }
        let records = try row.records.map { try Self.record($0.usage, $0.selector, $0.matching, $0.file) }
        switch (try await Self.shake(row.certificate, .dane(records, names: row.names)), row.fault) {
        case (.completed(let facts), nil): #expect(facts.verified && facts.proof == .dane && facts.verifyError == nil)
        case (.failed(let error), let fault?):
            #expect(error.code == .certificate(fault), "\(error)")
            #expect(error.message.contains(row.names[0]))
        case (let outcome, _): Issue.record("\(outcome)")
        }
    }

    /// The second certificate of a chain, in a file of its own.
    private static func writeIntermediate() throws {
        let chain = try String(contentsOfFile: TestCertificates.file("good-chain.pem"), encoding: .utf8)
        let second = try #require(chain.range(of: "-----BEGIN CERTIFICATE-----", options: .backwards))
        try String(chain[second.lowerBound...]).write(
            toFile: TestCertificates.file("intermediate.pem"), atomically: true, encoding: .utf8)
    }

    @Test(
        "what SMTP can use of TLSA",
        arguments: [
            (0, 0, 1, 32, false), (1, 1, 1, 32, false), (2, 0, 1, 32, true), (3, 1, 1, 32, true), (3, 1, 2, 64, true), (3, 1, 0, 90, true),
            (3, 1, 1, 31, false), (3, 1, 2, 32, false), (3, 1, 0, 0, false), (3, 2, 1, 32, false), (3, 1, 3, 32, false),
            (4, 0, 1, 32, false),
        ])
    func usable(usage: UInt8, selector: UInt8, matching: UInt8, count: Int, isUsable: Bool) {
        let record = DANERecord(usage: usage, selector: selector, matchingType: matching, data: Array(repeating: 7, count: count))
        #expect(record.isUsable == isUsable)
    }

    @Test("records of which none can be used refuse everybody, whatever the authorities say")
    func noUsableRecord() async throws {
        let useless = [try Self.record(1, 1, 1, "good.pem"), DANERecord(usage: 3, selector: 1, matchingType: 1, data: [1, 2, 3])]
        for records in [useless, []] {
            await #expect(throws: (any Error).self) { _ = try await Self.shake("good", .dane(records, names: [testHost])) }
        }
        await #expect(throws: (any Error).self) { _ = try await Self.shake("good", .dane([try Self.record(3, 1, 1, "good.pem")], names: [])) }
    }

    @Test(
        "a pinned certificate or key is taken whatever else is wrong with it, and no other",
        arguments: [
            ("good", "good.pem", true), ("expired", "expired.pem", true), ("self-signed", "self-signed.pem", true),
            ("good", "expired.pem", false),
        ])
    func pinned(certificate: String, pin: String, isTaken: Bool) async throws {
        for selection in [Selection.certificate, .key] {
            let digests = [Array(repeating: UInt8(7), count: 32), try selection.digest(pin)]
            switch try await Self.shake(certificate, .pinned(digests, serverName: testHost)) {
            case .completed(let facts): #expect(isTaken && facts.proof == .fingerprint)
            case .failed(let error):
                #expect(!isTaken && error.code == .certificate(.fingerprintMismatch))
                // What would have to be pinned is said.
                let key = try Selection.key.digest(certificate + ".pem").map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                #expect(error.message.contains(key))
            }
        }
        guard case .failed = try await Self.shake(certificate, .pinned([], serverName: nil)) else {
            return #expect(Bool(false), "no pin at all")
        }
    }

    @Test(
        "one name of several is enough, and a leading dot is for the hosts below",
        arguments: [
            ("good", ["other.example.org", testHost], true), ("good", [".test.example.com"], true), ("good", [".example.com"], true),
            ("wildcard", [".test.example.com"], true), ("good", [".\(testHost)"], false), ("good", ["test.example.com"], false),
            ("good", ["127.0.0.1", "other.example.org"], false), ("unknown-ca", [testHost], false), ("cn-only", [".example.com"], false),
        ])
    func oneOfSeveral(certificate: String, names: [String], isTaken: Bool) async throws {
        switch try await Self.shake(certificate, .verifiedAsOneOf(names, serverName: testHost)) {
        case .completed(let facts): #expect(isTaken && facts.proof == .authority)
        case .failed(let error): #expect(!isTaken, "\(error)")
        }
    }

    @Test("a list without a name to check is refused", arguments: [[String](), ["127.0.0.1"], [""], ["."], ["a\u{0}b"]])
    func noName(names: [String]) async throws {
        await #expect(throws: (any Error).self) { _ = try await Self.shake("good", .verifiedAsOneOf(names, serverName: testHost)) }
    }
}
