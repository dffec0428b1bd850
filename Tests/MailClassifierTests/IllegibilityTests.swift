import InternetMessage
import Testing

@testable import MailClassifier

@Suite("bodies that nobody wrote to be read")
struct IllegibilityTests {
    let classifier: Classifier

    init() throws { classifier = try #require(Mail.classifier) }

    /// The same octets each time (splitmix64).
    private static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return UInt8(truncatingIfNeeded: z ^ z >> 31)
        }
    }

    private static func message(_ body: [UInt8]) -> Message {
        let head =
            "From: Ann Example <ann@example.com>\r\nTo: Jo Sender <jo@sender.example.org>\r\nSubject: Re: A quick question\r\n"
            + "Date: Wed, 04 Mar 2026 09:45:18 +0100\r\nMIME-Version: 1.0\r\n"
            + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        return Message(parsing: Array(head.utf8) + body)
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Lines as base64 has them.
    private static func encoded(_ count: Int, seed: UInt64) -> [UInt8] {
        noise(count, seed: seed).enumerated().flatMap { $0 % 76 == 75 ? [letters[Int($1) & 63], 0x0A] : [letters[Int($1) & 63]] }
    }

    private func expectUnread(_ body: [UInt8], _ rule: Illegibility, _ what: String) {
        let result = classifier.classify(Self.message(body))
        #expect(result.messageClass == .neutral, "\(what): \(result.evidence.map(\.rule))")
        #expect(result.intent == nil && result.confidence <= 0.3, "\(what)")
        #expect(result.evidence.map(\.rule) == [rule.rawValue], "\(what)")
    }

    @Test("octets by chance", arguments: [300, 2_000, 20_000, 200_000])
    func octets(_ count: Int) {
        for seed in UInt64(1)...5 { expectUnread(Self.noise(count, seed: seed), .controls, "\(count) octets, seed \(seed)") }
    }

    @Test("octets by chance that say they are HTML", arguments: [500, 5_000, 100_000])
    func markup(_ count: Int) {
        let head =
            "From: ann@example.com\r\nTo: jo@sender.example.org\r\nMIME-Version: 1.0\r\n"
            + "Content-Type: text/html; charset=utf-8\r\n\r\n"
        for seed in UInt64(1)...5 {
            let result = classifier.classify(Message(parsing: Array(head.utf8) + Self.noise(count, seed: seed)))
            #expect(result.messageClass == .neutral && result.confidence <= 0.3, "seed \(seed): \(result.evidence.map(\.rule))")
        }
    }

    @Test("base64 without its header", arguments: [200, 1_000, 8_000])
    func base64(_ count: Int) {
        for seed in UInt64(1)...5 { expectUnread(Self.encoded(count, seed: seed), .encoded, "\(count) octets, seed \(seed)") }
    }

    @Test("boundaries and headers of parts, with base64 or nothing between them")
    func parts() {
        for seed in UInt64(1)...5 {
            var body: [UInt8] = []
            for part in UInt64(0)..<4 {
                body += Array("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n".utf8)
                body += Self.encoded(150, seed: seed * 100 + part) + Array("\n--b1_4c0d9bec43901dcd1fef\(seed)\n".utf8)
            }
            expectUnread(body, .encoded, "seed \(seed)")
        }
        expectUnread(
            Array(String(repeating: "Content-Type: text/plain\n\n--b1_4c0d9bec43901dcd1fef\n", count: 3).utf8), .encoded, "empty parts")
    }

    @Test("letters by chance are no language")
    func words() {
        for seed in UInt64(1)...5 {
            let body = Self.noise(900, seed: seed).map { $0 < 44 ? 0x20 : 0x61 + $0 % 26 }
            expectUnread(body, .unknown, "seed \(seed)")
        }
    }

    static let readable: [(String, MessageClass)] = [
        ("Not interested.\n\nContent-Type: text/plain\n--b1_4c0d9bec43901dcd1fef\n", .negative),
        ("unsubscribe\n\n--b1_4c0d9bec43901dcd1fef--\n", .unsubscribe),
        ("Sounds good, send me more about it. https://example.com/aVeryLongPathThatGoesOnAndOnForTheSakeOfTracking0123456789", .positive),
        // Latin-1 that says it is UTF-8: its umlauts are lost, its words are not.
        ("F\u{FFFD}r uns klingt das spannend, schicken Sie mir bitte die Unterlagen, wir h\u{FFFD}tten Interesse.", .positive),
        ("K\u{FFFD}ndigen Sie das Abo nicht, aber bitte nehmen Sie mich aus dem Verteiler.", .unsubscribe),
    ]

    @Test("a person's words beside such things are read", arguments: readable)
    func read(_ text: String, _ expected: MessageClass) {
        let result = classifier.classify(Mail.message(text))
        #expect(result.messageClass == expected, "\(result.evidence)")
        #expect(result.confidence >= Classifier.actionThreshold)
    }
}
