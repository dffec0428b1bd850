import Testing

@testable import IMAP

@Suite("dialogues from files")
struct DialogueTests {
    @Test("the fixtures are there")
    func present() {
        #expect(Dialogue.names.count >= 20)
    }

    @Test("as written", arguments: Dialogue.names)
    func whole(name: String) throws {
        let dialogue = try Dialogue(named: name)
        #expect(try dialogue.run { _, turn in [turn[...]] } == dialogue.expected)
    }

    @Test("byte by byte", arguments: Dialogue.names)
    func bytewise(name: String) throws {
        let dialogue = try Dialogue(named: name)
        #expect(try dialogue.run { _, turn in turn.indices.map { turn[$0...$0] } } == dialogue.expected)
    }

    @Test("split at every byte", arguments: Dialogue.names)
    func split(name: String) throws {
        let dialogue = try Dialogue(named: name)
        for cut in 0..<dialogue.serverByteCount {
            let events = try dialogue.run { offset, turn in
                let at = cut - offset
                return turn.indices.contains(at) && at > 0 ? [turn[..<at], turn[at...]] : [turn[...]]
            }
            guard events == dialogue.expected else {
                Issue.record("\(name) differs when cut at byte \(cut): \(events)")
                return
            }
        }
    }
}
