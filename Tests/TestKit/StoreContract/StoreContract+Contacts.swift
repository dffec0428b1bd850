import InternetMessage
import Outreach

extension StoreContract {
    static var contacts: [Self] {
        [
            Self("a contact is matched by suppression key and brought up to date") { world in
                let first = try world.contact("Ann@Example.com", fields: ["city": "Ulm", "name": "Ann"])
                let again = try world.contact("ann@EXAMPLE.com", fields: ["name": "Anna"])
                let other = try world.contact("bob@example.com")
                let verdicts = try await world.store.save([first, again, other])
                try expect(
                    verdicts, [.created(first.id), .updated(first.id), .created(other.id)], "verdicts come in the order of the contacts")
                let found = try await world.store.contact(workspace: .default, address: try world.address("ANN@example.com"))
                try expect(found?.id, first.id, "a contact is found by suppression key")
                try expect(found?.fields, ["city": "Ulm", "name": "Anna"], "fields are brought up to date")
                try expect(found?.address, first.address, "the address stays as it was first given")
                try expect(try await world.store.contact(id: again.id) == nil, "an updated contact keeps its first id")
            },
            Self("a suppressed address is not stored") { world in
                try await world.store.suppress([try world.suppression(of: "ann@example.com"), world.suppression(.domain("example.net"))])
                let contacts = [
                    try world.contact("ANN@example.com"), try world.contact("x@example.net"), try world.contact("y@sub.example.net"),
                ]
                let verdicts = try await world.store.save(contacts)
                try expect(
                    verdicts, [.suppressed(reason: "manual"), .suppressed(reason: "manual"), .created(contacts[2].id)],
                    "suppression wins, and a domain does not mean its subdomains")
                try expect(
                    try await world.store.contacts(workspace: .default, after: nil, limit: 9).count, 1, "nothing suppressed was stored")
            },
            Self("a save stores all contacts or none") { world in
                let first = try await world.savedContact("ann@example.com")
                let fine = try world.contact("bob@example.com")
                let broken = Contact(id: first.id, address: try world.address("eve@example.com"), createdAt: StoreWorld<Store>.start)
                try await expectError(.constraint, "an id is never used twice") { () async throws(StoreError) in
                    _ = try await world.store.save([fine, broken])
                }
                try expect(try await world.store.contact(id: fine.id) == nil, "nothing of a failed save is stored")
            },
            Self("fields are given values one by one, and taken with an empty one") { world in
                let ann = try await world.savedContact("ann@example.com", fields: ["city": "Ulm", "rank": "7"])
                let nobody: Contact.ID = world.ids.next()
                let changes: [(Contact.ID, String, String)] = [
                    (ann.id, "owner", "eve"), (ann.id, "city", "Ulm"), (ann.id, "rank", ""), (ann.id, "none", ""), (nobody, "owner", "eve"),
                ]
                let verdicts = try await world.store.set(
                    changes.map { .init(contact: $0.0, name: $0.1, value: $0.2) }, at: world.later(1))
                try expect(verdicts, [true, false, true, false, false], "what changed nothing says so")
                try expect(try await world.store.contact(id: ann.id)?.fields, ["city": "Ulm", "owner": "eve"], "the rest stays")
                try expect(
                    try await world.store.timeline(contact: ann.id).map(\.summary), ["field owner is 'eve' now", "field rank was taken"],
                    "what changed is told")
            },
            Self("contacts are paged in id order") { world in
                let saved = try (1...5).map { try world.contact("c\($0)@example.com") }
                _ = try await world.store.save(saved)
                let first = try await world.store.contacts(workspace: .default, after: nil, limit: 2)
                let rest = try await world.store.contacts(workspace: .default, after: first.last?.id, limit: 9)
                try expect((first + rest).map(\.id), saved.map(\.id), "every contact comes once, in id order")
                try expect(first, Array(saved.prefix(2)), "a contact is read back as it was saved")
                try expect(
                    try await world.store.contacts(workspace: WorkspaceID(rawValue: 2), after: nil, limit: 9), [], "workspaces are apart")
            },
        ]
    }

    static var suppression: [Self] {
        [
            Self("a suppressed subject keeps its first reason, but an unsubscribe replaces any other") { world in
                let ann = try world.address("ann@example.com")
                func held() async throws -> Suppression? {
                    try await world.store.suppression(workspace: .default, address: ann, now: world.later(10))
                }
                let first = try world.suppression(of: "ann@example.com", .refused)
                try await world.store.suppress([first, try world.suppression(of: "ann@example.com", .manual)])
                try expect(try await held(), first, "the first of equal reasons stays")
                let complaint = try world.suppression(of: "ann@example.com", .complaint, until: 40)
                try await world.store.suppress([complaint])
                try expect(try await held()?.reason, .complaint, "a complaint is not hidden behind a weaker reason")
                try expect(try await held()?.expiresAt == nil, "and takes over the later end")
                try await world.store.suppress([try world.suppression(of: "ann@example.com", .invalidRecipient)])
                try expect(try await held()?.id, complaint.id, "nor replaced by one")
                let unsubscribe = try world.suppression(of: "Ann@example.com", .unsubscribed, until: 20)
                try await world.store.suppress([unsubscribe])
                try expect(try await held(), unsubscribe, "an unsubscribe replaces another reason")
                try expect(try await held()?.expiresAt == nil, "an unsubscribe never expires")
                try await world.store.suppress([try world.suppression(of: "ann@example.com", .manual, until: 30)])
                try expect(try await held(), unsubscribe, "nothing replaces an unsubscribe")
            },
            Self("a suppression ends when it expires, and the later end wins") { world in
                let ann = try world.address("ann@example.com")
                func holds(at seconds: Int64) async throws -> Bool {
                    try await world.store.suppression(workspace: .default, address: ann, now: world.later(seconds)) != nil
                }
                try await world.store.suppress([try world.suppression(of: "ann@example.com", until: 100)])
                try expect(try await holds(at: 99), "it holds before its end")
                try expect(try await !holds(at: 100), "it is over at its end")
                try await world.store.suppress([try world.suppression(of: "ann@example.com", until: 200)])
                try expect(try await holds(at: 150), "a later end prolongs it")
                try await world.store.suppress([try world.suppression(of: "ann@example.com", until: 50)])
                try expect(try await holds(at: 150), "an earlier end does not shorten it")
                try await world.store.suppress([try world.suppression(of: "ann@example.com", .complaint, at: 300, until: 400)])
                let found = try await world.store.suppression(workspace: .default, address: ann, now: world.later(350))
                try expect(found?.reason, .complaint, "one that is over gives way to a new one")
            },
            Self("a suppression stops every running enrollment of the address and cancels its mail") { world in
                let (first, message) = try await world.queued("ann@example.com")
                let second = try await world.enrolled("ann@example.com", sequence: "other", due: 50)
                let paused = try await world.enrolled("ann@example.com", sequence: "third", due: 50)
                _ = try await world.store.apply(Consequence(transition: world.transition(paused, to: .paused, cause: .person)))
                let bystander = try await world.enrolled("bob@example.com")
                try await world.store.suppress([try world.suppression(of: "ANN@example.com", .unsubscribed)])
                for enrollment in [first, second, paused] {
                    let now = try await world.current(enrollment)
                    try expect(now.state, .stopped, "a running enrollment of a suppressed address is stopped")
                    try expect(now.cause, .unsubscribed, "the cause says why")
                    try expect(now.dueAt == nil, "a stopped enrollment is not due")
                }
                try expect(try await world.current(bystander).state, .active, "others go on")
                try expect(try await world.state(of: message), .cancelled, "queued mail is cancelled")
                let kinds = try await world.store.timeline(contact: first.contact).map(\.kind)
                try expect(
                    kinds.contains(.cancelled) && kinds.contains(.transition) && kinds.contains(.unsubscribed), "the timeline tells of it")
            },
            Self("a suppression that is over when it is added stops nobody") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                try await world.store.suppress([
                    try world.suppression(of: "ann@example.com", at: 50, until: 50),
                    world.suppression(.domain("example.com"), at: 50, until: 9),
                ])
                try expect(try await world.current(enrollment), enrollment, "the enrollment goes on")
                try expect(try await world.state(of: message), .incoming, "its mail waits as before")
                try expect(try await world.store.suppressions(workspace: .default, after: nil, limit: 9), [], "nothing is stored")
            },
            Self("a domain's suppression stops its contacts") { world in
                let (ann, message) = try await world.queued("ann@Example.com")
                let (other, otherMessage) = try await world.queued("ann@sub.example.com")
                try await world.store.suppress([world.suppression(.domain("example.com"))])
                try expect(try await world.current(ann).cause, .suppressed, "the domain's contact is stopped")
                try expect(try await world.state(of: message), .cancelled, "its mail is cancelled")
                try expect(try await world.current(other).state, .sending, "a subdomain is not meant")
                try expect(try await world.state(of: otherMessage), .incoming, "nor is its mail")
            },
            Self("mail past its final dot is not cancelled") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                try expect(
                    try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2)), "the dot may be written")
                try await world.store.suppress([try world.suppression(of: "ann@example.com")])
                try expect(try await world.state(of: message), .active, "what may have left is not called cancelled")
                try expect(try await world.current(enrollment).state, .stopped, "the enrollment is stopped all the same")
            },
            Self("a suppression can be taken back, and what it stopped stays stopped") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let subject = Suppression.Subject(try world.address("ann@example.com"))
                try await world.store.suppress([world.suppression(subject)])
                try expect(try await world.store.unsuppress(workspace: .default, subject: subject), "true when there was one")
                try expect(try await !world.store.unsuppress(workspace: .default, subject: subject), "false when there was none")
                try expect(try await world.current(enrollment).state, .stopped, "stopped enrollments stay stopped")
            },
            Self("suppressions are paged in id order") { world in
                let all = try (1...4).map { try world.suppression(of: "c\($0)@example.com") }
                try await world.store.suppress(all)
                let first = try await world.store.suppressions(workspace: .default, after: nil, limit: 3)
                let rest = try await world.store.suppressions(workspace: .default, after: first.last?.id, limit: 3)
                try expect(first + rest, all, "every suppression comes once, as it was given")
            },
        ]
    }
}
