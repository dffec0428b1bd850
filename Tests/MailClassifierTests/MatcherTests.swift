import InternetMessage
import Testing

@testable import MailClassifier

@Suite("matching")
struct MatcherTests {
    static let folds: [(String, String)] = [
        ("Don't STOP", " dont stop "), ("L\u{2019}offre d'été", " l offre d ete "), ("Grüße, Łódź – Ærø", " grusse lodz aero "),
        ("e\u{301}te\u{301}", " ete "),
        ("opt-out", " opt out "), ("\u{200B}s\u{AD}top", " stop "), ("Ok 👍🏽", " ok 👍 "), ("返信 ok", " 返信 ok "),
        ("ΑΒΓ Привет", " αβγ привет "),
        ("İptal ışık", " iptal isik "), ("", ""), ("   ", ""),
    ]

    @Test("folding", arguments: folds)
    func folding(_ text: String, _ folded: String) {
        #expect(String(decoding: Folding.phrase(text), as: UTF8.self) == folded)
    }

    @Test("sentences end where people end them")
    func sentences() {
        let found = Folding.sentences("Yes. It is 3.5 at example.com! Really?\nDr. Who on 17. August\nbye")
        #expect(
            found.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                " yes ", " it is 3 5 at example com ", " really ", " dr who on 17 august ", " bye ",
            ])
        #expect(found.map(\.isQuestion) == [false, false, true, false, false])
    }

    @Test("the matcher finds what a search by hand finds")
    func matcher() {
        let words = ["a", "ab", "bab", "bc", "bca", "c", "caa"]
        let matcher = PhraseMatcher(words.map { [Array($0.utf8)] })
        let text = Array("abccabcaabab".utf8)
        var expected: [String] = []
        for end in 1...text.count {
            for (number, word) in words.enumerated() {
                let start = end - word.utf8.count
                if start >= 0, text[start..<end].elementsEqual(word.utf8) { expected.append("\(number) \(start) \(end)") }
            }
        }
        #expect(Set(matcher.hits(in: text).map { "\($0.phrase) \($0.start) \($0.end)" }) == Set(expected))
    }

    @Test("fragments match in order and within their gap")
    func fragments() {
        let matcher = PhraseMatcher([PhraseBook.parse(Array("remove me * list".utf8)[...]).fragments])
        #expect(matcher.hits(in: Folding.phrase("please remove me from this list now")).count == 1)
        #expect(matcher.hits(in: Folding.phrase("remove me list")).count == 1)
        #expect(matcher.hits(in: Folding.phrase("list remove me")).isEmpty)
        #expect(matcher.hits(in: Folding.phrase("remove me \(String(repeating: "very ", count: 20)) list")).isEmpty)
    }

    @Test("a phrase is found with its strength and names its file and line")
    func book() throws {
        let book = try PhraseBook.builtin()
        #expect(
            book.hits(in: Folding.phrase("please take me off your list")).contains { $0.meaning == .unsubscribe && $0.strength == .certain }
        )
        let hit = try #require(book.hits(in: Folding.phrase("hiermit widerrufe ich")).first { $0.meaning == .unsubscribe })
        #expect(book.ruleID(hit.phrase).hasPrefix("builtin:classify/de.toml:"))
    }

    @Test("hostile texts cost no more than their length")
    func hostile() throws {
        let classifier = try #require(Mail.classifier)
        let clock = ContinuousClock()
        let texts = [
            String(repeating: "not not if remove me ", count: 5_000), String(repeating: ">", count: 80_000),
            String(repeating: "a@", count: 8_000),
            String(repeating: "On 1:11 <a@b> wrote:\n", count: 4_000), String(repeating: "1/1/", count: 80_000),
            String(repeating: "From: 2020\n", count: 8_000),
            String(repeating: "\n", count: 80_000), String(repeating: "?", count: 80_000), String(repeating: "e\u{301}", count: 8_000),
        ]
        for text in texts {
            for from in ["Ann <ann@example.com>", "MAILER-DAEMON@example.com"] {
                let took = clock.measure {
                    _ = classifier.classify(Mail.message(text, subject: "failure notice", from: from, headers: ["Return-Path: <>"]))
                }
                // Debug builds on a busy machine: the bound is far above what is needed and far below what a square would take.
                #expect(took < .seconds(20), "\(text.prefix(20))")
            }
        }
    }
}
