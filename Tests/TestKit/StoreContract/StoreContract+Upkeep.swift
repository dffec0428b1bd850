import InternetMessage
import Outreach

extension StoreContract {
    static var upkeep: [Self] {
        [
            .init("a settled message is packed and read as before; one that waits stays as it is") { world in
                let store = world.store
                let bytes = Array("Subject: Hi\r\n\r\n".utf8) + (0..<4000).map { UInt8(65 + $0 % 7) }
                let sent = try world.message(to: "ann@example.com", bytes: bytes)
                let waiting = try world.message(to: "bob@example.com", due: 500)
                for message in [sent, waiting] { _ = try await store.dispatch(message, with: Consequence()) }
                let claimed = try await store.claimDeliverable(now: world.later(1), limit: 9, lease: world.lease("me"))
                guard let first = claimed.first else { throw ContractBreach(description: "broken: a due message is claimed") }
                let attempt = world.attempt(first, .accepted)
                _ = try await store.record(attempt, claim: first.claim, state: .sent, nextAttemptAt: nil, consequence: Consequence())
                let before = try await store.message(id: sent.id)
                try expect(try await store.packMessages(limit: 10), 1, "one is settled")
                try expect(try await store.packMessages(limit: 10), 0, "what is packed is not packed again")
                try expect(try await store.message(id: sent.id), before, "it is read as before")
                try expect(try await store.message(id: sent.id)?.bytes, bytes, "byte for byte")
                try expect(try await store.attempts(of: sent.id), [attempt], "with its dialogues")
                try expect(
                    try await store.list(OutboxSelection(), after: nil, limit: 9).map(\.size), [bytes.count, waiting.bytes.count],
                    "its size is known")
            },
            .init("an old message loses its text and keeps its facts") { world in
                let store = world.store
                let (_, message) = try await world.claimed("ann@example.com")
                _ = try await store.record(
                    world.attempt(message, .accepted), claim: message.claim, state: .sent, nextAttemptAt: nil, consequence: Consequence())
                let (_, waiting) = try await world.queued("bob@example.com")
                try expect(try await store.dropMessages(queuedBefore: StoreWorld<Store>.start, limit: 9), 0, "it is not old yet")
                _ = try await store.packMessages(limit: 9)
                try expect(try await store.dropMessages(queuedBefore: world.later(60), limit: 9), 1, "it is old")
                try expect(try await store.dropMessages(queuedBefore: world.later(60), limit: 9), 0, "it is dropped once")
                let found = try await store.message(id: message.id)
                try expect(found?.bytes, [], "its bytes are gone")
                try expect(found?.subject, "Hi", "its subject stays")
                try expect(try await store.attempts(of: message.id).map(\.transcript), [""], "its dialogue is gone")
                try expect(try await store.attempts(of: message.id).map(\.text), ["250 ok"], "the outcome stays")
                try expect(try await store.sentMessages(messageIDs: [message.messageID]).map(\.outbox), [message.id], "answers find it")
                try expect(try await store.message(id: waiting.id)?.bytes, waiting.bytes, "what waits keeps its text")
            },
            .init("an old reply loses its text and keeps what it was taken for") { world in
                let store = world.store
                let incoming = try world.incoming()
                try await store.accept(incoming)
                try expect(try await store.dropReplies(receivedBefore: world.later(60), limit: 9), 0, "what is not sorted stays")
                let reply = world.reply(to: incoming)
                _ = try await store.file(reply, consequences: [], forward: nil)
                try expect(try await store.dropReplies(receivedBefore: world.later(60), limit: 9), 1, "it is old")
                try expect(try await store.dropReplies(receivedBefore: world.later(60), limit: 9), 0, "it is dropped once")
                try expect(try await store.incoming(id: incoming.id)?.bytes, [], "its bytes are gone")
                let found = try await store.reply(incoming.id)
                try expect(found?.reading.text, "", "its text is gone")
                try expect(found?.replyClass, reply.replyClass, "its class stays")
                try expect(found?.messageID, reply.messageID, "its Message-ID as well")
            },
            .init("old events go once they are counted, and the counts stay") { world in
                let store = world.store
                let (_, message) = try await world.claimed("ann@example.com")
                let events = [world.event(.queued, of: message, at: 0), world.event(.delivered, of: message, at: 1)]
                _ = try await store.apply(Consequence(timeline: events))
                let day = world.later(2 * 86_400)
                try expect(try await store.dropEvents(before: day, limit: 9), 0, "what is not counted stays")
                try await store.countAllEvents()
                let before = try await store.statistics(workspace: .default, sequenceName: "hello", by: .all, since: nil)
                try expect(try await store.dropEvents(before: StoreWorld<Store>.start, limit: 9), 0, "what is not old stays")
                try expect(try await store.dropEvents(before: day, limit: 1), 1, "so many at a time")
                while try await store.dropEvents(before: day, limit: 9) > 0 {}
                try expect(try await store.timeline(after: nil, limit: 9).count, 0, "all are gone")
                try await store.countAllEvents()
                try expect(
                    try await store.statistics(workspace: .default, sequenceName: "hello", by: .all, since: nil), before,
                    "the counts are as before")
                try expect(try await store.verifyStatistics(), [], "and nothing is missing from them")
            },
        ]
    }
}
