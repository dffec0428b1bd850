package import InternetMessage
package import Outreach

/// How one contact stands at the end, and whether that is what the script says.
package struct Verdict: Sendable, Equatable {
    package let contact: String
    package let story: String
    package let state: Enrollment.State
    package let cause: Enrollment.Cause?
    /// Why, in the machine's words.
    package let reason: String
    package let stepsSent: Int
    /// Messages in the recipient's mailbox.
    package let accepted: Int
    /// What came back by mail, read; nil: nothing did.
    package let replyClass: ReplyClass?
    package let confidence: Double?
    /// What came back, in a few words.
    package let cameBack: String
    package let isSuppressed: Bool
    /// Where it differs from the script; empty when it ended as scripted.
    package let differences: [String]
}

/// Compares what became of the contacts with their scripts.
package struct Judge: Sendable {
    private let store: any RehearsalStore
    private let world: RehearsalWorld

    package init(store: any RehearsalStore, world: RehearsalWorld) {
        self.store = store
        self.world = world
    }

    /// - Parameter now: the moment at which suppressions must hold.
    package func verdicts(now: Timestamp) async throws -> [Verdict] {
        var verdicts: [Verdict] = []
        for recipient in world.cast { verdicts.append(try await verdict(on: recipient, now: now)) }
        return verdicts
    }

    private func verdict(on recipient: ScriptedRecipient, now: Timestamp) async throws -> Verdict {
        guard let contact = try await store.contact(workspace: .default, address: recipient.address),
            let enrollment = try await store.enrollments(contact: contact.id).first
        else { throw RehearsalError("\(recipient.address.text) is not enrolled") }
        let messages = try await store.messages(enrollment: enrollment.id)
        let sent = messages.filter { $0.state == .sent }.count
        let reply = try await store.replies(contact: contact.id, limit: 10).first
        let suppressed = try await store.suppression(workspace: .default, address: recipient.address, now: now) != nil
        let arrivals = world.arrivals(of: recipient)
        let replyClass = reply?.reading.replyClass

        let ending = recipient.ending
        var differences: [String] = []
        func compare<Value: Equatable>(_ name: String, _ found: Value, _ wanted: Value) {
            if found != wanted { differences.append("\(name) is \(found), the script says \(wanted)") }
        }
        compare("state", enrollment.state.rawValue, ending.state.rawValue)
        compare("cause", enrollment.cause?.rawValue ?? "none", ending.cause.rawValue)
        compare("steps sent", sent, ending.stepsSent)
        compare("messages in the mailbox", arrivals.count, ending.stepsSent)
        compare("class", replyClass?.rawValue ?? "none", ending.replyClass?.rawValue ?? "none")
        compare("suppressed", suppressed, ending.isSuppressed)
        if let first = messages.first { compare("attempts of the first message", first.attempts, ending.attempts) }
        if let quiet = ending.quietUntil, arrivals.count > 1, CivilDate(arrivals[1]) < quiet {
            differences.append("the second message left before \(quiet.iso8601)")
        }
        let certainty = reply?.certainty
        if reply != nil, certainty != .high { compare("certainty", certainty?.rawValue ?? "none", Correlation.Certainty.high.rawValue) }
        for fault in world.faults where fault.contact.utf8.elementsEqual(recipient.address.text.utf8) { differences.append(fault.summary) }
        return Verdict(
            contact: recipient.address.text, story: recipient.story, state: enrollment.state, cause: enrollment.cause,
            reason: enrollment.reason, stepsSent: sent, accepted: arrivals.count, replyClass: replyClass,
            confidence: reply?.reading.confidence, cameBack: Self.words(reply, recipient), isSuppressed: suppressed,
            differences: differences)
    }

    private static func words(_ reply: ReplyRecord?, _ recipient: ScriptedRecipient) -> String {
        if let reply { return reply.reading.replyClass == .bounce ? "report of failed delivery" : "reply by mail" }
        if recipient.reactions.contains(where: { if case .oneClick = $0.deed { true } else { false } }) { return "one-click POST" }
        switch recipient.door {
        case .unknown: return "550 5.1.1 at RCPT"
        case .greylisted: return "451 4.7.1, then 250"
        case .open: return "nothing"
        }
    }
}
