import Foundation
import Testing

@testable import Toml

@Suite("TOML documents")
struct TomlDocumentTests {
    static func fixture(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).appendingPathComponent(name)
        return Array(try Data(contentsOf: url))
    }

    static let places: [([TomlStep], Int)] = [
        (["config_version"], 2), (["main"], 4), (["main", "myhostname"], 5), (["main", "quoted key"], 6), (["main", "café.x"], 7),
        (["main", "site", "two words", "third"], 8), (["route", "office"], 10), (["route", "office", "auth", "user"], 12),
        (["route", "office", "auth", "inner", "deep", 1], 12), (["route", "office", "text"], 13), (["route", "office", "literal"], 17),
        (["route", "office", "after"], 20), (["step", 0, "name"], 23), (["step", 0, "variant", 0, "weight"], 25),
        (["step", 0, "variant", 1, "weight"], 27), (["step", 0, "extra", "x"], 29), (["step", 1], 31), (["step", 1, "name"], 32),
        (["step", 1, "days", 1], 35), (["step", 1, "days", 2, "a"], 36),
    ]

    @Test("every kind of key has its line", arguments: places)
    func line(path: [TomlStep], line: Int) throws {
        let document = try TomlDocument(parsing: Self.fixture("positions.toml"), file: "positions.toml")
        #expect(document.position(of: path)?.line == line)
    }

    @Test("text that looks like a key inside strings and comments has no position")
    func phantoms() throws {
        let document = try TomlDocument(parsing: Self.fixture("positions.toml"), file: "positions.toml")
        for path: [TomlStep] in [["route", "fake"], ["also"], ["also", "fake"], ["not"], ["route", "office", "fake"], ["brackets"]] {
            #expect(document.position(of: path) == nil)
        }
        #expect(document.line(near: ["route", "office", "port"]) == 10)
        #expect(document.line(near: ["nowhere"]) == 1)
    }

    @Test("columns count bytes from the key, also when it is indented or quoted")
    func columns() throws {
        let document = try TomlDocument(parsing: "  a = 1\n\u{E9}_no = 0\n".replacing("\u{E9}_no", with: "'\u{E9}' . b"), file: "x")
        #expect(document.position(of: ["a"]) == TomlPosition(line: 1, column: 3))
        #expect(document.position(of: ["é", "b"]) == TomlPosition(line: 2, column: 8))
    }

    @Test("values arrive with their kinds, keys in the order of the source")
    func values() throws {
        let document = try TomlDocument(parsing: Self.fixture("positions.toml"), file: "positions.toml")
        #expect(document.root.entries.map(\.key) == ["config_version", "main", "route", "step"])
        guard case .table(let main) = document.root["main"] else { return #expect(Bool(false), "no main") }
        #expect(main.entries.map(\.key) == ["myhostname", "quoted key", "café.x", "site"])
        #expect(main["quoted key"] == .string("literal \\n # no comment"))
        guard case .table(let route) = document.root["route"], case .table(let office) = route["office"] else {
            return #expect(Bool(false))
        }
        #expect(office["text"] == .string("[route.fake]\nfake = 1 \"\"\"\ntwo quotes: \"\" end\"\""))
        guard case .array(let steps) = document.root["step"], steps.count == 2, case .table(let nudge) = steps[1] else {
            return #expect(Bool(false), "no steps")
        }
        let date = TomlDate(year: 1979, month: 5, day: 27)
        #expect(nudge["when"] == .dateTime(TomlDateTime(date: date, time: TomlTime(hour: 7, minute: 32, second: 0, nanosecond: 0))))
        #expect(
            nudge["zoned"]
                == .dateTime(
                    TomlDateTime(date: date, time: TomlTime(hour: 7, minute: 32, second: 0, nanosecond: 500_000_000), offsetMinutes: -420)))
        #expect(nudge["day"] == .date(TomlDate(year: 2026, month: 11, day: 21)))
        #expect(nudge["hour"] == .time(TomlTime(hour: 8, minute: 30, second: 0, nanosecond: 0)))
        #expect(nudge["half"] == .float(0.5))
    }

    static func paths(_ value: TomlValue, at path: [TomlStep]) -> [[TomlStep]] {
        switch value {
        case .table(let table): [path] + table.entries.flatMap { paths($0.value, at: path + [.key($0.key)]) }
        case .array(let elements): [path] + elements.enumerated().flatMap { paths($1, at: path + [.index($0)]) }
        default: [path]
        }
    }

    @Test("the scan and the parser agree: every value of the tree has a position", arguments: ["positions.toml"])
    func agreement(name: String) throws {
        let document = try TomlDocument(parsing: Self.fixture(name), file: name)
        for path in Self.paths(.table(document.root), at: []).dropFirst() {
            #expect(document.position(of: path) != nil, "\(path)")
        }
    }

    @Test("a document with CRLF line ends and a byte order mark has the same lines")
    func carriageReturns() throws {
        let plain = String(decoding: try Self.fixture("positions.toml"), as: UTF8.self)
        let document = try TomlDocument(parsing: "\u{FEFF}" + plain.replacing("\n", with: "\r\n"), file: "x")
        for (path, line) in Self.places { #expect(document.position(of: path)?.line == line, "\(path)") }
    }

    @Test(
        "a fault says file and line",
        arguments: [
            ("a = 1\nb = \n", 2, TomlError.Code.syntax),
            ("a = 1\na = 2\n", 2, .syntax),
            ("[t]\nx = 1\n[t]\n", 3, .syntax),
            ("a = \"open\nb = 2\n", 1, .syntax),
            ("a = 1\nb = '''\nnever\nclosed", 4, .syntax),
            ("[a\nb = 1", 1, .syntax),
            ("a = [1, 2\n", 1, .syntax),
            ("a = 99999999999999999999\n", 1, .syntax),
            ("just words\n", 1, .syntax),
            ("a = 1 b = 2\n", 1, .syntax),
            ("x = 1\na = \"nul \\u0000 here\"\n", 2, .encoding),
            ("x = 1\n\"k\\u0000\" = 1\n", 2, .encoding),
            ("x = 1\n# nul \0 here\n", 2, .encoding),
        ])
    func faults(source: String, line: Int, code: TomlError.Code) {
        let error = #expect(throws: TomlError.self) { try TomlDocument(parsing: source, file: "x.conf") }
        #expect(error?.code == code)
        #expect(error?.line == line)
        #expect(error?.description.hasPrefix("x.conf:\(error?.line ?? 0): ") == true)
    }

    @Test(
        "depth is refused before it reaches the parser",
        arguments: [("[", "", ""), ("a.", "", "b = 1"), ("a={", "", ""), ("a.", "[", "b]")])
    func depth(repeated: String, before: String, after: String) {
        let lead = repeated == "[" ? "a = " : before
        let source = lead + String(repeating: repeated, count: 100_000) + after
        let error = #expect(throws: TomlError.self) { try TomlDocument(parsing: source, file: "x.conf") }
        #expect(error?.code == .limit)
        #expect(error?.line == 1)
    }

    @Test("bytes that are not UTF-8 are refused with their line")
    func notUTF8() {
        let error = #expect(throws: TomlError.self) { try TomlDocument(parsing: Array("a = 1\nb = \"".utf8) + [0xE9, 0x22], file: "x") }
        #expect(error?.code == .encoding)
        #expect(error?.line == 2)
    }

    @Test("a source larger than the limit is refused unread")
    func size() {
        var limits = TomlDocument.Limits()
        limits.bytes = 10
        #expect(throws: TomlError(code: .limit, file: "x", line: 1, message: "larger than 10 bytes")) {
            try TomlDocument(parsing: "abc = 'defgh'", file: "x", limits: limits)
        }
    }

    @Test("a document cut at any byte is parsed or refused, and its positions stay those of the whole")
    func everyPrefix() throws {
        let source = try Self.fixture("positions.toml")
        for length in 0..<source.count {
            guard let document = try? TomlDocument(parsing: Array(source[..<length]), file: "cut") else { continue }
            for path in Self.paths(.table(document.root), at: []).dropFirst() where document.position(of: path) == nil {
                Issue.record("no position for \(path) at \(length)")
            }
        }
    }

    @Test("keys that only look alike are two keys")
    func canonicalEquivalence() throws {
        let document = try TomlDocument(parsing: "'\u{E9}' = 1\n'e\u{301}' = 2\n", file: "x")
        #expect(document.root["\u{E9}"] == .integer(1))
        #expect(document.root["e\u{301}"] == .integer(2))
        #expect(document.position(of: [.key("e\u{301}")])?.line == 2)
    }
}
