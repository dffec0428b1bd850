import Testing

/// The floors of the house and the rules a compiler does not hold, read from `Sources/` itself.
@Suite("the house")
struct ArchitectureTests {
    static let sources: [SourceFile] = (try? SourceFile.all()) ?? []

    @Test("every target of Sources/ stands on a floor, and every floor's target exists")
    func targetsHaveFloors() throws {
        #expect(try SourceFile.targetFolders() == Set(Floors.of.keys))
        // System libraries have a module map and no Swift; every other target was really read.
        #expect(Set(Self.sources.map(\.target)) == Set(Floors.of.filter { $0.value > 0 }.keys))
    }

    @Test("Sources/ keeps the rule", arguments: Rule.all)
    func sourcesKeep(_ rule: Rule) {
        for violation in Self.sources.flatMap(rule.check) { Issue.record("\(violation)") }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let rule: Rule
        let path: String
        let source: String

        init(_ rule: Rule, _ path: String, _ source: String) {
            self.rule = rule
            self.path = "Sources/" + path
            self.source = source
        }

        var violations: [Violation] { rule.check(SourceFile(path: path, source: source)) }
        var testDescription: String { "\(rule.name): \(path): \(source.prefix(60).replacing("\n", with: " | "))" }
    }

    static let planted: [Case] = [
        Case(.importsGoDownward, "SMTP/A.swift", "package import MailTransport"),
        Case(.importsGoDownward, "SMTP/A.swift", "import InternetMessage"),
        Case(.importsGoDownward, "SMTP/A.swift", "import struct InternetMessage.EmailAddress"),
        Case(.importsGoDownward, "Mailroom/A.swift", "import Rehearsal"),
        Case(.importsGoDownward, "Mailroom/A.swift", "import SQLiteStore"),
        Case(.importsGoDownward, "Mailroom/A.swift", "import Settings"),
        Case(.importsGoDownward, "WebInterface/A.swift", "import Settings"),
        Case(.importsGoDownward, "SQLiteStore/A.swift", "import OpenSSL"),
        Case(.importsGoDownward, "Settings/A.swift", "@preconcurrency internal import DNS"),
        Case(.importsGoDownward, "Outreach/A.swift", "let a = 1; import WebInterface"),
        Case(.importsGoDownward, "Utilities/A.swift", "let a = 1"),
        Case(.outsideLibrariesHaveOwners, "Outreach/Rows/A.swift", "import GRDB"),
        Case(.outsideLibrariesHaveOwners, "Outreach/A.swift", "import struct NIOCore.ByteBuffer"),
        Case(.outsideLibrariesHaveOwners, "postrider/A.swift", "import Hummingbird"),
        Case(.outsideLibrariesHaveOwners, "Settings/A.swift", "import TOMLKit"),
        Case(.outsideLibrariesHaveOwners, "Mailroom/A.swift", "import Mustache"),
        Case(.outsideLibrariesHaveOwners, "DNS/A.swift", "import COpenSSL"),
        Case(.outsideLibrariesHaveOwners, "SMTP/A.swift", "import SomethingNew"),
        Case(.machinesSeeOnlyByteBuffer, "SMTP/A.swift", "package import NIOCore"),
        Case(.machinesSeeOnlyByteBuffer, "IMAP/A.swift", "import protocol NIOCore.Channel"),
        Case(.machinesSeeOnlyByteBuffer, "IMAP/A.swift", "import NIOPosix"),
        Case(.sqlStaysInTheStore, "Outreach/A.swift", #"let q = "SELECT id FROM contact""#),
        Case(.sqlStaysInTheStore, "Outreach/A.swift", #"let q = "SELECT \(column("a")) FROM contact""#),
        Case(.sqlStaysInTheStore, "Mailroom/A.swift", "let q = \"\"\"\n    UPDATE outbox\n    SET state = 1\n    \"\"\""),
        Case(.sqlStaysInTheStore, "Mailroom/A.swift", ##"let q = #"INSERT INTO outbox VALUES ("a")"#"##),
        Case(.sqlStaysInTheStore, "postrider/A.swift", #"run("PRAGMA integrity_check")"#),
        Case(.sqlStaysInTheStore, "postrider/A.swift", #"run("text \(run("DELETE FROM contact")) more")"#),
        Case(.nothingTraps, "postrider/A.swift", "let a = try! load()"),
        Case(.nothingTraps, "SMTP/A.swift", "default: fatalError(\"never\")"),
        Case(.nothingTraps, "SMTP/A.swift", "let a = \"\\(try! load())\""),
        Case(.librariesDoNotPrint, "SMTP/A.swift", "print(reply)"),
        Case(.librariesDoNotPrint, "SMTP/A.swift", "Swift.print(reply)"),
        Case(.librariesDoNotPrint, "Mailroom/A.swift", "if debug { dump(row) }"),
        Case(.timeAndChanceComeIn, "Outreach/A.swift", "let now = Date()"),
        Case(.timeAndChanceComeIn, "Toml/A.swift", "let now = Foundation.Date.now"),
        Case(.timeAndChanceComeIn, "MailTransport/A.swift", "let id = UUID().uuidString"),
        Case(.timeAndChanceComeIn, "Outreach/A.swift", "let jitter = Int.random(in: 0..<60)"),
        Case(.timeAndChanceComeIn, "Outreach/A.swift", "let clock = ContinuousClock()"),
        Case(.unsafeStaysInWrappers, "SMTP/A.swift", "func f(_ p: UnsafePointer<CChar>) {}"),
        Case(.unsafeStaysInWrappers, "InternetMessage/MIME/A.swift", "bytes.withUnsafeBytes { $0 }"),
        Case(.unsafeStaysInWrappers, "MailAuthentication/A.swift", "let context: OpaquePointer?"),
        Case(.unsafeStaysInWrappers, "SQLiteStore/Rows/A.swift", "import GRDB\nlet context: OpaquePointer?"),
        Case(.uncheckedSendableNamesItsLock, "Mailroom/A.swift", "\n// Shared by two threads.\nfinal class A: @unchecked Sendable {}"),
        Case(.nothingIsPublic, "SMTP/A.swift", "public struct Reply {}"),
        Case(.nothingIsPublic, "SMTP/A.swift", "public import Foundation"),
        Case(.nothingIsPublic, "SMTP/A.swift", "open class Reply {}"),
    ]

    @Test("a planted violation is found", arguments: planted)
    func plantedViolationIsFound(_ planted: Case) {
        #expect(!planted.violations.isEmpty)
    }

    static let innocent: [Case] = [
        Case(.importsGoDownward, "Rehearsal/A.swift", "import Mailroom\nimport MailTransport"),
        Case(.importsGoDownward, "postrider/A.swift", "import Settings\nimport SQLiteStore"),
        Case(
            .importsGoDownward, "Outreach/A.swift",
            "// import WebInterface\nlet text = \"import WebInterface\"; run(.import, import: SQLiteStore.self)"),
        Case(.outsideLibrariesHaveOwners, "SQLiteStore/A.swift", "package import GRDB\nimport Foundation\nimport InternetMessage"),
        Case(.machinesSeeOnlyByteBuffer, "SMTP/A.swift", "package import struct NIOCore.ByteBuffer"),
        Case(.sqlStaysInTheStore, "SQLiteStore/A.swift", #"let q = "SELECT id FROM contact""#),
        Case(.sqlStaysInTheStore, "IMAP/A.swift", #"let c = ["SELECT", "FROM"]; send("SELECT INBOX")"#),
        Case(.sqlStaysInTheStore, "Outreach/A.swift", "/* \"SELECT 1 FROM a\" /* nested */ */ let a = \"Select one from the list\""),
        Case(
            .nothingTraps, "SMTP/A.swift",
            "/// Never `try! x`.\nlet a = try x; let b = \"try! fatalError(\"; self.fatalError(); let c = try !d()"),
        Case(.librariesDoNotPrint, "SMTP/A.swift", "func print(_ a: Int) {}; page.print(1); blueprint(2)"),
        Case(.librariesDoNotPrint, "postrider/A.swift", "print(table)"),
        Case(
            .timeAndChanceComeIn, "Outreach/A.swift",
            "let d = Date(timeIntervalSince1970: 0); let u = UUID(uuid: bytes); steps.shuffled(using: &r)"),
        Case(.timeAndChanceComeIn, "Mailroom/A.swift", "let now = Date()"),
        Case(.unsafeStaysInWrappers, "OpenSSL/A.swift", "func f(_ p: UnsafePointer<CChar>) {}"),
        Case(.unsafeStaysInWrappers, "SQLiteStore/Rows/A.swift", "import GRDBSQLite\nlet context: OpaquePointer?"),
        Case(.unsafeStaysInWrappers, "InternetMessage/Charsets/A.swift", "bytes.withUnsafeBytes { $0 }"),
        Case(.unsafeStaysInWrappers, "InternetMessage/Addresses/IDN.swift", "import CIDN2\nvar out: UnsafeMutablePointer<CChar>?"),
        Case(
            .uncheckedSendableNamesItsLock, "Mailroom/A.swift",
            "// All fields are guarded by `lock`.\nfinal class A: @unchecked Sendable {}"),
        Case(.nothingIsPublic, "OpenSSL/A.swift", "let k = Key.public; open(path); package struct A {}"),
    ]

    @Test("what is allowed passes", arguments: innocent)
    func innocentPasses(_ innocent: Case) {
        #expect(innocent.violations.map(\.description) == [])
    }

    @Test("each rule has a planted violation and an innocent neighbour", arguments: Rule.all)
    func ruleIsProven(_ rule: Rule) {
        #expect(Self.planted.contains { $0.rule.name == rule.name })
        #expect(Self.innocent.contains { $0.rule.name == rule.name })
    }

    @Test("the line of a violation is the line it stands on")
    func violationHasItsLine() {
        let source = "/* a\n b */\nlet s = \"\"\"\n  x \\(y)\n  \"\"\"\nlet t = \"\\\"\"\nlet a = try! b\n"
        let file = SourceFile(path: "Sources/SMTP/A.swift", source: source)
        #expect(
            Rule.nothingTraps.check(file).map(\.description) == ["Sources/SMTP/A.swift:7: try! traps; catch the error or let it through"])
    }
}
