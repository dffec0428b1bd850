import InternetMessage
import Outreach

extension StoreContract {
    static var addresses: [Self] {
        [
            Self("a further address finds its contact, in imports too, and is nobody else's") { world in
                let ann = try await world.savedContact("ann@example.com")
                let bob = try await world.savedContact("bob@example.com")
                let home = try world.address("Ann@Home.example")
                try expect(try await world.store.add(home, to: ann.id, at: world.later(1)), .added(isSuppressed: false), "it is added")
                try expect(try await world.store.add(home, to: ann.id, at: world.later(1)), .known, "once")
                try expect(try await world.store.add(home, to: bob.id, at: world.later(1)), .taken(ann.id), "it is hers")
                try expect(try await world.store.add(bob.address, to: ann.id, at: world.later(1)), .taken(bob.id), "his own is his")
                try expect(try await world.store.add(home, to: world.ids.next(), at: world.later(1)), .noSuchContact, "nobody has none")
                let found = try await world.store.contact(workspace: .default, address: try world.address("ann@home.example"))
                try expect(found, ann, "the contact is found by it, with its own address")
                try expect(try await world.store.furtherAddresses(of: [ann.id, bob.id]), [ann.id: [home]], "it is read as it was written")
                let run = try await world.beginImport()
                let rows = try [
                    world.row(2, "ANN@home.example", ["city": "Ulm"]), world.row(3, "ann@example.com"), world.row(4, "cy@example.com"),
                ]
                try expect(try await world.store.foresee(rows).first, .updated(ann.id), "it is foreseen")
                try expect(
                    try await world.store.take(rows, into: run.id),
                    [.updated(ann.id), .duplicate(line: 2), .created(rows[2].contact.id)], "an import knows the person by it")
                try expect(try await world.store.contact(id: ann.id)?.fields, ["city": "Ulm"], "and brings them up to date")
                let again = Contact(id: world.ids.next(), address: home, fields: ["job": "boss"], createdAt: StoreWorld<Store>.start)
                try expect(try await world.store.save([again]), [.updated(ann.id)], "so does a save")
                try expect(try await world.store.remove(home, from: ann.id), "it can be taken away")
                try expect(try await !world.store.remove(home, from: ann.id), "once")
                try expect(try await world.store.contact(workspace: .default, address: home) == nil, "then it is nobody's")
            },
            Self("who is suppressed as a person is with all addresses, and a dead address is only itself") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                let home = try world.address("ann@home.example")
                _ = try await world.store.add(home, to: enrollment.contact, at: world.later(1))
                func held(_ address: EmailAddress) async throws -> Suppression.Reason? {
                    try await world.store.suppression(workspace: .default, address: address, now: world.later(9))?.reason
                }
                try await world.store.suppress([try world.suppression(of: "ann@home.example", .invalidRecipient)])
                try expect(try await world.current(enrollment).state, .sending, "what is wrong with one address stops nothing to another")
                try await world.store.suppress([try world.suppression(of: "ann@home.example", .unsubscribed)])
                try expect(try await world.current(enrollment).cause, .unsubscribed, "who asks to hear no more is stopped")
                try expect(try await world.state(of: message), .cancelled, "with the mail that waits")
                try expect(try await held(try world.address("ann@example.com")), .unsubscribed, "the address mail goes to is suppressed")
                let kinds = try await world.store.timeline(contact: enrollment.contact).map(\.kind)
                try expect(kinds.contains(.unsubscribed), "the timeline tells of it")
                let office = try world.address("ann@office.example")
                let verdict = try await world.store.add(office, to: enrollment.contact, at: world.later(2))
                try expect(verdict, .added(isSuppressed: true), "a new address of theirs is told to be")
                try expect(try await held(office), .unsubscribed, "and is suppressed at once")
            },
            Self("a dead address does not make another one take its place") { world in
                let (enrollment, _) = try await world.queued("ann@example.com")
                let home = try world.address("ann@home.example")
                _ = try await world.store.add(home, to: enrollment.contact, at: world.later(1))
                try await world.store.suppress([try world.suppression(of: "ann@example.com", .invalidRecipient)])
                try expect(try await world.current(enrollment).state, .stopped, "the sequence ends")
                try expect(
                    try await world.store.contact(id: enrollment.contact)?.address.text, "ann@example.com", "the contact keeps its address")
                let version = try await world.store.load(try world.version())
                let anew = world.enrollment(of: enrollment.contact, in: version.id)
                try expect(
                    try await world.store.enroll([anew], timeline: []), [.suppressed(reason: "invalid_recipient")],
                    "and is not written to at the other")
                try expect(
                    try await world.store.suppression(workspace: .default, address: home, now: world.later(9)) == nil,
                    "which is as good as it was")
            },
            Self("the latest message to a person is found by each address of theirs") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                try expect(
                    try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2)), "the dot may be written")
                let home = try world.address("ann@home.example")
                try expect(try await world.store.latestSentMessages(to: home, since: world.later(0)).first == nil, "not by a stranger's")
                _ = try await world.store.add(home, to: enrollment.contact, at: world.later(1))
                let found = try await world.store.latestSentMessages(to: home, since: world.later(0)).first
                try expect(found?.outbox, message.id, "by a further one")
                try expect(found?.furtherAddress, home, "which is said")
                try expect(try await world.store.latestSentMessages(to: home, since: world.later(3)).first == nil, "unless it is too old")
                let own = try await world.store.latestSentMessages(to: message.recipient, since: world.later(0)).first
                try expect(own?.outbox == message.id && own?.furtherAddress == nil, "by its own as before")
            },
            Self("who is forgotten is so with every address") { world in
                let ann = try await world.savedContact("ann@example.com")
                let home = try world.address("ann@home.example")
                _ = try await world.store.add(home, to: ann.id, at: world.later(1))
                let erasure = Erasure(workspace: .default, address: home, person: "eve", at: world.later(5))
                guard case .erased(let report) = try await world.store.erase(erasure) else {
                    throw ContractBreach(description: "nothing keeps the person from being erased")
                }
                try expect(report.contact, "the contact is found by a further address")
                try expect(try await world.store.contact(id: ann.id) == nil, "and gone")
                let all = try await world.store.suppressions(workspace: .default, after: nil, limit: 9)
                try expect(all.map(\.subject.kind), ["hash", "hash"], "no address stays in clear")
                for address in [ann.address, home] {
                    let held = try await world.store.suppression(workspace: .default, address: address, now: world.later(9))
                    try expect(held?.reason, .erased, "each is suppressed")
                }
                try expect(try await world.store.furtherAddresses(of: [ann.id]), [:], "none is left")
            },
        ]
    }
}
