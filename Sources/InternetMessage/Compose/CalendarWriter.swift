/// Writes an invitation as iCalendar: CRLF line ends, lines of at most 75 octets (RFC 5545 §3.1), all times in UTC.
struct CalendarWriter {
    private var output: [UInt8] = []

    /// Throws `ComposeError` for what iCalendar has no way to say: control characters, a meeting without end or guests.
    static func write(_ invitation: CalendarInvitation) throws(ComposeError) -> [UInt8] {
        var writer = CalendarWriter()
        try writer.write(calendar: invitation)
        return writer.output
    }

    private mutating func write(calendar: CalendarInvitation) throws(ComposeError) {
        try Self.check(calendar)
        line("BEGIN:VCALENDAR")
        line("PRODID:-//Postrider//Postrider//EN")
        line("VERSION:2.0")
        line("CALSCALE:GREGORIAN")
        line("METHOD:\(calendar.method.rawValue)")
        line("BEGIN:VEVENT")
        line("UID:\(calendar.uid)")
        line("DTSTAMP:\(Self.utc(calendar.stamp))")
        line("DTSTART:\(Self.utc(calendar.start))")
        line("DTEND:\(Self.utc(calendar.end))")
        line("SEQUENCE:\(calendar.sequence)")
        line("STATUS:\(calendar.method == .cancel ? "CANCELLED" : "CONFIRMED")")
        line("TRANSP:OPAQUE")
        try text("SUMMARY", calendar.summary)
        if let details = calendar.details { try text("DESCRIPTION", details) }
        if let location = calendar.location { try text("LOCATION", location) }
        try person("ORGANIZER", calendar.organizer)
        for attendee in calendar.attendees {
            try person("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE", attendee)
        }
        if let minutes = calendar.reminderMinutes {
            line("BEGIN:VALARM")
            line("ACTION:DISPLAY")
            line("TRIGGER:-PT\(minutes)M")
            try text("DESCRIPTION", calendar.summary)
            line("END:VALARM")
        }
        line("END:VEVENT")
        line("END:VCALENDAR")
    }

    private static func check(_ calendar: CalendarInvitation) throws(ComposeError) {
        func fault(_ message: String) -> ComposeError { ComposeError(.syntax, field: "invitation", message) }
        guard (1...255).contains(calendar.uid.utf8.count), calendar.uid.utf8.allSatisfy({ $0 > ASCII.space && $0 < ASCII.delete }) else {
            throw fault("the UID is not 1 to 255 printable ASCII characters without spaces")
        }
        guard [calendar.stamp, calendar.start, calendar.end].allSatisfy({ isWritable($0) }), calendar.start.seconds < calendar.end.seconds
        else { throw fault("it does not end after it begins, or lies outside the years 1900...9999") }
        guard (0...Int(Int32.max)).contains(calendar.sequence), (0...525_600).contains(calendar.reminderMinutes ?? 0) else {
            throw fault("the sequence number or the reminder is negative or too large")
        }
        guard !calendar.attendees.isEmpty else { throw ComposeError(.missing, field: "invitation", "no attendee") }
    }

    private static func isWritable(_ moment: Timestamp) -> Bool {
        HeaderWriter.isWritable(MessageDate(timestamp: moment, offsetMinutes: 0))
    }

    /// For example `20260304T084518Z` (RFC 5545 §3.3.5).
    private static func utc(_ moment: Timestamp) -> String {
        moment.iso8601.utf8.filter { $0 != ASCII.hyphen && $0 != ASCII.colon }.utf8Text
    }

    /// A property whose value is text, escaped (RFC 5545 §3.3.11).
    private mutating func text(_ name: String, _ value: String) throws(ComposeError) {
        var escaped: [UInt8] = []
        var previous: UInt8 = 0
        for byte in value.utf8 {
            switch byte {
            case ASCII.lf where previous == ASCII.cr: break
            case ASCII.lf, ASCII.cr: escaped += [ASCII.backslash, UInt8(ascii: "n")]
            case ASCII.backslash, ASCII.semicolon, ASCII.comma: escaped += [ASCII.backslash, byte]
            case ASCII.tab: escaped.append(byte)
            case 0..<0x20, ASCII.delete:
                throw ComposeError(
                    .controlCharacter, field: "invitation", "\(name) holds \(FieldWriter.words(Unicode.Scalar(byte)))")
            default: escaped.append(byte)
            }
            previous = byte
        }
        line(Array("\(name):".utf8) + escaped)
    }

    /// A property whose value is an address, with the name as a parameter (RFC 5545 §3.2.2, quoted by RFC 6868).
    private mutating func person(_ name: String, _ mailbox: Mailbox) throws(ComposeError) {
        var property = Array(name.utf8)
        if let displayName = mailbox.displayName {
            try FieldWriter.check(displayName, field: "invitation")
            property += Array(";CN=\"".utf8)
            for byte in displayName.utf8 {
                switch byte {
                case UInt8(ascii: "^"): property += Array("^^".utf8)
                case ASCII.quote: property += Array("^'".utf8)
                default: property.append(byte)
                }
            }
            property.append(ASCII.quote)
        }
        let address = mailbox.address.wireBytes
        guard EmailAddress(parsing: address) != nil else {
            throw ComposeError(.syntax, field: "invitation", "an address that cannot be mailed to (RFC 5321 §4.1.2)")
        }
        // What is no plain part of an address is written in hexadecimal (RFC 6068 §2).
        property += Array(":mailto:".utf8)
        for byte in address {
            let isPlain = byte < 0x80 && (byte.isLetter || byte.isDigit || Self.plainInAddress.contains(byte))
            property += isPlain ? [byte] : [ASCII.percent] + QuotedPrintable.hex(byte)
        }
        line(property)
    }

    private mutating func line(_ text: String) { line(Array(text.utf8)) }

    /// A line folded at 75 octets, never inside a character.
    private mutating func line(_ bytes: [UInt8]) {
        var column = 0
        var i = 0
        while i < bytes.count {
            var end = i + 1
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
            if column + end - i > 75 {
                output += [ASCII.cr, ASCII.lf, ASCII.space]
                column = 1
            }
            output += bytes[i..<end]
            column += end - i
            i = end
        }
        output += [ASCII.cr, ASCII.lf]
    }

    private static let plainInAddress = Array("@.-_+~!$'*".utf8)
}
