import Foundation
import TestKit
import Testing

/// Plans that branch, through the built executable.
@Suite("plans")
struct SequencePlanTests {
    private static let json = """
        {
          "version": "1.0",
          "startNodeId": "intro",
          "team": {"of": "sales"},
          "nodes": [
            {"id": "intro", "type": "send", "channel": "email", "subject": "About {{company}}", "text": "One",
             "transitions": [{"to": "choose"}]},
            {"id": "choose", "type": "condition",
             "transitions": [{"if": "field.size == 'big' and sent.intro", "to": "big"}, {"to": "small"}]},
            {"id": "big", "type": "send", "subject": "For the big", "text": "Two"},
            {"id": "small", "type": "send", "subject": "For the small", "text": "Two"}
          ]
        }
        """

    @Test("a JSON plan is checked, loaded, shown in both forms and loaded again, and decides by what it knows of a contact")
    func branches() async throws {
        let bench = try StateBench()
        let file = try bench.folder.write("branches.json", text: Self.json)
        let checked = try await bench.run("sequence", "validate", file)
        #expect(checked.status == 0 && checked.errorText.contains("branches.json:4: 'team' means nothing here; it is kept as it is"))
        _ = try await bench.output("sequence", "load", file)
        let json = try await bench.output("sequence", "show", "branches", "--plan", "json")
        #expect(json.contains("\"team\": {\n    \"of\": \"sales\"\n  }"))
        let toml = try await bench.output("sequence", "show", "branches", "--plan", "toml")
        let again = try bench.folder.write("again.toml", text: toml)
        _ = try await bench.output("sequence", "load", again)
        #expect(try await bench.output("sequence", "show", "branches", "--plan", "json") == json)

        _ = try await bench.output(
            "contacts", "import", "-", input: "email,company,size\nann@example.com,Acme,big\nbo@example.com,Acme,\n")
        _ = try await bench.output("enroll", "branches", "--all")
        let serve = try await bench.serve()
        for (address, step) in [("ann@example.com", "big"), ("bo@example.com", "small")] {
            let ended = try await eventually("\(address) comes to the end", within: .seconds(90)) {
                let enrollment = try await bench.objects("contacts", "show", address).first?.list("enrollments").first
                return enrollment?["state"] == "finished" ? enrollment : nil
            }
            #expect(ended["step"] == step && ended["step_done_at"] != nil, "\(ended)")
        }
        withExtendedLifetime(serve) {}
    }

    @Test("a preview writes the messages of named contacts, and says of all of them who would be parked and why")
    func preview() async throws {
        let bench = try StateBench()
        let source = """
            name = "x"
            [[step]]
            name = "a"
            delay = "PT0S"
            subject = "For {{company}}"
            text = "Hello {{first|there}}"
            html = "<p>Hello <b>{{first|there}}</b></p>"
            [[step]]
            name = "b"
            delay = "P3D"
            text = "Once more, {{company}}: {{note}}"
            """
        let file = try bench.folder.write("x.toml", text: source)
        let people =
            "email,company,first,note\nann@example.com,Acme,Ann,n\nbo@example.com,,Bo,\ncy@example.com,Cyan,,{{x\ndi@example.com,Di,,\n"
        _ = try await bench.output("contacts", "import", "-", input: people)
        let matrix = try await bench.output("sequence", "preview", file)
        #expect(matrix.contains("x: 1 of 4 contacts get every message; 3 would be parked"), "\(matrix)")
        let rows = matrix.split(separator: "\n").dropFirst(2).map { $0.split(separator: " ").joined(separator: " ") }
        #expect(
            rows.dropLast() == [
                "a no value for company 1 bo@example.com", "b no value for note 2 bo@example.com",
                "b no value for company 1 bo@example.com",
            ], "\(rows)")
        #expect(matrix.contains("the field 'note' holds '{{x', a mark that nothing was put in for; correct it with"), "\(matrix)")

        _ = try await bench.output("suppress", "add", "bo@example.com")
        let fewer = try await bench.output("sequence", "preview", file)
        #expect(fewer.contains("1 of 4 contacts get every message; 2 would be parked; 1 are suppressed and get none"), "\(fewer)")
        let unknown = try await bench.run("sequence", "preview", "x", "ann@example.com")
        #expect(unknown.status == 65, "\(unknown.errorText)")
        _ = try await bench.output("sequence", "load", file)
        let letters = try await bench.output("sequence", "preview", "x", "ann@example.com")
        #expect(letters.contains("step a, as anna\nSubject: For Acme\n\nHello Ann\n"), "\(letters)")
        #expect(letters.contains("HTML, which most readers see instead:\n\n<p>Hello <b>Ann</b></p>"), "\(letters)")
        #expect(letters.contains("Subject: Re: For Acme\n\nOnce more, Acme: n\n"))
        let whole = try #require(try await bench.objects("sequence", "preview", "x", "bo@example.com").first)
        #expect(whole.bool("parked") == true && whole["identity"] == "anna" && whole["suppressed"] == "manual")
        #expect(whole.list("steps").map { $0["verdict"] } == ["missing", "missing"])
        #expect(whole.list("steps").last?.texts("missing") == ["company", "note"])
        let some = try await bench.objects("sequence", "preview", "x", "--where", "company = Acme")
        #expect(some.count == 1 && some.first?.list("steps").map { $0["subject"] } == ["For Acme", "Re: For Acme"])
        #expect(some.first?.list("steps").first?["text"] == nil)
        #expect(try await bench.output("queue", "list", "--json").isEmpty)

        let acts = """
            name = "y"
            [[step]]
            type = "action"
            name = "set"
            set = { note = "n" }
            owner = ["anna", "ben"]
            [[step]]
            name = "a"
            subject = "{{note}} of {{owner}}"
            text = "Hello"
            """
        let done = try await bench.output("sequence", "preview", try bench.folder.write("y.toml", text: acts))
        #expect(done.contains("y: 3 of 4 contacts get every message; 0 would be parked; 1 are suppressed"), "\(done)")
    }

    @Test("beforehand it is said whose messages would be parked, and whether the conf lets them out")
    func beforehand() async throws {
        let bench = try StateBench()
        let source =
            "name = \"x\"\nquiet_hours = \"08:00-18:00\"\n[[step]]\nname = \"a\"\nsubject = \"{{company}}\"\ntext = \"{{size|any}}\"\n"
        let file = try bench.folder.write("x.toml", text: source)
        let contacts = try bench.folder.write(
            "people.csv", text: "email,company\nann@example.com,Acme\nbo@example.com,\nnobody,\nANN@example.com,B\n")
        let counted = try await bench.output("sequence", "validate", file, "--contacts", contacts)
        #expect(counted.contains("1 of 2 contacts would be parked for want of a value; 2 rows are no contacts"))
        #expect(counted.contains("company"))
        let rows = try await bench.output("sequence", "validate", file, "--contacts", contacts, "--json")
        #expect(rows.contains(#""address":"bo@example.com","sequence":"x","parked":true,"missing":{"a":["company"]}"#))
        let text = TextFile.read(bench.conf).replacing("00:00-24:00", with: "09:00-17:00")
        try bench.folder.write("postrider.conf", text: text)
        for words in [["validate", file, "--conf", bench.conf], ["load", file]] {
            let refused = try await Executable.run(["--conf", bench.conf, "sequence"] + words)
            let fault = "\(file):2: its quiet hours leave nothing of the hours in which identity 'anna' may send"
            #expect(refused.status == 65 && refused.errorText.contains(fault), "\(refused.errorText)")
        }
        #expect(try await bench.output("sequence", "list").contains("no sequence is loaded"))
    }

    @Test("what no identity may send by its law is not taken in; where one may, the others are refused when somebody is to be enrolled")
    func laws() async throws {
        let bench = try StateBench()
        let bare = "[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"Hello.\"\n"
        let file = try bench.folder.write(
            "x.toml", text: "name = \"x\"\n\(bare)[[step]]\nname = \"b\"\ndelay = \"P1D\"\ntext = \"Bye: {{unsubscribe_url}}\"\n")
        _ = try await bench.output("contacts", "import", try bench.folder.write("ann.csv", text: "email\nann@example.com\n"))
        let link =
            "[unsubscribe]\nlist_unsubscribe = \"both\"\none_click_url = \"https://u.example.com/\"\n[http]\nlisten = \"127.0.0.1:8099\"\n"
        let conf = TextFile.read(bench.conf) + link
        try bench.folder.write("postrider.conf", text: conf + "[compliance]\nlaw = \"eu\"\n")
        for words in [["validate", file, "--conf", bench.conf], ["load", file]] {
            let refused = try await Executable.run(["--conf", bench.conf, "sequence"] + words)
            let fault =
                "\(file):2: the law 'eu' of identity anna wants each message to show how to get no more, and this one does not; write"
            #expect(refused.status == 65 && refused.errorText.contains(fault), "\(refused.errorText)")
            #expect(refused.errorText.split(separator: "\n").count == 1, "the second step shows it")
        }
        let ben = "[identity.ben]\nfrom = \"ben@example.com\"\n[compliance]\nlaw = \"eu\"\n"
        try bench.folder.write(
            "postrider.conf", text: conf.replacing("[identity.anna]\n", with: "[identity.anna]\nlaw = \"none\"\n") + ben)
        let loaded = try await bench.run("sequence", "load", file)
        #expect(loaded.status == 0 && loaded.errorText.contains("the law 'eu' of identity ben wants each message"), "\(loaded.errorText)")
        let refused = try await bench.run("enroll", "x", "ann@example.com", "--identity", "anna,ben")
        #expect(
            refused.status == 65 && refused.errorText.contains("sequence 'x', step a: the law 'eu' of identity ben"), "\(refused.errorText)"
        )
        #expect(try await bench.run("enroll", "x", "ann@example.com", "--identity", "anna").status == 0)
        try bench.folder.write("postrider.conf", text: conf + "[compliance]\nlaw = \"eu\"\nopt_out = \"Answer 'no' and I am silent.\"\n")
        #expect(try await bench.run("sequence", "load", file).status == 0)
    }

    @Test("what a file asks for and the conf or the contacts do not have is told with its line")
    func asksForNothing() async throws {
        let bench = try StateBench()
        func file(_ condition: String, _ text: String = "t") throws -> String {
            let head =
                "name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"\(text)\"\n[[step]]\nname = \"c\"\ntype = \"condition\"\n"
            let ways = "transition = [{ if = '\(condition)', to = \"z\" }, { to = \"z\" }]\n[[step]]\nname = \"z\"\ntype = \"stop\"\n"
            return try bench.folder.write("x.toml", text: head + ways)
        }
        let odd = try file("identity == \"annna\" or provider in [\"goggle\", \"google\"] or opened", "{{unsubscribe_url}}")
        for words in [["validate", odd, "--conf", bench.conf], ["load", odd]] {
            let refused = try await Executable.run(["--conf", bench.conf, "sequence"] + words)
            let faults = refused.errorText
            #expect(refused.status == 65 && faults.contains("\(odd):2: {{unsubscribe_url}} has no value"), "\(faults)")
            #expect(faults.contains("\(odd):9: step 'c': there is no identity 'annna'; there are anna"), "\(faults)")
            #expect(faults.contains("\(odd):9: step 'c': there is no provider 'goggle'; there are "), "\(faults)")
            #expect(faults.contains("\(odd):9: it asks for opens, which are not counted for it"), "\(faults)")
        }
        let asking = try file("field.budgt > 3 and (tag:nosuch or list:nolist) and field.size and identity == \"Anna\"")
        let none = try await bench.run("sequence", "load", asking)
        #expect(none.status == 0 && none.errorText.isEmpty, "nobody is there who could have it: \(none.errorText)")
        let people = "email,size,budgt\nann@example.com,9,\n"
        _ = try await bench.output("contacts", "import", "-", input: people)
        let told = try await bench.run("sequence", "load", asking)
        #expect(
            told.errorText.split(separator: "\n").map(String.init) == [
                "\(asking):9: step 'c': no contact has a field 'budgt' (a warning)",
                "\(asking):9: step 'c': there is no tag 'nosuch' (a warning)",
                "\(asking):9: step 'c': there is no list 'nolist' (a warning)",
            ])
        let sheet = try bench.folder.write("people.csv", text: people)
        let counted = try await Executable.run(["sequence", "validate", asking, "--contacts", sheet])
        #expect(counted.status == 0 && counted.errorText == "\(asking):9: step 'c': no row of \(sheet) has a field 'budgt' (a warning)\n")
    }

    @Test(
        "sequences that lead back to themselves are not taken in, whether they are loaded or beside each other; one that begins nothing known is"
    )
    func circles() async throws {
        let bench = try StateBench()
        func file(_ name: String, begins next: String?) throws -> String {
            let step = next.map { "[[step]]\ntype = \"action\"\nname = \"on\"\nenroll = \"\($0)\"\n" } ?? ""
            return try bench.folder.write(
                "\(name).toml", text: "name = \"\(name)\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"t\"\n\(step)")
        }
        let (one, two) = (try file("one", begins: "two"), try file("two", begins: "one"))
        let both = try await bench.run("sequence", "validate", one, two)
        let circle = "\(one):9: a circle of sequences: one → two → one; nobody would ever come out of it"
        #expect(both.status == 65 && both.errorText.contains(circle), "\(both.errorText)")
        #expect(both.errorText.split(separator: "\n").count == 1, "a circle is told once")
        #expect(try await bench.run("sequence", "load", one, two).status == 65)
        let first = try await bench.run("sequence", "load", one)
        #expect(
            first.status == 0 && first.errorText.contains("\(one):9: it begins the sequence 'two', which is not loaded"),
            "\(first.errorText)")
        let second = try await bench.run("sequence", "load", two)
        #expect(second.status == 65 && second.errorText.contains("\(two):9: a circle of sequences: two → one → two"), "\(second.errorText)")
        // A new version that begins nothing opens the circle.
        let opened = try await bench.run("sequence", "load", try file("one", begins: nil), two)
        #expect(opened.status == 0 && !opened.errorText.contains("which is not loaded"), "\(opened.errorText)")
    }

    @Test("a message of HTML alone is previewed with the text that is made of it; subjects of variants are shown")
    func htmlAlone() async throws {
        let bench = try StateBench()
        let file = try bench.folder.write(
            "page.toml",
            text: """
                name = "page"
                [[step]]
                name = "a"
                html = "<p>Hello <b>{{first|there}}</b></p>"
                [[step.variant]]
                name = "one"
                subject = "First"
                [[step.variant]]
                name = "two"
                subject = "Second"
                """)
        _ = try await bench.output("sequence", "load", file)
        _ = try await bench.output("contacts", "import", "-", input: "email,first\nann@example.com,Ann\n")
        let letter = try await bench.output("sequence", "preview", "page", "ann@example.com")
        #expect(letter.contains("\n\nHello Ann\n"), "\(letter)")
        let shown = try await bench.output("sequence", "show", "page")
        #expect(shown.contains("First | Second") && !shown.contains("goes on in the thread"), "\(shown)")
        #expect(try await bench.output("sequence", "show", "page", "--plan", "toml").contains("text") == false)
    }

    @Test("variants are compared step by step, and anew when one of them changes")
    func variants() async throws {
        let bench = try StateBench()
        func load(second: String) async throws {
            let file = try bench.folder.write(
                "ab.toml",
                text: """
                    name = "ab"
                    [[step]]
                    name = "one"
                    subject = "s"
                    [[step.variant]]
                    name = "a"
                    text = "first"
                    [[step.variant]]
                    name = "\(second)"
                    text = "other"
                    """)
            _ = try await bench.output("sequence", "load", file)
        }
        try await load(second: "b")
        let none = try await bench.output("sequence", "stats", "ab", "--by", "variant")
        #expect(none.contains("STEP") && none.contains("\none: no winner yet: 'a' went to 0 people, and 30 are needed"), "\(none)")
        let before = try await bench.objects("sequence", "stats", "ab", "--by", "variant")
        #expect(before.count == 3 && before[0]["step"] == "one" && before[0]["variant"] == "a" && before[0].bool("current") == true)
        #expect(before[2]["trial"]?.contains("30 are needed") == true && before[2]["step"] == "one")
        try await load(second: "c")
        let after = try await bench.objects("sequence", "stats", "ab", "--by", "variant")
        #expect(after.compactMap { $0["variant"] } == ["a", "c"], "nothing went out of the old ones: \(after)")
        _ = try await bench.output(
            "sequence", "load", try bench.folder.write("p.toml", text: "name = \"p\"\n[[step]]\nsubject = \"s\"\ntext = \"t\"\n"))
        #expect(try await bench.output("sequence", "stats", "p", "--by", "variant") == "no step has variants\n")
    }

    @Test("who is on the way is taken to a new version only when a person says so, who sees before what would become of each")
    func migrates() async throws {
        let bench = try StateBench()
        func file(_ steps: [(name: String, delay: String)]) throws -> String {
            let texts = steps.map { "[[step]]\nname = \"\($0.name)\"\ndelay = \"\($0.delay)\"\nsubject = \"s\"\ntext = \"t\"\n" }
            return try bench.folder.write("road.toml", text: "name = \"road\"\n" + texts.joined())
        }
        func standing(_ address: String) async throws -> JSONObject {
            try #require(try await bench.objects("contacts", "show", address).first?.list("enrollments").first)
        }
        _ = try await bench.output("sequence", "load", try file([("one", "P9D"), ("two", "P1D")]))
        _ = try await bench.output("contacts", "import", "-", input: "email\nann@example.com\nbo@example.com\n")
        _ = try await bench.output("enroll", "road", "--all")
        _ = try await bench.output("sequence", "stop", "road", "--contact", "bo@example.com")
        _ = try await bench.output("sequence", "load", try file([("zero", "P9D"), ("one", "P9D")]))
        let before = try await standing("ann@example.com")

        let preview = try await bench.output("sequence", "migrate", "road", "--dry-run")
        #expect(preview.contains("road: 1 would move to version") && preview.contains("0 stay on theirs, 1 are over"), "\(preview)")
        let still = try await standing("ann@example.com")
        #expect(still["reason"] == before["reason"] && still["due_at"] == before["due_at"])
        let done = try await bench.output("sequence", "migrate", "road")
        #expect(done.contains("road: 1 moved to version") && done.contains("  1 at one"), "\(done)")
        let after = try await standing("ann@example.com")
        #expect(after["step"] == "one" && after["state"] == "active" && after["due_at"] == before["due_at"], "\(after)")
        #expect(after["reason"]?.contains("instead of") == true)
        #expect(try await bench.output("sequence", "migrate", "road").contains("road: 0 moved"))

        _ = try await bench.output("sequence", "load", try file([("zero", "P9D")]))
        let stays = try await bench.objects("sequence", "migrate", "road", "--json")
        #expect(stays.count == 1 && stays.first?["verdict"] == "stays", "\(stays)")
        #expect(stays.first?["reason"] == "it stands at 'one', which the new version does not have")
        _ = try await bench.output("db", "check", "--statistics")
    }
}
