import Glibc
import Testing

@testable import InternetMessage

/// Hostile messages cost what their size says: four times the size, about four times the work, where anything quadratic needs sixteen.
@Suite("Linear work", .serialized)
struct LinearTests {
    struct Bomb: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var make: @Sendable (Int) -> String

        init(_ name: String, _ make: @escaping @Sendable (Int) -> String) {
            testDescription = name
            self.make = make
        }
    }

    private static func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
    private static let mixed = "Content-Type: multipart/mixed; boundary="

    static let bombs = [
        Bomb("header lines") { many("A: b\n", $0 * 20) + "\nx" },
        Bomb("lines that are no fields") { many("x\nA: b\n", $0 * 10) },
        Bomb("folds") { "Subject:" + many("\n x", $0 * 30) + "\n\n" },
        Bomb("one giant line") { "Subject: " + many("x", $0 * 200) + "\n\n" + many("y", $0 * 200) },
        Bomb("parts") { mixed + "b\n\n" + many("--b\n\nx\n", $0 * 10) },
        Bomb("boundary prefixes") { mixed + many("b", 60) + "\n\n" + many("--" + many("b", 59) + "\n", $0) },
        Bomb("boundary lines with much white space") { mixed + "b\n\n" + many("--b" + many(" ", 60) + "x\n", $0) },
        Bomb("nested multiparts") { (0..<$0).map { "\(mixed)b\($0)\n\n--b\($0)\n" }.joined() },
        Bomb("nested multiparts with one boundary") { many("\(mixed)b\n\n--b\n", $0) },
        Bomb("multiparts without boundary") { many("Content-Type: multipart/mixed\n\n--x\nContent-Type: multipart/mixed\n\n", $0) },
        Bomb("nested messages") { many("Content-Type: message/rfc822\n\n", $0) },
        Bomb("encoded words without end") { "Subject: " + many("=?utf-8?Q?", $0 * 4) + "\n\n" },
        Bomb("equals signs before one end") { "Subject: " + many("=", $0 * 30) + "?=\n\n" },
        Bomb("words of changing charsets") { "Subject: " + many("=?koi8-r?Q?=C1?= =?big5?Q?=A7=41?=", $0) + "\n\n" },
        Bomb("parameters") { "Content-Type: text/plain" + many("; a*0*=x", $0 * 4) + "\n\n" },
        Bomb("parameters with words in them") { "Content-Type: text/plain; name=" + many("=?a?q?", $0 * 5) + "\n\n" },
        Bomb("quotes in parameters") { "Content-Type: text/plain" + many("; a=\"\\\"", $0 * 4) + "\n\n" },
        Bomb("nested comments") { "From: " + many("(", $0 * 20) + "\nDate: " + many("(", $0 * 20) + "\n\n" },
        Bomb("references") { "References: " + many("<a@b", $0 * 8) + "\n\n" },
        Bomb("base64 of padding") { "Content-Transfer-Encoding: base64\n\n" + many("=A=", $0 * 20) },
        Bomb("soft breaks") { "Content-Transfer-Encoding: quoted-printable\n\n" + many("= \t ", $0 * 20) },
        Bomb("uuencode begun again and again") { "\n" + many("begin 644 x\n", $0 * 5) + many("begin 644 y\n#0V%T\n", $0 * 3) },
        Bomb("unreadable bytes in a charset") { "Content-Type: text/plain; charset=big5\n\n" + many("\u{7FF}", $0 * 10) },
        Bomb("escapes of ISO-2022-JP") { "Content-Type: text/plain; charset=iso-2022-jp\n\n" + many("\u{1B}$B\u{1B}$(Dx\u{1B}(B", $0 * 3) },
        Bomb("calendar folds") { "Content-Type: text/calendar; method=REPLY\n\nBEGIN:VEVENT\nUID:" + many("\n x;\"", $0 * 10) },
        Bomb("mbox lines") { many("From - \n\n", $0 * 10) },
    ]

    @Test("four times the message costs no more than ten times the work", arguments: bombs)
    func work(bomb: Bomb) {
        let (small, large) = (Array(bomb.make(500).utf8), Array(bomb.make(2000).utf8))
        _ = touch(small)
        // The best of three: what else the machine does can only add.
        let (one, four) = ((0..<3).map { _ in touch(small) }.min() ?? 0, (0..<3).map { _ in touch(large) }.min() ?? 0)
        #expect(four <= one * 10 + 20_000_000, "\(one / 1000) µs for \(small.count) bytes, \(four / 1000) µs for \(large.count)")
    }

    /// Nanoseconds of this thread's processor time.
    private func touch(_ bytes: [UInt8]) -> Int {
        func now() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec
        }
        let start = now()
        let sum = touchEverything(Message(parsing: bytes)) + Mbox.messages(in: bytes[...]).count
        return now() - start + (sum < 0 ? 1 : 0)
    }
}
