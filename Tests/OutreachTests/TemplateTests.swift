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
