import Testing

@testable import Settings

@Suite("guardrails in the conf")
struct GuardrailTests {
    @Test("what is built in is on, but for replies; a section changes what it names and nothing else")
    func builtIn() throws {
        let builtIn = GuardrailSettings.builtIn
        #expect(builtIn.map(\.isEnabled) == [true, true, false])
        #expect(builtIn.map(\.effectiveThreshold) == [0.05, 0.001, 0.01])
        #expect(builtIn.map(\.effectiveComparison) == [.above, .above, .below])
        #expect(builtIn.allSatisfy { $0.minimumSends == 50 && $0.window == .seconds(7 * 86_400) && $0.lasts == nil })
        var reply = GuardrailSettings(name: "reply")
        reply.threshold = 0.02
        #expect(reply.isEnabled && reply.effectiveMetric == .reply)
    }
}
