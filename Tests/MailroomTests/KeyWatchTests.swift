import InternetMessage
import Logging
import MailAuthentication
import OpenSSL
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import Mailroom

@Suite("a DKIM key that takes over")
struct KeyWatchTests {
    private static let old = try? PrivateKey.generateRSA(bits: 2048)
    private static let new = try? PrivateKey.generateRSA(bits: 2048)
    private static let edwards = try? PrivateKey.generateEd25519()

    private func keys(next: PrivateKey?) throws -> SigningKeys {
        SigningKeys(
            domain: "example.com",
            current: [
                .init(selector: "old", key: try #require(Self.old)), .init(selector: "e", key: try #require(Self.edwards)),
            ],
            next: next.map { .init(selector: "new", key: $0) }, validity: .seconds(86_400))
    }

    @Test("the next key takes the place of the one of its kind once it is published, and no earlier")
    func places() throws {
        let keys = try keys(next: Self.new)
        let text = Array("From: Ann <ann@example.com>\r\nSubject: Hello\r\n\r\nHello\r\n".utf8)
        func selectors(_ signer: DKIMSigner?) throws -> [String] {
            let signed = try #require(try signer?.sign(text, at: Timestamp(seconds: 1_772_438_400)))
            let fields = Message(parsing: signed).header.fields.filter { $0.isNamed("DKIM-Signature") }
            return fields.compactMap { field in
                field.value.split(separator: UInt8(ascii: ";")).map {
                    String(decoding: $0, as: UTF8.self).trimmingPrefix { $0.isWhitespace }
                }
                .first { $0.hasPrefix("s=") }.map { String($0.dropFirst(2)) }
            }
        }
        #expect(try selectors(keys.signers.now) == ["old", "e"])
        #expect(try selectors(keys.signers.later) == ["new", "e"])
        #expect(try self.keys(next: nil).signers.later == nil)
    }

    @Test("it is looked for until DNS has it, kept while DNS is silent, and put back when the record is another's")
    func watched() async throws {
        let next = try #require(Self.new)
        let all = try keys(next: next)
        let answers = Mutex(TextAnswer.none)
        let rounds = Mutex(0)
        let bell = Bell()
        let published = PublishedKeys()
        let watch = KeyWatch(
            keys: Swappable([all]), published: published,
            lookUp: { name in
                guard name == "new._domainkey.example.com" else { return .temporaryFailure }
                rounds.withLock { $0 += 1 }
                return answers.withLock { $0 }
            }, clock: SystemClock(), bell: bell, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let key = try #require(all.next)
        func isPublished(after answer: TextAnswer) async throws -> Bool {
            // A round that began before the answer was set may still be under way: the second one from here has seen it.
            answers.withLock { $0 = answer }
            let before = rounds.withLock { $0 }
            try await eventually("two more rounds") {
                bell.ring()
                return rounds.withLock { $0 } >= before + 3
            }
            return published.contains(key, named: all.name(of: key))
        }
        let fitting = TextAnswer.records([Array(DKIMKeyRecord.text(for: next).utf8)])
        let foreign = TextAnswer.records([Array(DKIMKeyRecord.text(for: try #require(Self.old)).utf8)])
        let running = Task { try await watch.run() }
        for (answer, expected) in [
            (TextAnswer.none, false), (fitting, true), (.temporaryFailure, true), (foreign, false), (fitting, true), (.none, false),
        ] {
            #expect(try await isPublished(after: answer) == expected)
        }
        running.cancel()
        try await running.value
    }
}
