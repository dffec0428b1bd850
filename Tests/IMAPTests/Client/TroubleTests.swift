import Testing

import struct NIOCore.ByteBuffer

@testable import IMAP

/// What a server can do to a session that is reading, and what it costs.
@Suite("trouble while reading")
struct TroubleTests {
    /// A session that has asked for the body of 21 (and of 22, where there are two).
    private func fetching(
        _ uids: [UInt32] = [21], setbacks: [MessageKey: Setbacks] = [:], answer: String? = nil, _ change: (inout ClientSession.Configuration) -> Void = { _ in }
    ) throws -> (ClientSession, last: [ClientSession.Action]) {
        let dialogue = try Dialogue("cursor INBOX 7 20")
        var configuration = dialogue.configuration
        change(&configuration)
        var session = ClientSession(configuration: configuration, cursors: dialogue.cursors, setbacks: setbacks)
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        _ = session.received(
            buffer(
                """
                * OK [CAPABILITY IMAP4rev1] x\r
                A1 OK [CAPABILITY IMAP4rev1] x\r
                * 9 EXISTS\r
                * OK [UIDVALIDITY 7]\r
                A2 OK\r
                * SEARCH \(uids.map { "\($0)" }.joined(separator: " "))\r
                A3 OK\r\n
                """))
        let facts = uids.map { "* 1 FETCH (UID \($0) RFC822.SIZE 4)\r\n" }.joined()
        let last = session.received(buffer((answer ?? facts) + "A4 OK\r\n"))
        return (session, last)
    }

    private func sent(_ actions: [ClientSession.Action]) -> [String] {
        actions.compactMap { if case .send(let out) = $0 { String(buffer: out).trimmed } else { nil } }
    }

    private func delivered(_ actions: [ClientSession.Action]) -> [UInt32] {
        actions.compactMap { if case .deliver(let message) = $0 { message.uid.value } else { nil } }
    }

    @Test(
        "a literal whose size cannot be followed ends the session and is laid to the message",
        arguments: ["{-1}", "{18446744073709551616}", "{9999999999999}"])
    func fatalLiteral(size: String) throws {
        var (session, _) = try fetching()
        let actions = session.received(buffer("* 1 FETCH (UID 21 BODY[] \(size)\r\n"))
        #expect(actions.suffix(1) == [.close(.protocolError(.framing))])
        #expect(actions.contains(.setback(.inbox, validity(7), uid(21), .broken)))
    }

    @Test("three gigabytes announced and never sent end in the timer")
    func announced() throws {
        var (session, _) = try fetching()
        #expect(sent(session.received(buffer("* 1 FETCH (UID 21 BODY[] {3000000000}\r\nabc"))) == [])
        let actions = session.timedOut(.response)
        #expect(actions.first == .setback(.inbox, validity(7), uid(21), .broken))
        #expect(actions.last == .close(.timedOut(.response)))
    }

    @Test("a literal longer than what follows swallows the answer and ends in the timer")
    func longLie() throws {
        var (session, _) = try fetching()
        let actions = session.received(buffer("* 1 FETCH (UID 21 BODY[] {40}\r\nbody)\r\nA5 OK\r\n"))
        #expect(delivered(actions) == [])
        #expect(session.timedOut(.response).last == .close(.timedOut(.response)))
    }

    @Test("a literal shorter than what follows costs that response; the message is asked for again")
    func shortLie() throws {
        var (session, _) = try fetching([21, 22])
        let lie = "* 1 FETCH (UID 21 BODY[] {2}\r\nbody\r\nA: b\r\n* 2 FETCH\r\n)\r\n* 2 FETCH (UID 22 BODY[] \"yes\")\r\nA5 OK\r\n"
        let actions = session.received(buffer(lie))
        #expect(delivered(actions) == [])
        #expect(sent(actions) == ["A6 UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"])
        let again = session.received(buffer("* 1 FETCH (UID 21 BODY[] {4}\r\nbody)\r\nA6 OK\r\n"))
        #expect(delivered(again) == [21, 22])
    }

    @Test("a body larger than the limit is read past, then asked for in part, and the connection survives")
    func oversized() throws {
        var (session, _) = try fetching {
            $0.messageSizeLimit = 1000
            $0.truncationLength = 5
        }
        let huge = String(repeating: "A5 OK\r\n", count: 20_000)
        let actions = session.received(buffer("* 1 FETCH (UID 21 BODY[] {\(huge.utf8.count)}\r\n\(huge))\r\nA5 OK\r\n"))
        #expect(sent(actions) == ["A6 UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.5>)"])
        let part = session.received(buffer("* 1 FETCH (UID 21 RFC822.SIZE 140000 BODY[]<0> \"A5 OK\")\r\nA6 OK\r\n"))
        guard case .deliver(let message)? = part.first(where: { if case .deliver = $0 { true } else { false } }) else {
            Issue.record("nothing delivered: \(part)")
            return
        }
        #expect(message.truncated && message.bytes == bytes("A5 OK") && message.size == 140_000)
    }

    @Test(
        "of a message beyond the limit no more is asked for than may be held, however little that is",
        arguments: [16 << 10, 100 << 10, 5 << 20])
    func smallLimit(limit: Int) throws {
        var (session, _) = try fetching { $0.messageSizeLimit = limit }
        let huge = String(repeating: "x", count: limit * 9 / 8 + 65_537)
        let actions = session.received(buffer("* 1 FETCH (UID 21 BODY[] {\(huge.utf8.count)}\r\n\(huge))\r\nA5 OK\r\n"))
        let part = min(limit, 1 << 20)
        #expect(sent(actions) == ["A6 UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.\(part)>)"])
        let beginning = String(repeating: "x", count: part)
        let again = session.received(buffer("* 1 FETCH (UID 21 BODY[]<0> {\(part)}\r\n\(beginning))\r\nA6 OK\r\n"))
        #expect(delivered(again).contains(21), "\(again)")
    }

    @Test("a server that sends everything though asked for a part: other sessions ask again")
    func hopeless() throws {
        var (session, _) = try fetching {
            $0.messageSizeLimit = 1000
            $0.truncationLength = 5
        }
        let huge = String(repeating: "x", count: 200_000)
        let fetch = "* 1 FETCH (UID 21 BODY[] {\(huge.utf8.count)}\r\n\(huge))\r\n"
        _ = session.received(buffer(fetch + "A5 OK\r\n"))
        let actions = session.received(buffer(fetch + "A6 OK\r\n"))
        #expect(actions.contains(.setback(.inbox, validity(7), uid(21), .shared)) && actions.last == .close(.bodyWithheld))
    }

    @Test(
        "a message that is not given costs sessions of its own, and only the third one in which another is read passes it over",
        arguments: [0, 1, 2], [true, false])
    func withheld(sessionsBefore: Int, othersCome: Bool) throws {
        var (session, _) = try fetching([21, 22])
        if sessionsBefore > 0 {
            session =
                try fetching(
                    [21, 22], setbacks: [MessageKey(.inbox, validity(7), uid(21)): Setbacks(own: sessionsBefore)],
                    answer: othersCome ? "* 2 FETCH (UID 22 BODY[] \"b\")\r\n" : nil
                ).0
        }
        var actions: [ClientSession.Action] = []
        for tag in 5...12 where !actions.contains(where: { if case .close = $0 { true } else { false } }) && delivered(actions) == [] {
            let other = othersCome ? "* 2 FETCH (UID 22 BODY[] \"b\")\r\n" : ""
            actions = session.received(buffer("* 1 FETCH (UID 21 BODY[] NIL)\r\n\(other)A\(tag) OK\r\n"))
        }
        let isSkipped = sessionsBefore == 2 && othersCome
        #expect(actions.contains(.skipped(.inbox, validity(7), uid(21), .noBody)) == isSkipped)
        #expect(actions.contains(.setback(.inbox, validity(7), uid(21), othersCome ? .own : .shared)) == !isSkipped)
        #expect((actions.last == .close(.bodyWithheld)) == !isSkipped)
        #expect(delivered(actions) == (isSkipped ? [22] : []))
    }

    @Test("a server whose UIDVALIDITY never stands still is left after two new openings")
    func unstableValidity() throws {
        var (session, _) = try fetching()
        var actions = session.received(buffer("* OK [UIDVALIDITY 8] moved\r\nA5 OK\r\n"))
        for (tag, number) in [(6, 9), (8, 10)] {
            #expect(sent(actions) == ["A\(tag) EXAMINE \"INBOX\""])
            actions = session.received(buffer("* 1 EXISTS\r\n* OK [UIDVALIDITY \(number)] x\r\nA\(tag) OK\r\n"))
            #expect(sent(actions) == ["A\(tag + 1) UID SEARCH UID *"])
            actions = session.received(buffer("* OK [UIDVALIDITY 99] moved\r\n* SEARCH 1\r\nA\(tag + 1) OK\r\n"))
        }
        #expect(actions.last == .close(.protocolError(.unstableUIDValidity)))
    }

    @Test("a commit of another UIDVALIDITY or mailbox is none of this one's")
    func foreignCommit() throws {
        var (session, _) = try fetching([21, 22]) { $0.access = .seen }
        let actions = session.received(buffer("* 1 FETCH (UID 21 BODY[] \"a\")\r\n* 2 FETCH (UID 22 BODY[] \"b\")\r\nA5 OK\r\n"))
        #expect(delivered(actions) == [21, 22])
        for key in [MessageKey(.inbox, validity(6), uid(21)), MessageKey(MailboxName("Junk"), validity(7), uid(22))] {
            #expect(session.messageCommitted(key) == [])
        }
        #expect(session.messageCommitted(MessageKey(.inbox, validity(7), uid(21))) == [])
        #expect(sent(session.messageCommitted(MessageKey(.inbox, validity(7), uid(22)))) == ["A6 UID STORE 21:22 +FLAGS.SILENT (\\Seen)"])
    }

    @Test("setbacks make a message be read in part, then be passed over; the next one is not held up")
    func setbacks() throws {
        for (count, expected) in [
            (1, "A5 UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE)"),
            (2, "A5 UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.1048576>)"),
            (4, "A4 UID FETCH 22 (UID FLAGS INTERNALDATE RFC822.SIZE)"),
        ] {
            // Another is asked for first, so that it is known whether any can be read.
            let witness = count == 4 ? "" : "S: * 2 FETCH (UID 22 BODY[] \"b\")\nS: A4 OK"
            var dialogue = try Dialogue(
                """
                ! connected
                ! tls verified
                S: * OK [CAPABILITY IMAP4rev1] x
                S: A1 OK [CAPABILITY IMAP4rev1] x
                S: * 9 EXISTS
                S: * OK [UIDVALIDITY 7]
                S: * OK [UIDNEXT 23]
                S: A2 OK
                S: * SEARCH 21 22
                S: A3 OK
                \(witness)
                """)
            dialogue.cursors[.inbox] = MailboxCursor(uidValidity: validity(7), lastUID: uid(20), setbacks: [uid(21): Setbacks(own: count)])
            let events = try dialogue.run { _, turn in [turn[...]] }
            #expect(events.last == "C: \(expected)")
            #expect(events.contains("> skipped INBOX 7 21 setbacks") == (count == 4))
        }
    }

    @Test("no more is asked for than may wait for its commit")
    func backPressure() throws {
        var (session, first) = try fetching([21, 22, 23]) { $0.batchSize = 4 }
        #expect(sent(first) == ["A5 UID FETCH 21 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"])
        let one = session.received(buffer("* 1 FETCH (UID 21 BODY[] \"1234\")\r\nA5 OK\r\n"))
        #expect(sent(one) == ["A6 UID FETCH 22 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"])
        let two = session.received(buffer("* 1 FETCH (UID 22 BODY[] \"1234\")\r\nA6 OK\r\n"))
        #expect(delivered(two) == [22] && sent(two) == [])
        #expect(session.messageCommitted(uid(99)) == [])
        #expect(sent(session.messageCommitted(uid(21))) == ["A7 UID FETCH 23 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"])
    }

    @Test("bodies out of order are held within bounds, the rest is asked for again")
    func heldBack() throws {
        var (session, _) = try fetching([21, 22, 23, 24]) { $0.batchSize = 100 }
        let large = String(repeating: "x", count: 150)
        let answer = [24, 23, 22, 21].map { "* 1 FETCH (UID \($0) BODY[] \"\(large)\")\r\n" }.joined()
        let actions = session.received(buffer(answer + "A5 OK\r\n"))
        #expect(delivered(actions) == [21])
        for uid: UInt32 in [21] { _ = session.messageCommitted(IMAPTests.uid(uid)) }
        let more = session.received(buffer("* 1 FETCH (UID 22 BODY[] \"b\")\r\nA6 OK\r\n"))
        #expect(delivered(more) == [22])
        let last = session.received(buffer("* 1 FETCH (UID 23 BODY[] \"c\")\r\nA7 OK\r\n"))
        #expect(delivered(last) == [23, 24])
    }

    @Test("logout waits for the commits and their marks")
    func logout() throws {
        var (session, _) = try fetching { $0.access = .seen }
        #expect(session.logout() == [])
        #expect(sent(session.received(buffer("* 1 FETCH (UID 21 BODY[] \"a\")\r\nA5 OK\r\n"))) == [])
        #expect(sent(session.messageCommitted(uid(21))) == ["A6 UID STORE 21 +FLAGS.SILENT (\\Seen)"])
        #expect(sent(session.received(buffer("A6 OK\r\n"))) == ["A7 LOGOUT"])
        #expect(session.received(buffer("* BYE\r\n")).last == .close(.loggedOut))
    }

    @Test("a SEARCH of 200,000 UIDs, descending and each twice, is taken in time")
    func largeSearch() throws {
        var dialogue = try Dialogue("cursor INBOX 7 20")
        dialogue.configuration.watches = false
        var session = ClientSession(configuration: dialogue.configuration, cursors: dialogue.cursors)
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        _ = session.received(
            buffer("* OK [CAPABILITY IMAP4rev1] x\r\nA1 OK [CAPABILITY IMAP4rev1] x\r\n* 9 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nA2 OK\r\n"))
        let numbers = (1...200_000).reversed().map { " \($0) \($0)" }.joined()
        let clock = ContinuousClock()
        var actions: [ClientSession.Action] = []
        let time = clock.measure { actions = session.received(buffer("* SEARCH\(numbers)\r\nA3 OK\r\n")) }
        #expect(sent(actions) == ["A4 UID FETCH 21:220 (UID FLAGS INTERNALDATE RFC822.SIZE)"])
        #expect(time < .seconds(20), "unoptimized and on a busy machine")
    }

    @Test("hints that lead to nothing are followed only so often")
    func flood() throws {
        var dialogue = try Dialogue("set watches on\ncursor INBOX 7 20")
        dialogue.configuration.watches = true
        var session = ClientSession(configuration: dialogue.configuration, cursors: dialogue.cursors)
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        var actions = session.received(
            buffer(
                "* OK [CAPABILITY IMAP4rev1 IDLE] x\r\nA1 OK [CAPABILITY IMAP4rev1 IDLE] x\r\n* 0 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nA2 OK\r\n"
            ))
        var searches = 0
        for _ in 0..<200 {
            let commands = sent(actions)
            actions = []
            for command in commands {
                let tag = command.prefix { $0 != " " }
                if command.hasSuffix("IDLE") { actions += session.received(buffer("+ idling\r\n* 5 EXISTS\r\n")) }
                if command == "DONE" { actions += session.received(buffer("A\(3 + 2 * searches) OK\r\n")) }
                if command.hasSuffix(":*") {
                    searches += 1
                    actions += session.received(buffer("* SEARCH\r\n\(tag) OK\r\n"))
                }
            }
        }
        #expect(searches == ClientSession.falseAlarmLimit)
        #expect(sent(session.timedOut(.idleReissue)) == ["DONE"])
    }

    @Test("the timers: started with each command, anew with each sign of life, none while nothing is asked")
    func timers() throws {
        var (session, last) = try fetching()
        #expect(last.suffix(2) == [.startTimer(.response, .seconds(120)), .startTimer(.command, .seconds(900))])
        #expect(session.received(buffer("*")) == [.startTimer(.response, .seconds(120))])
        let end = session.received(buffer(" 1 FETCH (UID 21 BODY[] \"a\")\r\nA5 OK\r\n"))
        #expect(end.suffix(2) == [.cancelTimer(.response), .cancelTimer(.command)])
        #expect(session.timedOut(.response) == [])
        #expect(session.timedOut(.command) == [])
        #expect(session.messageCommitted(uid(21)) == [.pollFinished])
        #expect(session.timedOut(.response) == [])
    }

    @Test("IDLE has its own timer, and the poll another")
    func idleTimers() throws {
        var dialogue = try Dialogue("cursor INBOX 7 20")
        dialogue.configuration.watches = true
        var session = ClientSession(configuration: dialogue.configuration, cursors: dialogue.cursors)
        _ = session.connected()
        _ = session.tlsEstablished(verified: true)
        let first = session.received(
            buffer(
                "* OK [CAPABILITY IMAP4rev1 IDLE] x\r\nA1 OK [CAPABILITY IMAP4rev1 IDLE] x\r\n* 0 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nA2 OK\r\n"
            ))
        #expect(first.contains(.startTimer(.poll, .seconds(300))))
        let granted = session.received(buffer("+ idling\r\n"))
        #expect(granted == [.cancelTimer(.response), .cancelTimer(.command), .startTimer(.idleReissue, .seconds(540))])
        #expect(session.received(buffer("* OK still here\r\n")) == [])
        #expect(session.timedOut(.response) == [])
        #expect(
            session.refreshIdle() == [
                .cancelTimer(.idleReissue), .send(buffer("DONE\r\n")), .startTimer(.response, .seconds(120)),
                .startTimer(.command, .seconds(900)),
            ])
        #expect(session.refreshIdle() == [])
        #expect(session.timedOut(.response).last == .close(.timedOut(.response)))
    }
}

extension String {
    /// Without the line end.
    fileprivate var trimmed: String {
        String(decoding: utf8.filter { $0 != 13 && $0 != 10 }, as: UTF8.self)
    }
}
