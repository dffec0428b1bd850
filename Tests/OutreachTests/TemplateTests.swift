import Testing

@testable import Outreach

@Suite("templates")
struct TemplateTests {
    @Test(
        "values, fallbacks and sections",
        arguments: [
            ("Hi {{first_name}}", ["first_name": "Ann"], .text("Hi Ann")),
            ("Hi {{ first_name | there }}", [:], .text("Hi there")),
            ("Hi {{first_name|there}}", ["first_name": "Ann"], .text("Hi Ann")),
            ("Hi {{first_name|}}!", [:], .text("Hi !")),
            ("Hi {{first_name}}", ["first_name": ""], .missing(["first_name"])),
            ("{{a}} {{b}} {{a}}", [:], .missing(["a", "b"])),
            ("{{#company}}at {{company}}{{/company}}{{^company}}alone{{/company}}", ["company": "Acme"], .text("at Acme")),
            ("{{#company}}at {{company}}{{/company}}{{^company}}alone{{/company}}", [:], .text("alone")),
            ("{{#a}}{{b}}{{/a}}ok", [:], .text("ok")),
            ("{{! note }}x", [:], .text("x")),
            ("a < b & \"c\" {{v}}", ["v": "<&\">"], .text("a < b & \"c\" <&\">")),
            ("{{v}}", ["v": "{{w}}"], .text("{{w}}")),
            ("line\n{{#a}}\nin\n{{/a}}\nend", ["a": "1"], .text("line\nin\nend")),
        ] as [(String, [String: String], MessageTemplate.Rendering)])
    func rendering(source: String, values: [String: String], expected: MessageTemplate.Rendering) throws {
        #expect(try MessageTemplate(source, format: .text).render(values) == expected)
    }

    @Test(
        "one of several wordings is taken, with its tags; brackets without a bar are text",
        arguments: [
            ("[[Hello|Hi|Good morning]] {{a}}!", 1, .text("Hi A!")), ("[[Hello|Hi|Good morning]] {{a}}!", 2, .text("Good morning A!")),
            ("[[Dear {{a|you|x}}|Hi {{b}}]]", 0, .text("Dear A")), ("[[Dear {{a}}|Hi {{b}}]]", 1, .missing(["b"])),
            ("x[[1]] y[[ z", 0, .text("x[[1]] y[[ z")), ("\\[[a|b]]", 0, .text("[[a|b]]")), ("a|b ]] c", 0, .text("a|b ]] c")),
            ("[[a|{{#a}}b{{/a}}]] [[c|d]]", 1, .text("b d")), ("[[|very ]]good", 0, .text("good")), ("[[a|b\nc]]", 1, .text("b\nc")),
        ] as [(String, Int, MessageTemplate.Rendering)])
    func wordings(source: String, choice: Int, expected: MessageTemplate.Rendering) throws {
        let template = try MessageTemplate(source, format: .text)
        #expect(template.render(["a": "A"]) { _, count in min(choice, count - 1) } == expected)
    }

    @Test(
        "wordings that cannot be are refused with their line",
        arguments: [
            ("a\n[[b|c", 2), ("[[a|[[b|c]]]]", 1), ("[[{{#a}}x|y{{/a}}]]", 1), ("{{#a}}[[x{{/a}}|y]]", 1),
        ])
    func brokenWordings(source: String, line: Int) throws {
        #expect(#expect(throws: TemplateError.self) { try MessageTemplate(source, format: .text) }?.line == line)
    }

    @Test("snippets stand for their text, also in each other, and faults are told by the line of their tag")
    func snippets() throws {
        let known = ["a": "A {{> b}}\n", "b": "{{x|y}}", "loop": "{{> loop}}"]
        #expect(try MessageTemplate("<{{> a}}>", format: .text, snippets: known).render(["x": "1"]) == .text("<A 1>"))
        for (source, line) in [("\n{{> c}}", 2), ("{{> loop}}", 1)] {
            let error = #expect(throws: TemplateError.self) { try MessageTemplate(source, format: .text, snippets: known) }
            #expect(error?.line == line)
        }
    }

    @Test("a census counts whose messages would be parked, over every variant and wording")
    func census() throws {
        let source = """
            name = "x"
            [[step]]
            name = "a"
            subject = "{{company}}"
            text = "[[Hi|Dear {{title}}]] {{first_name|there}} {{sender_name}} {{unsubscribe_url}}"
            [[step]]
            name = "b"
            delay = "P1D"
            text = "{{#city}}{{country}}{{/city}}"
            """
        let file = try SequenceFile(parsing: Array(source.utf8), file: "x.toml")
        var census = TemplateCensus(file.plan, file.templates)
        #expect(census.count(["company": "X", "title": "Dr"], line: 2).isEmpty)
        #expect(census.count(["company": "", "title": "Dr", "city": "Rome"], line: 3).map(\.names) == [["company"], ["country"]])
        #expect(census.count(["company": "X"], line: 4) == [.init(step: "a", names: ["title"])])
        #expect(census.count(["title": "Dr"], line: 5).map(\.step) == ["a"])
        #expect(census.contacts == 4 && census.parked == 3)
        #expect(
            census.found == [
                .init(step: "a", name: "company", contacts: 2, firstLine: 3), .init(step: "a", name: "title", contacts: 1, firstLine: 4),
                .init(step: "b", name: "country", contacts: 1, firstLine: 3),
            ])
    }

    @Test("whose value is only the mark of a field is counted, wherever the message would show it")
    func markedCensus() throws {
        let file = try SequenceFile(
            parsing: Array("name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"[[a|{{company}}]] {{#vip}}{{city}}{{/vip}}\"\n".utf8),
            file: "x.toml")
        var census = TemplateCensus(file.plan, file.templates)
        #expect(census.count(["company": "%%X1%%"], line: 2) == [.init(step: "a", names: [], marked: ["company"])])
        #expect(census.count(["company": "X", "city": "[CITY]", "name": "Ann"], line: 3).isEmpty)
        #expect(census.count(["name": "[FIRST NAME]", "city": "[CITY]", "vip": "1"], line: 4).map(\.marked) == [["city", "name"]])
        #expect(census.count(["x.a.text": "Dear {{name}}", "company": "${c}"], line: 5).map(\.marked) == [["x.a.text"]])
        #expect(census.parked == 3 && census.found.map(\.name).contains("company (holds a mark)"))
    }

    @Test("without a link that ends all mail, who would get one is counted")
    func withoutLink() throws {
        let file = try SequenceFile(
            parsing: Array("name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"{{unsubscribe_url}}\"\n".utf8), file: "x.toml")
        var census = TemplateCensus(file.plan, file.templates, hasLink: false)
        #expect(census.count([:], line: 2).map(\.names) == [["unsubscribe_url"]])
        census = TemplateCensus(file.plan, file.templates)
        #expect(census.count([:], line: 2).isEmpty)
    }

    @Test("HTML values are escaped by bytes, also before a combining mark")
    func html() throws {
        let template = try MessageTemplate("<a title=\"{{v}}\">{{{v}}}</a>", format: .html)
        #expect(template.render(["v": "\"\u{301}<"]) == .text("<a title=\"&quot;\u{301}&lt;\">\"\u{301}<</a>"))
    }

    @Test(
        "what is not ours is refused with its line",
        arguments: [
            ("a\nb {{name", 2), ("{{> partial}}", 1), ("{{=<% %>=}}", 1), ("{{#a}}x", 1), ("x\n{{/a}}", 2), ("{{#a}}{{#b}}{{/a}}{{/b}}", 1),
            ("{{}}", 1), ("{{a.b}}", 1), ("{{upper(a)}}", 1), ("{{% CONTENT_TYPE:HTML}}", 1), ("{{$block}}{{/block}}", 1),
            ("{{a\u{301}}}", 1),
        ])
    func refused(source: String, line: Int) {
        #expect { try MessageTemplate(source, format: .text) } throws: { ($0 as? TemplateError)?.line == line }
    }

    @Test("nesting is counted")
    func nesting() throws {
        let deep = String(repeating: "{{#a}}", count: 16) + "x" + String(repeating: "{{/a}}", count: 16)
        #expect(try MessageTemplate(deep, format: .text).render(["a": "1"]) == .text("x"))
        #expect(throws: TemplateError.self) {
            try MessageTemplate(String(repeating: "{{#a}}", count: 50_000), format: .text)
        }
    }
}
