import InternetMessage
import Testing

@testable import Outreach

@Suite("who writes to those who start")
struct SenderRotationTests {
    private let chance = Chance(seed: [9])
    private let team = SenderRotation([.init("anna", weight: 3), .init("ben"), .init("cleo", weight: 0)])

    private func address(_ number: Int) throws -> EmailAddress { try #require(EmailAddress("p\(number)@example.com")) }

    private func sender(
        _ number: Int, in sequence: String = "intro", known: String? = nil, paused: Set<String> = [], of rotation: SenderRotation? = nil
    ) throws -> String? {
        (rotation ?? team).sender(for: try address(number), in: sequence, known: known, paused: paused, chance: chance)
    }

    @Test("people are shared out by weight, the same again with the same seed, and otherwise in another sequence")
    func weights() throws {
        let drawn = try (0..<1000).map { try sender($0) }
        #expect((700..<800).contains(drawn.count { $0 == "anna" }) && drawn.count { $0 == "cleo" } == 0)
        #expect(try (0..<1000).map { try sender($0) } == drawn)
        #expect(try (0..<1000).map { try sender($0, in: "other") } != drawn)
        let upper = try #require(EmailAddress("P1@Example.com"))
        #expect(team.sender(for: upper, in: "intro", known: nil, paused: [], chance: chance) == drawn[1])
    }

    @Test("whoever was written to keeps who wrote, paused or no member; an identity alone writes to all")
    func known() throws {
        for number in 0..<20 {
            #expect(try sender(number, known: "cleo", paused: ["cleo"]) == "cleo")
            #expect(try sender(number, known: "otto") == "otto")
            #expect(try sender(number, known: "otto", paused: ["ben"], of: SenderRotation(only: "ben")) == "ben")
            #expect(try sender(number, known: "otto", of: SenderRotation([.init("ben")])) == "otto", "a rotation of one")
        }
    }

    @Test("who is paused is passed over as long as there is another, and the others keep whom they had")
    func paused() throws {
        let free = try (0..<200).map { try sender($0) }
        #expect(try (0..<200).allSatisfy { try sender($0, paused: ["anna"]) == "ben" })
        #expect(try (0..<200).map { try sender($0, paused: ["anna", "ben"]) } == free)
        #expect(try sender(1, of: SenderRotation([.init("a", weight: 0), .init("b", weight: 0)])) == nil)
    }
}
