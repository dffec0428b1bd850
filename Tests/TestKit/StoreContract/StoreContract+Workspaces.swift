import InternetMessage
import Outreach

extension StoreContract {
    static var workspaces: [Self] {
        [
            .init("a workspace is made once and keeps its number, and the name for all of them is nobody's") { world in
                let store = world.store
                try expect(try await store.workspaces().names, "default", "there is one from the beginning")
                let made = try await store.workspaces(making: ["default", "sales", "Sales", "sales"])
                try expect(made.names, "default, sales, Sales", "what is missing is made, as it is written")
                try expect(made.workspace(named: "default")?.id, .default, "the first keeps its number")
                try expect(try await store.workspaces(making: ["Sales"]), made, "what is there stays as it is")
                try expect(try await store.workspaces(), made, "and is found")
                try await expectError(.constraint, "that of all of them") { () async throws(StoreError) in
                    _ = try await store.workspaces(making: ["instance"])
                }
            },
            .init("people and sequences of the same name are others in another workspace, and nobody is enrolled across") { world in
                let (here, there) = (try await world.scene(in: .default), try await world.other())
                try expect(here.contact != there.contact && here.version.id != there.version.id, true, "they are two")
                let crossed = world.enrollment(of: here.contact, in: there.version.id)
                try await expectError(.constraint, "nobody is enrolled across") { () async throws(StoreError) in
                    _ = try await world.store.enroll([crossed], timeline: [])
                }
                try expect(
                    try await world.store.setPause(of: "hello", workspace: there.workspace, by: "bo", at: world.later(1)), true,
                    "one is paused")
                try expect(try await world.store.pausedSequences().map(\.workspace), [there.workspace], "and the other is not")
            },
            .init("a suppression holds in its workspace, one of the installation in all") { world in
                let store = world.store
                let (here, there) = (try await world.scene(in: .default), try await world.other())
                let ann = try world.address("ann@example.com")
                func suppress(_ workspace: WorkspaceID, _ subject: String) async throws {
                    try await store.suppress([
                        Suppression(
                            id: world.ids.next(), workspace: workspace, subject: .address(subject), reason: .manual, source: .manual,
                            note: "", at: world.later(1))
                    ])
                }
                try await suppress(there.workspace, "ann@example.com")
                try expect(try await world.current(there.enrollment).state, .stopped, "who is of it stops")
                try expect(try await world.current(here.enrollment).state, .active, "who is not goes on")
                try expect(try await store.suppression(workspace: .default, address: ann, now: world.later(2)) == nil, true, "nor is held")
                try await suppress(.instance, "bo@example.com")
                let bo = try world.address("bo@example.com")
                for workspace in [WorkspaceID.default, there.workspace] {
                    try expect(try await store.suppression(workspace: workspace, address: bo, now: world.later(2)) == nil, false, "all are")
                }
            },
            .init("a guardrail pauses, watches and releases the sequence of one workspace") { world in
                let store = world.store
                let (here, there) = (try await world.scene(in: .default), try await world.other())
                let subject = SendingPause.Subject.sequence("hello", in: there.workspace)
                let other = SendingPause.Subject.sequence("hello")
                for scene in [here, there] {
                    _ = try await store.apply(
                        Consequence(timeline: [world.event(.delivered, of: scene.message, at: 1)]))
                }
                try await store.countAllEvents()
                let watched = try await store.watched(.sequence, since: CivilDate(StoreWorld<Store>.start))
                try expect(Set(watched.map(\.subject)), [subject, other], "each is watched")
                try expect(watched.map { $0.tally[.accepted] }, [1, 1], "by its own figures")

                var tally = Tally()
                tally[.accepted] = 100
                tally[.bouncedHard] = 10
                let rule = GuardrailRule(
                    name: "bounce", origin: "a.conf:3", metric: .bounce, comparison: .above, threshold: 0.05, minimumSends: 50, days: 7,
                    scopes: [.sequence], action: .pause, lasts: nil)
                let findings = [subject, other].map { rule.judge($0, tally, override: nil, at: world.later(5)) }
                try expect(Set(try await store.keep(findings, at: world.later(5)).paused.map(\.subject)), [subject, other], "both pause")
                try expect(try await store.violations(since: world.later(0)).count, 2, "and both are told")
                let until = world.later(80_000)
                let words = try await store.pauses().first?.words ?? ""
                for scene in [here, there] {
                    let wish = ClaimBid.Wish.wait(
                        until: until, awaiting: OutboxMessage.awaiting(subject), because: words, isOurs: true)
                    _ = try await store.claim(
                        [ClaimBid(id: scene.message.id, wish: wish)], now: world.later(6), lease: world.lease("me"))
                    let postponed = try await store.postpone(
                        scene.enrollment.id, expectedVersion: try await world.current(scene.enrollment).version, until: until, heldBy: words
                    )
                    try expect(postponed, .committed, "its step waits")
                }
                let override = GuardrailOverride(subject: subject, reason: "mended (bo)", at: world.later(9), until: nil)
                try expect(try await store.override(override), true, "one is released")
                try expect(try await store.pauses().map(\.subject), [other], "the other stays paused")
                try expect(Array(try await store.overrides().keys), [subject], "and is not overruled")
                try expect(try await store.message(id: there.message.id)?.nextAttemptAt, world.later(9), "what waited for the one is due")
                try expect(try await world.current(there.enrollment).dueAt, world.later(9), "and its steps")
                try expect(try await store.message(id: here.message.id)?.nextAttemptAt, until, "what waits for the other is not")
                try expect(try await world.current(here.enrollment).dueAt, until, "nor its steps")
            },
            .init("messages are found by workspace, and the latest to an address in each") { world in
                let store = world.store
                let (here, there) = (try await world.scene(in: .default), try await world.other())
                var selection = OutboxSelection()
                selection.workspace = there.workspace
                try expect(try await store.list(selection, after: nil, limit: 9).map(\.id), [there.message.id], "those of one")
                try expect(
                    try await store.list(OutboxSelection(sequenceName: "hello"), after: nil, limit: 9).count, 2, "a name alone means both")
                for message in try await store.claimDeliverable(now: world.later(1), limit: 9, lease: world.lease("me")) {
                    _ = try await store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                }
                let latest = try await store.latestSentMessages(to: try world.address("ann@example.com"), since: world.later(0))
                try expect(Set(latest.map(\.outbox)), [here.message.id, there.message.id], "one of each")
                try expect(Set(latest.map(\.workspace)), [.default, there.workspace], "which is said")
            },
            .init("who is forgotten in one workspace is there in the other") { world in
                let store = world.store
                let (here, there) = (try await world.scene(in: .default), try await world.other())
                let ann = try world.address("ann@example.com")
                guard
                    case .erased(let report) = try await store.erase(
                        Erasure(workspace: .default, address: ann, person: "eve", at: world.later(5)))
                else { throw ContractBreach(description: "nothing is on its way") }
                try expect(report.messages, 1, "mail of one")
                try expect(try await store.contact(workspace: .default, address: ann) == nil, true, "who is gone")
                try expect(try await store.contact(workspace: there.workspace, address: ann)?.id, there.contact, "and is there still")
                try expect(try await store.message(id: there.message.id)?.recipient, ann, "with their mail")
                try expect(try await world.current(there.enrollment).state, .active, "on their way")
                try expect(try await world.current(here.enrollment).state, .stopped, "as they are not here")
            },
            .init("a tag of one name is one in each workspace, even when it is given to people of both at once") { world in
                let store = world.store
                let (here, there) = (try await world.scene(in: .default), try await world.other())
                let name = try ContactGroup.Name(.tag, "vip")
                _ = try await store.regroup(
                    [here.contact, there.contact].map { .init(contact: $0, name: name, isMember: true, at: world.later(1)) })
                for workspace in [WorkspaceID.default, there.workspace] {
                    try expect(try await store.groups(workspace: workspace, kind: .tag).map(\.members), [1], "one has it in each")
                }
            },
        ]
    }
}

/// Ann in a workspace: enrolled in `hello`, whose first step waits in the outbox.
private struct WorkspaceScene {
    let workspace: WorkspaceID
    let contact: Contact.ID
    let version: SequenceVersion
    let enrollment: Enrollment
    let message: OutboxMessage
}

extension StoreWorld {
    /// The same scene in another workspace.
    fileprivate func other() async throws -> WorkspaceScene {
        guard let id = try await store.workspaces(making: ["sales"]).workspace(named: "sales")?.id else {
            throw ContractBreach(description: "a workspace is made")
        }
        return try await scene(in: id)
    }

    fileprivate func scene(in workspace: WorkspaceID) async throws -> WorkspaceScene {
        let contact = Contact(
            id: ids.next(), workspace: workspace, address: try address("ann@example.com"), displayName: "Ann", fields: [:],
            createdAt: Self.start)
        try expect(try await store.save([contact]), [.created(contact.id)], "a contact of each workspace is a new one")
        let plan = try version().plan
        let version = try await store.load(SequenceVersion(id: ids.next(), workspace: workspace, plan: plan, hash: "aa"))
        let enrollment = Enrollment(
            id: ids.next(), workspace: workspace, contact: contact.id, sequence: version.id, identity: "sales", state: .active, cause: nil,
            reason: "new", nextStep: 0, dueAt: later(0), heldBy: nil, version: 1, createdAt: Self.start)
        try expect(try await store.enroll([enrollment], timeline: []), [.enrolled(enrollment.id)], "they are enrolled")
        let draft = try message(to: "ann@example.com", enrollment: enrollment)
        let message = OutboxMessage(
            id: draft.id, workspace: workspace, enrollment: enrollment.id, contact: contact.id, step: 0, occurrence: 0, identity: "sales",
            route: "office", reversePath: draft.reversePath, recipient: draft.recipient, messageID: draft.messageID, subject: "Hi",
            bytes: draft.bytes, createdAt: later(0), budgetDate: draft.budgetDate, nextAttemptAt: later(0))
        try expect(try await store.dispatch(message, with: Consequence()), .committed, "their step is in the outbox")
        return WorkspaceScene(workspace: workspace, contact: contact.id, version: version, enrollment: enrollment, message: message)
    }
}
