import InternetMessage
import Outreach

extension StoreContract {
    static var people: [Self] {
        [
            Self("an import says what became of each row, and duplicates of its own rows") { world in
                try await world.store.suppress([try world.suppression(of: "gone@example.com")])
                let old = try await world.savedContact("old@example.com")
                let run = try await world.beginImport()
                let rows = try [
                    world.row(2, "ann@example.com"), world.row(3, "OLD@example.com", ["city": "Ulm"]), world.row(4, "gone@example.com"),
                    world.row(5, "Ann@Example.COM"),
                ]
                let foreseen = try await world.store.foresee(rows)
                try expect(
                    foreseen, [.created(nil), .updated(old.id), .suppressed(reason: "manual"), .created(nil)], "foreseen row by row")
                try expect(try await world.store.contacts(workspace: .default, after: nil, limit: 9).count, 1, "nothing was stored by that")
                let verdicts = try await world.store.take(rows, into: run.id)
                try expect(
                    verdicts,
                    [.created(rows[0].contact.id), .updated(old.id), .suppressed(reason: "manual"), .duplicate(line: 2)],
                    "verdicts come in the order of the rows")
                let again = try await world.store.take([try world.row(9, "ann@example.com", ["city": "Bonn"])], into: run.id)
                try expect(again, [.duplicate(line: 2)], "a duplicate is found in a later batch, too")
                try expect(try await world.store.contact(id: rows[0].contact.id)?.fields == [:], "and changes nothing")
                let broken = try await world.store.contactImports(workspace: .default).first?.counts
                try expect([broken?.rows, broken?.created, broken?.updated], [2, 1, 1], "one that was broken off is counted by its rows")
                var counts = ContactImport.Counts()
                verdicts.forEach { counts.count($0) }
                try await world.store.finish(run.id, counts: counts, at: world.later(5))
                let listed = try await world.store.contactImports(workspace: .default)
                try expect(listed.map(\.id), [run.id], "the import is listed")
                try expect(listed.first?.counts, counts, "with its counts")
                try expect(listed.first?.finishedAt, world.later(5), "and its end")
            },
            Self("an import is undone: what it made goes, what it replaced comes back") { world in
                let old = try await world.savedContact("old@example.com", fields: ["city": "Ulm", "job": "boss"])
                let run = try await world.beginImport()
                let rows = try [
                    world.row(2, "new@example.com"),
                    world.row(3, "old@example.com", ["city": "Bonn", "job": "chief", "car": "yes"], name: "Olga"),
                    world.row(4, "busy@example.com"),
                ]
                _ = try await world.store.take(rows, into: run.id)
                let busy = try await world.enrolled("busy@example.com")
                // A person changes one of the values afterwards.
                let person = Contact(
                    id: world.ids.next(), address: old.address, fields: ["job": "owner"], createdAt: StoreWorld<Store>.start)
                _ = try await world.store.save([person])
                var steps = 0
                var undone = ContactImportUndo()
                repeat {
                    let step = try await world.store.undo(run.id, at: world.later(9), limit: 2)
                    guard let step else { throw ContractBreach(description: "the import is there") }
                    undone.deleted += step.deleted
                    undone.restored += step.restored
                    undone.kept += step.kept
                    undone.hasMore = step.hasMore
                    steps += 1
                } while undone.hasMore
                try expect(steps, 2, "in steps of two rows")
                try expect(undone.deleted, 1, "the contact that nothing came of is gone")
                try expect(undone.restored, 1, "the contact that was there has its values back")
                try expect(undone.kept.map(\.address.text), ["busy@example.com"], "who was enrolled stays")
                try expect(try await world.store.contact(id: busy.contact) != nil, "and is there")
                let back = try await world.store.contact(id: old.id)
                try expect(back?.fields, ["city": "Ulm", "job": "owner"], "what was changed since stays")
                try expect(back?.displayName, "Ann", "the name is the one of before")
                try expect(
                    try await world.store.contactImports(workspace: .default).first?.undoneAt, world.later(9),
                    "the import says that it was undone")
                try await expectError(.constraint, "rows of an undone import are refused") { () async throws(StoreError) in
                    _ = try await world.store.take(rows, into: run.id)
                }
                let nobody = try await world.store.undo(world.ids.next(), at: world.later(9), limit: 1)
                try expect(nobody == nil, "there is no such import")
            },
            Self("a pattern stops whom it covers, and holds for those to come") { world in
                let (info, message) = try await world.queued("info@sub.example.com")
                let (ann, other) = try await world.queued("ann@sub.example.com")
                try await world.store.suppress([world.suppression(.pattern("info@*.example.com"))])
                try expect(try await world.current(info).cause, .suppressed, "who is covered is stopped")
                try expect(try await world.state(of: message), .cancelled, "their mail is taken back")
                try expect(try await world.current(ann).state, .sending, "others go on")
                try expect(try await world.state(of: other), .incoming, "with their mail")
                func held(_ text: String) async throws -> Suppression.Subject? {
                    try await world.store.suppression(workspace: .default, address: try world.address(text), now: world.later(1))?.subject
                }
                try expect(try await held("INFO@a.b.example.com"), .pattern("info@*.example.com"), "it holds for new addresses")
                try expect(try await held("info@example.com") == nil, "and only for those that it covers")
                try await world.store.suppress([world.suppression(.domain("x.example.com"))])
                try expect(try await held("info@x.example.com"), .domain("x.example.com"), "a domain goes before a pattern")
                try await world.store.suppress([try world.suppression(of: "info@x.example.com")])
                try expect(try await held("info@x.example.com"), .address("info@x.example.com"), "an address goes before both")
            },
            Self("a suppression of the installation holds in every workspace") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                let ann = Suppression.Subject(try world.address("ann@example.com"))
                let everywhere = Suppression(
                    id: world.ids.next(), workspace: .instance, subject: ann, reason: .complaint, source: .complaint, note: "",
                    at: world.later(1))
                try await world.store.suppress([everywhere])
                try expect(try await world.current(enrollment).state, .stopped, "it stops what runs in a workspace")
                try expect(try await world.state(of: message), .cancelled, "and takes its mail back")
                for workspace in [WorkspaceID.default, WorkspaceID(rawValue: 7)] {
                    let found = try await world.store.suppression(
                        workspace: workspace, address: try world.address("ann@example.com"), now: world.later(2))
                    try expect(found, everywhere, "it holds in workspace \(workspace.rawValue)")
                }
                try expect(
                    try await world.store.suppressions(workspace: .default, after: nil, limit: 9), [everywhere],
                    "it is among those of a workspace")
                try expect(try await !world.store.unsuppress(workspace: .default, subject: ann), "a workspace does not take it back")
                try expect(try await world.store.unsuppress(workspace: .instance, subject: ann), "the installation does")
            },
            Self("an erased person is forgotten, and no import brings them back") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                let bystander = try await world.enrolled("bob@example.com")
                let erasure = Erasure(workspace: .default, address: try world.address("ANN@example.com"), person: "eve", at: world.later(5))
                guard case .erased(let report) = try await world.store.erase(erasure) else {
                    throw ContractBreach(description: "nothing keeps the person from being erased")
                }
                try expect(report.contact && report.enrollments == 1 && report.messages == 1, "the report counts what there was")
                try expect(try await world.store.contact(id: enrollment.contact) == nil, "the contact is gone")
                try expect(
                    try await world.store.contacts(workspace: .default, after: nil, limit: 9).map(\.address.text), ["bob@example.com"],
                    "and only that one")
                try expect(try await world.current(enrollment).state, .stopped, "what ran is stopped")
                try expect(try await world.current(bystander).state, .active, "others go on")
                let left = try await world.store.message(id: message.id)
                try expect(left?.state, .cancelled, "mail in the queue is taken back")
                try expect(left?.bytes, [], "its text is gone")
                try expect(
                    left.map { $0.subject.utf8.isEmpty && $0.recipient.domain == "erased.invalid" } ?? false, "with subject and recipient")
                let held = try await world.store.suppression(workspace: .default, address: erasure.address, now: world.later(9_999_999))
                try expect(held?.reason, .erased, "the address is suppressed")
                if case .hash? = held?.subject {} else { throw ContractBreach(description: "by a hash: \(String(describing: held))") }
                let run = try await world.beginImport()
                try expect(
                    try await world.store.take([try world.row(2, "ann@EXAMPLE.com")], into: run.id), [.suppressed(reason: "erased")],
                    "no import takes it in")
                let subject = Suppression.Subject(erasure.address)
                try expect(
                    try await world.store.suppression(workspace: .default, of: subject)?.reason, .erased, "it is found by the address")
                try expect(try await world.store.unsuppress(workspace: .default, subject: subject), "and taken back by it")
                try expect(
                    try await world.store.suppression(workspace: .default, address: erasure.address, now: world.later(9)) == nil,
                    "then it holds no more")
            },
            Self("an erased person who unsubscribed stays unsubscribed") { world in
                try await world.store.suppress([try world.suppression(of: "ann@example.com", .unsubscribed)])
                let erasure = Erasure(workspace: .default, address: try world.address("ann@example.com"), person: "eve", at: world.later(5))
                guard case .erased(let report) = try await world.store.erase(erasure) else {
                    throw ContractBreach(description: "nothing keeps the person from being erased")
                }
                try expect(report.suppressedAs, .unsubscribed, "the reason is kept")
                let all = try await world.store.suppressions(workspace: .default, after: nil, limit: 9)
                try expect(all.map(\.subject.kind), ["hash"], "and the address in clear is gone")
                try expect(all.map(\.reason), [.unsubscribed], "with the reason that counts")
            },
            Self("nobody is erased while a message to them is in transmission") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                try expect(
                    try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2)), "the dot may be written")
                let erasure = Erasure(workspace: .default, address: try world.address("ann@example.com"), person: "eve", at: world.later(5))
                try expect(try await world.store.erase(erasure), .onItsWay(message.id), "what becomes of it must be recorded first")
                try expect(try await world.store.contacts(workspace: .default, after: nil, limit: 9).count, 1, "nothing was done")
            },
        ]
    }
}

extension StoreWorld {
    func beginImport() async throws -> ContactImport {
        let run = ContactImport(id: ids.next(), workspace: .default, file: "people.csv", person: "eve", at: Self.start)
        try await store.begin(run)
        return run
    }

    func row(_ line: Int, _ text: String, _ fields: [String: String] = [:], name: String? = nil) throws -> ContactImport.Row {
        ContactImport.Row(
            line: line,
            contact: Contact(id: ids.next(), address: try address(text), displayName: name, fields: fields, createdAt: Self.start))
    }

    func savedContact(_ text: String, fields: [String: String]) async throws -> Contact {
        let contact = try contact(text, fields: fields)
        try expect(try await store.save([contact]), [.created(contact.id)], "a new contact is created")
        return contact
    }
}
