import DNS
import Foundation
import InternetMessage
import Outreach
import SMTP
import Synchronization
import TestKit
import Testing

@testable import Mailroom
@testable import SQLiteStore

extension Office {
    /// Takes a letter in as a listener does.
    @discardableResult
    func take(_ letter: String, to paths: [String] = ["postmaster@r.example.com"]) async throws -> IncomingMessage {
        let message = IncomingMessage(
            id: ids.next(), way: .smtp, receivedAt: clock.now(), reversePath: .null, forwardPaths: paths, origin: "tests",
            bytes: Array(letter.utf8))
        try await store.accept(message)
        return message
    }

    /// A token address of the first message of an enrollment.
    func address(_ kind: MailToken.Kind, _ enrollment: Enrollment) async throws -> String {
        let message = try #require(try await store.messages(enrollment: enrollment.id).first)
        let address = try #require(addresses.address(kind, for: message.id, at: clock.now()))
        return address.text
    }

    /// Enrolls somebody whose first message is in the outbox.
    func written(to text: String, steps: Int = 2) async throws -> Enrollment {
        let enrollment = try await enroll(text, steps: steps)
        _ = try await dispatcher.dispatchDue()
        return enrollment
    }

    func isSuppressed(_ text: String) async throws -> Bool {
        try await store.suppression(workspace: .default, address: try Self.address(text), now: clock.now()) != nil
    }
}

/// What comes in, from the raw message to its effect, over a real store.
@Suite("intake over a store")
struct IntakeTests {
    static let bo = "bo@customers.example.net"
    static let cy = "cy@customers.example.net"
    static let stop = "Subject: Re: yours\r\nMessage-ID: <stop@customers.example.net>\r\n\r\nPlease unsubscribe me from your list.\r\n"

    private static func report(
        on recipient: String, envelopeID: String, status: String = "5.1.1", diagnostic: String = "550 5.1.1 user unknown"
    ) -> String {
        """
        From: mailer-daemon@hub.example.net\r
        To: postmaster@r.example.com\r
        Subject: Undelivered Mail Returned to Sender\r
        Message-ID: <dsn@hub.example.net>\r
        MIME-Version: 1.0\r
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
        \r
        --b\r
        Content-Type: text/plain\r
        \r
        failed\r
        --b\r
        Content-Type: message/delivery-status\r
        \r
        Reporting-MTA: dns; hub.example.net\r
        Original-Envelope-Id: \(envelopeID)\r
        \r
        Final-Recipient: rfc822; \(recipient)\r
        Action: failed\r
        Status: \(status)\r
        Diagnostic-Code: smtp; \(diagnostic)\r
        \r
        --b--\r

        """
    }

    @Test("a report that guesses a message's number is shown and suppresses nobody; one that has its token does")
    func forgedReport() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        let forged = try await office.take(Self.report(on: Self.bo, envelopeID: sent.id.description))
        #expect(try await office.sorter.sortReceived() == 1)
        let shown = try #require(try await office.store.reply(forged.id))
        #expect(shown.replyClass == .bounce && shown.certainty == .low && shown.enrollment == enrollment.id)
        #expect(try await office.current(enrollment).state == .sending)
        #expect(try await !office.isSuppressed(Self.bo))

        let token = office.addresses.envelopeID(for: sent.id, at: office.clock.now())
        let genuine = try await office.take(Self.report(on: Self.bo, envelopeID: token))
        #expect(try await office.sorter.sortReceived() == 1)
        #expect(try await office.store.reply(genuine.id)?.certainty == .high)
        #expect(try await office.current(enrollment).cause == .bounced)
        #expect(try await office.isSuppressed(Self.bo))
    }

    @Test("reports of a shut mailbox count, and with the second within a week nobody writes there any more")
    func strikes() async throws {
        let office = try Office()
        for turn in 0..<2 {
            let enrollment = try await office.written(to: Self.bo, steps: turn + 1)
            let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
            let token = office.addresses.envelopeID(for: sent.id, at: office.clock.now())
            let report = Self.report(
                on: Self.bo, envelopeID: token, status: "5.2.1", diagnostic: "550 5.2.1 The account has been disabled")
            for _ in 0..<2 { _ = try await office.take(report) }
            #expect(try await office.sorter.sortReceived() == 2)
            #expect(try await office.isSuppressed(Self.bo) == (turn == 1))
        }
    }

    @Test("the ENVID that a message leaves with is its signed token")
    func signedEnvelopeID() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        let token = office.addresses.envelopeID(for: sent.id, at: office.clock.now())
        guard case .valid(let read) = office.addresses.codec.decode(Array(token.utf8), at: office.clock.now()) else {
            Issue.record("not valid: \(token)")
            return
        }
        #expect(read.kind == .bounce && read.message == sent.id && token.utf8.count <= 100)
    }

    @Test("mail to an unsubscribe address counts although a program wrote it, and is kept as what it counts for")
    func automaticUnsubscribe() async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let letter =
            "From: <\(Self.bo)>\r\nSubject: Automatic reply: out of office\r\nMessage-ID: <u@w.example>\r\nAuto-Submitted: auto-generated\r\n"
            + "\r\nI am out of the office until further notice.\r\n"
        let message = try await office.take(letter, to: [try await office.address(.unsubscribe, enrollment)])
        #expect(try await office.sorter.sortReceived() == 1)
        #expect(try await office.current(enrollment).cause == .unsubscribed)
        #expect(try await office.isSuppressed(Self.bo))
        let reply = try #require(try await office.store.reply(message.id))
        #expect(reply.replyClass == .unsubscribe && reply.reading.replyClass != .unsubscribe)
    }

    @Test("what we wrote ourselves says nothing for who answers it, however their program quotes it, and their own words do")
    func ourOwnText() async throws {
        let office = try Office()
        let text = "Would a planner for your team be of use?\n\nTo hear no more from me at all: please remove me from your list.\n"
        let source = "name = \"footer\"\n[[step]]\nname = \"one\"\nsubject = \"Planner\"\ntext = \"\"\"\n\(text)\"\"\"\n"
        for (person, words, expected) in [
            (Self.bo, "Tell me more, we are interested.\n\n[3/3] Anna\n\n\(text)", ReplyClass.positive),
            (Self.cy, "Please remove me from your list.", ReplyClass.unsubscribe),
        ] {
            let enrollment = try await office.enroll(person, in: source)
            _ = try await office.dispatcher.dispatchDue()
            let sent = try #require(try await office.store.messages(enrollment: enrollment.id).first)
            let letter =
                "From: <\(person)>\r\nSubject: Re: Planner\r\nMessage-ID: <a-\(person)>\r\nIn-Reply-To: <\(sent.messageID.text)>\r\n\r\n"
                + words.replacing("\n", with: "\r\n") + "\r\n"
            let message = try await office.take(letter, to: [try await office.address(.reply, enrollment)])
            #expect(try await office.sorter.sortReceived() == 1)
            let reply = try #require(try await office.store.reply(message.id))
            #expect(reply.reading.replyClass == expected, "\(reply.reading)")
            #expect(try await office.isSuppressed(person) == (expected == .unsubscribe))
        }
    }

    @Test("a copy that nothing but the sender's address ties never swallows the copy with the token")
    func weakCopyFirst() async throws {
        let office = try Office()
        let enrollment = try await office.enroll(Self.bo)
        try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            try await office.settled(enrollment, as: [.sent])
        }
        let letter = "From: <\(Self.bo)>\r\n\(Self.stop)"
        let weak = try await office.take(letter)
        #expect(try await office.sorter.sortReceived() == 1)
        #expect(try await office.store.reply(weak.id)?.certainty == .low)
        #expect(try await office.current(enrollment).state == .active)
        let strong = try await office.take(letter, to: [try await office.address(.reply, enrollment)])
        #expect(try await office.sorter.sortReceived() == 1)
        #expect(try await office.current(enrollment).cause == .unsubscribed)
        #expect(try await office.store.reply(weak.id)?.duplicateOf == strong.id)
        // A third one only repeats.
        let third = try await office.take(letter, to: [try await office.address(.reply, enrollment)])
        #expect(try await office.sorter.sortReceived() == 1)
        #expect(try await office.store.reply(third.id)?.duplicateOf == strong.id)
    }

    @Test(
        "a token address that a relay wrapped is taken, and ties its answer, however long that makes it",
        arguments: [
            "SRS0=HHH=TT=r.example.com=", "SRS0+HHH=TT=r.example.com=", "SRS0-HHH=TT=r.example.com=", "srs0=hhh=tt=r.example.com=",
            "SRS1=HHH=forwarder.example.net==HHH=TT=r.example.com=", "prvs=1234567890=",
        ], [true, false])
    func wrapped(prefix: String, inEnvelope: Bool) async throws {
        let office = try Office()
        let enrollment = try await office.written(to: Self.bo)
        let address = prefix + (try await office.address(.reply, enrollment))
        #expect(office.desk.verdict(forwardPath: Array(address.utf8)) == .accepted)
        let forged = "\(prefix)reply+\(String(repeating: "a", count: 36))@r.example.com"
        #expect(office.desk.verdict(forwardPath: Array(forged.utf8)) == .unknownMailbox)
        #expect(office.desk.verdict(forwardPath: Array(address.replacing("@r.example.com", with: "@fwd.example").utf8)) == .relayDenied)
        let letter = "From: boss@customers.example.net\r\nDelivered-To: \(address)\r\n\(Self.stop)"
        let taken = inEnvelope ? try await office.take(letter, to: [address]) : try await office.take(letter)
        #expect(try await office.sorter.sortReceived() == 1)
        #expect(try await office.store.reply(taken.id)?.certainty == (inEnvelope ? .high : .medium))
        #expect(try await office.current(enrollment).cause == .unsubscribed)
    }

    @Test("one message to two token addresses moves both conversations")
    func twoTokens() async throws {
        let office = try Office()
        let first = try await office.written(to: Self.bo)
        let second = try await office.written(to: Self.cy)
        let paths = [try await office.address(.reply, first), try await office.address(.reply, second)]
        let message = try await office.take("From: boss@customers.example.net\r\n\(Self.stop)", to: paths)
        #expect(try await office.sorter.sortReceived() == 1)
        for enrollment in [first, second] { #expect(try await office.current(enrollment).cause == .unsubscribed) }
        for person in [Self.bo, Self.cy] { #expect(try await office.isSuppressed(person)) }
        for enrollment in [first, second] {
            let timeline = try await office.store.timeline(contact: enrollment.contact)
            #expect(timeline.filter { $0.intake == message.id }.map(\.kind).contains(.classified))
        }
    }

    @Test("a stranger whose name servers never answer holds up nobody", .timeLimit(.minutes(4)))
    func slowNames() async throws {
        let office = try Office(resolver: Silence())
        defer {
            for one in Self.held.withLock({ held in
                defer { held = [] }; return held
            }) { one.resume() }
        }
        let enrollment = try await office.written(to: Self.bo)
        let signatures = (0..<8).map {
            "DKIM-Signature: v=1; a=rsa-sha256; d=e\($0).example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
        }.joined()
        for number in 0..<20 { try await office.take("\(signatures)From: a@evil.example\r\nSubject: \(number)\r\n\r\nx\r\n") }
        let reply = try await office.take("From: <\(Self.bo)>\r\n\(Self.stop)", to: [try await office.address(.reply, enrollment)])
        #expect(try await office.sorter.sortReceived() == 21)
        #expect(try await office.current(enrollment).cause == .unsubscribed)
        #expect(try await office.store.incoming(state: .received, after: nil, limit: 9).isEmpty)
        // Mail to tokens went first, whatever came in before it: it is done with the first that were begun at once.
        let order = try await office.store.timeline(after: nil, limit: 999).filter { $0.kind == .received }.map(\.intake)
        #expect((order.firstIndex(of: reply.id) ?? 99) < 16)
        let stranger = try #require(try await office.store.replies(contact: nil, limit: 99).first { $0.intake != reply.id })
        #expect(stranger.authentication == "dmarc=temperror (not answered in time)")
    }

    private static let held = Mutex<[CheckedContinuation<Void, Never>]>([])

    /// Name servers that never answer: a lookup ends by its own deadline and by nothing else.
    private struct Silence: DNS.Resolver {
        func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
            await withCheckedContinuation { (never: CheckedContinuation<Void, Never>) in IntakeTests.held.withLock { $0.append(never) } }
            return DNSAnswer(type, .failure(.timedOut))
        }
    }

    @Test("what cannot be sorted is tried three times and put aside with what it failed on; others are sorted meanwhile")
    func poison() async throws {
        let office = try Office()
        try await office.store.write { ledger in
            _ = try ledger.db.run(
                "CREATE TRIGGER poison BEFORE INSERT ON reply WHEN NEW.subject = 'poison' BEGIN SELECT RAISE(ABORT, 'too bitter'); END")
        }
        let enrollment = try await office.written(to: Self.bo)
        let poison = try await office.take("From: a@example.org\r\nSubject: poison\r\n\r\nx\r\n")
        let good = try await office.take("From: <\(Self.bo)>\r\n\(Self.stop)", to: [try await office.address(.reply, enrollment)])
        #expect(try await office.sorter.sortReceived() == 2)
        #expect(try await office.store.incoming(id: good.id)?.state == .sorted)
        #expect(try await office.current(enrollment).cause == .unsubscribed)
        let waiting = try #require(try await office.store.incoming(id: poison.id))
        #expect(waiting.state == .received && waiting.attempts == 1 && waiting.reason?.contains("too bitter") == true)
        #expect(try await office.sorter.sortReceived() == 0)
        for _ in 0..<2 {
            office.wind(.seconds(180))
            #expect(try await office.sorter.sortReceived() == 1)
        }
        let aside = try #require(try await office.store.incoming(id: poison.id))
        #expect(aside.state == .quarantined && aside.reason?.contains("sorting failed 3 times") == true)
        #expect(aside.reason?.contains("too bitter") == true)
        #expect(try await office.store.timeline(after: nil, limit: 99).contains { $0.kind == .quarantined && $0.intake == poison.id })
    }

    @Test("a message that ends the process counts for itself; what was claimed beside it is sorted by the next process")
    func crashes() async throws {
        let office = try Office()
        let poison = try await office.take("From: a@example.org\r\nSubject: 1\r\n\r\nx\r\n")
        let others = [
            try await office.take("From: a@example.org\r\nSubject: 2\r\n\r\ny\r\n"),
            try await office.take("From: a@example.org\r\nSubject: 3\r\n\r\nz\r\n"),
        ]
        for _ in 0..<6 {
            let lease = Lease(owner: "dead", until: office.clock.now() + .seconds(300))
            #expect(try await office.store.claimReceived(now: office.clock.now(), limit: 50, lease: lease).count == 3)
            #expect(try await office.store.begin(poison.id, owner: "dead"))
            _ = try await office.store.recover(now: office.clock.now())
        }
        #expect(try await office.sorter.sortReceived() == 3)
        for other in others { #expect(try await office.store.incoming(id: other.id)?.state == .sorted) }
        let aside = try #require(try await office.store.incoming(id: poison.id))
        #expect(aside.state == .quarantined && aside.reason == "the process ended 6 times while it was being sorted")
    }

    @Test("a database that another writer holds for longer than its timeout does not end the sorter", .timeLimit(.minutes(4)))
    func busy() async throws {
        let heard = Mutex<[String]>([])
        let office = try Office(notes: { line in heard.withLock { $0.append(line) } })
        let path = office.store.path
        let other = try SQLiteStore.open(path: path, mode: .createIfMissing(seed: [UInt8](repeating: 7, count: 32)), ids: office.ids)
        let letter = try await office.take("From: a@example.org\r\nSubject: 1\r\n\r\nx\r\n")
        let gate = DispatchSemaphore(value: 0)
        let holding = Task { try await other.write { _ in gate.wait() } }
        let sorting = Task { try await office.sorter.run() }
        try await eventually("the sorter found the store busy", within: .seconds(30)) {
            heard.withLock { $0 }.contains { $0.contains("the store cannot be used now") }
        }
        gate.signal()
        try await holding.value
        try await eventually("sorted", within: .seconds(30)) {
            try await office.store.incoming(id: letter.id)?.state == .sorted
        }
        #expect(try await office.store.incoming(id: letter.id)?.attempts ?? 9 <= 1)
        sorting.cancel()
        try? await sorting.value
    }
}

@Suite("budget")
struct BudgetTests {
    @Test("work within its time gives its value, work beyond it nil, and no time is no work", .timeLimit(.minutes(4)))
    func within() async {
        #expect(await Mailroom.within(.seconds(60)) { 7 } == 7)
        #expect(await Mailroom.within(.zero) { 7 } == nil)
        #expect(
            await Mailroom.within(.milliseconds(20)) {
                try? await Task.sleep(for: .seconds(3600)); return 7
            } == nil)
    }

    @Test("a cancelled task waits no longer", .timeLimit(.minutes(4)))
    func cancelled() async {
        let waiting = Task {
            await Mailroom.within(.seconds(3600)) {
                try? await Task.sleep(for: .seconds(3600)); return 7
            }
        }
        waiting.cancel()
        #expect(await waiting.value == nil)
    }
}
