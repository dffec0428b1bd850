import InternetMessage
import Outreach

extension StoreContract {
    static var strikes: [Self] {
        [
            Self("one failure too many of one kind, within its time, suppresses the address") { world in
                let limit = StrikeLimit(count: 2, within: .seconds(100))
                func strike(_ message: OutboxMessage, _ failureClass: String, at seconds: Int64) async throws {
                    let strike = Strike(
                        message: message.id, workspace: .default, address: message.recipient, failureClass: failureClass, limit: limit,
                        at: world.later(seconds))
                    _ = try await world.store.apply(Consequence(strikes: [strike]))
                }
                func isSuppressed() async throws -> Bool {
                    try await world.store.suppression(
                        workspace: .default, address: try world.address("ann@example.com"), now: world.later(500)) != nil
                }
                var messages: [OutboxMessage] = []
                for number in 0..<5 {
                    let message = try world.message(to: number == 3 ? "bob@example.com" : "Ann@Example.com", created: Int64(number))
                    _ = try await world.store.dispatch(message, with: Consequence())
                    messages.append(message)
                }
                try await strike(messages[0], "mailbox_full", at: 10)
                try await strike(messages[0], "mailbox_full", at: 20)
                try expect(try await !isSuppressed(), "a message counts once")
                try await strike(messages[1], "inactive_mailbox", at: 30)
                try expect(try await !isSuppressed(), "another kind is counted by itself")
                try await strike(messages[3], "mailbox_full", at: 40)
                try expect(try await !isSuppressed(), "and so is another address")
                try await strike(messages[2], "mailbox_full", at: 110)
                try expect(try await !isSuppressed(), "what is older than the time does not count")
                try await strike(messages[4], "mailbox_full", at: 150)
                try expect(try await isSuppressed(), "the second within the time is one too many")
                let kept = try await world.store.suppressions(workspace: .default, after: nil, limit: 9)
                try expect(kept.map(\.reason), [.refused], "suppressed once, as refused")
                try expect(kept.first?.expiresAt == nil, "for ever")
                let events = try await world.store.timeline(after: nil, limit: 99).filter { $0.kind == .suppressed }
                try expect(events.map(\.outbox), [messages[4].id], "with an event at the message that was one too many")
            }
        ]
    }
}
