import Foundation
import TestKit
import Testing

/// Contacts, sequences, enrolling, suppression and the database itself, through the built executable.
@Suite("state commands")
struct StateCommandsTests {
    // MARK: contacts

    @Test("an import gives a verdict for every row, stores the good ones and ends with 65")
    func importVerdicts() async throws {
        let bench = try StateBench()
        let file = try StateBench.fixture("contacts.csv")
        _ = try await bench.output("suppress", "add", "gone@example.com", "--reason", "refused")
        let dry = try await bench.run("contacts", "import", file, "--dry-run", "--json")
        #expect(dry.status == 65)
        #expect(dry.errorText.contains("2 created, 0 updated, 1 suppressed, 5 refused (dry run"))
        #expect(try await bench.objects("contacts", "list").isEmpty)

        let outcome = try await bench.run("contacts", "import", file, "--json")
        #expect(outcome.status == 65)
        let rows = try JSONObject.lines(outcome)
        let verdicts = rows.map { "\(Int($0.number("line") ?? 0)) \($0["verdict"] ?? "") \($0["reason"] ?? "")" }
        #expect(
            verdicts == [
                "2 created ", "3 created ", "4 refused 'not an address' is not an email address",
                "5 refused the same address as line 2; keep one of the two",
                "6 refused 'Mars/Base' is not a time zone; write for instance Europe/Berlin",
                "7 refused 6 cells under 5 columns; put quotes around a cell that holds the delimiter", "8 suppressed refused",
                "9 refused no address",
            ])
        #expect(rows.map(\.keys) == Array(repeating: ["line", "address", "verdict", "contact", "reason", "notes", "import"], count: 8))
        #expect(outcome.errorText.contains("\(file):6: refused: 'Mars/Base' is not a time zone"))
        #expect(outcome.errorText.contains("8 rows: 2 created, 0 updated, 1 suppressed, 5 refused"))

        let again = try await bench.run("contacts", "import", file)
        #expect(again.status == 65 && again.outputText.contains("2: updated ann@example.org\n"))
        let contacts = try await bench.objects("contacts", "list")
        #expect(contacts.map { $0["address"] } == ["ann@example.org", "bo@example.org"])
        #expect(contacts[0]["name"] == "Ann A" && contacts[0]["time_zone"] == "Europe/Berlin")
        #expect(contacts[1].isNull("name") && contacts[1].object("fields")?["company"] == "B; \"Sons\"")
        #expect(contacts[1].object("fields")?["first_name"] == "Bo")
    }

    @Test("an import brings up to date what is given and leaves the rest")
    func importUpdates() async throws {
        let bench = try StateBench()
        _ = try await bench.output("contacts", "import", "-", input: "email,name,city\nann@example.org,Ann,Ulm\n")
        _ = try await bench.output("contacts", "import", "-", input: "address\tname\tcity\tjob\nAnn@Example.org\t\tBonn\tboss\n")
        let ann = try #require(try await bench.objects("contacts", "show", "ANN@example.org").first)
        #expect(ann["name"] == "Ann" && ann.object("fields")?["city"] == "Bonn" && ann.object("fields")?["job"] == "boss")
    }

    @Test(
        "a file whose header cannot be used is refused whole, with file and line",
        arguments: [
            ("name,company\nAnn,Acme\n", "-:1: no column 'email'"),
            ("email,company,company\n", "-:1: column 3 is 'company' a second time"),
            ("email,E-Mail\n", "-:1: column 2 is 'email' a second time"),
            ("email,sender_name\n", "-:1: 'sender_name' is set by every message itself"),
            ("", "-:1: the file is empty"),
            ("email\n\"ann@example.org\n", "-:2: a quoted cell is never closed"),
            ("email\n\u{0}\n", "-:2: a zero byte: not a text file"),
        ])
    func importHeader(_ text: String, _ fault: String) async throws {
        let outcome = try await StateBench().run("contacts", "import", "-", input: text)
        #expect(outcome.status == 65 && outcome.output.isEmpty)
        #expect(outcome.errorText.contains(fault), "\(outcome.errorText)")
    }

    @Test("contacts are listed page by page, and shown with nothing that moves a terminal's cursor")
    func listAndShow() async throws {
        let bench = try StateBench()
        let rows = (1...5).map { "c\($0)@example.org,\"one\u{1b}[2Jtwo\u{202e}\"" }.joined(separator: "\n")
        _ = try await bench.output("contacts", "import", "-", input: "email,note\n\(rows)\n")
        let first = try await bench.objects("contacts", "list", "--limit", "2")
        let rest = try await bench.objects("contacts", "list", "--after", try #require(first.last?["id"]))
        #expect((first + rest).map { $0["address"] } == (1...5).map { "c\($0)@example.org" })
        let shown = try await bench.output("contacts", "show", "c1@example.org")
        #expect(shown.contains(#"one\x1b[2Jtwo\u{202e}"#) && !shown.utf8.contains(0x1b))
        #expect(try await bench.objects("contacts", "show", "c1@example.org").first?.object("fields")?["note"] == "one\u{1b}[2Jtwo\u{202e}")
        #expect(try await bench.run("contacts", "list", "--limit", "0").status == 64)
        #expect(try await bench.run("contacts", "list", "--after", "nope").status == 65)
        let nobody = try await bench.run("contacts", "show", "nobody@example.org")
        #expect(nobody.status == 65 && nobody.errorText.contains("there is no contact nobody@example.org"))
    }

    @Test("contacts are written out as they are read in")
    func export() async throws {
        let (bench, other) = (try StateBench(), try StateBench())
        let file =
            "email,name,time_zone,city,note\nann@example.org,\"Ann, A\",Europe/Berlin,,\"one\ntwo \"\"3\"\"\"\nbo@example.org,,,Ulm,\n"
        _ = try await bench.output("contacts", "import", "-", input: file)
        let exported = try await bench.output("contacts", "export")
        #expect(exported == file)
        #expect(try await other.output("contacts", "import", "-", input: exported).contains("2 created"))
        #expect(try await other.output("contacts", "export") == file)
    }

    @Test("what a spreadsheet would take for a formula is written with an apostrophe and read without it")
    func formulas() async throws {
        let (bench, other) = (try StateBench(), try StateBench())
        let file = "email,name,note\n+1@example.org,=1+1,@SUM(A1)\nbo@example.org,-Bo,'=2\n"
        _ = try await bench.output("contacts", "import", "-", input: file)
        let exported = try await bench.output("contacts", "export")
        #expect(exported == "email,name,time_zone,note\n'+1@example.org,'=1+1,,'@SUM(A1)\nbo@example.org,'-Bo,,'=2\n")
        _ = try await other.output("contacts", "import", "-", input: exported)
        #expect(try await other.output("contacts", "export") == exported)
        let read = try await other.objects("contacts", "list")
        #expect(read.map { $0["address"] } == ["+1@example.org", "bo@example.org"] && read.map { $0["name"] } == ["=1+1", "-Bo"])
        _ = try await bench.output("suppress", "add", "ann@example.org", "--note", "=HYPERLINK(1)")
        #expect(try await bench.output("suppress", "export").contains(",'=HYPERLINK(1)"))
        _ = try await other.output("suppress", "import", "-", input: try await bench.output("suppress", "export"))
        #expect(try await other.objects("suppress", "list").first?["note"]?.hasPrefix("=HYPERLINK(1)") == true)
    }

    // MARK: sequences

    @Test("every fault of all sequence files is named with file and line, and nothing is loaded")
    func sequenceFaults() async throws {
        let bench = try StateBench()
        let (good, bad) = (try StateBench.fixture("hello.toml"), try StateBench.fixture("faulty.toml"))
        for command in ["validate", "load"] {
            let outcome = try await bench.run("sequence", command, good, bad, bench.folder("missing.toml"))
            #expect(outcome.status == 65 && outcome.output.isEmpty)
            for fault in [
                "\(bad):1: a name has letters", "\(bad):3: 'text' is missing", "\(bad):4: '3d' is not an ISO 8601 duration",
                "\(bad):6: unknown key 'texxt'", "\(bench.folder("missing.toml")): cannot be read",
            ] {
                #expect(outcome.errorText.contains(fault), "\(outcome.errorText)")
            }
        }
        #expect(try await bench.objects("sequence", "list").isEmpty)
        let twice = try await bench.run("sequence", "load", good, try bench.folder.write("copy.toml", text: TextFile.read(good)))
        #expect(twice.status == 65 && twice.errorText.contains("copy.toml:1: 'hello' is the name of the sequence in \(good) too"))
    }

    @Test("validate needs no conf")
    func validateAlone() async throws {
        let outcome = try await Executable.run(["sequence", "validate", try StateBench.fixture("hello.toml")])
        #expect(outcome.status == 0 && outcome.outputText.contains("no faults; sequence 'hello', 2 steps"))
    }

    @Test("loading the same file again changes nothing, a changed one is a new version")
    func sequenceVersions() async throws {
        let bench = try StateBench()
        let file = try bench.folder.write("hello.toml", text: TextFile.read(try StateBench.fixture("hello.toml")))
        #expect(try await bench.objects("sequence", "load", file).map { $0["verdict"] } == ["loaded"])
        #expect(try await bench.objects("sequence", "load", file).map { $0["verdict"] } == ["unchanged"])
        try bench.folder.write("hello.toml", text: TextFile.read(file) + "\n[[step]]\ndelay = \"P1W\"\ntext = \"Goodbye.\"\n")
        #expect(try await bench.objects("sequence", "load", file).map { $0["verdict"] } == ["new version"])
        let listed = try await bench.objects("sequence", "list")
        #expect(listed.map { $0["sequence"] } == ["hello"] && listed[0].number("steps") == 3)
        let shown = try #require(try await bench.objects("sequence", "show", "hello").first)
        #expect(shown.list("steps").map { $0["delay"] } == ["PT0S", "P3D", "P1W"])
        #expect(shown.list("steps").map { $0.isNull("subject") } == [false, true, true])
        let missing = try await bench.run("sequence", "show", "hallo")
        #expect(missing.status == 65 && missing.errorText.contains("loaded are hello"))
    }

    // MARK: enrolling

    @Test("enrolling gives a verdict for each contact and tells the timeline")
    func enroll() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("suppress", "add", "example.net")
        let outcome = try await bench.run("enroll", "hello", "ANN@example.org", "bo@example.net", "who@example.org", "x", "--json")
        #expect(outcome.status == 65)
        let verdicts = try JSONObject.lines(outcome)
        #expect(verdicts.map { $0["verdict"] } == ["enrolled", "suppressed", "refused", "refused"])
        #expect(verdicts[1]["reason"] == "manual")
        let again = try await bench.run("enroll", "hello", "--all", "--json")
        #expect(again.status == 0)
        #expect(try JSONObject.lines(again).map { $0["verdict"] } == ["already_enrolled", "suppressed"])

        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        let enrollment = try #require(ann.list("enrollments").first)
        #expect(enrollment["id"] == verdicts[0]["enrollment"] && enrollment["sequence"] == "hello")
        #expect(enrollment["state"] == "active" && enrollment["identity"] == "anna" && enrollment.number("next_step") == 0)
        #expect(enrollment["due_at"] == enrollment["created_at"])
        let event = try #require(ann.list("timeline").first)
        #expect(event["kind"] == "enrolled" && event["enrollment"] == enrollment["id"])
        #expect(event["at"]?.hasSuffix("Z") == true && event.object("facts")?["identity"] == "anna")

        _ = try await bench.output("unenroll", "hello", "ann@example.org")
        #expect(try await bench.output("unenroll", "hello", "ann@example.org").contains("was not on its way"))
        let after = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(after.list("enrollments").map { $0["state"] } == ["stopped"])
        #expect(after.list("timeline").map { $0["kind"] } == ["enrolled", "transition"])
    }

    @Test("who writes must be known, and said when there are several")
    func identities() async throws {
        let bench = try StateBench(identities: ["anna", "bert"])
        try await bench.prepare()
        let unsaid = try await bench.run("enroll", "hello", "--all")
        #expect(unsaid.status == 64 && unsaid.errorText.contains("--identity; the conf has anna, bert"))
        let unknown = try await bench.run("enroll", "hello", "--all", "--identity", "carl")
        #expect(unknown.status == 65 && unknown.errorText.contains("no [identity.carl]"))
        #expect(try await bench.run("enroll", "hello", "--identity", "bert").status == 64)
        #expect(try await bench.output("enroll", "hello", "ann@example.org", "--identity", "bert").contains("1 enrolled as bert"))
        #expect(try await bench.run("enroll", "nothing", "--all", "--identity", "bert").status == 65)
    }

    // MARK: suppression

    @Test("suppressions are added, listed, written out, read in and taken back")
    func suppressions() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        _ = try await bench.output(
            "suppress", "add", "Ann@Example.org", "--reason", "unsubscribed", "--note", "by \"phone\", today")
        _ = try await bench.output("suppress", "add", "BÜCHER.example", "--until", "2031-02-28", "--reason", "refused")
        let listed = try await bench.objects("suppress", "list")
        #expect(listed.map { $0["subject"] } == ["ann@example.org", "xn--bcher-kva.example"])
        #expect(listed.map { $0["kind"] } == ["address", "domain"] && listed.map { $0["source"] } == ["manual", "manual"])
        #expect(listed[0].isNull("expires_at") && listed[1]["expires_at"] == "2031-02-28T00:00:00Z")
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.list("enrollments").map { $0["cause"] } == ["unsubscribed"])
        #expect(ann.object("suppression")?["reason"] == "unsubscribed")

        let exported = try await bench.output("suppress", "export")
        let other = try StateBench()
        #expect(try await other.output("suppress", "import", "-", input: exported).contains("2 rows: 2 suppressed, 0 refused"))
        let read = try await other.objects("suppress", "list")
        #expect(read.map { $0["note"] } == listed.map { $0["note"] } && read.map { $0["expires_at"] } == listed.map { $0["expires_at"] })
        #expect(read.map { $0["reason"] } == ["unsubscribed", "refused"])
        let plain = try await other.run("suppress", "import", "-", input: "a@example.com\nnot one\nb.example.com\n")
        #expect(plain.status == 65 && plain.errorText.contains("-:2: 'not one' is neither"))
        #expect(plain.outputText.contains("3 rows: 2 suppressed, 1 refused"))

        let kept = try await bench.run("suppress", "remove", "bücher.example", "ann@example.org")
        #expect(kept.status == 65 && kept.errorText.contains("--unsubscribed"))
        #expect(try await bench.objects("suppress", "list").count == 2)
        _ = try await bench.output("suppress", "remove", "--unsubscribed", "bücher.example", "ann@example.org")
        #expect(try await bench.objects("suppress", "list").isEmpty)
        #expect(try await bench.run("suppress", "remove", "ann@example.org").status == 65)
    }

    @Test(
        "what is no address, domain, reason or day is refused and nothing is stored",
        arguments: [
            ["add", "ann"], ["add", "ann@"], ["add", "a.example", "--reason", "because"], ["add", "a.example", "--until", "2031-02-29"],
            ["add", "a.example", "b c.example"], ["add", "a.example", "--until", "2020-01-01"],
        ])
    func suppressionFaults(_ arguments: [String]) async throws {
        let bench = try StateBench()
        let outcome = try await Executable.run(["--conf", bench.conf, "suppress"] + arguments)
        #expect(outcome.status == 65 && !outcome.errors.isEmpty && outcome.output.isEmpty)
        #expect(try await bench.objects("suppress", "list").isEmpty)
    }

    @Test("a list with rows that are over already stops nobody for them")
    func overAlready() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "ann@example.org")
        let outcome = try await bench.output(
            "suppress", "import", "-", input: "subject,expires_at\nann@example.org,2020-01-01\nbo@example.net,\n")
        #expect(outcome.contains("2 rows: 1 suppressed, 0 refused, 1 over already"))
        #expect(try await bench.objects("suppress", "list").map { $0["subject"] } == ["bo@example.net"])
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.list("enrollments").map { $0["state"] } == ["active"])
    }

    @Test("a complaint is not hidden behind a weaker reason, and needs the flag to be taken back")
    func complaint() async throws {
        let bench = try StateBench()
        _ = try await bench.output("suppress", "add", "ann@example.org")
        _ = try await bench.output("suppress", "add", "ann@example.org", "--reason", "complaint")
        #expect(try await bench.objects("suppress", "list").map { $0["reason"] } == ["complaint"])
        let kept = try await bench.run("suppress", "remove", "ann@example.org")
        #expect(kept.status == 65 && kept.errorText.contains("--unsubscribed"))
        _ = try await bench.output("suppress", "remove", "--unsubscribed", "ann@example.org")
    }

    // MARK: the database

    @Test("a backup that cannot be made where it was asked for ends with 65, and a conf that is not there with 78")
    func nowhere() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let file = bench.folder("no/folder/x")
        let backup = try await bench.run("backup", file)
        #expect(backup.status == 65 && backup.errorText.contains("\(file): cannot be made: No such file or directory"))
        let conf = bench.folder("none.conf")
        let check = try await Executable.run(["check", "--conf", conf])
        #expect(check.status == 78 && check.errorText.contains("\(conf): there is no such file"))
    }

    @Test("restoring an old backup forgets no suppression, no STOP and no end of a sequence")
    func carriedOver() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        _ = try await bench.output("contacts", "tag", "bo@example.net", "--add", "new", "--add", "kept")
        let file = bench.folder("backup")
        _ = try await bench.output("backup", file)
        _ = try await bench.output("contacts", "tag", "bo@example.net", "--add", "customer", "--remove", "new")
        _ = try await bench.output("contacts", "address", "bo@example.net", "--add", "bo@home.example")
        _ = try await bench.output("contacts", "lists", "create", "fair", "--description", "whom we met")
        _ = try await bench.output("contacts", "lists", "add", "fair", "bo@example.net")
        _ = try await bench.output("suppress", "add", "ann@example.org", "--reason", "unsubscribed", "--note", "by phone")
        _ = try await bench.output("sequence", "stop", "hello", "--contact", "bo@example.net")
        let stopped = try await bench.output("restore", file)
        #expect(stopped.contains("carried over from the database that was there: 1 suppressions, 2 enrollments"))
        #expect(stopped.contains("3 tags and lists that were given or taken since"), "\(stopped)")
        let bo = try #require(try await bench.objects("contacts", "show", "bo@example.net").first)
        #expect(bo.texts("tags") == ["customer", "kept"] && bo.texts("lists") == ["fair"])
        #expect(bo.texts("further_addresses") == ["bo@home.example"])
        #expect(try await bench.objects("contacts", "lists").map { $0["description"] } == ["whom we met"])
        #expect(try await bench.objects("suppress", "list").map { $0["reason"] } == ["unsubscribed"])
        for (address, cause) in [("ann@example.org", "unsubscribed"), ("bo@example.net", "person")] {
            let contact = try #require(try await bench.objects("contacts", "show", address).first)
            #expect(contact.list("enrollments").map { $0["state"] } == ["stopped"])
            #expect(contact.list("enrollments").map { $0["cause"] } == [cause])
        }
        #expect(try await bench.output("resume-all") == "nothing was stopped\n")

        // Who was forgotten since stays forgotten, what was paused stays paused, and what persons did stands in the log.
        _ = try await bench.output("contacts", "erase", "ann@example.org", "--yes")
        _ = try await bench.output("sequence", "pause", "hello")
        let forgotten = try await bench.output("restore", file)
        #expect(forgotten.contains("1 persons who were erased since"), "\(forgotten)")
        #expect(try await bench.run("contacts", "show", "ann@example.org").status == 65)
        #expect(try await bench.objects("sequence", "list").first?["paused_by"] != nil)
        let log = try await bench.objects("audit").compactMap { $0["command"] }
        #expect(log.last == "restore \(file)" && log.contains("sequence pause hello"), "\(log)")
        #expect(log.contains("contacts erase [erased]") && !log.contains { $0.contains("ann@example.org") }, "\(log)")
        _ = try await bench.output("sequence", "resume", "hello")

        _ = try await bench.output("stop-all", "--reason", "wrong list")
        #expect(try await bench.output("restore", file).contains("the global STOP"))
        #expect(try await bench.output("resume-all").contains("wrong list"))
    }

    @Test("a restore in the place of a database that cannot be read stops everything and says so")
    func nothingCarriedOver() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let file = bench.folder("backup")
        _ = try await bench.output("backup", file)
        let database = bench.folder("state/postrider.sqlite")
        try Data("not a database".utf8).write(to: URL(fileURLWithPath: database))
        let restored = try await bench.output("restore", file)
        #expect(restored.contains("nothing leaves until 'postrider resume-all'") && restored.contains("nothing was carried over"))
        #expect(try await bench.output("resume-all").contains("cannot be read"))
    }

    @Test("a backup is restored, the database that was there is kept, and a damaged file changes nothing")
    func backupAndRestore() async throws {
        let bench = try StateBench()
        let early = try await bench.run("backup", bench.folder("early"))
        #expect(early.status == 78 && early.errorText.contains("there is no database yet"))
        try await bench.prepare()
        let file = bench.folder("backup")
        _ = try await bench.output("backup", file)
        let again = try await bench.run("backup", file)
        #expect(again.status == 65 && again.errorText.contains("a backup never overwrites"))
        _ = try await bench.output("contacts", "import", "-", input: "email\nlate@example.org\n")

        var damaged = TextFile.bytes(file)
        for index in 4096..<min(damaged.count, 40_960) { damaged[index] = 0xA5 }
        let text = try bench.folder.write("text", text: "not a database")
        for bad in [try bench.folder.write("damaged", damaged), text, bench.folder("missing")] {
            let outcome = try await bench.run("restore", bad)
            #expect(outcome.status == 65 && outcome.errorText.contains(bad), "\(outcome.errorText)")
        }
        #expect(try await bench.objects("contacts", "list").count == 3)

        let restored = try await bench.output("restore", "--stop", file)
        #expect(try await bench.objects("contacts", "list").count == 2)
        #expect(try await bench.output("resume-all").contains("restored from \(file)"))
        let kept = try #require(restored.split(separator: "\n").last?.split(separator: ":").first.map(String.init))
        #expect(FileManager.default.fileExists(atPath: kept))
        // Again and again within one second: each time the database that was there is kept under a name of its own.
        _ = try await bench.output("restore", kept)
        #expect(try await bench.objects("contacts", "list").count == 3)
        _ = try await bench.output("restore", kept)
        let names = try FileManager.default.contentsOfDirectory(atPath: bench.folder("state"))
        #expect(names.count { $0.contains(".before-restore-") } == 3, "\(names)")
        #expect(try await bench.output("db", "check").contains("no faults; schema"))
        #expect(try await bench.output("db", "migrate").contains("already"))
    }

    @Test("restore and migrate refuse while serve runs; everything else works")
    func besideServe() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let file = bench.folder("backup")
        let serve = try await bench.serve()
        _ = try await bench.output("backup", file)
        for arguments in [["restore", file], ["db", "migrate"]] {
            let outcome = try await Executable.run(["--conf", bench.conf] + arguments)
            #expect(outcome.status == 75 && outcome.errorText.contains("stop it first"))
        }
        _ = try await bench.output("db", "check")
        _ = try await bench.output("enroll", "hello", "ann@example.org")
        let queue = try await bench.queue("a message that left") { $0.map { $0["state"] } == ["sent"] }
        #expect(queue[0]["recipient"] == "ann@example.org" && queue[0]["subject"] == "Hello Ann")
        #expect(await serve.end() == .exited(0))
        _ = try await bench.output("restore", file)
        #expect(try await bench.objects("queue", "--all").isEmpty)
    }

    @Test(
        "each command explains itself",
        arguments: [
            ["contacts"], ["contacts", "import"], ["contacts", "list"], ["contacts", "show"], ["contacts", "export"], ["contacts", "tag"],
            ["contacts", "tags"], ["contacts", "lists"], ["contacts", "lists", "add"], ["contacts", "set"], ["sequence"],
            ["sequence", "validate"],
            ["sequence", "load"], ["sequence", "list"], ["sequence", "show"], ["sequence", "pause"], ["sequence", "resume"],
            ["sequence", "stop"], ["sequence", "stats"], ["sequence", "preview"], ["enroll"], ["unenroll"], ["stop-all"], ["resume-all"],
            ["queue"],
            ["queue", "list"],
            ["queue", "show"], ["queue", "hold"], ["queue", "release"], ["queue", "requeue"], ["queue", "delete"], ["queue", "flush"],
            ["queue", "shape"], ["inbox"], ["inbox", "list"], ["inbox", "show"], ["inbox", "label"], ["inbox", "confirm"],
            ["intake", "list"],
            ["intake", "retry"], ["suppress", "add"], ["suppress", "remove"], ["suppress", "list"], ["suppress", "import"],
            ["suppress", "export"], ["webhooks"], ["webhooks", "list"], ["webhooks", "show"], ["webhooks", "retry"],
            ["webhooks", "cancel"], ["audit"], ["backup"],
            ["restore"], ["db", "check"], ["db", "migrate"],
        ])
    func help(_ command: [String]) async throws {
        let outcome = try await Executable.run(command + ["--help"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(
            outcome.outputText.hasPrefix("OVERVIEW: ") && outcome.outputText.contains("USAGE: postrider \(command.joined(separator: " "))"))
    }
}
