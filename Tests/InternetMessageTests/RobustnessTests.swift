import Foundation
import Testing

@testable import InternetMessage

@Suite("Robustness")
struct RobustnessTests {
    @Test("every fixture cut at every byte parses", arguments: Fixture.names)
    func truncated(name: String) throws {
        let bytes = try Fixture.bytes(name, .crlf)
        var sum = 0
        for end in 0...bytes.count { sum += touchEverything(Message(parsing: bytes[..<end])) }
        #expect(sum > 0)
    }

    @Test("6,000 random mutations parse")
    func mutated() throws {
        let seeds = try Fixture.names.map { try Fixture.bytes($0, .crlf) }
        var random = SplitMix(seed: 2026)
        let interesting: [UInt8] = [
            0, 9, 10, 13, 32, 34, 37, 40, 41, 42, 44, 45, 58, 59, 60, 61, 62, 63, 64, 91, 92, 93, 95, 0x80, 0xC3, 0xFF,
        ]
        for round in 0..<6_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...(random.next() % 6) where !bytes.isEmpty {
                let at = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 5 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[at] = interesting[Int(random.next() % UInt64(interesting.count))]
                case 2: bytes.remove(at: at)
                case 3: bytes.insert(interesting[Int(random.next() % UInt64(interesting.count))], at: at)
                default:
                    let end = min(bytes.count, at + Int(random.next() % 80))
                    bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int(random.next() % UInt64(bytes.count)))
                }
            }
            _ = touchEverything(Message(parsing: bytes))
        }
    }

    static let bombs: [(String, String)] = [
        ("nested multiparts", (0..<10_000).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()),
        ("nested multiparts with one boundary", String(repeating: "Content-Type: multipart/mixed; boundary=b\n\n--b\n", count: 10_000)),
        ("nested messages", String(repeating: "Content-Type: message/rfc822\n\n", count: 50_000)),
        ("parts", "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 100_000)),
        ("digest", "Content-Type: multipart/digest; boundary=b\n\n" + String(repeating: "--b\n\n", count: 100_000)),
        ("fields", String(repeating: "A: b\n", count: 200_000) + "\nx"),
        ("one field of a megabyte", "Subject: " + String(repeating: "x ", count: 500_000) + "\n\n"),
        ("folds", "Subject:" + String(repeating: "\n x", count: 200_000) + "\n\n"),
        ("encoded words", "Subject: " + String(repeating: "=?utf-8?Q?", count: 50_000) + "\n\n"),
        ("charset changes", "Subject: " + String(repeating: "=?koi8-r?Q?=C1?= =?big5?Q?=A7=41?=", count: 5_000) + "\n\n"),
        ("parameters", "Content-Type: text/plain" + String(repeating: "; a*0*=x", count: 50_000) + "\n\n"),
        ("quotes in parameters", "Content-Type: text/plain" + String(repeating: "; a=\"\\\"", count: 50_000) + "\n\n"),
        ("comments", "From: " + String(repeating: "(", count: 200_000) + "\n\n"),
        ("references", "References: " + String(repeating: "<a@b", count: 100_000) + "\n\n"),
        ("base64", "Content-Transfer-Encoding: base64\n\n" + String(repeating: "=A=", count: 300_000)),
        ("hyphen lines", "Content-Type: multipart/mixed; boundary=bb\n\n" + String(repeating: "--bbb\n", count: 100_000)),
        ("broken header lines", String(repeating: "no field\nA: b\n", count: 50_000)),
        (
            "encoded messages",
            String(repeating: "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n", count: 10_000)
        ),
        ("html", "Content-Type: text/html\n\n" + String(repeating: "<blockquote><a href=\"https://x/", count: 50_000)),
    ]

    @Test("bombs end in bounded time, without deep recursion", arguments: bombs.indices)
    func boundedTime(index: Int) throws {
        let message = Message(parsing: Array(Self.bombs[index].1.utf8))
        let clock = ContinuousClock()
        let time = clock.measure { _ = touchEverything(message) }
        // Far above what is needed even in a debug build, far below what anything quadratic would take.
        #expect(time < .seconds(60), "\(Self.bombs[index].0)")
        var part: BodyPart? = message.root
        var depth = 0
        while let next = part?.children.first {
            part = next
            depth += 1
        }
        #expect(depth <= Limits.default.depth)
    }
}

@Suite("Corpora")
struct CorpusTests {
    @Test("every file of every corpus parses", .enabled(if: Corpora.isWanted, Corpora.absence))
    func everyFile() throws {
        var (count, withFrom, withText, reports, dates) = (0, 0, 0, 0, 0)
        var unreadable: Set<String> = []
        for file in try Corpora.files() {
            let message = Message(parsing: try file.bytes())
            _ = touchEverything(message)
            count += 1
            if !message.from.isEmpty { withFrom += 1 }
            if message.text?.isEmpty == false { withText += 1 }
            if message.report != nil { reports += 1 }
            var stack = [message.root]
            while let part = stack.popLast() {
                for field in part.header.all("Date") {
                    dates += 1
                    if MessageDate(parsing: field.rawValue) == nil { unreadable.insert(field.text) }
                }
                stack += part.children
            }
        }
        print("corpora: \(count) files read, \(withFrom) with an author, \(withText) with text, \(reports) with a report")
        print("corpora: \(dates) Date fields, \(unreadable.count) of them unreadable: \(unreadable.sorted())")
        #expect(count > 1000)
        #expect(reports > 500)
        #expect(unreadable == Set(Self.unreadableDates.keys))
    }

    /// The Date fields in the corpora that say no date, and why.
    private static let unreadableDates = [
        "<HR>": "a line of HTML in its place",
        "Pn, 29 paX 2007 21:13:00 +0100": "Polish for October, damaged by a wrong charset",
    ]
}
