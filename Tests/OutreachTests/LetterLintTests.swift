import TestKit
import Testing

@testable import Outreach

@Suite("letters that look broken or like spam")
struct LetterLintTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var subject: String? = "Your plans for May"
        var text = "Hi {{first_name|there}},\n\n[[How|What]] about {{company}}? See https://example.com/x.\n"
        var html: String?
        let says: String?
        var testDescription: String { says ?? "\(subject ?? "") \(text.prefix(20)) \(html ?? "")" }
    }

    static let cases: [Case] = [
        Case(says: nil),
        Case(subject: nil, says: nil),
        Case(subject: "IBM and you", says: nil),
        Case(subject: "Re: our call", says: "subject: it begins like an answer that it is not"),
        Case(subject: "FWD: news", says: "subject: it begins like an answer that it is not"),
        Case(subject: "READ THIS TODAY", says: "subject: it is all in capital letters"),
        Case(subject: "{{company}}", says: nil),
        Case(subject: "Wow! Really!", says: "subject: it has more than one exclamation mark"),
        Case(subject: String(repeating: "ä", count: 71), says: "subject: it has 71 characters"),
        Case(subject: String(repeating: "ä", count: 70), says: nil),
        Case(text: "Click here and Act Now", says: "text: 'act now' is what filters look for"),
        Case(text: "Great!!!", says: "text: three exclamation marks in a row"),
        Case(text: "GrÃ¼ÃŸe", says: "text: 'Ã¼' looks like text in another charset"),
        Case(text: "Hi [FIRST NAME],", says: "text: '[FIRST NAME]' looks like a mark of another program"),
        Case(text: "Hi %FIRSTNAME%,", says: "text: '%FIRSTNAME%' looks like a mark"),
        Case(text: "Hi *|FNAME|*,", says: "text: '*|FNAME|*' looks like a mark"),
        Case(text: "Hi {first_name},", says: "text: '{first_name}' looks like a mark"),
        Case(text: "50% of it, 100% of that [1], see [the note]", says: nil),
        Case(text: "Hi %%first_name%%,", says: "text: '%%first_name%%' looks like a mark"),
        Case(text: "Hi ${c},", says: "text: '${c}' looks like a mark"),
        Case(text: "Hi {% if x %},", says: "text: '{% if x %}' looks like a mark"),
        Case(text: "Hi <%= first_name %>,", says: "text: '<%= first_name %>' looks like a mark"),
        Case(text: "Hi @@name@@,", says: "text: '@@name@@' looks like a mark"),
        Case(text: "Hi [[FIRST NAME]],", says: "text: '[[FIRST NAME]]' looks like a mark"),
        Case(text: "${{price}} for {{{name}}}, 100%% sure, @@ and *|*, \\[[x]]", says: nil),
        Case(text: "Lorem ipsum dolor", says: "text: 'lorem ipsum' stands for a text"),
        Case(text: "See https://bit.ly/x", says: "text: a link of 'bit.ly' hides where it leads"),
        Case(text: "See https://t.ly/x", says: "text: a link of 't.ly' hides where it leads"),
        Case(text: "(HTTPS://www.Bit.ly/x)", says: "text: a link of 'bit.ly' hides where it leads"),
        Case(text: "t.co/x", says: "text: a link of 't.co' hides where it leads"),
        Case(text: "See https://orbit.ly/ and https://my-t.co/ and https://a.example/is.gd/x", says: nil),
        Case(text: "", html: "<p>\(String(repeating: "word ", count: 401))</p>", says: "html: it has 401 words"),
        Case(text: "", html: "<p>Hi {{name}}</p>", says: nil),
        Case(text: "", html: "<p></p>", says: "html: it has no words of which the text could be made"),
        Case(text: "See http://example.com", says: "text: a link begins with http://"),
        Case(text: String(repeating: "https://a.example/ ", count: 4), says: "text: it has 4 links"),
        Case(text: String(repeating: "word ", count: 401), says: "text: it has 401 words"),
        Case(text: String(repeating: "word ", count: 400), says: nil),
        Case(html: "<p>Hi</p><script>x</script>", says: "html: '<script' does not work in mail"),
        Case(html: "<p style=\"color:red\">Hi {{name}}</p>", says: nil),
        Case(html: "<img src=\"https://a.example/a.png\"><p>Hi there</p>", says: "html: it is a picture with 2 words"),
        Case(html: "<img src=\"https://a.example/a.png\"><p>\(String(repeating: "word ", count: 30))</p>", says: nil),
        Case(html: "<img src=\"data:image/png;base64,AA\">", says: "html: pictures in data: links"),
    ]

    @Test("each is found, and nothing is where nothing is wrong", arguments: cases)
    func finds(_ item: Case) {
        let findings = LetterLint(subject: item.subject, text: item.text, html: item.html).findings.map { "\($0.part): \($0.message)" }
        if let says = item.says {
            #expect(findings.contains { $0.utf8.starts(with: says.utf8) }, "\(findings)")
        } else {
            #expect(findings.isEmpty)
        }
    }

    @Test("each mark of a text is told, and each once")
    func everyMark() {
        let text = "Hi [NAME] of %COMPANY%, [NAME], {city} and {{name|[FALLBACK]}}"
        let findings = LetterLint(subject: nil, text: text, html: nil).findings.compactMap { $0.message.split(separator: "'").first }
        #expect(findings == ["[NAME]", "%COMPANY%", "{city}", "[FALLBACK]"])
    }

    @Test(
        "in what is put in for a field every mark counts, and what is none does not",
        arguments: [
            ("[FIRST NAME]", "[FIRST NAME]"), ("%%COMPANY%%", "%%COMPANY%%"), ("*|FNAME|*", "*|FNAME|*"), ("${c}", "${c}"),
            ("{{name}}", "{{name}}"), ("x {{name", "{{name"), ("{%x%}", "{%x%}"), ("<%=x%>", "<%=x%>"), ("@@name@@", "@@name@@"),
            ("Dr {first_name}", "{first_name}"), ("{{ a b }}!", "{{ a b }}"), ("Acme [1]", nil), ("100%", nil), ("100%% of 5%%", nil),
            ("a [b] c", nil), ("x@y", nil), ("O'Neil & Sons {1}", nil), ("$5 {", nil), ("50% OFF, 20% MORE", nil), ("[]", nil),
            ("Ünï [ÄÖ]", nil), ("Acme [USA]", nil), ("Acme {Holding}", nil), ("%COMPANY_NAME%", "%COMPANY_NAME%"),
            ("[USA] [VORNAME]", "[VORNAME]"),
        ] as [(String, String?)])
    func inValues(text: String, mark: String?) {
        #expect(FieldMark.first(inValue: text) == mark)
    }

    @Test("a link is said to be of one shortener alone")
    func oneShortener() {
        let findings = LetterLint(subject: nil, text: "https://bit.ly/a", html: nil).findings
        #expect(findings.map(\.message) == ["a link of 'bit.ly' hides where it leads"])
    }

    @Test("validate says it with the line, as a warning, and of a variant too")
    func inFiles() throws {
        let file = try SequenceFile(
            parsing: Array(
                """
                name = "x"
                [[step]]
                name = "a"
                delay = "PT0S"
                subject = "BUY THIS NOW"
                text = "Hi"
                [[step]]
                name = "b"
                delay = "P1D"
                text = "Hi"
                [[step.variant]]
                name = "one"
                text = "Hi [NAME]"
                [[step.variant]]
                name = "two"
                text = "Hello"
                """.utf8), file: "x.toml")
        #expect(
            file.warnings.map(\.description) == [
                "x.toml:5: it is all in capital letters",
                "x.toml:13: '[NAME]' looks like a mark of another program; fields are written {{name}}",
            ])
    }
}
