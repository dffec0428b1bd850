import Testing

@testable import IMAP

@Suite("responses")
struct ResponseTests {
    private static func status(_ condition: Condition, _ code: ResponseCode? = nil, _ text: String = "x") -> StatusResponse {
        StatusResponse(condition: condition, code: code, text: bytes(text))
    }

    private static func capabilities(_ names: String...) -> Capabilities { Capabilities(names.map { bytes($0)[...] }) }

    static let known: [(String, Response)] = [
        ("* OK x", .status(status(.ok))),
        ("* preauth x", .status(status(.preauth))),
        ("* BYE x", .status(status(.bye))),
        ("A7 NO x", .tagged(bytes("A7"), status(.no))),
        ("A7 BAD [X-WHAT a \"]\" b] x", .tagged(bytes("A7"), status(.bad, .other(bytes("X-WHAT"))))),
        ("* OK [broken x", .status(status(.ok, nil, "[broken x"))),
        ("* OK [ALERT] x", .status(status(.ok, .alert))),
        ("* OK [UIDVALIDITY 7] x", .status(status(.ok, .uidValidity(validity(7))))),
        ("* OK [UIDVALIDITY 0] x", .status(status(.ok, .uidValidity(nil)))),
        ("* OK [UIDVALIDITY 18446744073709551616] x", .status(status(.ok, .uidValidity(nil)))),
        ("* OK [UIDNEXT 4392] x", .status(status(.ok, .uidNext(uid(4392))))),
        ("* OK [UIDNEXT 4294967296] x", .status(status(.ok, .uidNext(nil)))),
        ("* OK [PERMANENTFLAGS (\\Deleted \\*)] x", .status(status(.ok, .permanentFlags([bytes("\\Deleted"), bytes("\\*")])))),
        ("A1 OK [READ-ONLY] x", .tagged(bytes("A1"), status(.ok, .readOnly))),
        ("A1 OK [READ-WRITE] x", .tagged(bytes("A1"), status(.ok, .readWrite))),
        ("* OK [HIGHESTMODSEQ 715194045007] x", .status(status(.ok, .highestModSeq(715_194_045_007)))),
        ("* OK [CAPABILITY IMAP4rev1 IDLE] x", .status(status(.ok, .capability(capabilities("IMAP4REV1", "IDLE"))))),
        ("* NO [OVERQUOTA] x", .status(status(.no, .overQuota))),
        ("* OK [THROTTLED] x", .status(status(.ok, .throttled))),
        ("A1 NO [limit] x", .tagged(bytes("A1"), status(.no, .throttled))),
        ("A1 NO [AUTHENTICATIONFAILED] x", .tagged(bytes("A1"), status(.no, .authenticationFailed))),
        ("A1 NO [AUTHORIZATIONFAILED] x", .tagged(bytes("A1"), status(.no, .authorizationFailed))),
        ("A1 NO [UNAVAILABLE] x", .tagged(bytes("A1"), status(.no, .unavailable))),
        ("A1 NO [INUSE] x", .tagged(bytes("A1"), status(.no, .unavailable))),
        ("A1 NO [TRYCREATE] x", .tagged(bytes("A1"), status(.no, .tryCreate))),
        ("A1 NO [NONEXISTENT] x", .tagged(bytes("A1"), status(.no, .nonExistent))),
        ("+ idling", .continuation(bytes("idling"))),
        ("+ ", .continuation([])),
        ("* CAPABILITY IMAP4rev1 AUTH=PLAIN", .capability(capabilities("IMAP4REV1", "AUTH=PLAIN"))),
        ("* ENABLED CONDSTORE", .enabled(capabilities("CONDSTORE"))),
        ("* 23 EXISTS", .exists(23)),
        ("* 0 RECENT", .recent(0)),
        ("* 44 EXPUNGE", .expunge(44)),
        ("* FLAGS (\\Seen $Junk)", .flags([bytes("\\Seen"), bytes("$Junk")])),
        ("* SEARCH", .search([])),
        ("* SEARCH 2 84 882", .search([uid(2), uid(84), uid(882)])),
        ("* SEARCH 2 5 (MODSEQ 917162500)", .search([uid(2), uid(5)])),
        (
            "* LIST (\\Junk) \"/\" [Gmail]/Spam",
            .list(ListedMailbox(attributes: [bytes("\\JUNK")], delimiter: 0x2F, name: MailboxName("[Gmail]/Spam")))
        ),
        ("* LIST () NIL \"a \\\"b\\\\\"", .list(ListedMailbox(attributes: [], delimiter: nil, name: MailboxName("a \"b\\")))),
        ("* LIST () \"\\\\\" {3}\r\na\"b", .list(ListedMailbox(attributes: [], delimiter: 0x5C, name: MailboxName("a\"b")))),
        (
            "* LIST (\\NoSelect) \"/\" \"x\" (\"OLDNAME\" (\"y\"))",
            .list(ListedMailbox(attributes: [bytes("\\NOSELECT")], delimiter: 0x2F, name: MailboxName("x")))
        ),
        (
            "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 7 SIZE 99999999999)",
            .mailboxStatus(MailboxStatus(name: MailboxName("blurdybloop"), messages: 231, uidNext: uid(44292), uidValidity: validity(7)))
        ),
        ("* NAMESPACE ((\"\" \"/\")) NIL NIL", .namespace),
        ("* ID (\"name\" \"x\")", .id),
        ("* 12 FETCH (FLAGS (\\Seen) UID 7)", .fetch(FetchResponse(uid: uid(7), flags: [bytes("\\Seen")]))),
        ("* 12 fetch (uid 7 rfc822.size 44827)", .fetch(FetchResponse(uid: uid(7), size: 44827))),
        ("* 12 FETCH (MODSEQ (624140003) UID 7)", .fetch(FetchResponse(uid: uid(7), modSeq: 624_140_003))),
        (
            "* 12 FETCH (UID 7 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
            .fetch(FetchResponse(uid: uid(7), internalDate: InternalDate(millisecondsSince1970: 837_596_665_000)))
        ),
        ("* 12 FETCH (UID 7 INTERNALDATE \"yesterday\")", .fetch(FetchResponse(uid: uid(7)))),
        ("* 12 FETCH (UID 7 BODY[] {3}\r\na\r\n)", .fetch(FetchResponse(uid: uid(7), body: .bytes(bytes("a\r\n"))))),
        ("* 12 FETCH (BODY[] \"\" UID 7)", .fetch(FetchResponse(uid: uid(7), body: .bytes([])))),
        ("* 12 FETCH (BODY[] NIL UID 7)", .fetch(FetchResponse(uid: uid(7), body: .absent))),
        ("* 12 FETCH (UID 7 BODY[]<0> {2}\r\nab)", .fetch(FetchResponse(uid: uid(7), body: .bytes(bytes("ab")), origin: 0))),
        ("* 12 FETCH (BODY[HEADER.FIELDS (\"X]\")] {2}\r\n\r\n BODY[1.TEXT]<3> \"x\" UID 7)", .fetch(FetchResponse(uid: uid(7)))),
        ("* 12 FETCH (BODY[HEADER.FIELDS ({4}\r\nFrom)] \"x\" UID 7)", .fetch(FetchResponse(uid: uid(7)))),
        ("* 12 FETCH (ENVELOPE (\"d\" NIL ((\"a\" NIL \"b\" {1}\r\n))) (()) UID 8) UID 7)", .fetch(FetchResponse(uid: uid(7)))),
        ("* 12 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \"Muy (\") UID 7)", .fetch(FetchResponse(uid: uid(7)))),
        ("* 12 FETCH ()", .fetch(FetchResponse())),
    ]

    @Test("are read as the standard writes them", arguments: known)
    func reads(text: String, expected: Response) {
        #expect(response(text) == expected)
        #expect(frames(bytes(text + "\r\n")).frames.count == 1)
    }

    @Test(
        "that cannot be read are left as they are",
        arguments: [
            "", "*", "* ", "*OK x", "OK", "A1", "A1 MAYBE x", "A1 BYE x", "* 12", "* 12 WHAT", "* 4294967296 EXISTS", "* -1 EXISTS",
            "* 1 EXISTS 2",
            "* SEARCH a\"b", "* SEARCH 1 (", "* FLAGS", "* FLAGS (a", "* LIST", "* LIST () x", "* LIST () \"/\" \"\"",
            "* LIST () \"/\" \"a", "* STATUS x (MESSAGES)", "* 1 FETCH", "* 1 FETCH (", "* 1 FETCH (UID)", "* 1 FETCH (UID 7",
            "* 1 FETCH (UID 7) x", "* 1 FETCH (BODY[ \"x\")", "* 1 FETCH (BODY[]<a \"x\")", "* 1 FETCH (BODY[] x)",
            "* 1 FETCH (UID 7 ENVELOPE ((\"a))",
            "* 1 FETCH (FLAGS (a (b)))", "+x", "* CAPABILITY (x)", "* VANISHED 1",
        ])
    func unreadable(text: String) {
        guard case .unrecognized? = response(text) else {
            Issue.record("\(text) was read as \(String(describing: response(text)))")
            return
        }
    }

    @Test("a hundred thousand parentheses nest no calls", arguments: ["(", ")", "()", "(\"", "[", "\\\"("])
    func nesting(unit: String) {
        var limits = FrameReader.Limits()
        limits.line = 10_000_000
        let deep = String(repeating: unit, count: 100_000)
        for text in [
            "* 1 FETCH (ENVELOPE \(deep)", "* 1 FETCH (UID 7 X \(deep))", "* 1 FETCH \(deep)", "* LIST \(deep)", "* OK [X \(deep)",
            "* SEARCH 1 \(deep)",
        ] {
            let found = frames(bytes(text + "\r\n"), limits: limits).frames
            #expect(found.count == 1)
            if let frame = found.first { _ = Response(frame) }
        }
        let balanced = String(repeating: "(", count: 100_000) + String(repeating: ")", count: 100_000)
        let found = frames(bytes("* 1 FETCH (X \(balanced) UID 7)\r\n"), limits: limits).frames
        #expect(found.first.map { Response($0) } == .fetch(FetchResponse(uid: uid(7))))
    }

    @Test("a SEARCH of 200,000 UIDs is read in time")
    func largeSearch() {
        let numbers = (1...200_000).reversed().map { " \($0 * 20_000)" }.joined()
        let input = bytes("* SEARCH\(numbers)\r\n")
        let clock = ContinuousClock()
        var count = 0
        let time = clock.measure {
            for case .search(let uids) in frames(input, piece: 16_384).frames.map({ Response($0) }) { count += uids.count }
        }
        #expect(count == 200_000)
        #expect(time < .seconds(10), "unoptimized and on a busy machine; release takes a small part of a second")
    }

    @Test("mechanisms are only those with a proper name")
    func mechanisms() {
        guard
            case .capability(let offered)? = response(
                "* CAPABILITY AUTH=PLAIN auth=scram-sha-256 AUTH= AUTH=a.b AUTH=ABCDEFGHIJKLMNOPQRSTU AUTH=PL\u{C4}IN")
        else {
            Issue.record("no capabilities")
            return
        }
        #expect(offered.mechanisms == ["PLAIN", "SCRAM-SHA-256"])
    }
}
