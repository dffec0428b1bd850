import InternetMessage
import Outreach
import SQLiteStore
import Testing

@testable import Mailroom

/// What an identity has used is carried from round to round, and counted anew before it keeps anybody waiting.
@Suite("the accounts of senders", .serialized)
struct SenderAccountsTests {
    private static let file = """
        name = "one"
        [[step]]
        subject = "Hello"
        text = "Hello"
        """

    @Test("rounds that follow each other keep the daily limit together, and what was cancelled between them is given back")
    func carried() async throws {
        let office = try Office(dailyLimit: 4, batchLimit: 2)
        var enrollments: [Enrollment] = []
        for number in 1...8 { enrollments.append(try await office.enroll("bo\(number)@customers.example.net", in: Self.file)) }
        #expect(try await office.dispatcher.dispatchDue() == 8)
        #expect(try await office.queued(enrollments) == 4)
        // Two more rounds at the same moment: nothing has become free.
        _ = try await office.store.reconsiderPostponed(now: office.clock.now())
        #expect(try await office.dispatcher.dispatchDue() == 4)
        #expect(try await office.queued(enrollments) == 4)
        // The round of a moment ago knows of four; one of them is taken back.
        let waiting = try await office.store.list(OutboxSelection(states: [.incoming]), after: nil, limit: 10)
        let deleted = OutboxSelection(ids: [try #require(waiting.first).id])
        #expect(try await office.store.command(.delete, on: deleted, at: office.clock.now()) == 1)
        #expect(try await office.queued(enrollments) == 3)
        _ = try await office.store.reconsiderPostponed(now: office.clock.now())
        _ = try await office.dispatcher.dispatchDue()
        #expect(try await office.queued(enrollments) == 4)
    }

    @Test("an account is taken for a second, and by one round only")
    func lifetime() throws {
        let accounts = SenderAccounts()
        let now = Office.start
        let usage = IdentityUsage(countOnDate: 1, lastAt: now, countInHour: 1, lifting: now)
        let account = SenderAccount(usage: usage, date: CivilDate(daysSinceEpoch: 1), history: nil, readAt: now)
        accounts.keep(["anna": account])
        #expect(accounts.take(at: now + .milliseconds(999))["anna"] != nil)
        #expect(accounts.take(at: now + .milliseconds(999)).isEmpty)
        for later in [Duration.seconds(1), .milliseconds(-1)] {
            accounts.keep(["anna": account])
            #expect(accounts.take(at: now + later).isEmpty)
        }
    }
}

extension Office {
    /// How many of these have a message that waits.
    fileprivate func queued(_ enrollments: [Enrollment]) async throws -> Int {
        var count = 0
        for enrollment in enrollments { count += try await store.messages(enrollment: enrollment.id).count { $0.state == .incoming } }
        return count
    }
}
