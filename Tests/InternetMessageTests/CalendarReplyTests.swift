import Testing

@testable import InternetMessage

@Suite("Calendar replies")
struct CalendarReplyTests {
    static func calendar(_ method: String, _ event: String) -> String {
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n\(method)BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\(event)END:VEVENT\r\nEND:VCALENDAR\r\n"
    }

    static func message(_ type: String, _ calendar: String) -> Message {
        Message(
            parsing: Array(
                "From: ann@example.com\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nAnn has accepted.\r\n--b\r\nContent-Type: \(type)\r\n\r\n\(calendar)\r\n--b--\r\n"
                    .utf8))
    }

    static let attendee = "ATTENDEE;CN=\"Example, Ann\";PARTSTAT=ACCEPTED;X-NUM=0:mailto:ann@exa\r\n mple.com\r\n"

    @Test("an accepted invitation, folded and quoted")
    func accepted() throws {
        let event =
            "UID:7@example.org\r\nSUMMARY:Lunch\\, or tea\\nat ten\r\nDTSTART:20260304T093000Z\r\nCOMMENT:Gladly\r\n\(Self.attendee)"
        let message = Self.message("text/calendar; charset=utf-8; method=REPLY", Self.calendar("METHOD:REPLY\r\n", event))
        let reply = try #require(message.calendarReply)
        #expect(reply.participation == .accepted)
        #expect(reply.attendee?.text == "ann@example.com")
        #expect(reply.attendeeName == "Example, Ann")
        #expect(reply.uid == "7@example.org")
        #expect(reply.summary == "Lunch, or tea\nat ten")
        #expect(reply.start == "20260304T093000Z")
        #expect(reply.comment == "Gladly")
        #expect(message.text == "Ann has accepted.")
    }

    @Test(
        "what each word means",
        arguments: [
            ("PARTSTAT=DECLINED", CalendarReply.Participation.declined), ("partstat=tentative", .tentative),
            ("PARTSTAT=\"DELEGATED\"", .delegated),
            ("PARTSTAT=NEEDS-ACTION", .needsAction), ("PARTSTAT=X-SOMETHING", .needsAction), ("CN=Ann", .needsAction),
        ])
    func words(parameter: String, participation: CalendarReply.Participation) {
        let event = "UID:7\r\nATTENDEE;\(parameter):MAILTO:ann@example.com\r\n"
        // The method of the media type counts where the calendar names none.
        let reply = Self.message("text/calendar; method=reply", Self.calendar("", event)).calendarReply
        #expect(reply?.participation == participation)
        #expect(reply?.attendee?.text == "ann@example.com")
    }

    @Test(
        "an invitation, a cancellation and a calendar without an answer are no replies",
        arguments: [("METHOD:REQUEST\r\n", attendee), ("METHOD:CANCEL\r\n", attendee), ("", attendee), ("METHOD:REPLY\r\n", "UID:7\r\n")])
    func none(method: String, event: String) {
        #expect(Self.message("text/calendar", Self.calendar(method, event)).calendarReply == nil)
    }

    @Test("cut at every byte and damaged at every byte")
    func damaged() {
        let whole = Array(Self.calendar("METHOD:REPLY\r\n", "UID:7\r\n\(Self.attendee)").utf8)
        for end in whole.indices {
            _ = CalendarReply(parsing: whole[..<end])
            var damaged = whole
            for byte in [UInt8(0), 10, 34, 58, 59] {
                damaged[end] = byte
                _ = CalendarReply(parsing: damaged[...])
            }
        }
        #expect(CalendarReply(parsing: whole[...])?.participation == .accepted)
    }
}
