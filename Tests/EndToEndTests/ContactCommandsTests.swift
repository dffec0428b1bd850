import Foundation
import TestKit
import Testing

/// Imports of contacts with all that can be wrong with a file, through the built executable.
@Suite("contact commands")
struct ContactCommandsTests {
    @Test("a file in Windows-1252 with titles of its own is taken in as a person maps it")
    func mapped() async throws {
        let bench = try StateBench()
        let file = bench.folder("leute.csv")
        let bytes = Array("Kontakt;E-Mail-Adresse;Firma;Notiz\nJ".utf8) + [0xFC] + Array("rgen;juergen@b\u{FC}cher.example;M".utf8)
        // The address in UTF-8 would be another encoding than the rest, so it is written in Windows-1252, too.
        let latin = bytes.split(separator: UInt8(0xC3)).enumerated().flatMap { $0 == 0 ? Array($1) : [UInt8(0xFC)] + $1.dropFirst() }
        try Data(latin + [0xF6] + Array("be;geheim\n".utf8)).write(to: URL(filePath: file))
        _ = try await bench.output("contacts", "import", file, "--map", "Kontakt=name", "--map", "firma=company", "--map", "Notiz=-")
        let contact = try #require(try await bench.objects("contacts", "list").first)
        #expect(contact["name"] == "Jürgen" && contact["address"] == "juergen@bücher.example")
        #expect(contact.object("fields")?.keys == ["company"] && contact.object("fields")?["company"] == "Möbe")
        let unknown = try await bench.run("contacts", "import", file, "--map", "Ort=city")
        #expect(
            unknown.status == 65 && unknown.errorText.contains("\(file):1: there is no column 'Ort'; there are Kontakt, E-Mail-Adresse"))
        for option in [["--map", "x"], ["--encoding", "ebcdic"], ["--delimiter", "ab"], ["--refuse", "nice"]] {
            let outcome = try await bench.run("contacts", "import", file, option[0], option[1])
            #expect(outcome.status == 64 && outcome.errorText.contains("\(option[0]) "), "\(outcome.errorText)")
        }
    }

    @Test("refused rows are written with where and why, and taken in when they are mended")
    func refusedRows() async throws {
        let bench = try StateBench()
        let errors = bench.folder("refused.csv")
        let file = try bench.folder.write(
            "people.csv",
            text: "email,note\nann@example.org,\"two\nlines, \"\"quoted\"\"\"\nbo@,=1\ninfo@mailinator.com,x\nann@EXAMPLE.org,again\n")
        let outcome = try await bench.run("contacts", "import", file, "--errors", errors)
        #expect(outcome.status == 65 && outcome.outputText.contains("4 rows: 1 created, 0 updated, 0 suppressed, 3 refused; import "))
        #expect(
            TextFile.read(errors)
                == "import_source,import_reason,email,note\n\(file):4,'bo@' is not an email address,bo@,'=1\n"
                + "\(file):5,a disposable address,info@mailinator.com,x\n"
                + "\(file):6,\"the same address as line 2; keep one of the two\",ann@EXAMPLE.org,again\n")
        try bench.folder.write("refused.csv", text: TextFile.read(errors).replacing("bo@,", with: "bo@example.org,"))
        let mended = try await bench.run("contacts", "import", errors, "--refuse", "none", "--json")
        let verdicts = try JSONObject.lines(mended)
        #expect(mended.status == 0 && verdicts.map { $0["verdict"] } == ["created", "created", "updated"])
        #expect(verdicts.map { $0.texts("notes") } == [[], ["role", "disposable"], []])
        let bo = try #require(try await bench.objects("contacts", "show", "bo@example.org").first)
        #expect(bo.object("fields")?.keys == ["note"] && bo.object("fields")?["note"] == "=1")
    }

    @Test("a fault in the middle of a file is named before anything is stored")
    func faultInTheMiddle() async throws {
        let bench = try StateBench()
        let rows = (1...5000).map { "c\($0)@example.org,x" }.joined(separator: "\n")
        let outcome = try await bench.run("contacts", "import", "-", input: "email,note\n\(rows)\nz@example.org,\"open\n")
        #expect(outcome.status == 65 && outcome.errorText.contains("-:5002: a quoted cell is never closed"))
        #expect(try await bench.objects("contacts", "list").isEmpty)
        #expect(try await bench.objects("contacts", "imports").isEmpty)
    }

    @Test("an import is undone by its id")
    func undo() async throws {
        let bench = try StateBench()
        _ = try await bench.output("contacts", "import", "-", input: "email,city\nann@example.org,Ulm\n")
        let rows = (1...3000).map { "c\($0)@example.org,x" }.joined(separator: "\n")
        _ = try await bench.output("contacts", "import", "-", "--quiet", input: "email,city\nann@example.org,Bonn\n\(rows)\n")
        let imports = try await bench.objects("contacts", "imports")
        #expect(imports.map { $0.number("rows") } == [3001, 1] && imports.map { $0["state"] } == ["finished", "finished"])
        _ = try await bench.output("sequence", "load", try StateBench.fixture("hello.toml"))
        _ = try await bench.output("enroll", "hello", "c7@example.org")
        let id = try #require(imports[0]["id"])
        let undone = try #require(try await bench.objects("contacts", "undo", id).first)
        #expect(undone.number("deleted") == 2999 && undone.number("restored") == 1)
        #expect(
            undone.list("kept").map { "\($0["address"] ?? "") \($0["reason"] ?? "")" } == ["c7@example.org it was enrolled in a sequence"])
        let left = try await bench.objects("contacts", "list")
        #expect(left.map { $0["address"] } == ["ann@example.org", "c7@example.org"])
        #expect(left[0].object("fields")?["city"] == "Ulm")
        #expect(try await bench.objects("contacts", "imports").map { $0["state"] } == ["undone", "finished"])
        let noID = try await bench.run("contacts", "undo", "x")
        #expect(noID.status == 65 && noID.errorText.contains("'x' is not the id of an import"), "\(noID.errorText)")
        let empty = try await bench.run("suppress", "import", "/dev/null")
        #expect(empty.status == 65 && empty.errorText.contains("/dev/null:1: the file is empty"), "\(empty.errorText)")
        let nobody = try await bench.run("contacts", "undo", "aaaaaaaaab")
        #expect(nobody.status == 65 && nobody.errorText.contains("there is no import aaaaaaaaab"))
    }

    @Test("tags and lists: by import, by hand, written out and read in, taken back with the import")
    func groups() async throws {
        let (bench, other) = (try StateBench(), try StateBench())
        _ = try await bench.output("suppress", "add", "no@example.org")
        let sheet = "email,tags,city\nann@example.org,\"VIP, hot\",Ulm\nbo@example.org,,Ulm\nno@example.org,vip,\n"
        let imported = try await bench.output("contacts", "import", "-", "--tag", "2026", "--list", "Fair", input: sheet)
        #expect(imported.contains("2 created, 0 updated, 1 suppressed"))
        let wrong = try await bench.run("contacts", "import", "-", "--tag", "a;b", input: sheet)
        #expect(wrong.status == 64 && wrong.errorText.contains("'a;b' is no name of a tag"))
        let tagged = try await bench.run("contacts", "tag", "bo@example.org", "who@example.org", "--add", "hot", "--remove", "2026")
        #expect(tagged.status == 65 && tagged.outputText == "bo@example.org: tag hot, no tag 2026\n", "\(tagged.outputText)")
        #expect(tagged.errorText.contains("there is no contact who@example.org"))
        #expect(try await bench.run("contacts", "tag", "bo@example.org").status == 64)
        let tags = try await bench.objects("contacts", "tags")
        #expect(tags.map { $0["name"] } == ["2026", "hot", "VIP"] && tags.map { $0.number("contacts") } == [1, 2, 1])
        #expect(try await bench.output("contacts", "show", "ann@example.org").contains("tags:    2026, hot, VIP\nlists:   Fair\n"))
        let csv = try await bench.output("contacts", "export")
        #expect(csv == "email,name,time_zone,tags,lists,city\nann@example.org,,,\"2026;hot;VIP\",Fair,Ulm\nbo@example.org,,,hot,Fair,Ulm\n")
        _ = try await other.output("contacts", "import", "-", input: csv)
        #expect(try await other.output("contacts", "export") == csv)
        let dossier = try JSONObject.lines(try await bench.run("contacts", "export", "ann@example.org"))
        #expect(dossier.first?.texts("tags") == ["2026", "hot", "VIP"] && dossier.first?.texts("lists") == ["Fair"])
        let gone = try await bench.run("contacts", "lists", "delete", "fairy")
        #expect(gone.status == 65 && gone.errorText.contains("there is no list 'fairy'"))
        _ = try await bench.output("contacts", "lists", "remove", "FAIR", "ann@example.org")
        #expect(try await bench.objects("contacts", "lists").map { $0.number("contacts") } == [1])
        let id = try #require(try await bench.objects("contacts", "imports").first?["id"])
        _ = try await bench.output("sequence", "load", try StateBench.fixture("hello.toml"))
        _ = try await bench.output("enroll", "hello", "bo@example.org")
        let undone = try await bench.output("contacts", "undo", id)
        #expect(undone.contains("1 deleted, 0 given their values back, 1 kept, 4 tags and lists taken back"), "\(undone)")
        let left = try await bench.objects("contacts", "list")
        #expect(left.map { $0.texts("tags") } == [["hot"]] && left.map { $0.texts("lists") } == [[]])
        #expect(try await bench.output("contacts", "lists", "delete", "Fair") == "Fair: deleted, 0 contacts were on it\n")
    }

    @Test("fields are given and taken by hand")
    func fields() async throws {
        let bench = try StateBench()
        _ = try await bench.output("contacts", "import", "-", input: "email,city\nann@example.org,Ulm\nbo@example.org,\n")
        let set = try await bench.run(
            "contacts", "set", "ann@example.org", "who@example.org", "--field", "owner=anna", "--field", "city=")
        #expect(set.status == 65 && set.outputText == "ann@example.org: owner is 'anna', no city\n", "\(set.outputText)")
        #expect(set.errorText.contains("there is no contact who@example.org"))
        #expect(try await bench.output("contacts", "set", "--where", "owner = Anna", "--field", "owner=anna").contains("nothing changed"))
        let shown = try await bench.objects("contacts", "set", "--where", "not owner", "--field", "rank=7")
        #expect(shown.map { $0["address"] } == ["bo@example.org"] && shown.map { $0.texts("changed") } == [["rank"]])
        #expect(try await bench.output("contacts", "export") == "email,name,time_zone,owner,rank\nann@example.org,,,anna,\nbo@example.org,,,,7\n")
        for (field, why) in [
            ("email=x", "'email' is no field of a contact but a part of every one"), ("a b=1", "'a b' is no name of a field"),
            ("sender_name=x", "is set by every message itself"), ("x", "write NAME=VALUE"), ("tags=x", "a part of every one"),
        ] {
            let wrong = try await bench.run("contacts", "set", "bo@example.org", "--field", field)
            #expect(wrong.status == 64 && wrong.errorText.contains(why), "\(wrong.errorText)")
        }
    }

    @Test("whom a query or a segment of the conf means is listed, written out, tagged and enrolled")
    func segments() async throws {
        let bench = try StateBench()
        let sheet = "email,tags,country\nann@example.org,vip,DE\nbo@gmail.com,,AT\ncy@example.net,customer,DE\ndi@example.org,,FR\n"
        _ = try await bench.output("contacts", "import", "-", input: sheet)
        _ = try await bench.output("suppress", "add", "ann@example.org")
        let query = "country in (DE, \"AT\") and not tag:customer or provider = google"
        #expect(
            try await bench.objects("contacts", "list", "--where", query).map { $0["address"] } == ["ann@example.org", "bo@gmail.com"])
        let typo = try await bench.run("contacts", "list", "--where", "contry = DE")
        #expect(typo.status == 0 && typo.errorText.contains("column 1 of the query: note: no contact has a field 'contry'"))
        let wrong = try await bench.run("contacts", "list", "--where", "country = ")
        #expect(wrong.status == 64 && wrong.errorText.contains("--where: column 11: a text is expected"), "\(wrong.errorText)")
        let csv = try await bench.output("contacts", "export", "--where", "not country = DE")
        #expect(csv == "email,name,time_zone,tags,country\nbo@gmail.com,,,,AT\ndi@example.org,,,,FR\n")
        _ = try await bench.output("contacts", "tag", "--where", "domain = example.org", "--add", "org")
        #expect(try await bench.objects("contacts", "tags").map { $0.number("contacts") } == [1, 2, 1])
        let unknown = try await bench.run("contacts", "list", "--segment", "north")
        #expect(unknown.status == 64 && unknown.errorText.contains("there is no [segment.north]; the conf has none"))

        let text = TextFile.read(bench.conf)
        try bench.folder.write("postrider.conf", text: text + "[segment.org]\nwhere = \"tag:org and country > 5 x\"\n")
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).count + 1
        let checked = try await bench.run("check")
        #expect(checked.status == 1 && checked.errorText.contains("postrider.conf:\(line): column 25 of the query: 'and', 'or'"))
        try bench.folder.write("postrider.conf", text: text + "[segment.org]\nwhere = \"tag:org\"\n")
        #expect(try await bench.run("check").status == 0)
        _ = try await bench.output("sequence", "load", try StateBench.fixture("hello.toml"))
        #expect(try await bench.run("enroll", "hello", "--segment", "org", "--all").status == 64)
        let enrolled = try await bench.objects("enroll", "hello", "--segment", "org")
        #expect(enrolled.map { $0["verdict"] } == ["suppressed", "enrolled"])
        #expect(try await bench.objects("contacts", "list", "--where", "enrolled:hello").map { $0["address"] } == ["di@example.org"])
    }

    @Test("another address of a contact is known as theirs")
    func furtherAddresses() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let added = try await bench.output("contacts", "address", "ann@example.org", "--add", "ann@home.example")
        #expect(added == "ann@home.example: added\n")
        #expect(try await bench.output("contacts", "show", "ANN@home.example").contains("also:"))
        let dossier = try JSONObject.lines(try await bench.run("contacts", "export", "ann@home.example"))
        #expect(dossier.first?.texts("further_addresses") == ["ann@home.example"] && dossier.first?["address"] == "ann@example.org")
        let again = try await bench.output("contacts", "import", "-", input: "email,city\nann@home.example,Ulm\n")
        #expect(again.contains("0 created, 1 updated"))
        let taken = try await bench.run("contacts", "address", "bo@example.net", "--add", "ann@home.example")
        #expect(taken.status == 65 && taken.errorText.contains("belongs to the contact ann@example.org"))
        _ = try await bench.output("enroll", "hello", "ann@home.example")
        _ = try await bench.output("suppress", "add", "ann@home.example", "--reason", "unsubscribed")
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.list("enrollments").map { $0["cause"] } == ["unsubscribed"])
        #expect(try await bench.objects("suppress", "list").map { $0["subject"] } == ["ann@home.example", "ann@example.org"])
        #expect(try await bench.output("contacts", "address", "ann@example.org", "--remove", "ann@home.example").contains("removed"))
        #expect(try await bench.run("contacts", "show", "ann@home.example").status == 65)
    }

    @Test("a person is written out whole, and forgotten only when that is said twice")
    func erase() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "ann@example.org")
        let dossier = try JSONObject.lines(try await bench.run("contacts", "export", "ann@example.org"))
        #expect(dossier.first?["address"] == "ann@example.org" && dossier.first?.list("enrollments").count == 1)
        let unsure = try await bench.run("contacts", "erase", "ann@example.org")
        #expect(unsure.status == 64 && unsure.errorText.contains("a contact, 1 enrollments, 1 events; nothing was erased"))
        let erased = try #require(try await bench.objects("contacts", "erase", "Ann@example.org", "--yes").first)
        #expect(erased.bool("contact") == true && erased["suppressed_as"] == "erased" && erased.bool("log_overwritten") == true)
        #expect(try await bench.objects("contacts", "list").map { $0["address"] } == ["bo@example.net"])
        let again = try await bench.output("contacts", "import", "-", input: "email\nann@example.org\n")
        #expect(again.contains("suppressed ann@example.org: erased"))
        #expect(try await bench.objects("suppress", "list").map { $0["kind"] } == ["hash"])
        // The hash goes out and comes back here; of another installation it would match nobody.
        let exported = try await bench.output("suppress", "export")
        #expect(try await bench.output("suppress", "import", "-", input: exported).contains("1 rows: 1 suppressed, 0 refused"))
        let other = try StateBench()
        let foreign = try await other.run("suppress", "import", "-", input: exported)
        #expect(foreign.status == 65 && foreign.errorText.contains("-:2: the hash is another installation's"), "\(foreign.errorText)")
        #expect(try await other.objects("suppress", "list").isEmpty)
        let bare = try await bench.run("suppress", "import", "-", input: "subject,kind\n\(String(repeating: "0a", count: 32)),hash\n")
        #expect(bare.status == 65 && bare.errorText.contains("column 'installation'"), "\(bare.errorText)")
        let kinds = try await bench.run(
            "suppress", "import", "-", input: "subject,kind\nx@example.com,domain\nexample.com,domain\ny@example.com,person\n")
        #expect(kinds.status == 65 && kinds.outputText.contains("3 rows: 1 suppressed, 2 refused"), "\(kinds.errorText)")
        #expect(kinds.errorText.contains("-:2: 'x@example.com' is of the kind address, and the column 'kind' says 'domain'"))
        _ = try await bench.output("suppress", "remove", "example.com")
        let refused = try await bench.run("suppress", "remove", "ann@example.org")
        #expect(refused.status == 65 && refused.errorText.contains("erased (manual"))
        _ = try await bench.output("suppress", "remove", "ann@example.org", "--unsubscribed")
        #expect(try await bench.output("contacts", "import", "-", input: "email\nann@example.org\n").contains("1 created"))
        #expect(try await bench.objects("queue", "--all").isEmpty)
    }

    @Test("patterns and the whole installation are suppressed, written out and read in")
    func patterns() async throws {
        let (bench, other) = (try StateBench(), try StateBench())
        _ = try await bench.output("suppress", "add", "Info@*", "*.Example.net", "--scope", "instance", "--note", "no offices")
        _ = try await bench.output("suppress", "add", "ann@example.org", "--reason", "complaint")
        let verdicts = try JSONObject.lines(
            try await bench.run(
                "contacts", "import", "-", "--json", input: "email\ninfo@acme.example\nbo@a.example.net\nbo@example.net\nann@example.org\n")
        )
        #expect(verdicts.map { $0["verdict"] } == ["suppressed", "suppressed", "created", "suppressed"])
        let listed = try await bench.objects("suppress", "list", "--kind", "pattern")
        #expect(listed.map { $0["subject"] } == ["info@*", "*@*.example.net"] && listed.map { $0["scope"] } == ["instance", "instance"])
        #expect(try await bench.objects("suppress", "list", "--reason", "complaint").map { $0["subject"] } == ["ann@example.org"])
        _ = try await other.output("suppress", "import", "-", input: try await bench.output("suppress", "export"))
        let read = try await other.objects("suppress", "list")
        #expect(
            read.map { "\($0["scope"] ?? "") \($0["subject"] ?? "")" } == [
                "instance info@*", "instance *@*.example.net", "workspace ann@example.org",
            ])
        #expect(try await other.run("suppress", "remove", "info@*").status == 65)
        _ = try await other.output("suppress", "remove", "info@*", "--scope", "instance")
        for wrong in ["*", "*[a]@example.com"] {
            let outcome = try await bench.run("suppress", "add", wrong)
            #expect(outcome.status == 65 && outcome.errorText.contains("'\(wrong)' "))
        }
        #expect(try await bench.run("suppress", "add", "a@example.com", "--scope", "world").status == 65)
    }
}
