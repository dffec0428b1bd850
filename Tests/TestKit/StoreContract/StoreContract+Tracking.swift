import InternetMessage
import Outreach

extension StoreContract {
    static var tracking: [Self] {
        [
            Self("where the links of a message lead is stored with it, once for all messages that show it") { world in
                let shared = try world.link("https://x.example/a")
                let own = try world.link("https://x.example/?u=ann", of: try await world.savedContact("ann@example.com").id)
                for person in ["ann@example.com", "bob@example.com"] {
                    var message = try world.message(to: person)
                    message.links = [shared, own]
                    _ = try await world.store.dispatch(message, with: Consequence())
                }
                try expect(try await world.store.linkTarget(shared.id), shared, "a link leads where it led")
                try expect(try await world.store.linkTarget(own.id), own, "a link of somebody is theirs")
                try expect(try await world.store.linkTarget(.init(rawValue: 5)), nil, "what is not known leads nowhere")
                try expect(try await world.store.linkTargets(after: nil, limit: 9).count, 2, "each is stored once")
            },
            Self("hits wait until no more are coming, or the first has waited for long, and only so many for one message") { world in
                let (_, message) = try await world.queued("ann@example.com")
                func ripe(_ quiet: Int64, _ patient: Int64 = -9) async throws -> [Int] {
                    try await world.store.touchedMessages(quietSince: world.later(quiet), patientUntil: world.later(patient), limit: 9)
                        .map(\.hits.count)
                }
                try expect(try await world.store.hasHits() == false, "nothing waits")
                let link = try world.link("https://x.example/a").id
                try await world.store.note([world.hit(message, at: 10), world.hit(message, link, at: 14), world.hit(nil, at: 10)])
                try expect(try await world.store.hasHits(), "they wait")
                try expect(try await ripe(13), [], "more may come")
                try expect(try await ripe(14), [2], "no more are coming")
                try expect(try await ripe(0, 10), [2], "the first has waited for long")
                try await world.store.note((20..<200).map { world.hit(message, at: $0) })
                try expect(try await ripe(500), [64], "no more than so many wait")
            },
            Self("what was judged is added up, and a decision on an enrollment that moved since writes nothing") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                let link = try world.link("https://x.example/a").id
                try await world.store.note([world.hit(message, at: 10), world.hit(message, link, at: 11)])
                func waiting() async throws -> TouchedMessage? {
                    try await world.store.touchedMessages(quietSince: world.later(500), patientUntil: world.later(0), limit: 9).first
                }
                guard let touched = try await waiting() else { throw ContractBreach(description: "broken: hits wait") }
                try expect(touched.step == message.step && touched.enrollment == enrollment.id, "it says whose message it is")
                var open = TouchCount(link: nil)
                open.byHuman = 1
                open.firstByHuman = world.later(10)
                var click = TouchCount(link: link)
                click.byMachine = 1
                click.firstByMachine = world.later(11)
                let moved = world.transition(enrollment, to: .paused)
                let stale = Transition(
                    enrollment: enrollment.id, expectedVersion: enrollment.version + 7, at: world.later(1), state: .paused, cause: nil,
                    reason: "", nextStep: 0, dueAt: nil)
                try expect(
                    try await world.store.settle(touched, counts: [open, click], consequence: Consequence(transition: stale)), .stale,
                    "it moved since")
                try expect(try await waiting(), touched, "nothing was written")
                try expect(try await world.store.touches(contact: enrollment.contact), [], "nor counted")
                try expect(
                    try await world.store.settle(touched, counts: [open, click], consequence: Consequence(transition: moved)), .committed,
                    "it is settled")
                try expect(try await world.current(enrollment).state, .paused, "what follows is applied")
                try expect(try await waiting(), nil, "nothing waits any more")
                try expect(
                    try await world.store.touches(contact: enrollment.contact),
                    [
                        .init(message: message.id, url: nil, isOpen: true, byHuman: 1, byMachine: 0),
                        .init(message: message.id, url: nil, isOpen: false, byHuman: 0, byMachine: 1),
                    ], "it is counted for the person")
                try await world.store.note([world.hit(message, at: 30)])
                let known = try await waiting()?.known.sorted { ($0.link?.rawValue ?? 0) < ($1.link?.rawValue ?? 0) }
                try expect(
                    known, [.init(link: nil, byHuman: true, byMachine: false), .init(link: link, byHuman: false, byMachine: true)],
                    "what was judged is known")
                try expect(
                    try await world.store.history(of: try await world.current(enrollment), withTouches: true).entries,
                    [.init(.open(step: message.step), at: world.later(10))], "what a person did is history, what a machine did is none")
            },
            Self("of hits that are gone since they were looked at nothing is written") { world in
                let (_, message) = try await world.queued("ann@example.com")
                try await world.store.note([world.hit(message, at: 10)])
                let waiting = try await world.store.touchedMessages(quietSince: world.later(500), patientUntil: world.later(0), limit: 9)
                guard let touched = waiting.first, let contact = message.contact else { throw ContractBreach(description: "a hit waits") }
                _ = try await world.store.settle(touched, counts: [], consequence: Consequence())
                let event = TimelineEvent(id: world.ids.next(), at: world.later(20), kind: .opened, contact: contact, summary: "again")
                var consequence = Consequence()
                consequence.timeline = [event]
                let result = try await world.store.settle(touched, counts: [TouchCount(link: nil)], consequence: consequence)
                try expect(result, .committed, "nothing is left to do")
                try expect(try await world.store.timeline(contact: contact).contains { $0.kind == .opened }, false, "and nothing is told")
            },
            Self("who is forgotten has no links and no hits left, and none are taken in any more") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                let own = try world.link("https://x.example/?u=ann", of: enrollment.contact)
                let shared = try world.link("https://x.example/a")
                _ = try await world.store.add([own, shared])
                try expect(try await world.store.ownLinks(of: enrollment.contact), [own.url], "it is written out with the person")
                try await world.store.note([world.hit(message, own.id, at: 10)])
                let erasure = Erasure(
                    workspace: .default, address: try world.address("ann@example.com"), person: "tests", at: world.later(20))
                guard case .erased = try await world.store.erase(erasure) else { throw ContractBreach(description: "broken: it is erased") }
                try expect(try await world.store.linkTarget(own.id), nil, "a link of theirs leads nowhere")
                try expect(try await world.store.linkTarget(shared.id), shared, "a link of all leads where it led")
                try await world.store.note([world.hit(message, shared.id, at: 30)])
                try expect(try await world.store.hasHits() == false, "nothing waits of them")
            },
        ]
    }
}

extension StoreWorld {
    fileprivate func link(_ url: String, of contact: Contact.ID? = nil) throws -> LinkTarget {
        guard let link = LinkTarget(url.utf8, contact: contact) else { throw ContractBreach(description: "the check's own link is wrong") }
        return link
    }

    /// - Parameter message: nil: one that is not there.
    fileprivate func hit(_ message: OutboxMessage?, _ link: LinkTarget.ID? = nil, at seconds: Int64) -> TrackingHit {
        TrackingHit(message: message?.id ?? .init(rawValue: 99), link: link, at: later(seconds), agent: "Reader/1")
    }
}
