import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// What an answer ends for the others of a company, through the real store, dispatcher, deliverer and sorter.
@Suite("an answer and its company, through the services", .serialized)
struct CompanyServiceTests {
    private static func file(_ more: String) -> String {
        """
        name = "teams"
        \(more)
        [[step]]
        name = "hello"
        subject = "Hello"
        text = "Hello"
        [[step]]
        name = "again"
        delay = "P1D"
        text = "Again"
        """
    }

    private func office() throws -> Office {
        let lists = AddressLists(roles: [], freeMail: Array("gmail.com".utf8), disposable: [])
        return try Office(frequency: FrequencyPolicy(companies: CompanyBook(lists: lists)))
    }

    @Test(
        "colleagues are stopped by the classes that the plan names, and by no others",
        arguments: [
            ("Yes, I am interested. Let us talk on Tuesday.", "stop_company_on = [\"positive\"]", true),
            ("Yes, I am interested. Let us talk on Tuesday.", "stop_company_on = [\"negative\"]", false),
            ("Yes, I am interested. Let us talk on Tuesday.", "", false),
            ("Please unsubscribe me from your list.", "stop_company_on = [\"positive\", \"negative\"]", false),
            ("Please unsubscribe me from your list.", "stop_company_on = [\"unsubscribe\"]", true),
        ])
    func classes(text: String, line: String, stops: Bool) async throws {
        let office = try office()
        let people = ["bo@customers.example.net", "cy@customers.example.net", "di@elsewhere.example.net"]
        var enrollments: [Enrollment] = []
        for person in people { enrollments.append(try await office.enroll(person, in: Self.file(line))) }
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 3)
            let messages = try await office.sink.waitForMessages(3)
            for enrollment in enrollments { try await office.settled(enrollment, as: [.sent]) }
            let first = try #require(messages.first { $0.recipients == [people[0]] })
            try await office.reply(to: first, text)
        }
        #expect(try await office.current(enrollments[0]).state == .stopped)
        #expect(try await office.current(enrollments[1]).cause == (stops ? .company : nil))
        #expect(try await office.current(enrollments[1]).state == (stops ? .stopped : .active))
        #expect(try await office.current(enrollments[2]).state == .active)
        office.wind(.seconds(86_400))
        #expect(try await office.dispatcher.dispatchDue() == (stops ? 1 : 2))
    }

    @Test("what waits for a colleague is cancelled by the answer, and free mail is no company", arguments: [true, false])
    func queued(isCompany: Bool) async throws {
        let domain = isCompany ? "customers.example.net" : "gmail.com"
        let office = try office()
        office.sink.script("cy@\(domain)", .refuse("451 4.7.1 Greylisted"), then: .accept)
        let file = Self.file("stop_company_on = [\"positive\"]")
        let bo = try await office.enroll("bo@\(domain)", in: file)
        let cy = try await office.enroll("cy@\(domain)", in: file)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 2)
            let first = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(bo, as: [.sent])
            try await office.settled(cy, as: [.deferred])
            try await office.reply(to: first, "Yes, I am interested. Let us talk on Tuesday.")
            #expect(try await office.current(bo).cause == .replied)
            let colleague = try await office.current(cy)
            #expect(colleague.cause == (isCompany ? .company : nil))
            try await office.settled(cy, as: [isCompany ? .cancelled : .deferred])
            if isCompany { #expect(colleague.reason.hasPrefix("somebody else at customers.example.net replied (positive), message ")) }
            office.wind(.seconds(600))
            if !isCompany { try await office.settled(cy, as: [.sent]) }
        }
        #expect(office.sink.messages(to: "cy@\(domain)").count == (isCompany ? 0 : 1))
    }

    @Test("a link to unsubscribe stops colleagues only where the plan says so", arguments: [true, false])
    func link(isNamed: Bool) async throws {
        let office = try office()
        let file = Self.file("stop_company_on = [\"negative\"\(isNamed ? ", \"unsubscribe\"" : "")]")
        let bo = try await office.enroll("bo@customers.example.net", in: file)
        let cy = try await office.enroll("cy@customers.example.net", in: file)
        #expect(try await office.dispatcher.dispatchDue() == 2)
        let address = try await office.address(.unsubscribe, bo)
        let token = try #require(address.split(separator: "@").first?.split(separator: "+").last)
        let lists = AddressLists(roles: [], freeMail: [], disposable: [])
        let unsubscriber = Unsubscriber(
            store: office.store, codec: Swappable(office.addresses.codec), identities: Swappable([:]),
            companies: Swappable(CompanyBook(lists: lists)), ids: office.ids, clock: office.clock, bell: Bell())
        #expect(try await unsubscriber.unsubscribe(token: String(token), source: .link) == .done)
        #expect(try await office.current(bo).cause == .unsubscribed)
        let colleague = try await office.current(cy)
        #expect(colleague.state == (isNamed ? .stopped : .sending))
        if isNamed { #expect(colleague.reason == "somebody else at customers.example.net unsubscribed by a link") }
    }

    @Test("a class that a person sets stops colleagues; one that takes it back begins nothing again; low certainty does nothing")
    func labels() async throws {
        let office = try office()
        let file = Self.file("stop_company_on = [\"positive\"]")
        let bo = try await office.enroll("bo@customers.example.net", in: file)
        let cy = try await office.enroll("cy@customers.example.net", in: file)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 2)
            let first = try #require(try await office.sink.waitForMessages(2).first { $0.recipients == ["bo@customers.example.net"] })
            for enrollment in [bo, cy] { try await office.settled(enrollment, as: [.sent]) }
            try await office.reply(to: first, "What does it cost?")
        }
        let stored = try await office.store.replies(workspace: nil, contact: bo.contact, owner: nil, waiting: false, copies: true, limit: 1)
        let reply = try #require(stored.first)
        #expect(reply.replyClass != .positive)
        #expect(try await office.current(cy).state == .active)
        let outbox = try #require(reply.outbox)
        let message = try #require(try await office.store.sentMessage(id: outbox))
        let zone = try #require(LocalZone("UTC"))
        let plan = try await office.load(file).plan
        func label(_ replyClass: ReplyClass) async throws -> Consequence {
            let machine = SequenceMachine(enrollment: try await office.current(bo), plan: plan, zone: zone)
            let consequence = ReplyDecider(ids: office.ids).decide(
                reply, saidToBe: replyClass, answering: message, machine: machine, contact: nil, company: "customers.example.net",
                at: office.clock.now())
            #expect(try await office.store.label(reply.intake, as: replyClass, consequence: consequence) == .committed)
            return consequence
        }
        #expect(try await label(.positive).companies.map(\.company) == ["customers.example.net"])
        #expect(try await office.current(cy).cause == .company)
        #expect(try await label(.negative).companies.isEmpty)
        for enrollment in [bo, cy] { #expect(try await office.current(enrollment).state == .stopped) }

        let machine = SequenceMachine(enrollment: bo, plan: plan, zone: zone)
        for (certainty, count) in [(Correlation.Certainty.low, 0), (.medium, 1), (.high, 1)] {
            let correlation = Correlation(message: message, certainty: certainty, proofs: [], tokenKind: nil)
            let record = reply.answering(correlation, as: .positive)
            let consequence = ReplyDecider(ids: office.ids).decide(
                record,
                conversation: .init(correlation: correlation, machine: machine, contact: nil, company: "customers.example.net"),
                at: office.clock.now())
            #expect(consequence.companies.count == count)
        }
    }
}
