import InternetMessage
import Outreach

extension StoreContract {
    static var groups: [Self] {
        [
            Self("tags and lists are made when somebody first comes into them, and spelled as first written") { world in
                let ann = try await world.savedContact("ann@example.com")
                let bob = try await world.savedContact("bob@example.com")
                let changed = try await world.store.regroup([
                    world.joins(ann, .tag, "VIP"), world.joins(bob, .tag, "vip"), world.joins(bob, .tag, "Vip"),
                    world.joins(ann, .list, "vip"), world.leaves(bob, .list, "vip"), world.leaves(bob, .tag, "nothing"),
                ])
                try expect(changed, [true, true, false, true, false, false], "what changed anything is said")
                try expect(
                    try await world.store.timeline(contact: ann.id).map { "\($0.kind.rawValue): \($0.summary)" },
                    ["edited: tag VIP given", "edited: list vip given"], "and told")
                let tags = try await world.store.groups(workspace: .default, kind: .tag)
                try expect(tags.map(\.group.name.text), ["VIP"], "one tag, as it was first written")
                try expect(tags.map(\.members), [2], "with both contacts")
                let all = try await world.store.groups(of: [ann.id, bob.id])
                try expect(all[ann.id]?.map(\.description), ["tag VIP", "list vip"], "a tag and a list of one name are two things")
                try expect(all[bob.id]?.map(\.description), ["tag VIP"], "each has its own")
                try expect(try await world.store.groups(of: []).isEmpty, "of nobody there are none")
                let pages = try await world.store.memberships(workspace: .default, after: nil, limit: 1)
                try expect(pages.map(\.contact), [ann.id], "contacts in a group are paged in id order")
                let rest = try await world.store.memberships(workspace: .default, after: ann.id, limit: 9)
                try expect(rest.map(\.contact), [bob.id], "to the last one")
            },
            Self("a list has a description, and goes without its contacts") { world in
                let ann = try await world.savedContact("ann@example.com")
                let name = try world.group(.list, "Fair 2026")
                try expect(try await world.store.define(ContactGroup(name: name, description: "a", createdAt: world.later(0))), "made")
                let again = ContactGroup(name: try world.group(.list, "FAIR 2026"), description: "b", createdAt: world.later(5))
                try expect(try await !world.store.define(again), "described anew")
                _ = try await world.store.regroup([world.joins(ann, .list, "fair 2026")])
                let found = try await world.store.groups(workspace: .default, kind: .list)
                try expect(found.map(\.group.description), ["b"], "with the latest description")
                try expect(found.map(\.group.createdAt), [world.later(0)], "since it was made")
                try expect(try await world.store.remove(name, workspace: .default), 1, "with whom it had")
                try expect(try await world.store.remove(name, workspace: .default) == nil, "and only once")
                try expect(try await world.store.contact(id: ann.id)?.id, ann.id, "the contact stays")
            },
            Self("an import brings contacts into groups, and its undo takes them out again, but for whom a person put there") { world in
                let old = try await world.savedContact("old@example.com", fields: [:])
                _ = try await world.store.regroup([world.joins(old, .tag, "kept")])
                let run = try await world.beginImport()
                let names = try ["hot", "kept", "said"].map { try world.group(.tag, $0) }
                let fresh = try world.row(2, "new@example.com")
                let rows = [
                    ContactImport.Row(line: 2, contact: fresh.contact, groups: names),
                    ContactImport.Row(line: 3, contact: try world.row(3, "old@example.com").contact, groups: names),
                    ContactImport.Row(line: 4, contact: try world.row(4, "busy@example.com").contact, groups: names),
                ]
                _ = try await world.store.take(rows, into: run.id)
                try expect(try await world.store.groups(of: [old.id])[old.id]?.count, 3, "an import gives what is missing")
                let late = Contact(id: world.ids.next(), address: old.address, fields: [:], createdAt: world.later(7))
                let other = ContactImport.Row(line: 5, contact: late, groups: [try world.group(.list, "late")])
                let second = try await world.beginImport()
                _ = try await world.store.take([other], into: second.id)
                let made = try await world.store.groups(workspace: .default, kind: .list).map(\.group.createdAt)
                try expect(made, [world.later(7)], "a list bears the day of the import that made it, whenever its contact came")
                _ = try await world.store.undo(second.id, at: world.later(8), limit: 100)
                _ = try await world.store.regroup([world.joins(old, .tag, "said")])
                let busy = try await world.enrolled("busy@example.com")
                let undone = try await world.store.undo(run.id, at: world.later(9), limit: 100)
                try expect(undone?.deleted, 1, "who is new goes with all tags")
                try expect(undone?.ungrouped, 7, "what the import gave is taken")
                let left = try await world.store.groups(of: [old.id, busy.contact, fresh.contact.id])
                try expect(left[old.id]?.texts(.tag), ["kept", "said"], "what a person said, before or after, stays")
                try expect(left[busy.contact] == nil && left[fresh.contact.id] == nil, "others have none")
            },
            Self("a step's tags come with its transition, or not at all") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let joins = ContactGroup.Change(
                    contact: enrollment.contact, name: try world.group(.tag, "hot"), isMember: true, at: world.later(1))
                let consequence = Consequence(transition: world.transition(enrollment, to: .paused), groups: [joins])
                try expect(try await world.store.apply(consequence), .committed, "the first is applied")
                try expect(try await world.store.groups(of: [enrollment.contact])[enrollment.contact]?.count, 1, "with its tag")
                let leaves = ContactGroup.Change(contact: joins.contact, name: joins.name, isMember: false, at: world.later(2))
                let stale = Consequence(transition: world.transition(enrollment, to: .active, due: 5), groups: [leaves])
                try expect(try await world.store.apply(stale), .stale, "the second was decided on what is no more")
                try expect(try await world.store.groups(of: [enrollment.contact])[enrollment.contact]?.count, 1, "and takes nothing")
            },
            Self("who is forgotten is in no group any more") { world in
                let ann = try await world.savedContact("ann@example.com")
                _ = try await world.store.regroup([world.joins(ann, .tag, "hot"), world.joins(ann, .list, "fair")])
                let erasure = Erasure(workspace: .default, address: ann.address, person: "eve", at: world.later(5))
                guard case .erased(let report) = try await world.store.erase(erasure) else {
                    throw ContractBreach(description: "nothing keeps the person from being erased")
                }
                try expect(report.groups, 2, "the report counts them")
                try expect(try await world.store.groups(of: [ann.id]).isEmpty, "they are gone")
                try expect(try await world.store.regroup([world.joins(ann, .tag, "hot")]), [false], "and do not come back")
            },
        ]
    }
}

extension StoreWorld {
    func group(_ kind: ContactGroup.Kind, _ text: String) throws -> ContactGroup.Name {
        guard let name = try? ContactGroup.Name(kind, text) else { throw ContractBreach(description: "the check's own name is wrong") }
        return name
    }

    func joins(_ contact: Contact, _ kind: ContactGroup.Kind, _ text: String) throws -> ContactGroup.Change {
        .init(contact: contact.id, name: try group(kind, text), isMember: true, at: later(1))
    }

    func leaves(_ contact: Contact, _ kind: ContactGroup.Kind, _ text: String) throws -> ContactGroup.Change {
        .init(contact: contact.id, name: try group(kind, text), isMember: false, at: later(1))
    }
}
