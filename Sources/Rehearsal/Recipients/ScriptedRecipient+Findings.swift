package import InternetMessage
package import Outreach

extension ScriptedRecipient {
    /// How things stand with a recipient at the end.
    package struct Findings: Sendable {
        package var state: Enrollment.State
        package var cause: Enrollment.Cause?
        /// By Postrider's books.
        package var stepsSent: Int
        /// When the messages in the recipient's mailbox arrived.
        package var arrivals: [Timestamp]
        /// Class and certainty of what came back by mail; nil when nothing did.
        package var replyClass: ReplyClass?
        package var certainty: Correlation.Certainty?
        package var isSuppressed: Bool
        /// Of the first message.
        package var attempts: Int

        package init(
            state: Enrollment.State, cause: Enrollment.Cause?, stepsSent: Int, arrivals: [Timestamp], replyClass: ReplyClass?,
            certainty: Correlation.Certainty?, isSuppressed: Bool, attempts: Int
        ) {
            self.state = state
            self.cause = cause
            self.stepsSent = stepsSent
            self.arrivals = arrivals
            self.replyClass = replyClass
            self.certainty = certainty
            self.isSuppressed = isSuppressed
            self.attempts = attempts
        }
    }
}

extension ScriptedRecipient.Ending {
    /// Where the findings differ from the script, one line each.
    package func differences(from found: ScriptedRecipient.Findings) -> [String] {
        var differences: [String] = []
        func compare<Value: Equatable>(_ name: String, _ found: Value, _ wanted: Value) {
            if found != wanted { differences.append("\(name) is \(found), the script says \(wanted)") }
        }
        compare("state", found.state.rawValue, state.rawValue)
        compare("cause", found.cause?.rawValue ?? "none", cause.rawValue)
        compare("steps sent", found.stepsSent, stepsSent)
        compare("messages in the mailbox", found.arrivals.count, stepsSent)
        compare("class", found.replyClass?.rawValue ?? "none", replyClass?.rawValue ?? "none")
        if replyClass != nil { compare("certainty", found.certainty?.rawValue ?? "none", Correlation.Certainty.high.rawValue) }
        compare("suppressed", found.isSuppressed, isSuppressed)
        compare("attempts of the first message", found.attempts, attempts)
        if let quietUntil, found.arrivals.count > 1, CivilDate(found.arrivals[1]) < quietUntil {
            differences.append("the second message left on \(CivilDate(found.arrivals[1]).iso8601), before \(quietUntil.iso8601)")
        }
        return differences
    }
}
