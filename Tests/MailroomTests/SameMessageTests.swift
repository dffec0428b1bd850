import Outreach
import TestKit
import Testing

@testable import Mailroom
@testable import SQLiteStore

/// One message that comes in by two ways.
@Suite("the same message by two ways")
struct SameMessageTests {
    @Test(
        "what servers change about blanks and empty lines makes no second reply of it; other words do",
        arguments: [
            ("Yes, let us meet.\r\n", "Yes, let us meet.\r\n\r\n\r\n", true), ("Yes, let us meet.\r\n", "Yes, let us meet.", true),
            ("Yes. \r\n-- \r\nBo\r\n", "Yes.\r\n--\r\nBo\r\n", true), ("Yes,  let us meet.\r\n", "Yes, let us meet.\r\n", true),
            ("Yes.\r\n\r\nBo\r\n", "Yes.\r\nBo\r\n", false), ("Yes, let us meet.\r\n", "Yes, letus meet.\r\n", false),
        ])
    func ways(one: String, other: String, isSame: Bool) async throws {
        let office = try Office()
        let enrollment = try await office.written(to: IntakeTests.bo)
        let token = try await office.address(.reply, enrollment)
        func take(_ text: String) async throws -> IncomingMessage {
            let letter = "From: \(IntakeTests.bo)\r\nSubject: Re: yours\r\nMessage-ID: <one@customers.example.net>\r\n\r\n\(text)"
            let message = try await office.take(letter, to: [token])
            while try await office.sorter.sortReceived() > 0 {}
            return message
        }
        let first = try await take(one)
        let second = try await take(other)
        #expect(try await office.store.reply(second.id)?.duplicateOf == (isSame ? first.id : nil))
    }
}
