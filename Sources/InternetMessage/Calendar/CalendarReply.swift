/// An answer to an invitation: the calendar part with METHOD:REPLY that accepts, declines or puts off (RFC 5546 §3.2.3).
package struct CalendarReply: Hashable, Sendable {
    /// What the attendee says (RFC 5545 §3.2.12).
    package enum Participation: String, Hashable, Sendable, CaseIterable {
        case accepted, declined, tentative, delegated
        /// Asked and not answered, or a word nobody knows.
        case needsAction
    }

    /// What the attendee says.
    package let participation: Participation
    /// The address that answers, nil when it is none that can be read.
    package let attendee: EmailAddress?
    /// The name with it, nil when none is given.
    package let attendeeName: String?
    /// The UID of the event, equal to that of the invitation; nil when it is missing.
    package let uid: String?
    /// The title of the event, nil when it is missing.
    package let summary: String?
    /// Words to the organizer, nil when there are none.
    package let comment: String?
    /// The beginning of the event as it is written, for example `20260304T093000Z`; nil when it is missing.
    package let start: String?

    init(
        participation: Participation, attendee: EmailAddress?, attendeeName: String? = nil, uid: String? = nil, summary: String? = nil,
        comment: String? = nil, start: String? = nil
    ) {
        self.participation = participation
        self.attendee = attendee
        self.attendeeName = attendeeName
        self.uid = uid
        self.summary = summary
        self.comment = comment
        self.start = start
    }

    /// Reads a text/calendar part, already in UTF-8; nil when it is no reply to an event. `method` is that of the media type, which
    /// counts where the calendar itself names none.
    package init?(parsing calendar: ArraySlice<UInt8>, method: String? = nil) {
        var method = method.map { Array($0.utf8) }
        var facts: [String: String] = [:]
        var answer: (participation: Participation, attendee: EmailAddress?, name: String?)?
        var component = 0
        for line in CalendarLines(calendar) {
            if line.name.matches("BEGIN") {
                component = line.value.matches("VEVENT") ? 1 : line.value.matches("VCALENDAR") ? 0 : 2
            } else if line.name.matches("END") {
                if line.value.matches("VEVENT"), answer != nil { break }
                component = 0
            } else if line.name.matches("METHOD"), component == 0 {
                method = Array(line.value)
            } else if component == 1 {
                if line.name.matches("ATTENDEE") {
                    if answer == nil { answer = Self.answer(line) }
                    continue
                }
                for name in ["UID", "SUMMARY", "COMMENT", "DTSTART"] where facts[name] == nil && line.name.matches(name) {
                    facts[name] = line.text
                }
            }
        }
        guard let method, method.matches("REPLY"), let answer else { return nil }
        self.init(
            participation: answer.participation, attendee: answer.attendee, attendeeName: answer.name, uid: facts["UID"],
            summary: facts["SUMMARY"], comment: facts["COMMENT"], start: facts["DTSTART"])
    }

    private static func answer(_ line: CalendarLines.Line) -> (Participation, EmailAddress?, String?) {
        let word = line.parameter("PARTSTAT") ?? []
        let participation = Participation.allCases.first { word.matches($0.rawValue) } ?? .needsAction
        let address = line.value.hasPrefix(ignoringCase: "mailto:") ? line.value.dropFirst(7) : line.value
        let name = line.parameter("CN").map { $0.utf8Text }
        return (participation, EmailAddress(parsing: address.trimmed), name)
    }
}
