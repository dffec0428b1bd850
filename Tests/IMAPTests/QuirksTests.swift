import Testing

@testable import IMAP

/// Each tolerance by its name: what it lets pass, and that nothing passes without it.
@Suite("quirks")
struct QuirksTests {
    private func isRead(_ text: String, _ quirks: Quirks) -> Bool {
        if case .unrecognized? = response(text, quirks: quirks) { false } else { response(text, quirks: quirks) != nil }
    }

    @Test("bare line feed")
    func bareLineFeed() {
        let text = bytes("* 1 EXISTS\n* X {2}\nab\n* 2 EXISTS\r\n")
        let tolerant = frames(text).frames
        #expect(tolerant.map { String(decoding: $0.text, as: UTF8.self) } == ["* 1 EXISTS", "* X ", "* 2 EXISTS"])
        let strict = frames(text, piece: 3, quirks: .none).frames
        #expect(strict.map { String(decoding: $0.text, as: UTF8.self) } == ["* 1 EXISTS\n* X {2}\nab\n* 2 EXISTS"])
    }

    @Test("missing text", arguments: ["A1 OK", "* OK", "* BYE", "+", "* OK [READ-ONLY]"])
    func missingText(text: String) {
        #expect(isRead(text, Quirks()))
        #expect(isRead(text, .none) == (text == "* OK [READ-ONLY]"))
    }

    @Test(
        "extra spaces",
        arguments: [
            "* SEARCH 1 2 ", "* SEARCH  1", "* 1 EXISTS ", "* 1  EXISTS", "*  1 EXISTS", "* 1 FETCH (UID 7 )", "* 1 FETCH ( UID 7)",
            "* 1 FETCH (UID  7  RFC822.SIZE 5)", "* LIST ()  \"/\" x", "* STATUS x (MESSAGES 1) ",
        ])
    func extraSpaces(text: String) {
        #expect(isRead(text, Quirks()))
        #expect(!isRead(text, .none))
    }

    @Test(
        "invalid numbers",
        arguments: [
            ("* SEARCH 0 5 -1 4294967296 18446744073709551616 x", Response.search([uid(5)])),
            ("* 1 FETCH (UID 0 RFC822.SIZE 5)", .fetch(FetchResponse(size: 5))),
            ("* 1 FETCH (UID 4294967296 RFC822.SIZE -5)", .fetch(FetchResponse())),
            ("* 1 FETCH (UID 7 RFC822.SIZE 18446744073709551616)", .fetch(FetchResponse(uid: uid(7)))),
        ])
    func invalidNumbers(text: String, expected: Response) {
        #expect(response(text) == expected)
        #expect(!isRead(text, .none))
    }

    @Test("code at the end")
    func codeAtEnd() {
        let text = "A7 OK Success [Throttled]"
        let read = StatusResponse(condition: .ok, code: .throttled, text: bytes("Success [Throttled]"))
        #expect(response(text) == .tagged(bytes("A7"), read))
        #expect(response(text, quirks: .none) == .tagged(bytes("A7"), StatusResponse(condition: .ok, code: nil, text: read.text)))
        guard case .tagged(_, let other)? = response("A7 NO [NOPERM] not [OVERQUOTA]") else {
            Issue.record("not read")
            return
        }
        #expect(other.code == .other(bytes("NOPERM")), "a code in its place stands")
    }

    private func dialogue(_ text: String, _ quirks: Quirks) throws -> [String] {
        var dialogue = try Dialogue(
            """
            ! connected
            ! tls verified
            S: * OK [CAPABILITY IMAP4rev1] ready
            S: A1 OK [CAPABILITY IMAP4rev1] logged in
            S: * 1 EXISTS
            \(text)
            """)
        dialogue.configuration.quirks = quirks
        dialogue.cursors[.inbox] = MailboxCursor(uidValidity: validity(7), lastUID: uid(20))
        return Array(try dialogue.run { _, turn in [turn[...]] }.dropFirst(2))
    }

    @Test("missing UIDVALIDITY", arguments: ["S: * OK [UIDVALIDITY 0]", "S: * OK [UIDVALIDITY 18446744073709551616]", "# nothing"])
    func missingUIDValidity(line: String) throws {
        let text = "\(line)\nS: A2 OK"
        #expect(try dialogue(text, Quirks()) == ["> alert uidValidityMissing INBOX", "C: A3 UID SEARCH UID 21:*"])
        var strict = Quirks()
        strict.missingUIDValidity = false
        #expect(try dialogue(text, strict) == ["> alert mailboxRefused INBOX", "> finished"])
    }

    @Test(
        "UIDNEXT goes back",
        arguments: [
            // What the server says, what the client asks for, what the search finds, whether the mailbox is read anew.
            ("S: * OK [UIDNEXT 4]", "4:*", "3", true), ("S: * OK [UIDNEXT 4]", "4:*", "", true), ("S: * OK [UIDNEXT 20]", "20:*", "", true),
            ("S: * OK [UIDNEXT 1]", "1:*", "", true),
            // It only lags behind.
            ("S: * OK [UIDNEXT 4]", "4:*", "20", false), ("S: * OK [UIDNEXT 4]", "4:*", "4", false),
            // The last message is gone: UIDNEXT is where it was.
            ("S: * OK [UIDNEXT 21]", "21:*", "3", false), ("S: * OK [UIDNEXT 22]", "21:*", "", false),
            ("# it says no UIDNEXT", "21:*", "3", false),
        ])
    func uidNextGoesBack(says: String, asks: String, found: String, isAnew: Bool) throws {
        let text = "S: * OK [UIDVALIDITY 7]\n\(says)\nS: A2 OK\nS: * SEARCH\(found.isEmpty ? "" : " ")\(found)\nS: A3 OK"
        let search = "C: A3 UID SEARCH \(asks == "1:*" ? "ALL" : "UID \(asks)")"
        let outcome = isAnew ? ["> uidvalidity INBOX 7 7", "C: A4 UID SEARCH UID *"] : ["> finished"]
        #expect(try dialogue(text, Quirks()) == [search] + outcome)
        var strict = Quirks()
        strict.uidNextGoesBack = false
        #expect(try dialogue(text, strict).first == "C: A3 UID SEARCH UID 21:*")
    }

    @Test("missing search response")
    func missingSearchResponse() throws {
        let text = "S: * OK [UIDVALIDITY 7]\nS: A2 OK\nS: A3 OK"
        #expect(try dialogue(text, Quirks()) == ["C: A3 UID SEARCH UID 21:*", "> finished"])
        var strict = Quirks()
        strict.missingSearchResponse = false
        #expect(try dialogue(text, strict) == ["C: A3 UID SEARCH UID 21:*", "> close fetchRefused"])
    }
}
