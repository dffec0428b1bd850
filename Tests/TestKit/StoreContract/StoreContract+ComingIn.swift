import InternetMessage
import Outreach

/// Consents, further addresses and domains of people who come in.
extension StoreContract {
    static var comingIn: [Self] {
        [
            Self("an import keeps what it says of a consent, and one that says nothing changes nothing") { world in
                let fair = Consent(source: "fair 2026", at: world.later(-9))
                let run = try await world.beginImport()
                let rows = [try world.row(2, "ann@example.com", consent: fair), try world.row(3, "bob@example.com")]
                _ = try await world.store.take(rows, into: run.id)
                func consent(_ row: ContactImport.Row) async throws -> Consent? {
                    try await world.store.contact(id: row.contact.id)?.consent
                }
                try expect(try await consent(rows[0]), fair, "it is read as it was given")
                try expect(try await consent(rows[1]), Consent(), "and nobody else's")
                let second = try await world.beginImport()
                _ = try await world.store.take([try world.row(2, "ann@example.com", ["city": "Ulm"])], into: second.id)
                try expect(try await consent(rows[0]), fair, "an import without one leaves it")
                let third = try await world.beginImport()
                let form = Consent(source: "form")
                let changed = [
                    try world.row(2, "ann@example.com", consent: form), try world.row(3, "bob@example.com", consent: Consent(at: world.later(-5))),
                ]
                _ = try await world.store.take(changed, into: third.id)
                try expect(try await consent(rows[0]), form, "another source takes the date of the one before")
                let undone = try await world.store.undo(third.id, at: world.later(3), limit: 9)
                try expect(undone?.restored, 2, "an undo gives back")
                try expect(try await consent(rows[0]), fair, "what was known before")
                try expect(try await consent(rows[1]), Consent(), "and that nothing was")
            },
            Self("an undo leaves a consent that a person said since") { world in
                let ann = try await world.savedContact("ann@example.com")
                let run = try await world.beginImport()
                let fair = Consent(source: "fair", at: world.later(-9))
                _ = try await world.store.take([try world.row(2, "ann@example.com", consent: fair)], into: run.id)
                let change = Consent.Change(contact: ann.id, given: Consent(at: world.later(-7)))
                try expect(try await world.store.setConsent([change], at: world.later(1)), [true], "a person gives it another date")
                let undone = try await world.store.undo(run.id, at: world.later(3), limit: 9)
                try expect(undone?.restored, 0, "nothing is given back")
                try expect(
                    try await world.store.contact(id: ann.id)?.consent, Consent(source: "fair", at: world.later(-7)),
                    "source and date belong together, and stay together")
            },
            Self("a consent is said and taken by hand, which stands in the timeline") { world in
                let ann = try await world.savedContact("ann@example.com", fields: ["city": "Ulm"])
                let given = Consent(source: "a call", at: Timestamp(seconds: 1_772_323_200))
                let nobody: Contact.ID = world.ids.next()
                let changes: [Consent.Change] = [
                    .init(contact: ann.id, given: given), .init(contact: ann.id, given: given), .init(contact: nobody, given: given),
                    .init(contact: ann.id, given: nil), .init(contact: ann.id, given: nil),
                ]
                try expect(
                    try await world.store.setConsent(changes, at: world.later(1)), [true, false, false, true, false],
                    "what changes nothing says so")
                let left = try await world.store.contact(id: ann.id)
                try expect(left?.consent, Consent(), "it is taken")
                try expect(left?.fields, ["city": "Ulm"], "and nothing else")
                try expect(
                    try await world.store.timeline(contact: ann.id).map(\.summary),
                    ["consent is 'a call, 2026-03-01' now", "consent was taken"], "both are told")
            },
            Self("an import gives further addresses, and its undo takes those that it gave") { world in
                let ann = try await world.savedContact("ann@example.com")
                let known = try world.address("ann@known.example")
                _ = try await world.store.add(known, to: ann.id, at: world.later(1))
                let run = try await world.beginImport()
                let rows = [
                    try world.row(2, "ann@example.com", further: ["ann@known.example", "Ann@Home.example"]),
                    try world.row(3, "bob@example.com", further: ["bob@home.example"]),
                    try world.row(4, "BOB@home.example"), try world.row(5, "cy@example.com", further: ["ann@HOME.example"]),
                ]
                try expect(
                    try await world.store.take(rows, into: run.id),
                    [
                        .updated(ann.id), .created(rows[1].contact.id), .duplicate(line: 3),
                        .refused("'ann@HOME.example' is an address of the contact ann@example.com; it cannot be that of two"),
                    ], "each row has its verdict")
                let found = try await world.store.furtherAddresses(of: [ann.id, rows[1].contact.id])
                try expect(found[ann.id]?.map(\.text), ["ann@known.example", "Ann@Home.example"], "they are the contact's")
                try expect(found[rows[1].contact.id]?.map(\.text), ["bob@home.example"], "a new one's, too")
                try expect(
                    try await world.store.foresee([rows[3]]), try await world.store.take([rows[3]], into: run.id), "it is foreseen")
                _ = try await world.store.undo(run.id, at: world.later(3), limit: 9)
                try expect(try await world.store.furtherAddresses(of: [ann.id]), [ann.id: [known]], "what was known before stays")
                try expect(try await world.store.contact(workspace: .default, address: try world.address("bob@home.example")) == nil, "no more")
            },
            Self("a row with more addresses than there is room for is refused whole") { world in
                let run = try await world.beginImport()
                let many = (1...21).map { "a\($0)@home.example" }
                let verdicts = try await world.store.take(
                    [try world.row(2, "ann@example.com", further: many), try world.row(3, "bob@example.com", further: Array(many.prefix(20)))],
                    into: run.id)
                try expect(verdicts.first, .refused("more than 20 further addresses; leave some of them out"), "one is too many")
                if case .created? = verdicts.last {} else { throw ContractBreach(description: "twenty are not: \(verdicts)") }
                try expect(try await world.store.contacts(workspace: .default, after: nil, limit: 9).count, 1, "nothing is stored of it")
            },
            Self("who asked with one address to be left alone is left alone with those that an import adds") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                try await world.store.suppress([
                    try world.suppression(of: "ann@home.example", .unsubscribed), try world.suppression(of: "cy@home.example", .invalidRecipient),
                ])
                let run = try await world.beginImport()
                let rows = [
                    try world.row(2, "ann@example.com", ["city": "Ulm"], further: ["ann@home.example"]),
                    try world.row(3, "bob@example.com", further: ["ann@home.example"]),
                    try world.row(4, "cy@example.com", further: ["cy@home.example"]),
                ]
                try expect(
                    try await world.store.foresee(rows).prefix(2),
                    [.suppressed(reason: "unsubscribed"), .suppressed(reason: "unsubscribed")], "it is foreseen")
                try expect(try await world.current(enrollment).state, .sending, "which stops nobody")
                let verdicts = try await world.store.take(rows, into: run.id)
                try expect(
                    verdicts,
                    [
                        .suppressed(reason: "unsubscribed"), .suppressed(reason: "unsubscribed"), .created(rows[2].contact.id),
                    ], "what is wrong with an address alone says nothing of another")
                try expect(try await world.current(enrollment).cause, .unsubscribed, "what runs for the person is stopped")
                try expect(try await world.state(of: message), .cancelled, "with the mail that waits")
                for text in ["ann@example.com", "bob@example.com"] {
                    let held = try await world.store.suppression(workspace: .default, address: try world.address(text), now: world.later(9))
                    try expect(held?.reason, .unsubscribed, "\(text) is suppressed from now on")
                }
                try expect(
                    try await world.store.contact(workspace: .default, address: try world.address("bob@example.com")) == nil,
                    "and nobody new is stored")
            },
            Self("what was found of a domain counts until its end, the latest of it alone") { world in
                func found(_ domain: String, _ refusal: String?, until end: Int64) -> MailDomain {
                    MailDomain(domain: domain, refusal: refusal, askedAt: world.later(0), expiresAt: world.later(end))
                }
                let first = [
                    found("a.example", nil, until: 10), found("b.example", "the domain does not exist", until: 20),
                    found("c.example", nil, until: 99),
                ]
                try await world.store.keepMailDomains(first, at: world.later(0))
                func known(at seconds: Int64) async throws -> [String] {
                    try await world.store.mailDomains(["c.example", "a.example", "b.example", "d.example"], at: world.later(seconds)).map {
                        "\($0.domain) \($0.refusal ?? "ok")"
                    }.sorted()
                }
                try expect(
                    try await known(at: 9), ["a.example ok", "b.example the domain does not exist", "c.example ok"], "all are known")
                try expect(try await known(at: 10), ["b.example the domain does not exist", "c.example ok"], "at its end one counts no more")
                try await world.store.keepMailDomains([found("b.example", nil, until: 50)], at: world.later(15))
                try expect(try await known(at: 16), ["b.example ok", "c.example ok"], "the latest counts")
                try expect(try await world.store.mailDomains([], at: world.later(0)), [], "nothing is known of nothing")
            },
        ]
    }
}

extension StoreWorld {
    func row(
        _ line: Int, _ text: String, _ fields: [String: String] = [:], consent: Consent = Consent(), further: [String] = []
    ) throws -> ContactImport.Row {
        ContactImport.Row(
            line: line,
            contact: Contact(id: ids.next(), address: try address(text), fields: fields, consent: consent, createdAt: Self.start),
            furtherAddresses: try further.map(address))
    }
}
