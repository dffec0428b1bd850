import Foundation
import Testing
import Toml

@testable import Settings

@Suite("the sample conf")
struct SampleTests {
    let sample: String
    init() throws { sample = try packageFile("conf/postrider.conf") }

    @Test("the sample is without fault, and says what it says")
    func loads() throws {
        let settings = try load(sample).get()
        #expect(settings.main.myhostname == "out1.example.com")
        #expect(settings.main.timezone.identifier == "Europe/Berlin")
        #expect(settings.routes.map(\.name) == ["direct", "office", "files"])
        #expect(settings.route(named: "office")?.auth?.passwordFile?.path == "/etc/postrider/secrets/office.pass")
        #expect(settings.identity(named: "anna").flatMap { settings.wayOut(of: $0) } == "office")
        #expect(settings.routes(of: "out").map(\.name) == ["direct", "office"])
        #expect(settings.smtpListener?.listen == [.ip("0.0.0.0", port: 25), .ip("::", port: 25)])
        #expect(settings.lmtpListener == nil)
        #expect(settings.tokenDomain == "r.example.com")
        #expect(settings.identity(named: "anna")?.from.address == "anna@example.com")
        #expect(settings.dkimKeys.first?.domain == "example.com")
    }

    @Test("the alternatives that the sample has commented out are without fault too")
    func alternatives() throws {
        let lines = sample.split(separator: "\n", omittingEmptySubsequences: false)
        let all = lines.map { line in
            line.utf8.first == UInt8(ascii: "#") && line.utf8.dropFirst().first.map { (0x61...0x7A).contains($0) } == true
                ? line.dropFirst() : line
        }
        let map = try packageFile("conf/maps/transport.map")
        let settings = try load(
            all.joined(separator: "\n").replacing("enabled = false", with: "enabled = true")
                // The URLs of the sample stand in its place.
                .replacing("\ntenant = ", with: "\n#tenant = "),
            files: ["/etc/postrider/maps/transport.map": map]
        ).get()
        #expect(settings.transport.map?.entries.map(\.target) == ["office", "out", "direct"])
        #expect(settings.dkimKeys.first?.ed25519Selector == "e202611")
        #expect(settings.lmtpListener?.limits == settings.smtpListener?.limits)
        #expect(settings.identity(named: "anna")?.timezone?.identifier == "Europe/Vienna")
    }

    /// The keys of each section of the sample, set or commented out, with whether something explains them.
    private func keysOfSample() -> [String: [String: Bool]] {
        var found: [String: [String: Bool]] = [:]
        var section = ""
        var lineBefore = Substring()
        var isInText = false
        for line in sample.split(separator: "\n", omittingEmptySubsequences: false) {
            defer { lineBefore = line }
            if isInText {
                isInText = !line.hasSuffix("\"\"\"")
                continue
            }
            isInText = line.hasSuffix("\"\"\"")
            if line.hasPrefix("[") {
                section = String(line.dropFirst().prefix { $0 != "]" })
                found[section] = found[section] ?? [:]
                continue
            }
            let body = line.hasPrefix("#") ? line.dropFirst() : line
            let key = body.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            guard !key.isEmpty, body.dropFirst(key.count).hasPrefix(" = ") else { continue }
            found[section, default: [:]][String(key)] = body.contains(" # ") || lineBefore.hasPrefix("# ")
        }
        return found
    }

    @Test("every section and key that exists stands in the sample, explained", arguments: SectionKind.all.map(\.header))
    func complete(header: String) throws {
        let kind = try #require(SectionKind.all.first { $0.header == header })
        let sections = keysOfSample().filter { name, _ in
            name == header
                || kind.placeholder != nil && name.hasPrefix(TomlText.path(kind.path) + ".") && name.split(separator: ".")[1] != "key"
                || name.hasPrefix("dkim.key.") && header.hasPrefix("dkim.key.")
        }
        #expect(!sections.isEmpty, "no section [\(header)]")
        var keys: [String: Bool] = [:]
        for section in sections.values { keys.merge(section) { $0 || $1 } }
        for key in kind.keys {
            #expect(keys[key.name] != nil, "no key \(key.name)")
            #expect(keys[key.name] == true, "nothing explains \(key.name)")
        }
    }

    @Test("the README of the folder names every section", arguments: SectionKind.all.filter { !$0.path.isEmpty }.map(\.header))
    func readme(header: String) throws {
        #expect(try packageFile("conf/README.md").contains("| `[\(header)]` |"))
    }

    @Test("the sample cut after any line is taken or refused with places in the file")
    func everyCut() {
        let lines = sample.split(separator: "\n", omittingEmptySubsequences: false)
        for count in 0...lines.count {
            if case .failure(let error) = load(lines[..<count].joined(separator: "\n")) {
                #expect(error.faults.allSatisfy { $0.line >= 1 && $0.line <= max(1, count) }, "\(error)")
            }
        }
    }

    @Test("the sample sequence is TOML with its three steps")
    func sequence() throws {
        let document = try TomlDocument(parsing: packageFile("conf/sequences/intro-3touch.toml"), file: "intro-3touch.toml")
        guard case .array(let steps) = document.root["step"] else { return #expect(Bool(false), "no steps") }
        let names = steps.map { step -> TomlValue? in if case .table(let table) = step { table["name"] } else { nil } }
        #expect(names == [.string("intro"), .string("nudge"), .string("last")])
    }
}

@Suite("conf -n and conf -d")
struct SettingsTextTests {
    @Test("non-default values, read again, are the same settings")
    func roundTrip() throws {
        let first = try load(packageFile("conf/postrider.conf")).get()
        let text = first.nonDefault()
        #expect(try load(text).get().nonDefault() == text)
        #expect(text.contains("[route.office]\ntype = \"submission\"\nhost = \"smtp.example.com\"\n"))
        #expect(text.contains("auth = { user = \"anna@example.com\", password_file = \"/etc/postrider/secrets/office.pass\" }"))
        #expect(text.contains("signature = \"Anna Berg\\nExample GmbH\""))
        #expect(!text.contains("on_uncertain"), "a value that is the default")
    }

    @Test("a value written another way but equal to the default is not shown")
    func equalValues() throws {
        let settings = try load(smallest + "[queue]\nconnect_timeout = \"30s\"\nmail_timeout = \"300s\"\nhelo_timeout = \"1m30s\"\n").get()
        #expect(settings.nonDefault() == "[main]\nmyhostname = \"out.example.com\"\n\n[queue]\nhelo_timeout = \"1m30s\"\n")
    }

    @Test("the defaults are a conf that lacks only what must be given")
    func defaults() {
        #expect(
            faults(Settings.defaults()) == [
                "postrider.conf:\(lineOfMain()): 'myhostname' is missing in [main]; add myhostname = a host name"
            ])
    }

    private func lineOfMain() -> Int {
        1 + (Settings.defaults().split(separator: "\n", omittingEmptySubsequences: false).firstIndex(of: "[main]") ?? -1)
    }

    @Test(
        "every key is listed with a sentence",
        arguments: SectionKind.all.flatMap { kind in kind.keys.map { (kind.header, $0.name, $0.doc) } })
    func documented(header: String, key: String, doc: String) {
        #expect(doc.hasSuffix(".") && doc.utf8.count > 8)
        #expect(Settings.defaults().contains("# \(doc)\n"))
    }
}
