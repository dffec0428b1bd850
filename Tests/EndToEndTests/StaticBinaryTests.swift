import Foundation
import TestKit
import Testing

/// The release binary carries the Swift runtime: it runs where there is none.
@Suite("release binary")
struct StaticBinaryTests {
    private static let released = ProcessInfo.processInfo.environment["POSTRIDER_BINARY"]

    @Test(
        "it links no Swift library, starts in an empty environment and knows named time zones",
        .enabled(if: released != nil, "set POSTRIDER_BINARY to the release binary; scripts/test does"))
    func runsWithoutSwift() async throws {
        let binary = try #require(Self.released)
        let libraries = try await Command.succeed("/usr/bin/ldd", [binary])
        #expect(libraries.outputText.contains("libssl"))
        #expect(!libraries.outputText.contains("libswift"))
        #expect(!libraries.outputText.contains("libFoundation"))
        let folder = try TemporaryFolder()
        let conf = try folder.write(
            "postrider.conf",
            text: "[main]\nmyhostname = \"out1.example.com\"\ntimezone = \"Europe/Berlin\"\nstate_directory = \"\(folder.path)\"\n")
        let checked = try await Command.run("/usr/bin/env", ["-i", binary, "--conf", conf, "check"])
        #expect(checked.status == 0, "\(checked.errorText)")
        let unknown = try folder.write(
            "other.conf",
            text: "[main]\nmyhostname = \"out1.example.com\"\ntimezone = \"Europe/Berlim\"\nstate_directory = \"\(folder.path)\"\n")
        #expect(try await Command.run("/usr/bin/env", ["-i", binary, "--conf", unknown, "check"]).status == 1)
    }
}
