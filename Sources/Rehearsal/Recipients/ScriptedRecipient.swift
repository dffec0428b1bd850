package import InternetMessage
package import Outreach

/// Somebody outside who does what a script says, and how the story with them must end.
package struct ScriptedRecipient: Sendable {
    /// What their server says to RCPT TO.
    package enum Door: Sendable, Equatable {
        case open
        /// 550 5.1.1.
        case unknown
        /// 451 4.7.1 until this long after the first try.
        case greylisted(Duration)
    }

    /// What follows from a message that arrived.
    package enum Deed: Sendable {
        case letter(Letter)
        /// One-click unsubscribe (RFC 8058).
        case oneClick
        /// Their own server bounces what it had accepted (RFC 3464).
        case report
    }

    package struct Reaction: Sendable {
        /// 0 for the first message that arrives.
        package let message: Int
        package let after: Duration
        package let deed: Deed
    }

    /// How an enrollment must stand at the end.
    package struct Ending: Sendable, Equatable {
        package let state: Enrollment.State
        package let cause: Enrollment.Cause
        package let stepsSent: Int
        /// Class of what came back; nil: nothing came back by mail.
        package let replyClass: ReplyClass?
        package let isSuppressed: Bool
        /// Attempts that the first message took.
        package var attempts = 1
        /// The second message may not arrive before this day.
        package var quietUntil: CivilDate?
    }

    package let address: EmailAddress
    /// The story in a few words.
    package let story: String
    package let door: Door
    package let reactions: [Reaction]
    package let ending: Ending
}
