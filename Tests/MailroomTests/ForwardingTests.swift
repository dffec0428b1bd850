import Foundation
import InternetMessage
import Outreach
import TestKit
import Testing

@testable import Mailroom
@testable import SQLiteStore

/// Replies that are sent on to the person they were meant for.
@Suite("replies that are sent on")
struct ForwardingTests {
    static let bo = "bo@customers.example.net"
    static let mailbox = "anna.berg@office.example.org"

    static func office(_ manner: ReplyForwarding.Manner = .attached, cap: ForwardCap = ForwardCap()) throws -> Office {
        try Office(forwarding: ReplyForwarding(address: try Office.address(mailbox), manner: manner, cap: cap))
    }

    /// An office whose first message to bo was delivered.
    static func written(_ office: Office) async throws -> (Enrollment, SinkSMTP.Message) {
        let enrollment = try await office.written(to: bo)
        try await office.delivering { _ = try await office.settled(enrollment, as: [.sent]) }
        return (enrollment, try #require(office.sink.messages.first))
    }

    static func forwards(_ office: Office) async throws -> Int {
        try await office.store.read { try $0.db.records("SELECT id FROM outbox WHERE enrollment_id IS NULL").count }
    }

    /// What the mailbox got.
    static func delivered(_ office: Office) async throws -> SinkSMTP.Message {
        try await office.delivering {
            try await eventually("the forward") { office.sink.messages.first { $0.recipients == [mailbox] } }
        }
    }

    static func letter(
        from sender: String, to: String, id: String, more: String = "", _ text: String = "Please call me on Monday, what is the price?"
    ) -> String {
        "From: \(sender)\r\nTo: \(to)\r\nSubject: Re: yours\r\nMessage-ID: <\(id)>\r\nDate: Mon, 28 Sep 2026 09:00:00 +0000\r\n\(more)"
            + "\r\n\(text)\r\n"
    }

    @Test("a reply reaches the mailbox once, with a Reply-To that keeps the conversation", arguments: ReplyForwarding.Manner.allCases)
    func forwards(_ manner: ReplyForwarding.Manner) async throws {
        let office = try Self.office(manner)
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        let reply = Self.letter(from: "Bo <\(Self.bo)>", to: token, id: "one@customers.example.net")
        for _ in 0..<3 { try await office.take(reply, to: [token]) }
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await Self.forwards(office) == 1)
        #expect(try await office.current(enrollment).cause == .replied)

        let forward = try await Self.delivered(office)
        let message = Message(parsing: Array(forward.text.utf8))
        #expect(message.replyTo.map(\.address.text) == [Self.bo, token])
        #expect(message.header.first("X-Postrider-Forwarded") != nil)
        #expect(message.header.all("Auto-Submitted").count == 1)
        switch manner {
        case .attached:
            #expect(message.from.map(\.address.text) == ["anna@example.com"])
            #expect(forward.text.contains("Content-Type: message/rfc822") && forward.text.contains(reply))
            #expect(message.text?.contains("> Please call me on Monday") == true)
            #expect(message.inReplyTo.map(\.text) == ["one@customers.example.net"])
        case .asIs:
            #expect(message.from.map(\.address.text) == [Self.bo] && message.messageID?.text == "one@customers.example.net")
            #expect(message.header.first("Resent-To") != nil && forward.text.hasSuffix("what is the price?\r\n"))
        }
        let sheet = try await office.store.timeline(contact: try await office.current(enrollment).contact)
        #expect(sheet.contains { $0.summary.contains("sent on to \(Self.mailbox)") })
    }

    @Test("what was sent on and comes back goes no further and answers nothing", arguments: ReplyForwarding.Manner.allCases)
    func comesBack(_ manner: ReplyForwarding.Manner) async throws {
        let office = try Self.office(manner)
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        try await office.take(Self.letter(from: Self.bo, to: token, id: "one@customers.example.net"), to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        let forward = try await Self.delivered(office)
        let returned = try await office.take("Received: from office.example.org\r\n" + forward.text, to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.reply(returned.id)?.isOwn == true)
        #expect(try await Self.forwards(office) == 1)
        // The mark of another reply, or of nobody, is none.
        let forged = Self.letter(
            from: Self.bo, to: token, id: "two@customers.example.net", more: "X-Postrider-Forwarded: \(returned.id) 0123456789abcdef\r\n")
        try await office.take(forged, to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await Self.forwards(office) == 2)
    }

    @Test("the person's answer to it is no reply, and the conversation waits for none any more")
    func answered() async throws {
        let office = try Self.office()
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        let asked = try await office.take(Self.letter(from: Self.bo, to: token, id: "one@customers.example.net"), to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.reply(asked.id)?.requiresResponse == true)
        let forward = Message(parsing: Array(try await Self.delivered(office).text.utf8))
        let notice = try #require(forward.messageID).text
        // To both, as Reply-To says; or to the conversation alone.
        for (number, to) in ["\(Self.bo), \(token)", token].enumerated() {
            let answer = try await office.take(
                Self.letter(
                    from: "Anna <\(Self.mailbox)>", to: to, id: "\(number)@office.example.org", more: "In-Reply-To: <\(notice)>\r\n",
                    "It is 20 euros."), to: [token])
            while try await office.sorter.sortReceived() > 0 {}
            let record = try #require(try await office.store.reply(answer.id))
            #expect(record.isOwn && record.enrollment == enrollment.id && !record.requiresResponse, "\(to)")
        }
        #expect(try await office.store.reply(asked.id)?.requiresResponse == false)
        #expect(try await Self.forwards(office) == 1)
    }

    @Test(
        "what no person wrote is not sent on, nor what lies in a mailbox, nor what is from that mailbox itself",
        arguments: [
            ("From: \(bo)\r\nAuto-Submitted: auto-replied\r\nSubject: Out of office\r\n", "I am out of the office until Monday.", false),
            ("From: \(bo)\r\nAuto-Submitted: auto-generated\r\nSubject: Hello\r\n", "Please call me.", false),
            ("From: \(bo)\r\nAuto-Submitted: no\r\nSubject: Hello\r\n", "Please call me.", true),
            ("From: \(mailbox)\r\nSubject: Hello\r\n", "Please call me.", false),
        ])
    func onlyPeople(header: String, text: String, isSent: Bool) async throws {
        let office = try Self.office()
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        try await office.take("\(header)Message-ID: <one@customers.example.net>\r\n\r\n\(text)\r\n", to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await Self.forwards(office) == (isSent ? 1 : 0))
    }

    @Test("a message that cannot travel within another one, or as it is, is attached as a file", arguments: ReplyForwarding.Manner.allCases)
    func longLines(_ manner: ReplyForwarding.Manner) async throws {
        let office = try Self.office(manner)
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        let long = String(repeating: "x", count: 2000)
        try await office.take(Self.letter(from: Self.bo, to: token, id: "one@customers.example.net", "Call me.\r\n\(long)"), to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        let message = Message(parsing: Array(try await Self.delivered(office).text.utf8))
        #expect(message.attachments.map(\.filename) == ["reply.eml"])
    }

    @Test(
        "a flood reaches the mailbox up to the cap; the rest stays in the inbox, the timeline says so, and the next day begins anew",
        arguments: [ForwardCap(perIdentity: 100, perContact: 5), ForwardCap(perIdentity: 5, perContact: 100)])
    func capped(_ cap: ForwardCap) async throws {
        let office = try Self.office(cap: cap)
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        func flood(_ day: Int) async throws {
            // Several are sorted at the same time.
            for number in 1...12 {
                let id = "\(day).\(number)@customers.example.net"
                try await office.take(Self.letter(from: Self.bo, to: token, id: id, "What is the price of number \(number)?"), to: [token])
            }
            while try await office.sorter.sortReceived() > 0 {}
        }
        try await flood(1)
        #expect(try await Self.forwards(office) == 5)
        #expect(try await office.store.replies(contact: nil, limit: 100).count == 12)
        let contact = try await office.current(enrollment).contact
        let held = try await office.store.timeline(contact: contact).filter { $0.summary.contains("is not sent on to \(Self.mailbox)") }
        #expect(held.count == 7 && Set(held.map(\.intake)).count == 7)
        #expect(held.allSatisfy { $0.summary.contains("5 replies") && $0.summary.contains("it stays in the inbox") })
        office.wind(.seconds(86_400))
        try await flood(2)
        #expect(try await Self.forwards(office) == 10)
    }

    @Test("what is sent on uses nothing of the identity's budget")
    func budget() async throws {
        let office = try Self.office()
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        let today = CivilDate(office.clock.now(), offsetMinutes: 0)
        let before = try await office.store.usage(identity: "anna", localDate: today, at: office.clock.now())
        office.wind(.seconds(60))
        try await office.take(Self.letter(from: Self.bo, to: token, id: "one@customers.example.net"), to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await Self.forwards(office) == 1)
        #expect(try await office.store.usage(identity: "anna", localDate: today, at: office.clock.now()) == before)
    }

    @Test("a reply is sent on though the instance may send no more today, and takes nothing of that", .timeLimit(.minutes(2)))
    func beyondTheDailyLimit() async throws {
        var policy = DeliveryPolicy()
        policy.limits.instance = [try #require(Rate(2, per: .day))]
        let office = try Office(policy: policy, forwarding: ReplyForwarding(address: try Office.address(Self.mailbox), manner: .attached))
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        for number in 1...3 {
            let id = "\(number)@customers.example.net"
            try await office.take(Self.letter(from: Self.bo, to: token, id: id, "What is the price of \(number)?"), to: [token])
        }
        while try await office.sorter.sortReceived() > 0 {}
        let other = try await office.written(to: "eve@customers.example.net")
        let third = try await office.written(to: "cy@customers.example.net")
        try await office.delivering {
            _ = try await eventually("three forwards") {
                office.sink.messages.count { $0.recipients == [Self.mailbox] } == 3 ? true : nil
            }
            _ = try await office.settled(other, as: [.sent])
            let waiting = try await eventually("the third letter waits") {
                try await office.store.messages(enrollment: third.id).first { $0.awaits != nil }
            }
            #expect(waiting.reason.contains("2/day for the instance"))
        }
    }

    @Test("what is sent on counts as no message of the sequence, whatever becomes of it", .timeLimit(.minutes(2)))
    func statistics() async throws {
        let office = try Self.office()
        let (enrollment, _) = try await Self.written(office)
        let token = try await office.address(.reply, enrollment)
        office.sink.script(Self.mailbox, .refuse("550 5.7.1 no"))
        for number in 1...3 {
            let id = "\(number)@customers.example.net"
            try await office.take(Self.letter(from: Self.bo, to: token, id: id, "What is the price of \(number)?"), to: [token])
        }
        while try await office.sorter.sortReceived() > 0 {}
        try await office.delivering {
            _ = try await eventually("three ends") {
                let ends = try await office.store.list(OutboxSelection(states: [.sent, .bounced]), after: nil, limit: 9)
                return ends.count == 4 ? true : nil
            }
        }
        #expect(try await office.store.verifyStatistics().isEmpty)
        let tally = try #require(
            try await office.store.statistics(workspace: .default, sequenceName: nil, by: .all, since: nil).first?.tally)
        #expect(tally[.queued] == 1 && tally[.accepted] == 1 && tally[.refused] == 0)
    }
}
