import DNS
import Foundation
import TestKit
import Testing

/// Validation that could not work at the start, against a real signed root.
@Suite("DNSSEC that works later")
struct ValidationInteropTests {
    @Test("a root that fails at the start is tried anew, and answers are secure once it holds", .timeLimit(.minutes(4)))
    func anew() async throws {
        let dns = try await SignedDNS.start(records: ["mx.example.com. A 127.0.0.1"])
        let folder = try TemporaryFolder()
        // The key of another root, as if the package with the real one were old.
        let anchor = try folder.write(
            "root.key", text: ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n")
        let resolver = UnboundResolver(
            .init(servers: [dns.address], trustAnchorFile: anchor, trialInterval: .milliseconds(200)))
        #expect(await !resolver.lookup("mx.example.com", .a).isSecure)
        guard case .off = resolver.validation else { return #expect(Bool(false), "\(resolver.validation)") }
        // Trials that fail change nothing.
        try await Task.sleep(for: .milliseconds(700))
        guard case .off = resolver.validation else { return #expect(Bool(false), "\(resolver.validation)") }
        #expect(await resolver.lookup("mx.example.com", .a).addresses.count == 1)
        try Data(contentsOf: URL(filePath: dns.trustAnchorFile)).write(to: URL(filePath: anchor))
        try await eventually("validation is on") { resolver.validation == .on }
        let answer = await resolver.lookup("mx.example.com", .a)
        #expect(answer.isSecure && answer.addresses.count == 1)
    }
}
