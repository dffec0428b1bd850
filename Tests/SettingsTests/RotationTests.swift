import Testing

@testable import Settings

@Suite("rotations in the conf")
struct RotationTests {
    private static let head =
        smallest
            + """
            [route.out]
            type = "sink"
            [identity.anna]
            from = "anna@example.com"
            reply_to = "self"
            return_path = "self"
            [identity.ben]
            from = "ben@example.com"
            reply_to = "self"
            return_path = "self"
            [rotation.team]

            """

    @Test("its members are identities, with weights")
    func members() throws {
        let settings = try load(Self.head + "members = [{ identity = \"anna\", weight = 3 }, { identity = \"ben\" }]\n").get()
        let team = try #require(settings.rotation(named: "team"))
        #expect(team.members.map(\.identity) == ["anna", "ben"] && team.members.map(\.weight) == [3, 1])
        #expect(settings.rotation(named: "anna") == nil)
    }

    @Test(
        "what is wrong with one is said with its line",
        arguments: [
            ("members = [{ identity = \"ana\" }]\n", "postrider.conf:14: there is no [identity.ana]; did you mean 'anna'?"),
            (
                "members = [{ identity = \"anna\" }, { identity = \"anna\" }]\n",
                "postrider.conf:14: 'anna' stands here twice; write it once, with the sum of its weights"
            ),
            (
                "members = [{ identity = \"anna\", weight = 0 }]\n",
                "postrider.conf:14: no identity of the rotation has a weight; give at least one a weight of 1 or more"
            ),
            ("members = []\n", "postrider.conf:14"), ("\n", "'members' is missing"),
            (
                "members = [{ identity = \"anna\" }]\n[rotation.ben]\nmembers = [{ identity = \"anna\" }]\n",
                "postrider.conf:15: there is an [identity.ben] too"
            ),
            (
                "members = [{ identity = \"anna\" }, { identity = \"eve\" }]\n[identity.eve]\nworkspace = \"sales\"\nfrom = \"eve@example.com\"\n",
                "postrider.conf:14: 'anna' is of workspace 'default' and 'eve' of 'sales', and nobody is a contact of both"
            ),
        ])
    func wrong(text: String, fault: String) {
        let found = faults(Self.head + text)
        #expect(found.contains { $0.contains(fault) }, "\(found)")
    }
}
