import InternetMessage
import Outreach

extension StoreContract {
    /// What persons did to the state, and what they paused.
    static var persons: [Self] {
        [
            Self("commands are noted once, for good, and read page by page") { world in
                let store = world.store
                let entries = (1...3).map { number in
                    AuditEntry(
                        id: world.ids.next(), at: world.later(Int64(number)), person: "eve", command: "sequence load \(number).toml",
                        failure: number == 2 ? "no such file" : nil)
                }
                try await store.note(entries)
                let first = entries[0]
                try await store.note([AuditEntry(id: first.id, at: world.later(9), person: "bob", command: "other")])
                let page = try await store.audit(after: nil, limit: 2)
                try expect(page, Array(entries.prefix(2)), "as they were noted first, oldest first")
                try expect(try await store.audit(after: page.last?.id, limit: 9), [entries[2]], "and on from there")
            },
            Self("of who is forgotten the log keeps that something was done, and no more") { world in
                let ann = try await world.savedContact("ann@example.com")
                let texts = [
                    "contacts set Ann@Example.com --field city=Ulm", "contacts set bob@example.com --field city=Ulm", "enroll x --all",
                ]
                try await world.store.note(
                    texts.map {
                        AuditEntry(
                            id: world.ids.next(), at: world.later(1), person: "eve", command: $0,
                            failure: $0 == texts[2] ? "ann@example.com: suppressed" : nil)
                    })
                _ = try await world.store.erase(Erasure(workspace: .default, address: ann.address, person: "eve", at: world.later(5)))
                let left = try await world.store.audit(after: nil, limit: 9)
                try expect(
                    left.map(\.command), ["contacts set [erased]", texts[1], "enroll x [erased]"], "the command, without whom it named")
                try expect(left.map(\.failure), [nil, nil, "[erased]"], "nor does its failure name them")
                try expect(try await world.store.erasedContacts(), [ann.id], "who is forgotten is known as such")
            },
            Self("a sequence is paused as a whole once, and what waited for that is due when it goes on") { world in
                let store = world.store
                let enrollment = try await world.enrolled("ann@example.com", sequence: "intro")
                func pause(_ name: String, _ person: String?, at second: Int64) async throws -> Bool {
                    try await store.setPause(of: name, workspace: .default, by: person, at: world.later(second))
                }
                try expect(try await pause("intro", nil, at: 1), false, "what runs does not go on")
                try expect(try await pause("intro", "eve", at: 2), true, "it is paused")
                try expect(try await pause("intro", "bob", at: 3), false, "once")
                try expect(try await pause("nothing", "eve", at: 3), false, "what is not there is not paused")
                let marks = try await store.pausedSequences()
                try expect(
                    marks, [SequencePauseMark(workspace: .default, sequence: "intro", since: world.later(2), person: "eve")], "by the first"
                )
                _ = try await store.postpone(
                    enrollment.id, expectedVersion: enrollment.version, until: world.later(86_400), heldBy: marks.map(\.words).joined())
                try expect(try await store.claimDue(now: world.later(4), limit: 9, lease: world.lease("x")), [], "nobody is due")
                try expect(try await pause("intro", nil, at: 5), true, "it goes on")
                try expect(try await store.pausedSequences(), [], "and is paused no more")
                let due = try await store.claimDue(now: world.later(5), limit: 9, lease: world.lease("x"))
                try expect(due.map(\.enrollment.id), [enrollment.id], "who waited is due at once")
            },
        ]
    }
}
