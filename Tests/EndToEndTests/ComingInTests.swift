import Foundation
import TestKit
import Testing

/// Where contacts come from and whether their domains take mail, through the built executable.
@Suite("contacts that come in")
struct ComingInTests {
    @Test("a consent comes with a row, with an import or by hand, and goes with an undo and with the person")
    func consent() async throws {
        let (bench, other) = (try StateBench(), try StateBench())
        let sheet =
            "email,Consent Source,consent_at\nann@example.org,web form,2026-03-01T14:30:00+01:00\nbo@example.org,,\ncy@example.org,,2026-02-01\n"
            + "di@example.org,,1.3.2026\n"
        let imported = try await bench.run(
            "contacts", "import", "-", "--consent-source", "fair 2026", "--consent-date", "2026-01-15", input: sheet)
        #expect(imported.status == 65 && imported.outputText.contains("3 created, 0 updated, 0 suppressed, 1 refused"))
        #expect(imported.errorText.contains("-:5: refused: '1.3.2026' is no date of a consent; write for instance 2026-03-01"))
        #expect(!imported.errorText.contains("becomes the field"))
        let listed = try await bench.objects("contacts", "list")
        #expect(listed.map { $0["consent_source"] } == ["web form", "fair 2026", "fair 2026"])
        #expect(listed.map { $0["consent_date"] } == ["2026-03-01T13:30:00Z", "2026-01-15", "2026-02-01"])
        #expect(try await bench.output("contacts", "show", "bo@example.org").contains("consent: fair 2026, 2026-01-15\n"))
        let csv = try await bench.output("contacts", "export")
        #expect(csv.hasPrefix("email,name,time_zone,consent_source,consent_date\nann@example.org,,,web form,2026-03-01T13:30:00Z\n"))
        _ = try await other.output("contacts", "import", "-", input: csv)
        #expect(try await other.output("contacts", "export") == csv)
        let dossier = try JSONObject.lines(try await bench.run("contacts", "export", "ann@example.org"))
        #expect(dossier.first?["consent_source"] == "web form" && dossier.first?["consent_date"] == "2026-03-01T13:30:00Z")
        let found = try await bench.objects("contacts", "list", "--where", "consent_source = 'fair 2026' and consent_date < 2026-02-01")
        #expect(found.map { $0["address"] } == ["bo@example.org"])

        _ = try await bench.output("contacts", "import", "-", input: "email,city\nann@example.org,Ulm\n")
        #expect(try await bench.objects("contacts", "show", "ann@example.org").map { $0["consent_source"] } == ["web form"])
        _ = try await bench.output("contacts", "import", "-", "--consent-source", "again", input: "email\nann@example.org\n")
        let again = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(again["consent_source"] == "again" && again.isNull("consent_date"))
        let id = try #require(try await bench.objects("contacts", "imports").first?["id"])
        #expect(try await bench.output("contacts", "undo", id).contains("1 given their values back"))
        let back = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(back["consent_source"] == "web form" && back["consent_date"] == "2026-03-01T13:30:00Z")
        #expect(back.object("fields")?["city"] == "Ulm")

        let set = try await bench.output(
            "contacts", "set", "bo@example.org", "--field", "owner=eve", "--consent-source", "a call", "--consent-date", "2026-03-02")
        #expect(set == "bo@example.org: owner is 'eve', consent is 'a call, 2026-03-02'\n")
        #expect(try await bench.output("contacts", "set", "bo@example.org", "--consent-source", "a call").contains("nothing changed"))
        let taken = try await bench.objects("contacts", "set", "bo@example.org", "--no-consent")
        #expect(taken.map { $0.texts("changed") } == [["consent"]])
        let bo = try #require(try await bench.objects("contacts", "show", "bo@example.org").first)
        #expect(bo.isNull("consent_source") && bo.isNull("consent_date"))
        #expect(bo.list("timeline").compactMap { $0["summary"] }.contains("consent is 'a call, 2026-03-02' now"))
        for (options, why) in [
            (["--consent-date", "March"], "--consent-date: 'March' is no date of a consent"),
            (["--consent-date", "2999-01-01"], "that day is still to come"), (["--consent-source", " "], "--consent-source says nothing"),
        ] {
            for command in [["set", "bo@example.org"], ["import", "-"]] {
                let wrong = try await Executable.run(["--conf", bench.conf, "contacts"] + command + options, input: Array("email\n".utf8))
                #expect(wrong.status == 64 && wrong.errorText.contains(why), "\(wrong.errorText)")
            }
        }
        #expect(try await bench.run("contacts", "set", "bo@example.org", "--no-consent", "--consent-source", "x").status == 64)
        #expect(try await bench.run("contacts", "set", "bo@example.org", "--field", "consent_source=x").status == 64)
    }

    @Test("further addresses go out and come in with their contact")
    func furtherAddresses() async throws {
        let (bench, other) = (try StateBench(), try StateBench())
        _ = try await bench.output("contacts", "list")
        let sheet = "email,further_addresses\nann@example.org,ann@home.example; ann@old.example\nbo@example.org,\ncy@example.org,ann@home.example\n"
        let dry = try await bench.run("contacts", "import", "-", "--dry-run", input: sheet + "ann@home.example,\n")
        #expect(dry.status == 65 && dry.outputText.contains("2 created, 0 updated, 0 suppressed, 2 refused"))
        #expect(
            dry.errorText == "-:4: refused: 'ann@home.example' is an address of line 2 already; it cannot be that of two\n"
                + "-:5: refused: the same address as line 2; keep one of the two\n")
        let imported = try await bench.run("contacts", "import", "-", input: sheet)
        #expect(imported.status == 65 && imported.outputText.contains("2 created, 0 updated, 0 suppressed, 1 refused"))
        #expect(
            imported.errorText.contains("-:4: refused: 'ann@home.example' is an address of the contact ann@example.org; it cannot be that of two"))
        let csv = try await bench.output("contacts", "export")
        #expect(
            csv == "email,name,time_zone,further_addresses\nann@example.org,,,\"ann@home.example;ann@old.example\"\nbo@example.org,,,\n")
        _ = try await other.output("contacts", "import", "-", input: csv)
        #expect(try await other.output("contacts", "export") == csv)
        let id = try #require(try await other.objects("contacts", "imports").first?["id"])
        #expect(try await other.output("contacts", "undo", id).contains("2 deleted"))
        #expect(try await other.run("contacts", "show", "ann@home.example").status == 65)
    }

    @Test("a title that cannot be a field's name says what becomes of it, and of a suppression what is left out")
    func titles() async throws {
        let bench = try StateBench()
        _ = try await bench.output("contacts", "list")
        let imported = try await bench.run("contacts", "import", "-", input: "email,größe,First Name,ok\nann@example.org,42,Ann,x\n")
        #expect(imported.status == 0)
        #expect(
            imported.errorText
                == "-:1: the column 'größe' becomes the field 'groesse'\n-:1: the column 'First Name' becomes the field 'first_name'\n")
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.object("fields")?.keys.sorted() == ["first_name", "groesse", "ok"])
        let quiet = try await bench.run("contacts", "import", "-", "--quiet", input: "email,größe\nbo@example.org,42\n")
        #expect(quiet.errorText.isEmpty)

        let sheet =
            "Email,reason,Expires,Ablauf\na@example.com,manual,2999-01-01,x\nb@example.com,unsubscribed,2999-01-01,\nc@example.com,manual,soon,\n"
        let suppressed = try await bench.run("suppress", "import", "-", input: sheet)
        #expect(suppressed.status == 65 && suppressed.outputText == "-: 3 rows: 2 suppressed, 1 refused\n")
        #expect(
            suppressed.errorText
                == "-:1: the column 'Ablauf' means nothing here and is left out; there are subject, kind, scope, reason, note, expires_at\n"
                + "-:3: note: 'unsubscribed' never expires; its end '2999-01-01' is left out\n-:4: 'soon' is not a day; write for instance 2027-03-01\n")
        let held = try await bench.objects("suppress", "list")
        #expect(held.map { $0["subject"] } == ["a@example.com", "b@example.com"])
        #expect(held.map { $0["expires_at"] ?? "never" } == ["2999-01-01T00:00:00Z", "never"])
        let exported = try await bench.output("suppress", "export")
        let again = try await bench.run("suppress", "import", "-", input: exported)
        #expect(again.status == 0 && again.errorText.isEmpty, "what was exported is understood: \(again.errorText)")
        for title in ["expires_at", "expires", "Expiry", "expires at", "until", "expiration-date"] {
            _ = try await bench.output("suppress", "import", "-", input: "subject,\(title)\nd@example.com,2999-01-01\n")
            #expect(try await bench.output("suppress", "list").contains("2999-01-01T00:00:00Z"))
            _ = try await bench.output("suppress", "remove", "d@example.com")
        }
    }

    @Test("with --check-mx a domain without mail is a verdict, and silence is none")
    func checkMX() async throws {
        let dns = try await SignedDNS.start(records: [
            "good.example. MX 10 mx.good.example.", "mx.good.example. A 192.0.2.1", "implicit.example. A 192.0.2.2",
            "null.example. MX 0 .", "bare.example. TXT \"nothing\"",
        ])
        let sheet =
            "email\nann@good.example\nbo@implicit.example\ncy@null.example\ndi@nowhere.example\ned@bare.example\nfay@GOOD.example\n"
        let resolver = "[dns]\nresolvers = [\"\(dns.address)\"]\n"
        let bench = try StateBench(route: .text("type = \"sink\"\n\(resolver)"))
        let dry = try await bench.run("contacts", "import", "-", "--check-mx", "--dry-run", input: sheet)
        #expect(dry.status == 65 && dry.outputText.contains("3 created, 0 updated, 0 suppressed, 3 refused (dry run"), "\(dry.errorText)")
        let imported = try await bench.run("contacts", "import", "-", "--check-mx", "--json", input: sheet)
        let verdicts = try JSONObject.lines(imported).map { "\($0["verdict"] ?? "") \($0["reason"] ?? "")" }
        #expect(
            verdicts == [
                "created ", "created ", "refused no mail can be sent to null.example: the domain takes no mail (null MX)",
                "refused no mail can be sent to nowhere.example: the domain does not exist",
                "refused no mail can be sent to bare.example: the domain has no mail host with an address", "created ",
            ])

        // The resolver of this conf is nobody; what was found is known still.
        let text = TextFile.read(bench.conf).replacing(dns.address, with: "127.0.0.1@\(try FreePort.next())")
        try bench.folder.write("postrider.conf", text: text)
        let later = try await bench.run("contacts", "import", "-", "--check-mx", input: sheet + "gil@other.example\n")
        #expect(later.status == 65 && later.outputText.contains("7 rows: 1 created, 3 updated, 0 suppressed, 3 refused"), "\(later.outputText)")
        #expect(later.outputText.contains("8: created gil@other.example (its domain was not checked: the lookup failed: "))
        #expect(later.outputText.contains("; DNS did not answer for the domains of 1 rows"))
        let silent = try await bench.run("contacts", "import", "-", "--check-mx", "--json", input: "email\ngil@other.example\n")
        #expect(silent.status == 0)
        #expect(try JSONObject.lines(silent).map { $0.texts("notes") } == [["mx_unknown"]])
        let unasked = try await bench.run("contacts", "import", "-", input: "email\nhal@nowhere.example\n")
        #expect(unasked.status == 0 && unasked.outputText.contains("2: created hal@nowhere.example\n"))
    }
}
