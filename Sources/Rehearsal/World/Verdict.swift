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

/// Compares what became of the contacts with their scripts; a rehearsal world has the one workspace that every installation starts with.
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
        let findings = ScriptedRecipient.Findings(
            state: enrollment.state, cause: enrollment.cause, stepsSent: sent, arrivals: arrivals, replyClass: reply?.reading.replyClass,
            certainty: reply?.certainty, isSuppressed: suppressed, attempts: messages.first?.attempts ?? 0)
        let faults = world.faults.filter { $0.contact.utf8.elementsEqual(recipient.address.text.utf8) }.map(\.summary)
        return Verdict(
            contact: recipient.address.text, story: recipient.story, state: enrollment.state, cause: enrollment.cause,
            reason: enrollment.reason, stepsSent: sent, accepted: arrivals.count, replyClass: findings.replyClass,
            confidence: reply?.reading.confidence, cameBack: Self.words(reply, recipient), isSuppressed: suppressed,
            differences: recipient.ending.differences(from: findings) + faults)
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
