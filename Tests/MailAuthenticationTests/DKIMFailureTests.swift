import InternetMessage
import OpenSSL
import Testing

@testable import MailAuthentication

/// Signs with whatever tags a test wants, so that signatures no signer of ours would make can be verified.
private struct FreeSigner {
    var tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from:subject"
    var body = "Hello\r\nthere\r\n"
    var signedBody: String?

    func message(_ key: PrivateKey) throws -> [UInt8] {
        let bodyHash = Base64.encode(Digest.sha256(Array((signedBody ?? body).utf8)))
        let field = "DKIM-Signature: \(tags); bh=\(String(decoding: bodyHash, as: UTF8.self)); b="
        var input = Array("from:ann@example.com\r\nsubject:Hi\r\n".utf8)
        Canonicalization.relaxed.appendHeader(Array(field.utf8)[...], to: &input)
        let signature = try key.algorithm == .rsa ? key.signDigest(Digest.sha256(input)) : key.sign(Digest.sha256(input))
        return Array(field.utf8) + Base64.encode(signature) + Array("\r\nFrom: ann@example.com\r\nSubject: Hi\r\n\r\n\(body)".utf8)
    }
}

@Suite("DKIM: every way to fail is told apart")
struct DKIMFailureTests {
    private static let rsa = try? PrivateKey.generateRSA(bits: 2048)
    private static let ed25519 = try? PrivateKey.generateEd25519()
    private static let now = Timestamp(seconds: 1_772_438_400)
    private static let tags = FreeSigner().tags

    private func outcomes(_ message: [UInt8], record: String, at now: Timestamp = now) async -> [DKIMResult.Outcome] {
        await DKIMVerifier { _ in .records([Array(record.utf8)]) }.verify(message, at: now).map(\.outcome)
    }

    @Test(
        "a signature's own tags",
        arguments: [
            (tags, DKIMResult.Outcome.pass), ("\(tags); t=1772438400; x=1772438400", .pass),
            ("\(tags); x=1772438399", .fail(.expired)), ("\(tags); t=1772442000", .pass), ("\(tags); t=1772442001", .fail(.notYetValid)),
            ("\(tags); t=1772438400; x=1772438399", .permanentError(.malformed)), ("\(tags); x=-1", .permanentError(.malformed)),
            ("\(tags); t=", .permanentError(.malformed)), ("\(tags); l=14", .pass), ("\(tags); l=15", .fail(.bodyTooShort)),
            ("\(tags); l=99999999999999999999999999", .fail(.bodyTooShort)), ("\(tags); l=7", .fail(.bodyHash)),
            ("\(tags); l=1x", .permanentError(.malformed)), ("\(tags); i=@example.com", .pass), ("\(tags); i=ann@mail.example.com", .pass),
            ("\(tags); i=@badexample.com", .permanentError(.identityOutsideDomain)),
            ("\(tags); i=example.com", .permanentError(.identityOutsideDomain)), ("\(tags); q=dns/txt", .pass),
            ("\(tags); q=http", .permanentError(.unknownQueryMethod)), ("\(tags); q=http:dns/txt", .pass), ("\(tags); zz=future", .pass),
            (tags.replacing("v=1", with: "v=2"), .permanentError(.unknownVersion)),
            (tags.replacing("v=1; ", with: ""), .permanentError(.malformed)),
            (tags.replacing("rsa-sha256", with: "rsa-sha1"), .permanentError(.obsoleteAlgorithm)),
            (tags.replacing("rsa-sha256", with: "dsa-sha256"), .permanentError(.unknownAlgorithm)),
            (tags.replacing("rsa-sha256", with: "ed25519-sha256"), .permanentError(.keyOfAnotherType)),
            (tags.replacing("relaxed/relaxed", with: "nofws"), .permanentError(.unknownCanonicalization)),
            (tags.replacing("from:subject", with: "subject"), .permanentError(.fromNotSigned)),
            (tags.replacing("from:subject", with: "from::subject"), .permanentError(.malformed)),
            (tags.replacing("d=example.com", with: "d=com"), .permanentError(.malformed)),
            (tags.replacing("d=example.com", with: "d=exa mple.com"), .permanentError(.malformed)),
            (tags.replacing("s=s1", with: "s=a..b"), .permanentError(.malformed)),
            ("\(tags); s=s2", .permanentError(.malformed)), ("\(tags);; x=1", .permanentError(.malformed)),
        ])
    func signature(tags: String, outcome: DKIMResult.Outcome) async throws {
        let key = try #require(Self.rsa)
        #expect(await outcomes(try FreeSigner(tags: tags).message(key), record: DKIMKeyRecord.text(for: key)) == [outcome])
    }

    @Test(
        "the key record",
        arguments: [
            ("KEY", DKIMResult.Outcome.pass), ("KEY; h=sha256", .pass), ("KEY; h=sha1:sha256", .pass),
            ("KEY; h=sha1", .permanentError(.hashNotAllowed)), ("KEY; s=email", .pass), ("KEY; s=*", .pass), ("KEY; s=tlsrpt:email", .pass),
            ("KEY; s=tlsrpt", .permanentError(.key(.notForMail))), ("KEY; t=y", .pass),
            ("KEY; t=s", .permanentError(.identityOutsideDomain)),
            ("KEY; n=a note", .pass), ("v=DKIM1; k=rsa; p=", .permanentError(.key(.revoked))),
            ("v=DKIM2; p=AAAA", .permanentError(.key(.wrongVersion))),
            ("v=DKIM1; k=dsa; p=AAAA", .permanentError(.key(.unknownKeyType("dsa")))),
            ("v=DKIM1; k=rsa; p=AAAA", .permanentError(.key(.unreadableKey))), ("v=DKIM1; k=rsa", .permanentError(.key(.malformed))),
            ("v=spf1 -all", .permanentError(.key(.wrongVersion))), ("", .permanentError(.key(.malformed))),
            ("OTHER", .fail(.signature)), ("ED25519", .permanentError(.keyOfAnotherType)),
        ])
    func record(text: String, outcome: DKIMResult.Outcome) async throws {
        let key = try #require(Self.rsa)
        let text = text.replacing("KEY", with: DKIMKeyRecord.text(for: key))
            .replacing("OTHER", with: DKIMKeyRecord.text(for: try .generateRSA(bits: 1024)))
            .replacing("ED25519", with: DKIMKeyRecord.text(for: try #require(Self.ed25519)))
        let message = try FreeSigner(tags: "\(Self.tags); i=@mail.example.com").message(key)
        #expect(await outcomes(message, record: text) == [outcome])
    }

    @Test("what l= leaves unsigned is said")
    func partOfTheBody() async throws {
        let key = try #require(Self.ed25519)
        let tags = Self.tags.replacing("rsa", with: "ed25519")
        let record = Array(DKIMKeyRecord.text(for: key).utf8)
        for (body, length, covers) in [("Hello\r\n", 7, true), ("Hello\r\nBuy this\r\n", 7, false)] {
            let message = try FreeSigner(tags: "\(tags); l=\(length)", body: body, signedBody: "Hello\r\n").message(key)
            let result = try #require(await DKIMVerifier { _ in .records([record]) }.verify(message, at: Self.now).first)
            #expect(result.outcome == .pass && result.coversWholeBody == covers)
        }
    }

    @Test("of two records under one name either may hold the key")
    func twoRecords() async throws {
        let key = try #require(Self.rsa)
        let records = [Array("v=DKIM1; p=".utf8), Array(DKIMKeyRecord.text(for: key).utf8)]
        #expect(await DKIMVerifier { _ in .records(records) }.verify(try FreeSigner().message(key), at: Self.now).map(\.outcome) == [.pass])
    }

    @Test("a flood of signatures is bounded: sixteen are looked at, fifty reported")
    func flood() async throws {
        let key = try #require(Self.rsa)
        let one = try FreeSigner().message(key)
        let field = one.prefix { $0 != 10 } + [10]
        let results = await DKIMVerifier { _ in .records([Array(DKIMKeyRecord.text(for: key).utf8)]) }
            .verify(Array(repeatElement(field, count: 400).joined()) + one, at: Self.now)
        #expect(results.count == 50)
        #expect(results.prefix(16).allSatisfy { $0.outcome == .pass })
        #expect(results.dropFirst(16).allSatisfy { $0.outcome == .permanentError(.tooMany) })
    }

    @Test("each outcome has its word of RFC 8601 and, but for a pass, its reason")
    func words() {
        func result(_ outcome: DKIMResult.Outcome) -> DKIMResult {
            DKIMResult(outcome: outcome, domain: "d.example", selector: "s", algorithm: "")
        }
        #expect(result(.pass).word == "pass" && result(.pass).reason == nil)
        let failures: [DKIMResult.Failure] = [.bodyHash, .signature, .expired, .notYetValid, .bodyTooShort]
        let reasons = failures.map { result(.fail($0)) }.map { "\($0.word) \($0.reason ?? "")" }
        #expect(Set(reasons).count == 5 && reasons.allSatisfy { $0.hasPrefix("fail ") })
        #expect(result(.temporaryError).word == "temperror" && result(.permanentError(.keyTooShort)).word == "policy")
    }
}

@Suite("DKIM canonical form against its plain definition")
struct CanonicalizationTests {
    /// RFC 6376 §3.4.4 and §3.4.3 line by line, as slow as it reads.
    private func plain(_ body: [UInt8], relaxed: Bool) -> [UInt8] {
        var lines: [[UInt8]] = [[]]
        for (index, byte) in body.enumerated() {
            if byte == 10, index > 0, body[index - 1] == 13 {
                lines[lines.count - 1].removeLast()
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        let isComplete = lines.last == []
        if isComplete { lines.removeLast() }
        if relaxed {
            lines = lines.enumerated().map { index, line in
                var output: [UInt8] = []
                for byte in line {
                    if byte != 32 && byte != 9 { output.append(byte) } else if output.last != 32 { output.append(32) }
                }
                if output.last == 32, isComplete || index < lines.count - 1 { output.removeLast() }
                return output
            }
        }
        while lines.last == [] { lines.removeLast() }
        if lines.isEmpty { return relaxed ? [] : [13, 10] }
        return lines.flatMap { $0 + [13, 10] }
    }

    @Test("runs of a body give what its definition gives", arguments: [1, 2, 3, 4])
    func bodies(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: UInt64) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % bound)
        }
        let pieces: [[UInt8]] = [[32], [9], [13, 10], [13, 10], [13], [97], [98, 99], [32, 97], [0], [200], [46]]
        for _ in 0..<5_000 {
            var body: [UInt8] = []
            for _ in 0..<next(14) { body += pieces[next(UInt64(pieces.count))] }
            // A CR that the next piece turns into a line end is one.
            #expect(Canonicalization.relaxed.body(body[...]) == plain(body, relaxed: true), "\(body)")
            #expect(Canonicalization.simple.body(body[...]) == plain(body, relaxed: false), "\(body)")
            let within = [1, 2] + body
            #expect(Canonicalization.relaxed.body(within[2...]) == plain(body, relaxed: true))
        }
    }
}
