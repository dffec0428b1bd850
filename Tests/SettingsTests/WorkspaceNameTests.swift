import Testing

@testable import Settings

@Suite("workspaces in the conf")
struct WorkspaceNameTests {
    /// A conf with an identity in each of the workspaces, the first in line 6; empty: it names none.
    private func conf(_ workspaces: [String]) -> String {
        let identities = workspaces.enumerated().map { number, name in
            "[identity.i\(number)]\nfrom = \"i@example.com\"\nreply_to = \"self\"\nreturn_path = \"self\"\n"
                + (name.utf8.isEmpty ? "" : "workspace = \"\(name)\"\n")
        }
        return smallest + "[route.out]\ntype = \"sink\"\n" + identities.joined()
    }

    @Test(
        "identities name them, each once, and one alone is meant by whoever names none",
        arguments: [
            ([], ["default"], "default"), ([""], ["default"], "default"), (["sales"], ["sales"], "sales"),
            (["sales", "", "sales", "Europe-2.a_b"], ["sales", "default", "Europe-2.a_b"], "default"),
            (["sales", "support"], ["sales", "support"], "default"),
        ] as [([String], [String], String)])
    func names(_ written: [String], _ names: [String], _ meant: String) throws {
        let settings = try load(conf(written)).get()
        #expect(settings.workspaces == names && settings.workspaceMeant == meant)
        #expect(settings.identities(of: "sales").count == written.count { $0 == "sales" })
    }

    @Test(
        "what cannot be one is said",
        arguments: [
            (["instance"], "'instance' stands for all workspaces together; give it another name"),
            (["Instance"], "'Instance' stands for all workspaces together"),
            (["sales", "Sales"], "workspace 'Sales' differs from 'sales' by the case of letters alone; write both alike"),
            (["Default"], "workspace 'Default' differs from 'default' by the case of letters alone"),
            (["two words"], "'two words' is not a name"),
        ] as [([String], String)])
    func wrong(_ written: [String], _ fault: String) {
        let found = faults(conf(written))
        #expect(found.contains { $0.contains(fault) }, "\(found)")
    }
}
