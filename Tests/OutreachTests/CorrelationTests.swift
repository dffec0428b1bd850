import InternetMessage
import TestKit
import Testing

@testable import Outreach

private let now = Timestamp(seconds: 1_772_438_400)
private let later = now + .seconds(90 * 86_400)

/// Two messages of ours, to bo and to cy, and what comes in about them.
private struct Desk {
    let addresses: TokenAddresses
    let correlator: Correlator
    let bo: SentMessage
    let cy: SentMessage

    init() throws {
        let key = try #require(TokenCodec.Key(secret: Array(repeating: 7, count: 32)))
        let codec = try #require(TokenCodec(keys: [key]))
        addresses = try #require(TokenAddresses(domain: "r.example.com", codec: codec))
        correlator = Correlator(addresses: [addresses])
        func sent(_ number: Int64, to recipient: String) throws -> SentMessage {
            let messageID = try #require(MessageID("\(number).secret@out.example.com"))
            let address = try #require(EmailAddress(recipient))
            return SentMessage(
                outbox: .init(rawValue: number), enrollment: .init(rawValue: number + 1), contact: .init(rawValue: number + 2),
                messageID: messageID, recipient: address)
        }
        bo = try sent(1000, to: "bo@example.net")
        cy = try sent(2000, to: "cy@example.net")
    }

    func address(_ kind: MailToken.Kind, _ message: SentMessage, at moment: Timestamp = now) -> String {
        addresses.address(kind, for: message.outbox, at: moment)?.text ?? ""
    }

    func verdicts(
        _ text: String, to paths: [String] = [], as replyClass: ReplyClass, latest: SentMessage? = nil, at moment: Timestamp = now
    ) -> [Correlation] {
        let clues = correlator.clues(in: Message(parsing: Array(text.utf8)), forwardPaths: paths, at: moment)
        let found = [bo, cy].filter { clues.messageIDs.contains($0.messageID) || clues.messages.contains($0.outbox) }
        return correlator.verdicts(clues, for: replyClass, found: found, latest: latest)
    }

    /// A delivery report about bo.
    func report(
        to: String = "postmaster@r.example.com", envelopeID: String? = nil, recipient: String = "bo@example.net", returned: String = ""
    )
        -> String
    {
        """
        From: mailer-daemon@hub.example.net\r
        To: \(to)\r
        Subject: Undelivered\r
        MIME-Version: 1.0\r
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
        \r
        --b\r
        Content-Type: message/delivery-status\r
        \r
        Reporting-MTA: dns; hub.example.net\r
        \(envelopeID.map { "Original-Envelope-Id: \($0)\r\n" } ?? "")\r
        Final-Recipient: rfc822; \(recipient)\r
        Action: failed\r
        Status: 5.1.1\r
        \r
        --b\r
        Content-Type: text/rfc822-headers\r
        \r
        \(returned)Subject: Hello\r
        \r
        --b--\r

        """
    }
}

@Suite("correlation")
struct CorrelationTests {
    @Test("a delivery report acts with a token of ours only, and on whom it is about only")
    func reports() throws {
        let desk = try Desk()
        let messageID = "Message-ID: <\(desk.bo.messageID.text)>\r\n"
        let cases: [(name: String, text: String, paths: [String], certainty: Correlation.Certainty?)] = [
            ("guessed number as ENVID", desk.report(envelopeID: desk.bo.outbox.description), [], .low),
            ("returned Message-ID", desk.report(returned: messageID), [], .low),
            ("number and Message-ID", desk.report(envelopeID: desk.bo.outbox.description, returned: messageID), [], .low),
            ("bounce address", desk.report(), [desk.address(.bounce, desk.bo)], .high),
            ("bounce address in To alone", desk.report(to: desk.address(.bounce, desk.bo)), [], .medium),
            ("reply address", desk.report(), [desk.address(.reply, desk.bo)], .low),
            ("unsubscribe address", desk.report(), [desk.address(.unsubscribe, desk.bo)], .low),
            ("signed ENVID", desk.report(envelopeID: desk.addresses.envelopeID(for: desk.bo.outbox, at: now)), [], .high),
            (
                "reply token as ENVID", desk.report(envelopeID: String(desk.address(.reply, desk.bo).dropFirst(6).prefix(36))), [], nil
            ),
            (
                "returned header with our Reply-To", desk.report(returned: messageID + "Reply-To: <\(desk.address(.reply, desk.bo))>\r\n"),
                [],
                .high
            ),
            (
                "returned header with our unsubscribe link",
                desk.report(
                    returned: messageID
                        + "List-Unsubscribe: <mailto:\(desk.address(.unsubscribe, desk.bo))?subject=unsubscribe>, <https://out.example.com/u/\(desk.addresses.linkToken(for: desk.bo.outbox, at: now))>\r\n"
                ), [], .high
            ),
            (
                "returned Reply-To beside another Message-ID",
                desk.report(
                    returned: "Message-ID: <\(desk.cy.messageID.text)>\r\nReply-To: <\(desk.address(.reply, desk.bo))>\r\n"), [], .low
            ),
            ("another recipient", desk.report(recipient: "list-member@example.org"), [desk.address(.bounce, desk.bo)], .low),
            ("another spelling", desk.report(recipient: "Bo@EXAMPLE.net"), [desk.address(.bounce, desk.bo)], .high),
        ]
        for each in cases {
            let found = desk.verdicts(each.text, to: each.paths, as: .bounce).first
            #expect(found?.certainty == each.certainty, "\(each.name): \(found?.lines ?? [])")
        }
    }

    @Test("a report by somebody who is a recipient too acts on himself and not on the one it points at")
    func pointedElsewhere() throws {
        let desk = try Desk()
        let text = desk.report(
            envelopeID: desk.cy.outbox.description, recipient: "cy@example.net",
            returned: "Message-ID: <\(desk.bo.messageID.text)>\r\nReply-To: <\(desk.address(.reply, desk.bo))>\r\n")
        let found = desk.verdicts(text, as: .bounce)
        #expect(found.map(\.message) == [desk.bo] && found.first?.certainty == .low)
    }

    @Test("what the next host calls messages of two conversations is the name of neither; what it calls two of one is theirs")
    func shared() throws {
        let desk = try Desk()
        func called(_ message: SentMessage, _ name: String) -> SentMessage {
            SentMessage(
                outbox: message.outbox, enrollment: message.enrollment, contact: message.contact, messageID: message.messageID,
                recipient: message.recipient, providerID: name)
        }
        func certainty(_ found: [SentMessage], _ id: String) -> Correlation.Certainty? {
            let text = "In-Reply-To: <\(id)>\r\n\r\nYes\r\n"
            let clues = desk.correlator.clues(in: Message(parsing: Array(text.utf8)), forwardPaths: [], at: now)
            return desk.correlator.verdicts(clues, for: .positive, found: found, latest: nil).first?.certainty
        }
        let bo = called(desk.bo, "relay-12.example")
        let cy = called(desk.cy, "relay-12.example")
        #expect(certainty([bo], "relay-12.example@evil.example") == .high)
        #expect(certainty([bo, cy], "relay-12.example@evil.example") == nil)
        #expect(certainty([bo, cy], cy.messageID.text) == .high, "its own Message-ID stays")
        let next = SentMessage(
            outbox: .init(rawValue: 1001), enrollment: bo.enrollment, contact: bo.contact,
            messageID: try #require(MessageID("next@out.example.com")), recipient: bo.recipient, providerID: bo.providerID)
        #expect(certainty([bo, next], "relay-12.example@evil.example") == .high)
    }

    @Test("what a person answers is tied by token, References and address as before")
    func people() throws {
        let desk = try Desk()
        let references = "In-Reply-To: <\(desk.bo.messageID.text)>\r\n\r\nYes\r\n"
        #expect(desk.verdicts(references, as: .positive).map(\.certainty) == [.high])
        #expect(desk.verdicts("\r\n\r\n", to: [desk.address(.reply, desk.bo)], as: .positive).map(\.certainty) == [.high])
        #expect(desk.verdicts("To: \(desk.address(.reply, desk.bo))\r\n\r\n", as: .positive).map(\.certainty) == [.medium])
        #expect(desk.verdicts("From: bo@example.net\r\n\r\n", as: .positive, latest: desk.bo).map(\.certainty) == [.low])
        // Another address of the same person proves as much, and that of anybody else nothing.
        var known = desk.bo
        known.furtherAddress = EmailAddress("bo@home.example")
        let other = desk.verdicts("From: Bo <BO@home.example>\r\n\r\n", as: .positive, latest: known)
        #expect(other.map(\.certainty) == [.low] && other.first?.lines.first?.contains("another address of the recipient") == true)
        #expect(desk.verdicts("From: eve@home.example\r\n\r\n", as: .positive, latest: known).isEmpty)
        #expect(desk.verdicts("From: bo@example.net\r\n\r\n", as: .positive).isEmpty)
    }

    @Test(
        "of two workspaces that wrote to somebody an address alone tells none, and one of ours beside it the one that writes from there",
        arguments: [
            ("From: bo@example.net\r\n\r\n", [], nil), ("To: <Sam@Example.com>\r\n\r\n", [], 2), ("\r\n\r\n", ["anna@example.com"], 1),
            ("To: sam@example.com\r\nCc: anna@example.com\r\n\r\n", [], nil), ("To: info@example.com\r\n\r\n", [], nil),
        ] as [(String, [String], Int64?)])
    func workspaces(_ text: String, _ paths: [String], _ workspace: Int64?) throws {
        let desk = try Desk()
        func sent(_ workspace: Int64) -> SentMessage {
            SentMessage(
                outbox: .init(rawValue: workspace), workspace: WorkspaceID(rawValue: workspace), enrollment: nil, contact: nil,
                messageID: desk.bo.messageID, recipient: desk.bo.recipient)
        }
        let ours = try [
            WorkspaceID(rawValue: 1): [#require(EmailAddress("anna@example.com"))],
            WorkspaceID(rawValue: 2): [#require(EmailAddress("sam@example.com"))],
        ]
        let message = Message(parsing: Array(text.utf8))
        let found = desk.correlator.latest(of: [sent(1), sent(2)], in: message, forwardPaths: paths, ours: ours)
        #expect(found?.workspace.rawValue == workspace)
        let only = desk.correlator.latest(of: [sent(2)], in: message, forwardPaths: paths, ours: ours)
        #expect(only?.workspace.rawValue == 2, "where only one did there is nothing to tell apart")
    }

    @Test("an expired token threads and does nothing by itself, whatever else is there; a living one beside it counts")
    func expired() throws {
        let desk = try Desk()
        let references = "In-Reply-To: <\(desk.bo.messageID.text)>\r\n\r\nYes\r\n"
        let old = desk.address(.reply, desk.bo, at: now)
        let moment = now + .seconds(500 * 86_400)
        let found = try #require(desk.verdicts(references, to: [old], as: .positive, at: moment).first)
        #expect(found.message == desk.bo && found.certainty == .low && found.tokenKind == nil)
        let living = desk.address(.reply, desk.bo, at: moment)
        #expect(desk.verdicts(references, to: [old, living], as: .positive, at: moment).first?.certainty == .high)
        let bounce = desk.address(.bounce, desk.bo, at: now)
        #expect(desk.verdicts(desk.report(), to: [bounce], as: .bounce, at: later).first?.certainty == .low)
    }

    @Test("the kind of a token counts in its own conversation only")
    func tokenKind() throws {
        let desk = try Desk()
        let text = "In-Reply-To: <\(desk.bo.messageID.text)>\r\nCc: \(desk.address(.unsubscribe, desk.cy))\r\n\r\nYes\r\n"
        #expect(desk.verdicts(text, as: .positive).map(\.tokenKind) == [nil])
        let both = desk.verdicts("\r\n\r\n", to: [desk.address(.reply, desk.bo), desk.address(.unsubscribe, desk.bo)], as: .neutral)
        #expect(both.map(\.tokenKind) == [.unsubscribe])
    }

    @Test("every conversation that a token in the envelope names is found, each once")
    func several() throws {
        let desk = try Desk()
        let paths = [desk.address(.reply, desk.bo), desk.address(.unsubscribe, desk.cy), desk.address(.bounce, desk.bo)]
        let found = desk.verdicts("From: bo@example.net\r\n\r\nRemove us both\r\n", to: paths, as: .unsubscribe)
        #expect(found.map(\.message) == [desk.bo, desk.cy] && found.map(\.certainty) == [.high, .high])
        #expect(found.map(\.tokenKind) == [.reply, .unsubscribe])
        let header = "To: \(desk.address(.reply, desk.cy))\r\n\r\n"
        #expect(desk.verdicts(header, to: [paths[0]], as: .neutral).map(\.message) == [desk.bo])
    }
}

@Suite("reply decider")
struct ReplyDeciderTests {
    @Test(
        "mail to an unsubscribe address asks to be left alone, by hand or by program; reports stay reports", arguments: ReplyClass.allCases)
    func unsubscribeAddress(replyClass: ReplyClass) throws {
        let desk = try Desk()
        let reading = Reading(replyClass: replyClass, intent: nil, confidence: 0.9, evidence: [], text: "", returnDate: nil, bounces: [])
        let toUnsubscribe = Correlation(message: desk.bo, certainty: .high, proofs: [], tokenKind: .unsubscribe)
        let effective = ReplyDecider.effectiveClass(of: reading, correlation: toUnsubscribe)
        #expect(effective == ([.bounce, .delay, .complaint].contains(replyClass) ? replyClass : .unsubscribe))
        let toReply = Correlation(message: desk.bo, certainty: .high, proofs: [], tokenKind: .reply)
        #expect(ReplyDecider.effectiveClass(of: reading, correlation: toReply) == replyClass)
    }

    @Test("a report without proof is shown and changes nothing until a person confirms it")
    func unproven() throws {
        let desk = try Desk()
        let ids = RecordIDs(now: { now }, random: { 7 })
        let reading = Reading(
            replyClass: .bounce, intent: nil, confidence: 1, evidence: [], text: "", returnDate: nil,
            bounces: [.init(recipient: nil, status: nil, permanent: true, failureClass: "invalid_recipient", diagnostic: "550")])
        let correlation = Correlation(message: desk.bo, certainty: .low, proofs: [], tokenKind: nil)
        let record = ReplyRecord(
            intake: ids.next(), sortedAt: now, enrollment: desk.bo.enrollment, contact: desk.bo.contact, outbox: desk.bo.outbox,
            certainty: .low, proofs: [], from: "", subject: "", messageID: nil, bodyHash: "", duplicateOf: nil, reading: reading,
            requiresResponse: false, authentication: "")
        let decider = ReplyDecider(ids: ids)
        let found = decider.decide(record, conversation: .init(correlation: correlation, machine: nil, contact: nil), at: now)
        #expect(found.suppressions.isEmpty && found.timeline.map(\.kind) == [.received, .correlated, .classified])
        let confirmed = decider.decide(record, saidToBe: .bounce, answering: desk.bo, machine: nil, contact: nil, at: now)
        #expect(confirmed.suppressions.map(\.reason) == [.invalidRecipient] && confirmed.timeline.map(\.kind) == [.bounced, .suppressed])
    }
}
