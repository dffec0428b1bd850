import InternetMessage
import Outreach
import SQLiteStore
import Testing

@testable import Mailroom

/// Who answers whom, when there is more than one answer.
@Suite("conversations over a store")
struct ThreadTests {
    private static let bo = "bo@customers.example.net"

    private func letter(
        from sender: String, to recipient: String = "anna@example.com", id: String, answering: String? = nil, more: String = "",
        _ text: String = "Please call me on Monday."
    ) -> String {
        "From: \(sender)\r\nTo: \(recipient)\r\n\(more)Subject: Re: yours\r\nMessage-ID: <\(id)>\r\n"
            + (answering.map { "In-Reply-To: <\($0)>\r\n" } ?? "") + "\r\n\(text)\r\n"
    }

    @Test("a copy of our own message, and what the identity writes by hand, answer nothing and stop nothing")
    func own() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        let copies = [
            try await office.take(letter(from: "anna@example.com", id: sent.messageID.text, "Hello")),
            try await office.take(
                letter(from: "Anna <ANNA@example.com>", to: Self.bo, id: "byhand@example.com", answering: sent.messageID.text)),
        ]
        // A form or a forger writes in her name.
        let stranger = try await office.take(letter(from: "anna@example.com", id: "other@example.com"))
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.enrollment(id: enrollment.id)?.state == .sending)
        for copy in copies {
            let record = try #require(try await office.store.reply(copy.id))
            #expect(record.isOwn && record.replyClass == .neutral && !record.requiresResponse)
        }
        #expect(try await office.store.reply(copies[1].id)?.enrollment == enrollment.id, "it belongs to the conversation")
        #expect(try await office.store.reply(stranger.id)?.isOwn == false, "it stays to be seen")
        // The answer to what she wrote by hand names nothing of ours, and is one all the same.
        let answer = try await office.take(letter(from: "cy@customers.example.net", id: "a@c", answering: "byhand@example.com"))
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.reply(answer.id)?.enrollment == enrollment.id)
        #expect(try await office.store.enrollment(id: enrollment.id)?.cause == .replied)
    }

    @Test(
        "an answer that a list or somebody else wrote anew under the identity's name is an answer",
        arguments: [
            ("", "anna@example.com"), ("Reply-To: bo@customers.example.net\r\n", "anna@example.com"),
            ("Reply-To: bo@customers.example.net\r\n", "anna@example.com, bo@customers.example.net"),
        ])
    func rewritten(more: String, recipients: String) async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        let reply = try await office.take(
            letter(from: "'Bo' via Sales <anna@example.com>", to: recipients, id: "l@lists", answering: sent.messageID.text, more: more))
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.reply(reply.id)?.isOwn == false)
        #expect(try await office.store.enrollment(id: enrollment.id)?.cause == .replied)
    }

    @Test("who is written to under the identity's own address answers all the same, unless it is the copy of the message itself")
    func toOneself() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: "anna@example.com")
        let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        let copy = try await office.take(letter(from: "anna@example.com", id: sent.messageID.text, "Hello"))
        let reply = try await office.take(letter(from: "anna@example.com", id: "re@example.com", answering: sent.messageID.text))
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.reply(copy.id)?.isOwn == true)
        #expect(try await office.store.reply(reply.id)?.isOwn == false)
        #expect(try await office.store.enrollment(id: enrollment.id)?.cause == .replied)
    }

    @Test("mail to an unsubscribe address counts even when it bears the identity's name")
    func unsubscribeStands() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let path = try await office.address(.unsubscribe, enrollment)
        try await office.take(letter(from: "anna@example.com", id: "u@example.com"), to: [path])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.isSuppressed(Self.bo))
    }

    @Test("a colleague who answers the answer joins the conversation; who answers a stranger's mail does not")
    func colleague() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        let first = try await office.take(letter(from: Self.bo, id: "first@customers.example.net", answering: sent.messageID.text))
        let stranger = try await office.take(letter(from: "x@elsewhere.example.net", id: "stranger@elsewhere.example.net"))
        while try await office.sorter.sortReceived() > 0 {}
        let second = try await office.take(
            letter(from: "cy@customers.example.net", id: "second@c", answering: "first@customers.example.net"))
        let third = try await office.take(letter(from: "dee@customers.example.net", id: "third@c", answering: "second@c"))
        let other = try await office.take(
            letter(from: "x@elsewhere.example.net", id: "other@e", answering: "stranger@elsewhere.example.net"))
        while try await office.sorter.sortReceived() > 0 {}
        for message in [first, second, third] {
            let record = try #require(try await office.store.reply(message.id))
            #expect(record.enrollment == enrollment.id, "\(record.from) \(record.proofs)")
        }
        #expect(try await office.store.reply(second.id)?.certainty == .medium)
        for message in [stranger, other] { #expect(try await office.store.reply(message.id)?.enrollment == nil) }
        // The sequence is over, and what follows still lands in its thread.
        #expect(try await office.store.enrollment(id: enrollment.id)?.state == .stopped)
    }
}
