import Foundation
import InternetMessage
import TestKit
import Testing

@testable import Outreach

@Suite("sequence files, in TOML and as JSON plans")
struct PlanFileTests {
    private func read(_ text: String, as file: String = "plan.toml") throws -> SequenceFile {
        try SequenceFile(parsing: Array(text.utf8), file: file)
    }

    private func fixture(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/plans/\(name)", withExtension: nil))
        return Array(try Data(contentsOf: url))
    }

    @Test("a version that was stored before there were branches is read and written as it was")
    func stored() throws {
        let text =
            #"{"description":"d","name":"intro","steps":[{"delay":"PT0S","name":"a","subject":"Hi","text":"x"},"#
            + #"{"businessDays":true,"delay":"P3D","html":"<p>","name":"b","text":"y"}],"stopOn":["complaint","unsubscribe"]}"#
        let plan = try JSONDecoder().decode(SequencePlan.self, from: Data(text.utf8))
        #expect(plan.isLine && plan.steps.map(\.name) == ["a", "b"] && plan.steps[1].businessDays == true)
        #expect(plan.steps[0].letter == .init(subject: "Hi", text: "x") && plan.steps[1].letter?.html == "<p>")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var again = String(decoding: try encoder.encode(plan), as: UTF8.self)
        again = again.replacingOccurrences(of: #"["unsubscribe","complaint"]"#, with: #"["complaint","unsubscribe"]"#)
        #expect(again == text)
    }

    @Test("a JSON plan is read without loss: what it says beside is warned of, kept and written back")
    func json() throws {
        let file = try SequenceFile(parsing: try fixture("followup.json"), file: "a/followup.json")
        #expect(file.plan.name == "followup" && file.plan.quietHours == .init(start: 1260, end: 450))
        #expect(file.plan.steps.map(\.work.word) == ["send", "wait", "send", "stop"])
        #expect(file.plan.steps[0].letter?.subject == "Hello é 😀 {{company|you}}")
        #expect(
            file.warnings.map(\.description) == [
                "a/followup.json:6: 'owner' means nothing here; it is kept as it is",
                "a/followup.json:14: 'tracking' means nothing here; it is kept as it is",
                "a/followup.json:16: 'colour' means nothing here; it is kept as it is",
                "a/followup.json:17: only messages with HTML are counted, and this step has none: 'no_open' comes whenever its time has passed",
            ])
        let written = PlanWriter(file.plan).json
        func object(_ bytes: [UInt8]) throws -> NSDictionary {
            let value = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            var members = try #require(value)
            members["name"] = nil
            return members as NSDictionary
        }
        #expect(try object(Array(written.utf8)) == object(try fixture("followup.json")))
        #expect(written.utf8.count > 100 && written.contains("0.50"))
    }

    @Test(
        "what is written is read as the same plan, in both forms and from one to the other",
        arguments: ["followup.json", "actions.toml", "samples"])
    func roundTrips(source: String) throws {
        var plans: [SequencePlan] = []
        if source == "samples" {
            for url in try Self.samples() { plans.append(try SequenceFile(parsing: Array(Data(contentsOf: url)), file: url.path).plan) }
            #expect(plans.count >= 5)
        } else {
            plans = [try SequenceFile(parsing: try fixture(source), file: source).plan]
        }
        for plan in plans {
            let writer = PlanWriter(plan)
            let fromJSON = try read(writer.json, as: "x.json").plan
            let fromTOML = try read(writer.toml).plan
            #expect(fromJSON == plan, "\(writer.json)")
            #expect(fromTOML == plan, "\(writer.toml)")
            #expect(try read(PlanWriter(fromJSON).toml).plan == plan && read(PlanWriter(fromTOML).json, as: "x.json").plan == plan)
            let stored = try JSONDecoder().decode(SequencePlan.self, from: try JSONEncoder().encode(plan))
            #expect(stored == plan)
        }
    }

    @Test(
        "what ends it for a company, and how many start a day, stands in both forms",
        arguments: [
            ("stop_company_on = [\"positive\", \"not_now\"]", .init(classes: [.positive, .notNow]), nil),
            (
                "stop_company_on = \"unsubscribe\"\nstop_company_in = \"workspace\"\ndaily_starts = 7",
                .init(classes: [.unsubscribe], scope: .workspace), 7
            ),
            ("daily_starts = 100000", nil, 100_000),
        ] as [(String, SequencePlan.CompanyRule?, Int?)])
    func companies(lines: String, rule: SequencePlan.CompanyRule?, starts: Int?) throws {
        let plan = try read("name = \"x\"\n\(lines)\n" + Self.head.dropFirst(11)).plan
        #expect(plan.companyRule == rule && plan.dailyStarts == starts)
        let writer = PlanWriter(plan)
        #expect(try read(writer.toml).plan == plan && read(writer.json, as: "x.json").plan == plan, "\(writer.json)")
        #expect(try read(writer.json, as: "x.json").warnings.isEmpty)
        #expect(try JSONDecoder().decode(SequencePlan.self, from: try JSONEncoder().encode(plan)) == plan)
    }

    static func samples() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: Checkout.url("conf/sequences"), includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "toml" }.sorted { $0.path < $1.path }
    }

    @Test("a stop leads nowhere, wherever in the file it stands")
    func stopInTheMiddle() throws {
        let source =
            Self.head + Self.way + "on = \"replied\"\nto = \"end\"\n" + Self.way + "on = \"no_reply\"\nafter = \"P3D\"\nto = \"more\"\n"
        let steps = "[[step]]\ntype = \"stop\"\nname = \"end\"\n[[step]]\nname = \"more\"\ntext = \"t\"\nnext = \"end\"\n"
        let plan = try SequenceFile(parsing: Array((source + steps).utf8), file: "x.toml").plan
        #expect(plan.ways(of: 1).isEmpty && plan.ways(of: 2).map(\.to) == ["end"])
        #expect(try SequenceFile(parsing: Array(PlanWriter(plan).toml.utf8), file: "x.toml").plan == plan)
    }

    @Test("the samples have no faults and no warnings")
    func samplesAreSound() throws {
        for url in try Self.samples() {
            let file = try SequenceFile(parsing: Array(Data(contentsOf: url)), file: url.lastPathComponent)
            #expect(file.warnings.isEmpty, "\(file.warnings)")
            #expect(url.lastPathComponent == "\(file.plan.name).toml")
        }
    }

    @Test(
        "a plan that waits for opens or clicks is warned of where none can come, and told apart by what the conf says",
        arguments: [
            // keys of the plan, html, what it waits for, warnings of its file, gaps when all is off, when opens are on, when all is on
            ("", "", "opened", 1, 1, 0, 0), ("", "<p>", "opened", 0, 1, 0, 0), ("", "<p>", "clicked", 0, 1, 1, 0),
            ("track_clicks = true\n", "<p>", "clicked", 0, 1, 0, 0), ("track_opens = true\n", "<p>", "clicked", 0, 2, 1, 0),
            ("", "<p>", "replied", 0, 0, 0, 0), ("track_opens = true\n", "<p>", "replied", 0, 1, 0, 0),
        ])
    func trackingGaps(
        keys: String, html: String, on: String, warnings: Int, off: Int, opens: Int, all: Int
    ) throws {
        let page = html.isEmpty ? "" : "html = \"\(html)\"\n"
        let source = "\(keys)\(Self.head)\(page)\(Self.way)on = \"\(on)\"\nto = \"b\"\n\(Self.end)"
        let file = try SequenceFile(parsing: Array(source.utf8), file: "x.toml")
        #expect(file.warnings.count { $0.message.contains("only messages with HTML are counted") } == warnings, "\(file.warnings)")
        let base = "https://t.example.com/"
        #expect(TrackingPolicy.off.gaps(in: file.plan).count == off)
        #expect(TrackingPolicy(opens: true, clicks: false, base: base).gaps(in: file.plan).count == opens)
        #expect(TrackingPolicy(opens: true, clicks: true, base: base).gaps(in: file.plan).isEmpty == (all == 0))
        for (text, name) in [(PlanWriter(file.plan).toml, "x.toml"), (PlanWriter(file.plan).json, "x.json")] {
            #expect(try SequenceFile(parsing: Array(text.utf8), file: name).plan.tracking == file.plan.tracking, "\(name)")
        }
    }

    private static let head = "name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"t\"\n"
    private static let way = "[[step.transition]]\n"
    private static let end = "[[step]]\nname = \"b\"\ndelay = \"P1D\"\ntext = \"t\"\n"

    /// A plan with a condition in its step `c`, in the ninth line.
    private static func asking(_ condition: String, with more: String = "") -> String {
        let step = "[[step]]\ntype = \"condition\"\nname = \"c\"\n"
        return head + more + step + "transition = [{ if = \"\(condition)\", to = \"b\" }, { to = \"b\" }]\n" + end
    }

    @Test(
        "what conditions may ask is not told as a fault",
        arguments: [
            "variant.a == 'W' or variant.a == ''", "intent in ['interested', 'READY_TO_MEET']", "intent == ''", "replied.left_company",
            "field.budget >= '12.5' and field.budget < -3", "variant.a contains 'Z'", "opened.a", "sent.a and provider == 'nobody'",
        ])
    func asks(condition: String) throws {
        let page = "html = \"<p>t</p>\"\n[[step.variant]]\nname = \"v\"\n[[step.variant]]\nname = \"w\"\ntext = \"u\"\n"
        #expect(try read(Self.asking(condition, with: page)).warnings.isEmpty)
    }

    @Test("a plan says which names mean something only where there is such a thing, what it gives, and where it needs a link")
    func mentions() throws {
        let source = Self.asking("field.size == 'x' and (tag:hot or list.l) and identity == 'ann' and provider != 'g' and field.size")
        let call = "[[step]]\ntype = \"webhook\"\nname = \"w\"\nwebhook = \"crm\"\nfields = [\"name\", \"size\", \"no\"]\n"
        let act = "[[step]]\ntype = \"action\"\nname = \"e\"\nset = { no = \"1\" }\ntag = \"Hot\"\nowner = \"o\"\n"
        let file = try read(source + call + act)
        #expect(
            file.mentions.map { "\($0.line) \($0.step) \($0.kind.rawValue) \($0.text)" } == [
                "9 c field size", "9 c tag hot", "9 c list l", "9 c identity ann", "9 c provider g", "18 w field size", "18 w field no",
            ])
        #expect(file.plan.gives(.field, "no") && file.plan.gives(.field, "owner") && file.plan.gives(.tag, "hot"))
        #expect(!file.plan.gives(.field, "size") && !file.plan.gives(.list, "hot") && !file.plan.gives(.identity, "ann"))
        let texts = ["{{unsubscribe_url}}", "{{unsubscribe_url|none}}", "{{#unsubscribe_url}}{{unsubscribe_url}}{{/unsubscribe_url}}"]
        let needing = texts + ["{{#a}}{{unsubscribe_url}}{{/a}}", "{{^a}}{{unsubscribe_url}}{{/a}}", "[[a|{{unsubscribe_url}}]]"]
        let found = try needing.map { try read(Self.head.replacing("\"t\"", with: "\"\($0)\"")).linesThatNeedLink }
        #expect(found == [[2], [], [], [2], [2], [2]])
    }

    @Test("what a JSON plan says beside is kept as it was: beside its quiet hours, and numbers as they are written")
    func keptAsWritten() throws {
        let source = """
            {
              "version": "1.0", "name": "x", "y": -0, "z": [1.0, 1e3, -0.0, 12345678901234567890],
              "quietHours": {"start": "21:00", "end": "07:30",
                "tz": "UTC", "n": -0},
              "nodes": [{"id": "a", "type": "send", "subject": "s", "text": "t"}]
            }
            """
        let file = try read(source, as: "x.json")
        #expect(file.plan.quietHours == .init(start: 1260, end: 450, extra: #"{"tz":"UTC","n":-0}"#))
        #expect(file.warnings.map(\.line) == [2, 2, 4, 4], "\(file.warnings)")
        let json = PlanWriter(file.plan).json
        #expect(json.contains("\"tz\": \"UTC\",\n    \"n\": -0\n") && json.contains("\"y\": -0,"), "\(json)")
        #expect(json.contains("1.0,\n    1e3,\n    -0.0,\n    12345678901234567890\n"), "\(json)")
        for (text, name) in [(json, "x.json"), (PlanWriter(file.plan).toml, "x.toml")] {
            #expect(try read(text, as: name).plan == file.plan, "\(text)")
        }
        #expect(try JSONDecoder().decode(SequencePlan.self, from: try JSONEncoder().encode(file.plan)) == file.plan)
        let error = #expect(throws: SequenceFile.Faults.self) {
            try read("name = \"x\"\nquiet_hours = { start = \"21:00\", end = \"07:30\", tz = \"UTC\" }\n" + Self.head.dropFirst(11))
        }
        #expect(error?.faults.map(\.message).first?.hasPrefix("unknown key 'tz'; known are start, end, extra") == true)
    }

    @Test("what asks for opens is told where it stands")
    func touchLines() throws {
        let condition = try read(Self.asking("opened or clicked.a"))
        #expect(condition.touchLines == [.opened: 9, .clicked: 9])
        let way = try read("track_clicks = true\n" + Self.head + Self.way + "to = \"b\"\non = \"no_open\"\nafter = \"P1D\"\n" + Self.end)
        #expect(way.touchLines == [.opened: 9, .clicked: 1])
    }

    @Test(
        "what a person can get wrong is told with its line",
        arguments: [
            ("name = \"x\"\n", 1, "no steps"),
            (head + way + "to = \"nowhere\"\n", 7, "there is no step 'nowhere'; known are a"),
            (head + way + "to = \"b\"\n" + end + way + "to = \"a\"\n", 13, "an endless loop: a → b → a"),
            (head + way + "to = \"a\"\n", 7, "an endless loop: a → a"),
            (head + "transition = []\n" + end, 7, "no way leads to the step 'b'"),
            (head + way + "to = \"b\"\n" + way + "to = \"b\"\n" + end, 8, "cannot be told from 'done' before it"),
            (
                head + way + "on = \"replied\"\nto = \"b\"\n" + way + "on = \"replied\"\nclass = \"positive\"\nto = \"b\"\n" + end, 10,
                "cannot be told from 'replied' before it"
            ),
            (
                head + way + "on = \"replied\"\nwithin = \"P7D\"\nto = \"b\"\n" + way + "on = \"no_reply\"\nafter = \"P3D\"\nto = \"b\"\n"
                    + end,
                8,
                "waits for P7D, but 'no_reply after P3D' is taken before that"
            ),
            (head + way + "on = \"no_reply\"\nto = \"b\"\n" + end, 7, "'no_reply' needs 'after'"),
            (head + way + "on = \"replied\"\nafter = \"P3D\"\nto = \"b\"\n" + end, 8, "'after' is for time that passes"),
            (head + way + "on = \"asleep\"\nto = \"b\"\n" + end, 7, "there is no event 'asleep'; there are done, accepted"),
            (head + way + "on = \"replied\"\nclass = \"unsubscribe\"\nto = \"b\"\n" + end, 8, "'unsubscribe' is no class of replies"),
            (head + way + "on = \"replied\"\nintent = \"keen\"\nto = \"b\"\n" + end, 8, "'keen' is no intent of replies"),
            (head + way + "on = \"bounced\"\nclass = \"mailboxfull\"\nto = \"b\"\n" + end, 8, "'mailboxfull' is no class of failures"),
            (head + way + "if = \"replied\"\nto = \"b\"\n" + end, 7, "'if' stands in transitions of a condition"),
            (head + way + "weight = 5\nto = \"b\"\n" + end, 7, "'weight' stands in transitions of a split only"),
            (head + "[[step]]\ntype = \"webhook\"\nname = \"b\"\n", 6, "'webhook' is missing: the NAME"),
            (head + "[[step]]\ntype = \"dance\"\n", 7, "there is no type 'dance'"),
            (head + "[[step]]\ntype = \"wait\"\nname = \"b\"\n", 6, "'delay' is missing"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nowner = [\"eve\", \"Eve\"]\n", 9, "an owner is named twice"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nowner = \"\"\n", 9, "an owner is a name of 1 to 100 bytes"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nassign_owner = \"eve\"\n", 9, "write owner ="),
            (
                head + "[[step]]\ntype = \"action\"\nname = \"b\"\nowner = \"eve\"\nset = { owner = \"eve\" }\n", 9,
                "which 'set' gives a value too"
            ),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\ntag = \"a,b\"\n", 9, "'a,b' is no name of a tag"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nlist = [\"a\"]\nunlist = \"A\"\n", 9, "the list a is named twice"),
            (
                head + "[[step]]\ntype = \"action\"\nname = \"b\"\nset = { tags = \"a\" }\n", 9,
                "'tags' is no field of a contact; write tag ="
            ),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nuntag = 7\n", 9, "'untag' must be a string or a list of strings"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\n", 6, "an action does nothing"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nenroll = \"x\"\n", 9, "it begins its own sequence, which would never end"),
            (head + "[[step]]\ntype = \"action\"\nname = \"b\"\nenroll = \"hot leads\"\n", 9, "'hot leads' is no name of a sequence"),
            ("name = \"x\"\n[[step]]\nsubject = \"s\"\n", 2, "'text' is missing; a message has a text, or html"),
            ("name = \"x\"\n[[step]]\nsubject = \"s\"\ntext = \" \"\n", 4, "'text' is empty; a message has a text, or html"),
            (
                head + "[[step.variant]]\nname = \"v\"\ntext = \"\"\n[[step.variant]]\nname = \"w\"\ntext = \"t\"\n", 8,
                "'text' is empty; a message has a text, or html"
            ),
            (
                "name = \"x\"\n[[step]]\nsubject = \"s\"\n[[step.variant]]\nname = \"v\"\nhtml = \"<p>Hi</p>\"\n"
                    + "[[step.variant]]\nname = \"w\"\nsubject = \"u\"\n",
                2, "'text' is missing"
            ),
            (head + "[[step]]\ntype = \"condition\"\nname = \"b\"\n", 6, "a condition has at least one transition"),
            (asking("variant.a == 'Z'"), 9, "the step 'a' has no variants, so that 'variant.a' is empty"),
            (
                asking("variant.a in ['v', 'Z']", with: "[[step.variant]]\nname = \"v\"\n[[step.variant]]\nname = \"w\"\ntext = \"u\"\n"),
                14,
                "the step 'a' has no variant 'Z'; there are v, w"
            ),
            (asking("opened.c"), 9, "'opened.c' is said of a message, and the step 'c' sends none"),
            (asking("variant.c"), 9, "'variant.c' is said of a message, and the step 'c' sends none"),
            (asking("not sent.c and field.a"), 9, "'sent.c' is said of a message"),
            (asking("intent == 'foo'"), 9, "'foo' is no intent of replies; there are interested"),
            (asking("field.budget >= 'abc'"), 9, "'>=' compares numbers, and 'abc' is none, so that it never holds of 'field.budget'"),
            (asking("replied.unsubscribe"), 9, "'unsubscribe' always ends the sequence, so that nothing is decided after it"),
            (asking("replied.nice"), 9, "'nice' is no class of replies; there are positive"),
            ("name = \"x\"\n[[step]]\nsubject = \"\"\ntext = \"t\"\n", 3, "'subject' is empty"),
            ("name = \"x\"\n[[step]]\nsubject = \"a\\nb\"\ntext = \"t\"\n", 3, "'subject' has more than one line"),
            (
                "name = \"x\"\n[snippets]\np = \"a\\nb\"\n[[step]]\nsubject = \"{{> p}}\"\ntext = \"t\"\n", 5,
                "'subject' has more than one line"
            ),
            (
                head + "[[step.variant]]\nname = \"v\"\nsubject = \" \"\n[[step.variant]]\nname = \"w\"\n", 8, "'subject' is empty"
            ),
            ("name = \"x\"\n[[step]]\nname = \"a\\nb\"\nsubject = \"s\"\ntext = \"t\"\n", 3, "the name of a step has letters or digits"),
            (
                head + "[[step]]\nname = \"b\"\ndelay = \"P9000D\"\ntext = \"t\"\n", 8,
                "'P9000D' is too long; the longest is ten years, \"P3660D\""
            ),
            (
                head + "[[step]]\ntype = \"condition\"\nname = \"b\"\n" + way + "if = \"field.a = 3\"\nto = \"c\"\n" + end, 10,
                "column 9 of the condition: 'and', 'or' or the end is expected, not '= 3'"
            ),
            (
                head + "[[step]]\ntype = \"condition\"\nname = \"b\"\n" + way
                    + "if = \"sent.zz\"\nto = \"c\"\n[[step]]\nname = \"c\"\ntext = \"t\"\n", 10,
                "there is no step 'zz'"
            ),
            (
                head + "[[step]]\ntype = \"split\"\nname = \"b\"\n" + way + "weight = 1\nto = \"a\"\n", 9,
                "a split has at least two transitions"
            ),
            (head + "[[step]]\ntype = \"stop\"\nname = \"b\"\nnext = \"a\"\n", 6, "nothing follows a stop"),
            (
                "track_opens = false\n" + head + way + "on = \"opened\"\nto = \"b\"\n" + end, 1,
                "opens are turned off, and the plan asks for them"
            ),
            (
                "track_clicks = false\n" + head + way + "on = \"no_click\"\nafter = \"P3D\"\nto = \"b\"\n" + end, 1,
                "clicks are turned off, and the plan asks for them"
            ),
            ("track_clicks = 1\n" + head, 1, "'track_clicks' must be true or false, not"),
            (head + "channel = \"sms\"\n", 6, "there is no channel 'sms' yet"),
            (head + "[[step.variant]]\nname = \"v\"\ntext = \"u\"\n", 6, "one variant alone is none"),
            (
                head + "[[step.variant]]\nname = \"v\"\ntext = \"u\"\n[[step.variant]]\nname = \"v\"\nweight = 0\ntext = \"w\"\n", 11,
                "a weight is a whole number from 1 to 1000"
            ),
            (head + "html = \"{{#a}}\"\n", 6, "html of this step, its line 1: section {{#a}} is never closed"),
            (
                "name = \"x\"\nquiet_hours = \"9 to 5\"\n" + "[[step]]\nsubject = \"s\"\ntext = \"t\"\n", 2,
                "quiet hours are two times of day"
            ),
            ("name = \"x\"\ntimezone = \"Mars\"\n" + "[[step]]\nsubject = \"s\"\ntext = \"t\"\n", 2, "'Mars' is no time zone"),
            ("name = \"x\"\nstart = \"z\"\n" + "[[step]]\nsubject = \"s\"\ntext = \"t\"\n", 2, "there is no step 'z' to begin with"),
            ("name = \"x\"\n[[step]]\ntext = \"t\"\n", 2, "'subject' is missing"),
            (
                "name = \"x\"\n[[step]]\ntype = \"wait\"\ndelay = \"P1D\"\n[[step]]\ntext = \"t\"\n", 5,
                "'subject' is missing: on a way to this step no message with a subject comes before"
            ),
            (head + "[[step]]\nname = \"a\"\ndelay = \"P1D\"\ntext = \"t\"\n", 7, "two steps have the same name"),
            ("name = \"x\"\nstop_company_on = [\"out_of_office\"]\n" + head.dropFirst(11), 2, "'out_of_office' ends nothing for others"),
            ("name = \"x\"\nstop_company_on = [1]\n" + head.dropFirst(11), 2, "must be a string or a list of strings"),
            ("name = \"x\"\nstop_company_on = [\"negative\", \"negative\"]\n" + head.dropFirst(11), 2, "'negative' stands there twice"),
            (
                "name = \"x\"\nstop_company_on = [\"negative\"]\nstop_company_in = \"everywhere\"\n" + head.dropFirst(11), 3,
                "there is no 'everywhere'; there are sequence, workspace"
            ),
            ("name = \"x\"\n\nstop_company_in = \"sequence\"\n" + head.dropFirst(11), 3, "but 'stop_company_on' is missing"),
            ("name = \"x\"\ndaily_starts = 0\n" + head.dropFirst(11), 2, "'daily_starts' is a whole number from 1 to 100000"),
            ("name = \"x\"\ndaily_starts = \"9\"\n" + head.dropFirst(11), 2, "'daily_starts' is a whole number from 1 to 100000"),
            (head + "[[step]]\nname = \"b\"\ntext = \"t\"\n", 6, "'delay' is missing"),
            (head + "[[step]]\nname = \"b\"\ndelay = \"P1M\"\ntext = \"t\"\n", 8, "'P1M' is not an ISO 8601 duration"),
            (head + "colour = \"red\"\n", 6, "unknown key 'colour'; known are"),
            ("name = \"x\"\n[snippets]\na = \"{{b\"\n" + head.dropFirst(11), 3, "this snippet, its line 1: a tag is opened"),
            (head.dropLast(4) + "\"{{> zz}}\"\n", 5, "there is no snippet 'zz'; there is none"),
        ] as [(String, Int, String)])
    func faults(source: String, line: Int, words: String) throws {
        do {
            _ = try read(source)
            Issue.record("taken without a fault")
        } catch let error as SequenceFile.Faults {
            let found = error.faults.first { $0.message.contains(words) }
            #expect(found?.line == line, "\(error.faults)")
        }
    }

    /// A file with a fault of each kind, from values over names and transitions to templates and circles.
    private static let manyFaults = """
        name = "x"
        timezone = "Mars"
        [snippets]
        bad = "{{"
        [[step]]
        name = "a"
        delay = "soon"
        subject = "{{#company}}"
        text = "{{> bad}} {{> missing}}"
        [[step.transition]]
        on = "repleid"
        to = "b"
        [[step.transition]]
        to = "nowhere"
        [[step]]
        type = "wait"
        name = "b"
        delay = "P1D"
        next = "c"
        [[step]]
        type = "action"
        name = "c"
        enroll = "x"
        next = "b"
        """

    @Test(
        "every fault is told in one go, and none that only follows from another",
        arguments: [
            (
                manyFaults,
                [
                    "2: 'Mars' is no", "4: this snippet, its line 1: a tag", "7: 'soon' is not",
                    "8: subject of this step, its line 1: section",
                    "9: text of this step, its line 1: there is no snippet 'missing'", "11: there is no event 'repleid'",
                    "14: there is no step 'nowhere'", "23: it begins its own", "24: an endless loop: b → c → b",
                ]
            ),
            // What is known of a step whose type is not is its name.
            (
                head + "next = \"b\"\n[[step]]\ntype = \"dance\"\nname = \"b\"\n" + way + "to = \"z\"\n",
                ["8: there is no type 'dance'", "11: there is no step 'z'"]
            ),
            // A subject, a name, a way or a start that could not be read may have been the one that is missed.
            ("name = \"x\"\n[[step]]\nsubjct = \"s\"\ntext = \"t\"\n", ["3: unknown key 'subjct'"]),
            ("name = \"x\"\n[[step]]\nsubject = 7\ntext = \"t\"\n", ["3: 'subject' must be a string"]),
            (head + "next = \"b\"\n[[step]]\nnmae = \"b\"\ndelay = \"P1D\"\ntext = \"t\"\n", ["8: unknown key 'nmae'"]),
            (head + "next = \"b\"\n[[step]]\nname = 7\ntext = \"t\"\ndelay = \"P1D\"\n", ["8: 'name' must be a string"]),
            (head + "netx = \"c\"\ntransition = []\n" + end, ["6: unknown key 'netx'"]),
            (head + "transition = 7\n" + end, ["6: 'transition' must be a list of tables"]),
            (head + way + "too = \"b\"\n" + end, ["6: 'to' is missing", "7: unknown key 'too'"]),
            (head + way + "to = \"bb\"\n" + end, ["7: there is no step 'bb'"]),
            (
                head + "[[step]]\ntype = \"condition\"\nname = \"c\"\n" + way + "if = \"(\"\nto = \"b\"\n" + way + "to = \"b\"\n" + end,
                ["10: column 2 of the condition"]
            ),
            // A condition whose one 'if' cannot be read has one.
            (
                head + "[[step]]\ntype = \"condition\"\nname = \"c\"\n" + way + "if = \"fild.a\"\nto = \"b\"\n" + end,
                ["10: column 1 of the condition: there is no 'fild'"]
            ),
            (
                "name = \"x\"\nstart = 7\n[[step]]\ntype = \"stop\"\nname = \"z\"\n[[step]]\nname = \"b\"\nsubject = \"s\"\ntext = \"t\"\n",
                ["2: 'start' must be a string"]
            ),
            // A circle of snippets is one fault.
            (
                "name = \"x\"\n[snippets]\na = \"{{> b}}\"\nb = \"{{> a}}\"\n" + head.dropFirst(11).dropLast(4) + "\"{{> a}}{{> b}}\"\n",
                ["3: this snippet, its line 1: in the snippet 'b'"]
            ),
            // What a variant takes over from its step is told of at the step.
            (
                head.dropLast(4)
                    + "\"{{\"\n[[step.variant]]\nname = \"v\"\nsubject = \"u\"\n[[step.variant]]\nname = \"w\"\nsubject = \"{{\"\n",
                ["5: text of this step", "11: subject of this step"]
            ),
        ] as [(String, [String])])
    func allAtOnce(source: String, expected: [String]) throws {
        let error = #expect(throws: SequenceFile.Faults.self) { try read(source) }
        let found = (error?.faults ?? []).map { "\($0.line): \($0.message)" }
        #expect(found.count == expected.count && zip(found, expected).allSatisfy { $0.utf8.starts(with: $1.utf8) }, "\(found)")
    }

    @Test(
        "a message may have HTML alone, of the step or of a variant, in both forms",
        arguments: [
            ("html = \"<p>Hi {{name}}</p>\"\n", 1), ("text = \"\"\nhtml = \"<p>Hi</p>\"\n", 1),
            (
                "html = \"<p>Hi</p>\"\n[[step.variant]]\nname = \"v\"\nsubject = \"u\"\n[[step.variant]]\nname = \"w\"\nhtml = \"<p>Ho</p>\"\n",
                2
            ),
            ("text = \"t\"\n[[step.variant]]\nname = \"v\"\ntext = \"\"\nhtml = \"<p>Hi</p>\"\n[[step.variant]]\nname = \"w\"\n", 1),
            ("[[step.variant]]\nname = \"v\"\nhtml = \"<p>Hi</p>\"\n[[step.variant]]\nname = \"w\"\ntext = \"t\"\n", 1),
        ])
    func htmlAlone(parts: String, derived: Int) throws {
        let file = try read("name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\n\(parts)")
        let letter = try #require(file.plan.steps[0].letter)
        #expect(file.warnings.isEmpty && letter.wordings.count { $0.html != nil && $0.text.isEmpty } == derived, "\(file.warnings)")
        let writer = PlanWriter(file.plan)
        for (text, name) in [(writer.toml, "x.toml"), (writer.json, "x.json")] {
            #expect(try read(text, as: name).plan == file.plan, "\(text)")
        }
        #expect(letter.writtenText != nil || !writer.toml.contains("text = \"\"\n"), "\(writer.toml)")
        #expect(try JSONDecoder().decode(SequencePlan.self, from: try JSONEncoder().encode(file.plan)) == file.plan)
    }

    @Test("a picture without words is warned of where no text can be made of it")
    func wordlessPage() throws {
        let page = "name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\nhtml = \"<p></p>\"\n"
        #expect(
            try read(page).warnings.map(\.description) == [
                "plan.toml:5: it has no words of which the text could be made; write 'text' beside it"
            ])
        #expect(try read(page + "text = \"t\"\n").warnings.isEmpty)
    }
}
