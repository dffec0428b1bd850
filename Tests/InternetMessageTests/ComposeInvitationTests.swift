import Testing

@testable import InternetMessage

/// Meetings sent by mail.
@Suite("compose: invitations")
struct ComposeInvitationTests {
    static func invitation() throws -> CalendarInvitation {
        CalendarInvitation(
            uid: "m1@example.com", stamp: Timestamp(seconds: 1_772_613_918), start: Timestamp(seconds: 1_772_700_000),
            end: Timestamp(seconds: 1_772_701_800), summary: "Demo, part 1; with \\ and more", details: "First line\r\nSecond line\n",
            location: "https://meet.example.com/a",
            organizer: Mailbox(displayName: "Ann \"A\" ^", address: try #require(EmailAddress("ann@example.com"))),
            attendees: [Mailbox(address: try #require(EmailAddress("\"b o\"@bücher.example")))], reminderMinutes: 15)
    }

    @Test("an invitation, line by line")
    func exact() throws {
        let expected = """
            BEGIN:VCALENDAR
            PRODID:-//Postrider//Postrider//EN
            VERSION:2.0
            CALSCALE:GREGORIAN
            METHOD:REQUEST
            BEGIN:VEVENT
            UID:m1@example.com
            DTSTAMP:20260304T084518Z
            DTSTART:20260305T084000Z
            DTEND:20260305T091000Z
            SEQUENCE:0
            STATUS:CONFIRMED
            TRANSP:OPAQUE
            SUMMARY:Demo\\, part 1\\; with \\\\ and more
            DESCRIPTION:First line\\nSecond line\\n
            LOCATION:https://meet.example.com/a
            ORGANIZER;CN="Ann ^'A^' ^^":mailto:ann@example.com
            ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=
             TRUE:mailto:%22b%20o%22@xn--bcher-kva.example
            BEGIN:VALARM
            ACTION:DISPLAY
            TRIGGER:-PT15M
            DESCRIPTION:Demo\\, part 1\\; with \\\\ and more
            END:VALARM
            END:VEVENT
            END:VCALENDAR

            """
        let bytes = try CalendarWriter.write(try Self.invitation())
        #expect(String(decoding: bytes.filter { $0 != 13 }, as: UTF8.self) == expected)
        #expect(bytes.count(where: { $0 == 13 }) == bytes.count(where: { $0 == 10 }))
    }

    @Test(
        "stands in the alternative with its method and once more as a file", arguments: [nil, "<p>Demo</p>"],
        CalendarInvitation.Method.allCases)
    func parts(html: String?, method: CalendarInvitation.Method) throws {
        var draft = try ComposeTests.draft(html: html)
        var invitation = try Self.invitation()
        invitation.method = method
        draft.invitation = invitation
        let message = Message(parsing: try draft.compose())
        #expect(message.allDefects() == [])
        #expect(message.root.mediaType.essence == "multipart/mixed")
        let alternative = try #require(message.root.children.first)
        #expect(alternative.mediaType.essence == "multipart/alternative")
        let calendar = try #require(alternative.children.last)
        #expect(calendar.mediaType.essence == "text/calendar")
        #expect(calendar.mediaType.parameters["method"] == method.rawValue)
        #expect(calendar.transferEncoding == .identity)
        let file = try #require(message.attachments.last)
        #expect(file.filename == "invite.ics" && file.type == "application/ics")
        #expect(file.bytes == (try CalendarWriter.write(invitation)))
        #expect(calendar.decodedText().text.utf8.elementsEqual(file.bytes.filter { $0 != 13 }))
    }

    @Test("lines are folded at 75 octets and never inside a character", arguments: ["é", "字", "😀", "x", "a\u{301}"])
    func folding(character: String) throws {
        for count in 60...90 {
            var invitation = try Self.invitation()
            invitation.summary = String(repeating: character, count: count)
            let bytes = try CalendarWriter.write(invitation)
            var unfolded: [UInt8] = []
            for line in bytes.filter({ $0 != 13 }).split(separator: 10) {
                #expect(line.count <= 75)
                #expect(UTF8Check.isValid(line))
                if line.first == 32 { unfolded += line.dropFirst() } else { unfolded += [10] + line }
            }
            #expect(unfolded[...].index(of: Array("\nSUMMARY:\(invitation.summary)\n".utf8), from: 0) != nil)
        }
    }

    typealias Fault = @Sendable (inout CalendarInvitation) -> Void
    static let faults: [(String, Fault)] = [
        ("no attendee", { $0.attendees = [] }), ("ends as it begins", { $0.end = $0.start }),
        ("UID with a line end", { $0.uid = "a\r\nX:y" }),
        ("empty UID", { $0.uid = "" }), ("control in the summary", { $0.summary = "a\u{8}" }), ("NUL", { $0.details = "a\0" }),
        ("negative sequence", { $0.sequence = -1 }), ("year 12026", { $0.end = Timestamp(seconds: 317_340_000_000) }),
        ("name with a line end", { $0.organizer = Mailbox(displayName: "a\nATTENDEE:x", address: $0.organizer.address) }),
        ("reminder before the meeting was thought of", { $0.reminderMinutes = .max }),
    ]

    @Test("what iCalendar cannot say is refused", arguments: faults.indices)
    func refused(index: Int) throws {
        var draft = try ComposeTests.draft()
        var invitation = try Self.invitation()
        Self.faults[index].1(&invitation)
        draft.invitation = invitation
        do {
            _ = try draft.compose()
            Issue.record("\(Self.faults[index].0)")
        } catch {
            #expect(error.field == "invitation")
        }
    }

    @Test("a line end in a text cannot begin a property of its own")
    func noInjection() throws {
        var invitation = try Self.invitation()
        for end in ["\r\n", "\n", "\r"] {
            invitation.summary = "Demo\(end)ATTENDEE:mailto:evil@example.com"
            let bytes = try CalendarWriter.write(invitation)
            #expect(bytes[...].index(of: Array("\nSUMMARY:Demo\\nATTENDEE:mailto:evil@example.com\r".utf8), from: 0) != nil)
        }
    }
}
