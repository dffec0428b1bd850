import InternetMessage
import Outreach

extension StoreContract {
    static var intake: [Self] {
        [
            Self(crash: "what was accepted is there after a crash, byte for byte") { world, bench in
                let message = try world.incoming(bytes: [0, 255, 13, 10, 0, 128] + Array("x".utf8))
                let report = IncomingMessage(
                    id: world.ids.next(), way: .lmtp, receivedAt: world.later(0), reversePath: .null, forwardPaths: [], origin: "a\u{0}b",
                    bytes: [])
                try await world.store.accept(message)
                try await world.store.accept(report)
                let store = try await bench.reopenAfterCrash(world.store)
                try expect(try await store.incoming(id: message.id), message, "a message is read back as it was taken in")
                let found = try await store.incoming(id: report.id)
                try expect(found?.reversePath, .null, "a null reverse-path is not a missing one")
                try expect(found?.bytes, [], "an empty message is a message")
            },
            Self("a message of a mailbox and its watermark are stored both or neither") { world in
                let mark = MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 9, lastUID: 5)
                let first = try world.incoming(.imap)
                try expect(try await world.watermark("INBOX") == nil, "nil at first sight")
                try expect(try await world.store.accept(first, movingTo: mark), "it is stored")
                try expect(try await world.watermark("INBOX"), mark, "the watermark moved")
                let again = try world.incoming(.imap)
                try expect(try await !world.store.accept(again, movingTo: mark), "the same UID is not stored twice")
                let older = MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 9, lastUID: 4)
                try expect(try await !world.store.accept(again, movingTo: older), "nor an older one")
                try expect(try await world.store.incoming(id: again.id) == nil, "nothing is stored then")
                let next = MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 9, lastUID: 6)
                try await expectError(.constraint, "an id is never used twice") { () async throws(StoreError) in
                    _ = try await world.store.accept(first, movingTo: next)
                }
                try expect(
                    try await world.watermark("INBOX"), mark, "a failed accept does not move the watermark")
            },
            Self("messages of a mailbox that are stored together are stored all or none") { world in
                func mark(_ uid: UInt32) -> MailboxWatermark {
                    MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 9, lastUID: uid)
                }
                let messages = try (0..<4).map { _ in try world.incoming(.imap) }
                let arrivals = zip(messages, [1, 2, 2, 5] as [UInt32]).map { MailboxArrival($0, movingTo: mark($1)) }
                try expect(try await world.store.accept(arrivals), [true, true, false, true], "each is told apart")
                try expect(try await world.watermark("INBOX"), mark(5), "the watermark is the last one's")
                try expect(
                    try await world.store.incoming(state: .received, after: nil, limit: 9).map(\.id),
                    [messages[0].id, messages[1].id, messages[3].id], "what is new is stored in its order")
                let more = [MailboxArrival(try world.incoming(.imap), movingTo: mark(6)), MailboxArrival(messages[0], movingTo: mark(7))]
                try await expectError(.constraint, "an id is never used twice") { () async throws(StoreError) in
                    _ = try await world.store.accept(more)
                }
                try expect(try await world.watermark("INBOX"), mark(5), "then none of them is stored")
                try expect(try await world.store.incoming(id: more[0].message.id) == nil, "not the good one either")
            },
            Self(crash: "what is to be marked or moved in its folder is kept with it until that is done") { world, bench in
                func mark(_ uid: UInt32, _ account: String = "inbox", _ folder: String = "INBOX") -> MailboxWatermark {
                    MailboxWatermark(account: account, folder: folder, uidValidity: 9, lastUID: uid)
                }
                func place(_ uid: UInt32, _ folder: String = "INBOX") -> MailboxPlace {
                    MailboxPlace(account: "inbox", folder: folder, uidValidity: 9, uid: uid)
                }
                let message = try world.incoming(.imap)
                _ = try await world.store.accept([
                    MailboxArrival(message, movingTo: mark(1), awaitsDisposal: true),
                    MailboxArrival(try world.incoming(.imap), movingTo: mark(2)),
                    MailboxArrival(try world.incoming(.imap), movingTo: mark(3), awaitsDisposal: true),
                    MailboxArrival(try world.incoming(.imap), movingTo: mark(3, "inbox", "Junk"), awaitsDisposal: true),
                    MailboxArrival(try world.incoming(.imap), movingTo: mark(1, "other"), awaitsDisposal: true),
                ])
                _ = try await world.store.accept([MailboxArrival(try world.incoming(.imap), movingTo: mark(3), awaitsDisposal: true)])
                try await expectError(.constraint, "an id is never used twice") { () async throws(StoreError) in
                    _ = try await world.store.accept([MailboxArrival(message, movingTo: mark(4), awaitsDisposal: true)])
                }
                let store = try await bench.reopenAfterCrash(world.store)
                try expect(
                    try await store.undisposed(account: "inbox"), [place(1), place(3), place(3, "Junk")],
                    "those, once, and none that was not stored")
                try await store.disposed([place(3), place(2), place(3, "Junk")])
                try expect(try await store.undisposed(account: "inbox"), [place(1)], "what is done is forgotten, by folder")
                try await store.forgetUndisposed(besides: ["inbox", "new"])
                try expect(try await store.undisposed(account: "other"), [], "with accounts that are none any more")
                try expect(try await store.undisposed(account: "inbox"), [place(1)], "the others keep theirs")
            },
            Self("a watermark never goes backwards within one UIDVALIDITY") { world in
                func mark(_ validity: UInt32, _ uid: UInt32, folder: String = "INBOX") -> MailboxWatermark {
                    MailboxWatermark(account: "inbox", folder: folder, uidValidity: validity, lastUID: uid)
                }
                try await world.store.move(to: mark(9, 4_294_967_295))
                try await world.store.move(to: mark(9, 3))
                try expect(try await world.watermark("INBOX"), mark(9, 4_294_967_295), "it stays")
                try await world.store.move(to: mark(4_294_967_295, 0))
                try expect(
                    try await world.watermark("INBOX"), mark(4_294_967_295, 0),
                    "a new UIDVALIDITY starts anew")
                try await world.store.move(to: mark(1, 7, folder: "Junk"))
                try expect(
                    try await world.watermark("Junk"), mark(1, 7, folder: "Junk"), "folders are apart")
                try expect(try await world.store.watermarks(account: "other"), [], "accounts are apart")
            },
            Self("a server that goes back to an earlier UIDVALIDITY does not block its mailbox") { world in
                func mark(_ validity: UInt32, _ uid: UInt32) -> MailboxWatermark {
                    MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: validity, lastUID: uid)
                }
                try expect(try await world.store.accept(try world.incoming(.imap), movingTo: mark(1, 1)), "stored")
                try expect(try await world.store.accept(try world.incoming(.imap), movingTo: mark(2, 1)), "stored under a new one")
                try expect(
                    try await !world.store.accept(try world.incoming(.imap), movingTo: mark(1, 1)), "what is there is not stored again")
                try expect(try await world.watermark("INBOX"), mark(1, 1), "and the watermark goes on")
                try expect(try await world.store.accept(try world.incoming(.imap), movingTo: mark(1, 2)), "the next message is stored")
            },
            Self("a mailbox that is read anew under another UIDVALIDITY gives no message twice") { world in
                func mark(_ validity: UInt32, _ uid: UInt32, folder: String = "INBOX", account: String = "inbox") -> MailboxWatermark {
                    MailboxWatermark(account: account, folder: folder, uidValidity: validity, lastUID: uid)
                }
                func incoming(_ digit: UInt8) throws -> IncomingMessage {
                    try world.incoming(.imap, digest: [UInt8](repeating: digit, count: 32))
                }
                let first = try incoming(1)
                try expect(try await world.store.accept(first, movingTo: mark(1, 1)), "stored")
                try expect(try await world.store.incoming(id: first.id), first, "with its digest")
                try expect(try await world.store.accept(try incoming(1), movingTo: mark(1, 2)), "a copy in the same mailbox is a message")
                try expect(try await !world.store.accept(try incoming(1), movingTo: mark(2, 7)), "the same bytes are not stored again")
                try expect(try await world.watermark("INBOX"), mark(2, 7), "and the watermark goes on")
                try expect(try await world.store.accept(try incoming(2), movingTo: mark(2, 8)), "others are stored")
                try expect(
                    try await !world.store.accept(try incoming(2), movingTo: mark(5, 1, folder: "Renamed")),
                    "a renamed folder holds the same")
                try expect(
                    try await world.store.accept(try incoming(2), movingTo: mark(5, 1, account: "other")), "accounts are apart")
                try expect(
                    try await world.store.accept(try world.incoming(.imap), movingTo: mark(2, 9)), "without a digest nothing is known")
                try expect(try await world.store.accept(try world.incoming(.imap), movingTo: mark(3, 1)), "and everything is stored")
            },
            Self("a folder that is numbered anew under the same UIDVALIDITY gives what is new, and no message twice") { world in
                func mark(_ uid: UInt32, folder: String = "INBOX") -> MailboxWatermark {
                    MailboxWatermark(account: "inbox", folder: folder, uidValidity: 9, lastUID: uid)
                }
                func incoming(_ digit: UInt8) throws -> IncomingMessage {
                    try world.incoming(.imap, digest: [UInt8](repeating: digit, count: 32))
                }
                for uid in 1...3 { _ = try await world.store.accept(try incoming(UInt8(uid)), movingTo: mark(UInt32(uid))) }
                _ = try await world.store.accept(try incoming(99), movingTo: mark(3, folder: "Junk"))
                let record = IncomingMessage(
                    id: world.ids.next(), way: .imap, receivedAt: world.later(0), reversePath: nil, forwardPaths: [],
                    origin: "inbox/INBOX uid 4, not read", bytes: [], state: .quarantined, reason: "not given")
                _ = try await world.store.passOver(record, movingTo: mark(4))
                let trouble = ReadingTrouble(own: 1, broken: 0, shared: 0, since: nil)
                try await world.store.keep(trouble, at: MailboxPlace(account: "inbox", folder: "INBOX", uidValidity: 9, uid: 5))
                // Twice, as a server does that loses its mailboxes each night.
                for round in 0..<2 as Range<UInt8> {
                    try await world.store.numberAnew(account: "inbox", folder: "INBOX", uidValidity: 9)
                    try expect(try await world.watermark("INBOX") == nil, "it is seen for the first time")
                    try expect(try await world.watermark("Junk"), mark(3, folder: "Junk"), "others stay")
                    try expect(try await world.store.readingTroubles(account: "inbox"), [:], "troubles are forgotten")
                    let passed = try await world.store.passedOver(account: "inbox")
                    try expect(passed.map(\.place.uid), [4], "what was passed over is kept")
                    try expect(passed.map(\.place.uidValidity) != [9], "under another number")
                    try expect(try await !world.store.accept(try incoming(2), movingTo: mark(1)), "what is known is known")
                    try expect(try await world.store.accept(try incoming(50 + round), movingTo: mark(2)), "what is new is stored")
                    try expect(try await world.watermark("INBOX"), mark(2), "and the watermark is its")
                }
                try expect(
                    try await world.store.incoming(state: .received, after: nil, limit: 99).count, 6, "four, and one of each round")
            },
            Self("refused logins are counted for each login, and forgotten when one is accepted") { world in
                func refused(_ login: String, _ account: String = "anna", later seconds: Int64 = 0) async throws -> LoginRefusals {
                    try await world.store.loginRefused(account: account, login: login, reason: "no", at: world.later(seconds))
                }
                try expect(try await world.store.loginRefusals(account: "anna") == nil, "none at first")
                try expect(try await refused("a").count, 1, "the first")
                try expect(
                    try await refused("a", later: 5), LoginRefusals(login: "a", count: 2, reason: "no", since: world.later(0)), "the second"
                )
                try expect(try await refused("a", "bo").count, 1, "accounts are apart")
                try expect(
                    try await refused("b", later: 9), LoginRefusals(login: "b", count: 1, reason: "no", since: world.later(9)),
                    "other credentials begin anew")
                try await world.store.loginAccepted(account: "anna")
                try expect(try await world.store.loginRefusals(account: "anna") == nil, "forgotten")
                try expect(try await world.store.loginRefusals(account: "bo")?.count, 1, "only there")
            },
            Self("an attempt counts when it begins, and only for its own message") { world in
                let messages = [try world.incoming(), try world.incoming()]
                for message in messages { try await world.store.accept(message) }
                func attempts() async throws -> [Int?] {
                    var counts: [Int?] = []
                    for message in messages { counts.append(try await world.store.incoming(id: message.id)?.attempts) }
                    return counts
                }
                _ = try await world.store.claimReceived(now: world.later(1), limit: 9, lease: world.lease("me", until: 60))
                try expect(try await attempts(), [0, 0], "a claim counts nothing")
                try expect(try await !world.store.begin(messages[0].id, owner: "else"), "only the owner begins")
                try expect(try await world.store.begin(messages[0].id, owner: "me"), "it is begun")
                try expect(try await attempts(), [1, 0], "and counted")
                try await world.store.putBack(messages[0].id, owner: "me", until: world.later(1), reason: nil)
                try expect(try await attempts(), [0, 0], "what was nobody's fault does not count")
                _ = try await world.store.claimReceived(now: world.later(1), limit: 1, lease: world.lease("me", until: 60))
                _ = try await world.store.begin(messages[0].id, owner: "me")
                try await world.store.putBack(messages[0].id, owner: "me", until: world.later(30), reason: "a fault")
                try expect(try await world.store.incoming(id: messages[0].id)?.reason, "a fault", "the reason is kept")
                try expect(
                    try await world.store.claimReceived(now: world.later(29), limit: 9, lease: world.lease("me")).map(\.id), [],
                    "it waits for its time")
                let again = try await world.store.claimReceived(now: world.later(30), limit: 9, lease: world.lease("me"))
                try expect(again.map(\.attempts), [1], "and comes back, counted")
                try await world.store.releaseLeases(owner: "me")
                try expect(try await attempts(), [1, 0], "a release counts nothing")
                try expect(try await !world.store.begin(messages[1].id, owner: "me"), "what was released is not begun")
            },
            Self("received messages are claimed oldest first") { world in
                let messages = [try world.incoming(), try world.incoming(), try world.incoming()]
                for message in messages { try await world.store.accept(message) }
                let first = try await world.store.claimReceived(now: world.later(1), limit: 2, lease: world.lease("dead", until: 60))
                try expect(first.map(\.id), messages.prefix(2).map(\.id), "oldest first")
                try expect(try await world.store.begin(messages[1].id, owner: "dead"), "one is begun")
                let rest = try await world.store.claimReceived(now: world.later(59), limit: 9, lease: world.lease("me"))
                try expect(rest.map(\.id), [messages[2].id], "a living lease holds")
                let back = try await world.store.claimReceived(now: world.later(60), limit: 9, lease: world.lease("me"))
                try expect(back.map(\.attempts), [0, 1], "a dead owner's messages come back, and what was begun is counted")
                try expect(back.map(\.bytes), messages.prefix(2).map(\.bytes), "with their bytes")
            },
            Self("what was put aside without its content is not sorted as if it were empty") { world in
                let unread = IncomingMessage(
                    id: world.ids.next(), way: .imap, receivedAt: StoreWorld<Store>.start, reversePath: nil, forwardPaths: [],
                    origin: "inbox/INBOX uid 2, not read", bytes: [], state: .quarantined, reason: "the server does not give it")
                try await world.store.accept(unread)
                try expect(
                    try await world.store.retryQuarantined([unread.id], at: world.later(0)), RetryTally(hopeless: 1),
                    "there is nothing to sort")
                try expect(try await world.store.retryQuarantined(nil, at: world.later(0)), RetryTally(hopeless: 1), "nor with all")
                try expect(try await world.store.incoming(id: unread.id)?.reason, unread.reason, "why it is there stays")
            },
            Self("a message passed over can be fetched anew and takes the place of its record", unread),
            Self("what is known of a message in trouble is kept until it is taken in") { world in
                func place(_ uid: UInt32, _ validity: UInt32 = 9) -> MailboxPlace {
                    MailboxPlace(account: "inbox", folder: "INBOX", uidValidity: validity, uid: uid)
                }
                func mark(_ uid: UInt32) -> MailboxWatermark {
                    MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 9, lastUID: uid)
                }
                let once = ReadingTrouble(own: 1, broken: 0, shared: 2, since: nil)
                let twice = ReadingTrouble(own: 2, broken: 3, shared: 2, since: world.later(5))
                for uid in [3, 4, 5] as [UInt32] { try await world.store.keep(once, at: place(uid)) }
                try await world.store.keep(once, at: place(9, 8))
                try await world.store.keep(twice, at: place(4))
                try expect(
                    try await world.store.readingTroubles(account: "inbox"),
                    [place(3): once, place(4): twice, place(5): once, place(9, 8): once], "the latest that is known")
                try expect(try await world.store.readingTroubles(account: "other"), [:], "accounts are apart")
                try await world.store.keep(nil, at: place(5))
                try await world.store.move(to: mark(3))
                try expect(
                    try await world.store.readingTroubles(account: "inbox"), [place(4): twice],
                    "what was taken in, lies below the watermark or has another UIDVALIDITY is forgotten")
                try expect(try await world.store.passedOver(account: nil), [], "none was passed over")
            },
            Self("a poisonous message is put aside and can be tried again") { world in
                let message = try world.incoming()
                let other = try world.incoming()
                for message in [message, other] { try await world.store.accept(message) }
                _ = try await world.store.claimReceived(now: world.later(1), limit: 1, lease: world.lease("me"))
                _ = try await world.store.begin(message.id, owner: "me")
                let event = world.event(.quarantined, intake: message.id)
                try await world.store.quarantine(message.id, reason: "too often", event: event)
                try expect(
                    try await world.store.incoming(state: .quarantined, after: nil, limit: 9).map(\.id), [message.id], "it is put aside")
                try expect(try await world.store.timeline(after: nil, limit: 9), [event], "with its event")
                try expect(
                    try await world.store.claimReceived(now: world.later(9), limit: 9, lease: world.lease("me")).map(\.id), [other.id],
                    "it does not hold up others")
                try expect(
                    try await world.store.retryQuarantined([other.id], at: world.later(0)), RetryTally(),
                    "only quarantined ones are tried again")
                try expect(
                    try await world.store.retryQuarantined(nil, at: world.later(0)), RetryTally(sorted: 1), "all of them when none is named"
                )
                let again = try await world.store.claimReceived(now: world.later(9), limit: 9, lease: world.lease("me"))
                try expect(again.map(\.id), [message.id], "it is received again")
                try expect(again.map(\.attempts), [0], "and starts counting anew")
            },
        ]
    }

    private static func unread(_ world: StoreWorld<Store>) async throws {
        let store = world.store
        func mark(_ uid: UInt32) -> MailboxWatermark {
            MailboxWatermark(account: "inbox", folder: "INBOX", uidValidity: 9, lastUID: uid)
        }
        func place(_ uid: UInt32) -> MailboxPlace { MailboxPlace(account: "inbox", folder: "INBOX", uidValidity: 9, uid: uid) }
        func passOver(_ uid: UInt32) async throws -> IncomingMessage {
            let record = IncomingMessage(
                id: world.ids.next(), way: .imap, receivedAt: world.later(0), reversePath: nil, forwardPaths: [],
                origin: "inbox/INBOX uid \(uid), not read", bytes: [], state: .quarantined, reason: "not given")
            try expect(try await store.passOver(record, movingTo: mark(uid)), "it is passed over")
            return record
        }
        try await store.keep(ReadingTrouble(own: 3, broken: 0, shared: 0, since: world.later(0)), at: place(2))
        let records = [try await passOver(2), try await passOver(4), try await passOver(6)]
        try expect(try await world.watermark("INBOX"), mark(6), "the watermark is past them")
        try expect(try await store.readingTroubles(account: "inbox"), [:], "none holds the mailbox up")
        try expect(try await !store.passOver(records[0], movingTo: mark(2)), "nothing is passed over twice")
        try expect(
            try await store.passedOver(account: "inbox").first,
            PassedOverMessage(place: place(2), intake: records[0].id, wantedFrom: nil, tries: 0), "it is known, and nobody wants it")
        try expect(try await store.passedOver(account: "other"), [], "accounts are apart")

        try expect(
            try await store.retryQuarantined([records[0].id], at: world.later(5)), RetryTally(fetched: 1), "one of them is to be fetched")
        try expect(try await store.retryQuarantined(nil, at: world.later(7)), RetryTally(fetched: 3), "all are")
        try await store.fetchedInVain(place(4), reason: "still not given", again: world.later(60))
        try await store.giveUp(place(6), reason: "gone")
        try expect(
            try await store.passedOver(account: nil),
            [
                PassedOverMessage(place: place(2), intake: records[0].id, wantedFrom: world.later(7), tries: 0),
                PassedOverMessage(place: place(4), intake: records[1].id, wantedFrom: world.later(60), tries: 1),
            ], "one waits, one is gone")
        var reasons: [String?] = []
        for record in records { reasons.append(try await store.incoming(id: record.id)?.reason) }
        try expect(reasons, ["not given", "still not given", "gone"], "the records say so")
        try expect(
            try await store.retryQuarantined([records[2].id], at: world.later(9)), RetryTally(hopeless: 1),
            "what is gone is not fetched again")

        let message = try world.incoming(.imap, digest: [UInt8](repeating: 1, count: 32))
        try expect(try await store.accept(message, movingTo: mark(2)), "it is new when it comes")
        let taken = try await store.incoming(id: records[0].id)
        try expect(taken?.bytes, message.bytes, "in the place of its record")
        try expect(taken?.state, .received, "which waits to be sorted")
        try expect(taken?.reason, nil, "without trouble")
        try expect(try await store.incoming(id: message.id) == nil, "and nowhere else")
        try expect(try await world.watermark("INBOX"), mark(6), "the watermark stays")
        try expect(try await store.passedOver(account: nil).map(\.place), [place(4)], "and it is passed over no more")
        try expect(try await !store.accept(try world.incoming(.imap), movingTo: mark(2)), "it does not come twice")
    }

    static var replies: [Self] {
        [
            Self("a sorted message is stored with all that follows from it") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let message = try world.incoming()
                try await world.store.accept(message)
                _ = try await world.store.claimReceived(now: world.later(1), limit: 9, lease: world.lease("me"))
                let record = world.reply(to: message, enrollment: enrollment)
                let event = world.event(.classified, contact: enrollment.contact, intake: message.id)
                let consequence = Consequence(
                    transition: world.transition(enrollment, to: .stopped, cause: .replied),
                    suppressions: [try world.suppression(of: "ann@example.com")], timeline: [event])
                try expect(try await world.store.file(record, consequence: consequence), .committed, "it is filed")
                try expect(try await world.store.reply(message.id), record, "the record is read back as it was given")
                try expect(try await world.store.incoming(id: message.id)?.state, .sorted, "the message is sorted")
                try expect(try await world.current(enrollment).cause, .replied, "the enrollment moved")
                try expect(
                    try await world.store.timeline(contact: enrollment.contact).first { $0.kind == .classified }, event, "with its event")
                try expect(try await world.store.replies(contact: enrollment.contact, limit: 9), [record], "it is a reply of the contact")
                try expect(
                    try await world.store.claimReceived(now: world.later(9999), limit: 9, lease: world.lease("me")), [],
                    "it is not claimed again")
            },
            Self("a reply decided on an old enrollment writes nothing") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let message = try world.incoming()
                try await world.store.accept(message)
                let consequence = Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied))
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .paused, cause: .person)))
                let result = try await world.store.file(world.reply(to: message, enrollment: enrollment), consequence: consequence)
                try expect(result, .stale, "stale is said")
                try expect(try await world.store.reply(message.id) == nil, "nothing is filed")
                try expect(try await world.store.incoming(id: message.id)?.state, .received, "the message waits")
            },
            Self("of one message that came in twice exactly one is the first") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let messages = [try world.incoming(), try world.incoming(.imap)]
                for message in messages { try await world.store.accept(message) }
                func first(before: IncomingMessage, enrollment: Enrollment?, hash: String = "00ff") async throws -> IncomingMessage.ID? {
                    try await world.store.earlier(than: world.reply(to: before, enrollment: enrollment, hash: hash))
                }
                try expect(try await first(before: messages[1], enrollment: enrollment) == nil, "what is not sorted is not known")
                let consequence = Consequence()
                let record = world.reply(to: messages[0], enrollment: enrollment)
                try expect(try await world.store.file(record, consequence: consequence), .committed, "the first is filed")
                try expect(
                    try await world.store.file(world.reply(to: messages[1], enrollment: enrollment), consequence: consequence), .stale,
                    "a second first is stale")
                try expect(try await first(before: messages[1], enrollment: enrollment), messages[0].id, "the first is found")
                try expect(try await first(before: messages[0], enrollment: enrollment) == nil, "a message is not earlier than itself")
                try expect(try await first(before: messages[1], enrollment: nil) == nil, "another conversation is another message")
                try expect(try await first(before: messages[1], enrollment: enrollment, hash: "11") == nil, "another text too")
                var newer = world.reply(to: messages[1], enrollment: enrollment, hash: "11")
                newer.plainBodyHash = "00ff"
                try expect(try await world.store.earlier(than: newer), messages[0].id, "one that an earlier version stored is found")
                let duplicate = world.reply(to: messages[1], enrollment: enrollment, duplicateOf: messages[0].id)
                try expect(try await world.store.file(duplicate, consequence: consequence), .committed, "it is filed as a duplicate")
                try expect(try await world.store.incoming(id: messages[1].id)?.state, .duplicate, "and is one")
                try expect(try await world.store.replies(contact: nil, limit: 9), [duplicate, record], "replies come newest first")
                let bare = try await world.store.replies(
                    workspace: nil, contact: nil, owner: nil, waiting: false, copies: false, limit: 1)
                try expect(bare, [record], "copies do not count where they are not asked for")
            },
            Self("mail of our own is no copy of a reply, and no reply of it") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let messages = [try world.incoming(), try world.incoming(.imap), try world.incoming(.imap)]
                for message in messages { try await world.store.accept(message) }
                let own = world.reply(to: messages[0], enrollment: enrollment, isOwn: true)
                try expect(try await world.store.file(own, consequence: Consequence()), .committed, "it is filed")
                try expect(try await world.store.reply(messages[0].id), own, "and read back as it is")
                try expect(try await world.store.replies(contact: nil, limit: 9), [], "it is among no replies")
                try expect(try await world.store.replies(contact: enrollment.contact, limit: 9), [], "nor among those of the contact")
                let reply = world.reply(to: messages[1], enrollment: enrollment)
                try expect(try await world.store.earlier(than: reply) == nil, "a reply that says the same is another message")
                try expect(try await world.store.file(reply, consequence: Consequence()), .committed, "it counts")
                try expect(try await world.store.reply(messages[0].id)?.duplicateOf == nil, "and takes nothing from the own one")
                let again = world.reply(to: messages[2], enrollment: enrollment, isOwn: true)
                try expect(try await world.store.earlier(than: again), messages[0].id, "an own one is a copy of an own one")
            },
            Self("a copy that could do nothing never takes the effect of one that can") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let messages = [try world.incoming(), try world.incoming(), try world.incoming(), try world.incoming()]
                for message in messages { try await world.store.accept(message) }
                let weak = world.reply(to: messages[0], enrollment: enrollment, certainty: .low)
                _ = try await world.store.file(weak, consequence: Consequence())
                let alike = world.reply(to: messages[1], enrollment: enrollment, certainty: .low)
                try expect(try await world.store.earlier(than: alike), messages[0].id, "a copy as weak is a copy")
                let strong = world.reply(to: messages[1], enrollment: enrollment, certainty: .high)
                try expect(try await world.store.earlier(than: strong) == nil, "a stronger one is not")
                let consequence = Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied))
                try expect(try await world.store.file(strong, consequence: consequence), .committed, "it is filed")
                try expect(try await world.current(enrollment).state, .stopped, "with its effect")
                try expect(try await world.store.reply(messages[0].id)?.duplicateOf, messages[1].id, "the weak one becomes its copy")
                try expect(try await world.store.reply(messages[0].id)?.requiresResponse, false, "that nobody has to answer")
                try expect(try await world.store.incoming(id: messages[0].id)?.state, .duplicate, "and is shown as one")
                let medium = world.reply(to: messages[2], enrollment: enrollment, certainty: .medium)
                try expect(try await world.store.earlier(than: medium), messages[1].id, "what took effect does not do so again")
                let other = world.reply(to: messages[3], enrollment: enrollment, replyClass: .unsubscribe)
                try expect(try await world.store.earlier(than: other) == nil, "another meaning is no copy")
            },
            Self("a message that names two conversations moves both or neither") { world in
                let pair = [try await world.enrolled("ann@example.com"), try await world.enrolled("bob@example.com")]
                let message = try world.incoming()
                try await world.store.accept(message)
                func consequences() async throws -> [Consequence] {
                    var consequences: [Consequence] = []
                    for enrollment in pair {
                        consequences.append(
                            Consequence(
                                transition: world.transition(try await world.current(enrollment), to: .stopped, cause: .unsubscribed),
                                suppressions: [try world.suppression(of: "ann@example.com"), try world.suppression(of: "bob@example.com")]))
                    }
                    return consequences
                }
                let old = try await consequences()
                _ = try await world.store.apply(Consequence(transition: world.transition(pair[1], to: .paused, cause: .person)))
                let record = world.reply(to: message, enrollment: pair[0])
                try expect(try await world.store.file(record, consequences: old), .stale, "stale when one is")
                try expect(try await world.current(pair[0]).state, .active, "nothing is written then")
                try expect(try await world.store.file(record, consequences: try await consequences()), .committed, "filed")
                for enrollment in pair { try expect(try await world.current(enrollment).cause, .unsubscribed, "each one moved") }
                try expect(try await world.store.reply(message.id), record, "there is one reply")
            },
            Self("a person's class for a reply is kept") { world in
                let message = try world.incoming()
                try await world.store.accept(message)
                let event = world.event(.classified, intake: message.id)
                let consequence = Consequence(timeline: [event])
                try expect(
                    try await world.store.label(message.id, as: .positive, consequence: consequence) == nil,
                    "nil when there is no such reply")
                try expect(try await world.store.timeline(after: nil, limit: 9), [], "and no event")
                _ = try await world.store.file(world.reply(to: message), consequence: Consequence())
                try expect(try await world.store.label(message.id, as: .positive, consequence: consequence), .committed, "it is labelled")
                try expect(try await world.store.reply(message.id)?.label, .positive, "the label is kept")
                try expect(try await world.store.timeline(after: nil, limit: 9), [event], "with its event")
                let enrollment = try await world.enrolled("ann@example.com")
                let old = Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied))
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .paused, cause: .person)))
                try expect(try await world.store.label(message.id, as: .negative, consequence: old), .stale, "stale is said")
                try expect(try await world.store.reply(message.id)?.label, .positive, "and the label stays")
                let now = Consequence(transition: world.transition(try await world.current(enrollment), to: .stopped, cause: .replied))
                try expect(try await world.store.label(message.id, as: .negative, consequence: now), .committed, "label and effect")
                try expect(try await world.current(enrollment).cause, .replied, "are one step")
            },
            Self("a match of low certainty is confirmed once, with all that follows from it") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let message = try world.incoming()
                try await world.store.accept(message)
                _ = try await world.store.file(
                    world.reply(to: message, enrollment: enrollment, certainty: .low), consequence: Consequence())
                let events = try await world.store.timeline(after: nil, limit: 9).count
                let old = Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied))
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .paused, cause: .person)))
                try expect(try await world.store.confirm(message.id, consequence: old), .stale, "stale is said")
                try expect(try await world.store.reply(message.id)?.certainty, .low, "nothing is written then")
                let event = world.event(.correlated, contact: enrollment.contact, intake: message.id)
                let consequence = Consequence(
                    transition: world.transition(try await world.current(enrollment), to: .stopped, cause: .replied), timeline: [event])
                try expect(try await world.store.confirm(message.id, consequence: consequence), .committed, "it is confirmed")
                try expect(try await world.store.reply(message.id)?.certainty, .high, "it is certain")
                try expect(try await world.current(enrollment).cause, .replied, "the enrollment moved")
                let again = Consequence(timeline: [world.event(.correlated, contact: enrollment.contact, intake: message.id)])
                try expect(try await world.store.confirm(message.id, consequence: again), .committed, "a second time is no fault")
                try expect(try await world.store.timeline(after: nil, limit: 9).count, events + 1, "but does nothing")
            },
            Self("our messages are found by id, by Message-ID and by address") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                let sent = SentMessage(
                    outbox: message.id, enrollment: enrollment.id, contact: enrollment.contact, messageID: message.messageID,
                    recipient: message.recipient)
                let foreign = [MessageID("x@example.com"), MessageID(lenient: [200, 201])].compactMap { $0 }
                try expect(try await world.store.sentMessages(messageIDs: foreign + [message.messageID]), [sent], "by Message-ID")
                try expect(try await world.store.sentMessages(messageIDs: []), [], "none for none")
                let bytes = try await world.store.sentBytes(messageIDs: foreign + [message.messageID])
                try expect(bytes, [message.bytes], "and what was sent")
                try expect(try await world.store.sentBytes(messageIDs: foreign), [], "nothing of others")
                try expect(try await world.store.sentMessage(id: message.id), sent, "by id")
                let ann = try world.address("ANN@example.com")
                try expect(
                    try await world.store.latestSentMessages(to: ann, since: world.later(0)).first == nil,
                    "what has not left is not found by address")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                try expect(try await world.store.latestSentMessages(to: ann, since: world.later(2)).first, sent, "after its dot it is")
                try expect(try await world.store.latestSentMessages(to: ann, since: world.later(3)).first == nil, "unless it is too old")
            },
            Self("the timeline is read in order and from a place on") { world in
                let contact = try await world.savedContact("ann@example.com")
                let events = (1...5).map { world.event(.received, "event \($0)", contact: $0 % 2 == 0 ? nil : contact.id) }
                _ = try await world.store.apply(Consequence(timeline: events))
                try expect(
                    try await world.store.timeline(contact: contact.id), [events[0], events[2], events[4]], "a contact's own events")
                let first = try await world.store.timeline(after: nil, limit: 3)
                try expect(first + (try await world.store.timeline(after: first.last?.id, limit: 3)), events, "all events, page by page")
            },
        ]
    }
}
