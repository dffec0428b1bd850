import Embedded
import InternetMessage
import Outreach
import Testing

@Suite("sheets of contacts")
struct ContactSheetTests {
    /// Rows of a sheet that comes in pieces of that many bytes.
    private func rows(_ bytes: [UInt8], piece: Int, encoding: SheetEncoding? = nil, delimiter: UInt8? = nil) throws(CSVFault) -> [CSVReader
        .Row]
    {
        var evidence = SheetEvidence()
        for start in stride(from: 0, to: bytes.count, by: piece) { evidence.add(bytes[start..<min(start + piece, bytes.count)]) }
        var decoder = SheetDecoder(encoding: encoding, otherwise: evidence.encoding)
        var reader = CSVReader(delimiter: delimiter)
        var rows: [CSVReader.Row] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            rows += try reader.read(decoder.decode(bytes[start..<min(start + piece, bytes.count)])[...])
        }
        rows += try reader.read(decoder.finish()[...])
        return try rows + reader.finish()
    }

    struct Sheet: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let cells: [[String]]
        var lines: [Int]?

        init(_ name: String, _ bytes: [UInt8], _ cells: [[String]], lines: [Int]? = nil) {
            testDescription = name
            self.bytes = bytes
            self.cells = cells
            self.lines = lines
        }

        init(_ name: String, _ text: String, _ cells: [[String]], lines: [Int]? = nil) {
            self.init(name, Array(text.utf8), cells, lines: lines)
        }

        static func utf16(_ text: String, bigEndian: Bool, mark: Bool) -> [UInt8] {
            ((mark ? "\u{FEFF}" : "") + text).utf16.flatMap { unit in
                let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
                return bigEndian ? [high, low] : [low, high]
            }
        }
    }

    private static let umlaut = [["email", "name"], ["a@example.com", "Jürgen 𝛼"]]
    private static let long = String(repeating: "x@example.com,plain\n", count: 100)
    private static let longCells = [["email", "name"]] + Array(repeating: ["x@example.com", "plain"], count: 100)

    static let sheets: [Sheet] = [
        Sheet(
            "quotes, doubled quotes, line ends", "email;name\r\n\"a;b\"\"c\";\"two\nlines\"\r\n\r\nx@example.com;y",
            [["email", "name"], ["a;b\"c", "two\nlines"], ["x@example.com", "y"]], lines: [1, 2, 5]),
        Sheet("a mark of UTF-8", "\u{FEFF}email,name\na@example.com,Jürgen 𝛼\n", umlaut),
        Sheet("UTF-8 without a mark", "email,name\na@example.com,Jürgen 𝛼\n", umlaut),
        Sheet("UTF-16, low byte first", Sheet.utf16("email,name\na@example.com,Jürgen 𝛼\n", bigEndian: false, mark: true), umlaut),
        Sheet("UTF-16, high byte first", Sheet.utf16("email,name\na@example.com,Jürgen 𝛼\n", bigEndian: true, mark: true), umlaut),
        Sheet("UTF-16 without a mark", Sheet.utf16("email,name\na@example.com,Jürgen 𝛼\n", bigEndian: false, mark: false), umlaut),
        Sheet(
            "UTF-16 without a mark, high byte first", Sheet.utf16("email,name\na@example.com,Jürgen 𝛼\n", bigEndian: true, mark: false),
            umlaut),
        Sheet(
            "Windows-1252 in the first bytes", Array("email,name\na@example.com,J".utf8) + [0xFC] + Array("rgen ".utf8) + [0x80, 10],
            [["email", "name"], ["a@example.com", "Jürgen €"]]),
        Sheet(
            "Windows-1252 after a long stretch of ASCII", Array("email,name\n\(long)b@example.com,".utf8) + [0xE9, 0x74, 0xE9, 10],
            longCells + [["b@example.com", "été"]]),
        Sheet("UTF-8 after a long stretch of ASCII", "email,name\n\(long)b@example.com,été\n", longCells + [["b@example.com", "été"]]),
        Sheet("Windows-1252 as the last byte", Array("email\nx".utf8) + [0xC3], [["email"], ["xÃ"]]),
        Sheet("tabs", "email\tname\na@b.example\tA, B; C\n", [["email", "name"], ["a@b.example", "A, B; C"]]),
        Sheet("bars", "email|name\na@b.example|A, B\n", [["email", "name"], ["a@b.example", "A, B"]]),
        Sheet("commas in quotes do not count", "\"a,b,c\";email\n1;2\n", [["a,b,c", "email"], ["1", "2"]]),
        Sheet(
            "a line that names the delimiter", "sep=;\nemail;name\na@b.example;A,B\n", [["email", "name"], ["a@b.example", "A,B"]],
            lines: [2, 3]),
        Sheet(
            "old line ends", "email,name\ra@b.example,A\r\rb@b.example,B",
            [["email", "name"], ["a@b.example", "A"], ["b@b.example", "B"]], lines: [1, 2, 4]),
        Sheet("a comma before a combining mark", "a,b\nx,\u{301}y", [["a", "b"], ["x", "\u{301}y"]]),
        Sheet("a last cell that is empty", "a,b\nx,", [["a", "b"], ["x", ""]]),
        Sheet("an empty quoted cell", "a,b\n\"\",x\n", [["a", "b"], ["", "x"]]),
        Sheet("no line end", "email", [["email"]]),
    ]

    @Test("are read whatever they are in, and however they are cut", arguments: sheets)
    func reading(_ sheet: Sheet) throws {
        for piece in Array(1...7) + [64, 1000, 1 << 20] {
            let rows = try self.rows(sheet.bytes, piece: piece)
            #expect(rows.map(\.cells) == sheet.cells, "in pieces of \(piece)")
            if let lines = sheet.lines { #expect(rows.map(\.line) == lines) }
            #expect(rows.allSatisfy { !$0.isDamaged })
        }
    }

    @Test("a byte that is no UTF-8 among UTF-8 damages its row alone")
    func damaged() throws {
        let bytes = Array("email,name\na@b.example,ü\nb@b.example,".utf8) + [0xE9, 10] + Array("c@b.example,ß\n".utf8)
        #expect(try rows(bytes, piece: 5).map(\.isDamaged) == [false, false, true, false])
        #expect(try rows(bytes, piece: 5, encoding: .windows1252).map(\.isDamaged) == [false, false, false, false])
        #expect { _ = try CSVTable(parsing: bytes) } throws: { ($0 as? CSVFault)?.line == 3 }
    }

    @Test("a stray byte that comes first damages its row alone, and letters that look like UTF-8 do not make a Windows-1252 file one")
    func evidence() throws {
        let late = Array("email,name\na@b.example,".utf8) + [0xFC, 10] + Array("b@b.example,Jürgen\nc@b.example,Åsa\n".utf8)
        for piece in [1, 3, 1000] {
            let read = try rows(late, piece: piece)
            #expect(read.map(\.isDamaged) == [false, true, false, false])
            #expect(read.last?.cells == ["c@b.example", "Åsa"])
        }
        let old = Array("email,name\na@b.example,".utf8) + [0xC3, 0xBC, 10] + Array("b@b.example,".utf8) + [0xFC, 0xE9, 0xE4, 10]
        #expect(try rows(old, piece: 2).map { $0.cells.last } == ["name", "Ã¼", "üéä"])
    }

    @Test(
        "faults name their line",
        arguments: [
            ("a,b\nc,\"open\n\nx", 2), ("a\nb\u{0}", 2), ("a\n" + String(repeating: "x", count: 70_000), 2),
            ("a\nb\n" + String(repeating: ",", count: 600), 3), ("a\nb,\"" + String(repeating: "\n", count: 70_000), 2),
        ])
    func faults(text: String, line: Int) {
        for piece in [3, 4096] {
            #expect { _ = try rows(Array(text.utf8), piece: piece) } throws: { ($0 as? CSVFault)?.line == line }
        }
        #expect { _ = try CSVTable(parsing: []) } throws: { ($0 as? CSVFault)?.line == 1 }
    }

    @Test(
        "what is written is read as it was",
        arguments: ["plain", "a,b", "\"", "two\nlines", "=1+1", "'=1", "''-x", "", "tab\there", "ü\r\n"])
    func cells(_ text: String) throws {
        let table = try CSVTable(parsing: Array("a,b\n\(CSVCell.written(text)),x\n".utf8))
        #expect(table.rows.map { CSVCell.read($0.cells[0]) } == [text])
    }

    // MARK: columns

    @Test("a column that names a part of a step keeps its name; any other title becomes one that templates can use")
    func ownWords() throws {
        let columns = try columns("email", "intro-3touch.first.text", "a.b.c", "Intro.First.text.", "x..text")
        #expect(columns.fields == ["intro-3touch.first.text", "a_b_c", "intro_first_text_", "x_text"])
    }

    private func columns(_ titles: String..., choices: [String] = []) throws -> ContactColumns {
        try ContactColumns(header: CSVReader.Row(line: 1, cells: titles), choices: choices.compactMap(ContactColumns.Choice.init))
    }

    private func draft(_ reading: ContactColumns.Reading) throws -> ContactColumns.Draft {
        guard case .contact(let draft) = reading else { throw CSVFault(line: 0, message: "\(reading)") }
        return draft
    }

    @Test("a person says what a column is")
    func mapping() throws {
        let columns = try self.columns(
            "Kontakt", "E-Mail", "Firma GmbH", "Notes", "Zone",
            choices: ["kontakt=name", "Firma GmbH=company", "Notes=-", "Zone=time_zone"])
        #expect(columns.fields == ["company"])
        let reading = columns.read(CSVReader.Row(line: 2, cells: ["Ann A", "ann@example.com", "Acme", "secret", "Europe/Berlin"]))
        let draft = try self.draft(reading)
        #expect(draft.name == "Ann A" && draft.timeZone == "Europe/Berlin" && draft.fields == ["company": "Acme"])
        #expect(draft.address.text == "ann@example.com")
    }

    @Test("tags and lists stand in columns of their own, several in a cell, each once")
    func groups() throws {
        let columns = try columns("email", "Tags", "Segment", choices: ["Segment=lists"])
        #expect(columns.fields.isEmpty)
        let found = try draft(columns.read(CSVReader.Row(line: 2, cells: ["a@b.example", " VIP; hot lead,vip,;", "Fair 2026"])))
        #expect(found.groups.map(\.description) == ["tag VIP", "tag hot lead", "list Fair 2026"] && found.fields.isEmpty)
        let long = String(repeating: "x", count: 65)
        guard case .refused(let why) = columns.read(CSVReader.Row(line: 3, cells: ["a@b.example", long, ""])) else {
            return #expect(Bool(false))
        }
        #expect(why.contains("is no name of a tag"))
    }

    @Test(
        "a title in another alphabet or with marks becomes a name for templates, and that is told",
        arguments: [
            ("größe", "groesse"), ("GRÖSSE", "groesse"), ("gro\u{308}ße", "groesse"), ("Prénom", "prenom"), ("pre\u{301}nom", "prenom"),
            ("Straße / Nr.", "strasse_nr_"), ("Ænes Øl å", "aenes_ol_a"), ("Łódź", "lodz"), ("Țară", "tara"), ("İl", "il"),
            ("First Name", "first_name"), ("\u{301}x", "_x"), ("город", "_"), ("город 2", "_2"),
        ])
    func names(title: String, name: String) throws {
        let columns = try columns("email", title)
        #expect(columns.fields == [name])
        #expect(columns.renamings.map(\.title) == [title] && columns.renamings.map(\.field) == [name])
    }

    @Test("a name that stays or that a person gave is not told")
    func staying() throws {
        let columns = try columns("E-Mail", "Company", "intro.first.text", "Größe", "Ort", choices: ["Größe=size", "Ort=größer als"])
        #expect(columns.fields == ["Company", "intro.first.text", "size", "groesser_als"])
        #expect(columns.renamings.map { "\($0.title) -> \($0.field)" } == ["Ort -> groesser_als"])
    }

    @Test("source and date of a consent stand in columns of their own, by any of their names")
    func consents() throws {
        for (source, date) in [("consent_source", "consent_date"), ("Consent Source", "consent at"), ("opt-in source", "Opt In Date")] {
            let columns = try self.columns("email", source, date)
            #expect(columns.fields.isEmpty && columns.renamings.isEmpty)
            let full = try draft(columns.read(CSVReader.Row(line: 2, cells: ["a@b.example", " fair 2026 ", "2026-03-01"])))
            #expect(full.consent == Consent(source: "fair 2026", at: Timestamp(seconds: 1_772_323_200)))
            let none = try draft(columns.read(CSVReader.Row(line: 3, cells: ["a@b.example", "", " "])))
            #expect(none.consent.isEmpty)
        }
        let mapped = try columns("email", "Herkunft", choices: ["Herkunft=consent_source"])
        #expect(try draft(mapped.read(CSVReader.Row(line: 2, cells: ["a@b.example", "Messe"]))).consent.source == "Messe")
        #expect(throws: CSVFault.self) { _ = try self.columns("email", "consent_date", "consent_at") }
        #expect(ContactColumns.fault(ofField: "consent_source")?.contains("a part of every one") == true)
    }

    @Test(
        "a consent that cannot be is a verdict on its row",
        arguments: [
            (["a@b.example", "x", "March"], "'March' is no date of a consent; write for instance 2026-03-01 or 2026-03-01T14:30:00+01:00"),
            (["a@b.example", "x", "2026-03-09"], "'2026-03-09' is no date of a consent: that day is still to come"),
            (["a@b.example", "x\ny", ""], "the source of a consent is one line of at most 500 bytes, without control characters"),
        ])
    func wrongConsents(_ cells: [String], why: String) throws {
        let header = CSVReader.Row(line: 1, cells: ["email", "consent_source", "consent_date"])
        let columns = try ContactColumns(header: header, now: Timestamp(seconds: 1_772_323_200))
        #expect(columns.read(CSVReader.Row(line: 2, cells: cells)) == .refused(why))
    }

    @Test("other addresses of a person stand in one cell, each once")
    func furtherAddresses() throws {
        let columns = try columns("email", "further_addresses")
        func read(_ cell: String) -> ContactColumns.Reading { columns.read(CSVReader.Row(line: 2, cells: ["ann@b.example", cell])) }
        let found = try draft(read("Ann@home.example; bob@c.example,ann@HOME.example ANN@b.example;"))
        #expect(found.furtherAddresses.map(\.text) == ["Ann@home.example", "bob@c.example"])
        #expect(try draft(read("")).furtherAddresses.isEmpty)
        #expect(read("ann") == .refused("'ann' is not an email address"))
        #expect(read("ann@localhost") == .refused("'ann@localhost' has no domain that mail can be sent to"))
    }

    @Test("of two columns of addresses a person says which")
    func twoAddresses() throws {
        #expect(throws: CSVFault.self) { _ = try self.columns("Email", "E-Mail") }
        let columns = try self.columns("Email", "E-Mail", choices: ["E-Mail=private_email"])
        #expect(columns.fields == ["private_email"])
        #expect { _ = try self.columns("email", choices: ["Firma=company"]) } throws: {
            ($0 as? CSVFault)?.message == "there is no column 'Firma'; there are email"
        }
    }

    @Test(
        "a row that cannot be taken says why",
        arguments: [
            (["", "x"], "no address"), (["ann", "x"], "'ann' is not an email address"),
            (
                ["a@example.com, b@example.com", ""],
                "'a@example.com, b@example.com' is not an email address; there is room for one address in a cell"
            ),
            (["Ann <a@example.com>", ""], "'Ann <a@example.com>' is not an email address; leave the name and the angle brackets out"),
            (["a@localhost", ""], "'a@localhost' has no domain that mail can be sent to"),
            (["a@[192.0.2.1]", ""], "'a@[192.0.2.1]' has no domain that mail can be sent to"),
            (["a@b\u{FFFD}.example", ""], "'a@b\u{FFFD}.example' is not an email address"),
            (["a@example.com", "x", "y"], "3 cells under 2 columns; put quotes around a cell that holds the delimiter"),
        ])
    func refusals(_ cells: [String], why: String) throws {
        #expect(try columns("email", "note").read(CSVReader.Row(line: 2, cells: cells)) == .refused(why))
    }

    @Test("an internationalised domain is one with its A-labels")
    func international() throws {
        let reading = try columns("email").read(CSVReader.Row(line: 2, cells: ["ann@BÜCHER.example"]))
        let draft = try self.draft(reading)
        #expect(draft.address.suppressionKey == "ann@xn--bcher-kva.example")
    }

    // MARK: lists

    static func builtin(_ name: String) throws -> [UInt8] { try #require(EmbeddedFile.named("contacts/\(name)")).bytes }

    @Test(
        "an address is known by its looks",
        arguments: [
            ("info@acme.example", [AddressLists.Trait.role]), ("Sales+de@acme.example", [.role]), ("ann@gmail.com", [.freeMail]),
            ("ann@MAIL.gmx.de", [.freeMail]), ("ann@mailinator.com", [.disposable]), ("info@sub.mailinator.com", [.role, .disposable]),
            ("ann@notgmail.com", []), ("informed@acme.example", []),
        ])
    func traits(_ text: String, _ traits: [AddressLists.Trait]) throws {
        let lists = AddressLists(
            roles: try Self.builtin("roles.txt"), freeMail: try Self.builtin("free-mail.txt"),
            disposable: try Self.builtin("disposable.txt"))
        #expect(lists.traits(of: try #require(EmailAddress(text))) == traits)
    }

    // MARK: whom a text names

    @Test(
        "addresses, domains and patterns are told apart",
        arguments: [
            ("Ann@Example.org", Suppression.Subject.address("ann@example.org")), ("BÜCHER.example", .domain("xn--bcher-kva.example")),
            ("*@*.Example.com", .pattern("*@*.example.com")), ("*.example.com", .pattern("*@*.example.com")),
            ("info@*", .pattern("info@*")),
            ("a?c*@example.com", .pattern("a?c*@example.com")),
        ])
    func subjects(_ text: String, _ subject: Suppression.Subject) throws {
        #expect(try Suppression.Subject.read(text) == subject)
    }

    @Test(
        "what names nobody, or nearly everybody, is refused",
        arguments: ["nobody", "*", "*@*", "*@*.*", "a b*@example.com", "*[a]@example.com", "*@ü.example", "@"])
    func noSubjects(_ text: String) {
        #expect(throws: Suppression.SubjectFault.self) { _ = try Suppression.Subject.read(text) }
    }
}
