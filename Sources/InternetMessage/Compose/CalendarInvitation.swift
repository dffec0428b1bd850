/// A meeting that is proposed, changed or called off by mail (RFC 5545, RFC 5546, RFC 6047).
package struct CalendarInvitation: Sendable, Hashable {
    /// What the recipient is asked to do.
    package enum Method: String, Sendable, Hashable, CaseIterable {
        /// To accept or decline, also after a change.
        case request = "REQUEST"
        /// To strike the meeting out.
        case cancel = "CANCEL"
    }

    /// What the recipient is asked to do.
    package var method: Method
    /// The identifier of the meeting, the same in all that is sent about it; ASCII without spaces, at most 255 octets.
    package var uid: String
    /// 0 at first, one more with every change that matters.
    package var sequence: Int
    /// When this proposal was made.
    package var stamp: Timestamp
    /// When the meeting begins; seconds are kept, milliseconds dropped.
    package var start: Timestamp
    /// When it ends; later than `start`.
    package var end: Timestamp
    /// What it is called.
    package var summary: String
    /// What it is about, with any line ends; nil for nothing.
    package var details: String?
    /// Where it is, or the address of a call; nil for nothing.
    package var location: String?
    /// Who calls it; acceptances go there.
    package var organizer: Mailbox
    /// Who is to come; at least one.
    package var attendees: [Mailbox]
    /// Minutes before the start at which clients remind; nil for no reminder.
    package var reminderMinutes: Int?

    /// A meeting with what every meeting needs.
    package init(
        method: Method = .request, uid: String, sequence: Int = 0, stamp: Timestamp, start: Timestamp, end: Timestamp, summary: String,
        details: String? = nil, location: String? = nil, organizer: Mailbox, attendees: [Mailbox], reminderMinutes: Int? = nil
    ) {
        self.method = method
        self.uid = uid
        self.sequence = sequence
        self.stamp = stamp
        self.start = start
        self.end = end
        self.summary = summary
        self.details = details
        self.location = location
        self.organizer = organizer
        self.attendees = attendees
        self.reminderMinutes = reminderMinutes
    }
}
