import Foundation
import Testing

@testable import InternetMessage

@Suite("Address diagnosis")
struct AddressDiagnosisTests {
    static let cases: [(String, [AddressDiagnosis.Finding])] = [
        ("ann@example.com", []),
        ("ann+tag@sub.example.com", []),
        ("ann@b\u{fc}cher.example", []),
        ("ann@localhost", [.singleLabel]),
        ("ann@192.0.2.1", [.numericTopLevel]),
        ("\"ann b\"@example.com", [.quotedLocalPart]),
        ("\"ann \\\" \u{fc}\"@example.com", [.quotedLocalPart, .internationalized]),
        ("\u{43f}@example.com", [.internationalized]),
        ("ann@[192.0.2.1]", [.addressLiteral]),
        ("ann@[IPv6:2001:db8::1]", [.addressLiteral]),
        ("ann@[IPv6:1:2:3:4:5:6:7::]", [.shortenedOneGroup]),
        ("ann@[IPv6:1:2:3:4:5::192.0.2.1]", [.shortenedOneGroup]),
        ("ann@[tag:value]", [.otherLiteral]),
        ("(Ann) ann@example.com", [.comment, .folding]),
        ("ann@example.com (a (b) \\) c)", [.comment, .folding]),
        ("ann@example.com\r\n ", [.folding]),
        ("ann (x)@example.com", [.spaceNearAt]),
        ("ann . b@example.com", [.obsoleteFolding]),
        ("\"ann\".b@example.com", [.obsoleteLocalPart]),
        ("\"a\\\u{7}\"@example.com", [.obsoleteQuotedPair, .quotedLocalPart]),
        (String(repeating: "a", count: 65) + "@example.com", [.localPartTooLong]),
        ("ann@" + String(repeating: "a", count: 64) + ".example", [.labelTooLong]),
        ("ann@exa_mple.com", [.notHostName]),
        ("", [.noDomain]), ("ann", [.noDomain]), ("@example.com", [.noLocalPart]), ("ann@", [.noDomain]),
        ("a..b@example.com", [.emptyLabel]), ("ann@example..com", [.emptyLabel]), ("ann@example.com.", [.emptyLabel]),
        ("ann@-example.com", [.hyphenAtEnd]), ("ann@xn--example.com", [.badDomain]), ("ann@\u{2665}.example", [.badDomain]),
        ("a b@example.com", [.badCharacter]), ("ann@example.com x", [.folding, .badCharacter]),
        ("a@b@example.com", [.singleLabel, .badCharacter]),
        ("ann@example.com\n", [.badCharacter]), ("ann@example.com\r\n", [.badLineEnd]), ("(ann@example.com", [.unclosed]),
        ("\"ann@example.com", [.unclosed]), ("ann@[192.0.2.1", [.unclosed]), ("ann@example.com(\\", [.unclosed]),
    ]

    @Test("findings", arguments: cases)
    func findings(address: String, expected: [AddressDiagnosis.Finding]) {
        let diagnosis = AddressDiagnosis(of: address)
        #expect(Set(diagnosis.findings) == Set(expected), "\(diagnosis.findings)")
        #expect(diagnosis.category == (expected.map(\.category).max() ?? .valid))
    }

    @Test("what is valid at most as SMTP has it is an EmailAddress, and what is invalid is none", arguments: cases)
    func agreesWithEmailAddress(address: String, expected: [AddressDiagnosis.Finding]) {
        let isBare = AddressDiagnosis(of: address).category <= .validInSMTP
        if isBare { #expect(EmailAddress(address) != nil) }
        if AddressDiagnosis(of: address).category == .invalid { #expect(EmailAddress(address) == nil) }
    }

    @Test("bytes that are not UTF-8, and endless input")
    func hostile() {
        #expect(AddressDiagnosis(of: [0x61, 0x40, 0xFF]).findings == [.badEncoding])
        #expect(AddressDiagnosis(of: String(repeating: "(", count: 1_000_000)).category == .invalid)
        for piece in ["(", "\"", "a.", "a@", "[", "\\", "\r\n ", "(a)"] {
            _ = AddressDiagnosis(of: String(repeating: piece, count: 1900 / piece.utf8.count))
        }
    }

    // MARK: Corpora

    /// The lines of a difference table: key, what we say, why.
    private static func table(_ name: String) throws -> [String: String] {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "txt", subdirectory: "Fixtures"))
        var rows: [String: String] = [:]
        for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "|", maxSplits: 2).map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(fields.count == 3 && !fields[2].isEmpty, "\(line)")
            try #require(rows.updateValue(fields[1], forKey: fields[0]) == nil, "twice: \(fields[0])")
        }
        return rows
    }

    @Test("isemail: every test is decided, and each difference is explained", .enabled(if: FieldCorpora.areExpected, FieldCorpora.hint))
    func isemail() throws {
        let tests = try IsemailTests(xml: try FieldCorpora.bytes("isemail/test/tests.xml"))
        #expect(tests.list.count == 164)
        let names: [String: AddressDiagnosis.Category] = [
            "ISEMAIL_VALID_CATEGORY": .valid, "ISEMAIL_DNSWARN": .valid, "ISEMAIL_RFC5321": .validInSMTP,
            "ISEMAIL_CFWS": .commentsOrFolding,
            "ISEMAIL_DEPREC": .deprecated, "ISEMAIL_RFC5322": .headerOnly, "ISEMAIL_ERR": .invalid,
        ]
        var differences: [String: String] = [:]
        for test in tests.list {
            let expected = try #require(names[test.category], "\(test.category)")
            let ours = AddressDiagnosis(of: test.address)
            if ours.category != expected {
                differences[test.id] = "\(ours.category)"
                print("isemail \(test.id): \(ours.category) \(ours.findings), expected \(expected)")
            }
        }
        #expect(differences == (try Self.table("isemail-differences")))
        print("isemail: \(tests.list.count) decided, \(tests.list.count - differences.count) as expected, \(differences.count) explained")
    }

    @Test(
        "flanker: every address is accepted or refused as its list says, and each difference is explained",
        .enabled(if: FieldCorpora.areExpected, FieldCorpora.hint))
    func flanker() throws {
        var differences: [String: String] = [:]
        var counts: [String: (of: Int, agreed: Int)] = [:]
        for (file, isValid, suffix) in [
            ("mailbox_valid", true, ""), ("mailbox_invalid", false, ""), ("abridged_localpart_valid", true, "@example.com"),
            ("abridged_localpart_invalid", false, "@example.com"),
        ] {
            let text = String(decoding: try FieldCorpora.bytes("flanker/addresses/\(file).txt"), as: UTF8.self)
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                var address = Array(line.utf8)[...]
                if let note = address.index(of: Array("   #".utf8), from: 0) { address = address[..<note] }
                address = address.trimmed
                guard let first = address.first, first != UInt8(ascii: "#") || address.contains(ASCII.at) && !line.hasPrefix("# ") else {
                    continue
                }
                let whole = address.utf8Text + suffix
                let list = AddressList(parsing: whole)
                let isNamed = list.mailboxes.count == 1 && list.defects.isEmpty && list.mailboxes[0].displayName != nil
                let accepted = EmailAddress(whole) != nil || isNamed
                counts[file, default: (0, 0)].of += 1
                if accepted == isValid {
                    counts[file, default: (0, 0)].agreed += 1
                } else {
                    differences["\(file):\(number + 1)"] = accepted ? "accepted" : "refused"
                    print(
                        "flanker \(file):\(number + 1) \(accepted ? "accepted" : "refused") \(whole.prefix(100)) \(AddressDiagnosis(of: whole).findings)"
                    )
                }
            }
        }
        #expect(differences == (try Self.table("flanker-differences")))
        for (file, count) in counts.sorted(by: { $0.key < $1.key }) { print("flanker \(file): \(count.agreed) of \(count.of)") }
        #expect(counts.count == 4)
    }
}

/// The test list of isemail: one element for each test, addresses with control characters shown as U+2400 and up.
private struct IsemailTests {
    struct Case {
        var id: String
        var address: [UInt8]
        var category: String
    }

    private(set) var list: [Case] = []

    init(xml: [UInt8]) throws {
        let text = String(decoding: xml, as: UTF8.self)
        for piece in text.components(separatedBy: "<test id=\"").dropFirst() {
            let id = String(piece.prefix { $0 != "\"" })
            let category = try #require(Self.element("category", in: piece))
            let shown = Self.element("address", in: piece) ?? ""
            list.append(Case(id: id, address: Self.unescaped(shown), category: category))
        }
    }

    private static func element(_ name: String, in text: String) -> String? {
        guard let open = text.range(of: "<\(name)>"), let close = text.range(of: "</\(name)>") else { return nil }
        return String(text[open.upperBound..<close.lowerBound])
    }

    private static func unescaped(_ text: String) -> [UInt8] {
        var output = ""
        var rest = text[...]
        while let ampersand = rest.firstIndex(of: "&"), let end = rest[ampersand...].firstIndex(of: ";") {
            output += rest[..<ampersand]
            let name = rest[rest.index(after: ampersand)..<end]
            let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            let named: [Substring: String] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
            output += number.flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? named[name] ?? "?"
            rest = rest[rest.index(after: end)...]
        }
        output += rest
        var bytes: [UInt8] = []
        for scalar in output.unicodeScalars {
            if (0x2400...0x241F).contains(scalar.value) {
                bytes.append(UInt8(scalar.value - 0x2400))
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        return bytes
    }
}

/// The folder of real mail that is never part of the project; absent in most places.
enum FieldCorpora {
    static let hint: Comment = "no corpora here: set POSTRIDER_CORPORA"
    static let isRequired = ProcessInfo.processInfo.environment["REQUIRE_CORPORA"] == "1"
    static let folder: URL? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["POSTRIDER_CORPORA"] ?? root.appendingPathComponent("../shared/corpora").path
        return FileManager.default.fileExists(atPath: path) ? URL(fileURLWithPath: path) : nil
    }()
    /// Whether tests on corpora run: absent and required is a failure, absent alone a visible skip.
    static var areExpected: Bool { folder != nil || isRequired }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: try #require(folder, "REQUIRE_CORPORA=1 and no corpora").appendingPathComponent(path)))
    }

    /// The files below a folder, in order.
    static func files(_ path: String) throws -> [URL] {
        let top = try #require(folder, "REQUIRE_CORPORA=1 and no corpora").appendingPathComponent(path)
        let all = try #require(FileManager.default.enumerator(at: top, includingPropertiesForKeys: [.isRegularFileKey]))
        var found: [URL] = []
        while let url = all.nextObject() as? URL {
            if try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true { found.append(url) }
        }
        return found.sorted { $0.path < $1.path }
    }
}
