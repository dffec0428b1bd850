package import InternetMessage

extension ReplyDecider {
    /// What follows when a person says what a reply means, or that the match of one holds: the effect it would have had on its own with a
    /// certain match, less the events that tell of its coming in.
    ///
    /// - Parameters:
    ///   - replyClass: the class that counts now.
    ///   - message: the message of ours that it answers.
    ///   - company: of whom that message went to; nil when there is none.
    package func decide(
        _ record: ReplyRecord, saidToBe replyClass: ReplyClass, answering message: SentMessage, machine: SequenceMachine?,
        contact: Contact?, company: String? = nil, at now: Timestamp
    ) -> Consequence {
        let read = record.reading
        let reading = Reading(
            replyClass: replyClass, intent: read.intent, confidence: 1, evidence: read.evidence, text: read.text,
            returnDate: read.returnDate,
            bounces: read.bounces)
        let certain = ReplyRecord(
            intake: record.intake, sortedAt: record.sortedAt, enrollment: record.enrollment, contact: record.contact, outbox: record.outbox,
            certainty: .high, proofs: record.proofs, from: record.from, subject: record.subject, messageID: record.messageID,
            bodyHash: record.bodyHash, duplicateOf: nil, reading: reading, replyClass: replyClass,
            requiresResponse: record.requiresResponse,
            authentication: record.authentication, domainProof: record.domainProof)
        let conversation = Conversation(
            correlation: Correlation(message: message, certainty: .high, proofs: [], tokenKind: nil), machine: machine, contact: contact,
            company: company)
        var consequence = decide(certain, conversation: conversation, at: now)
        consequence.timeline.removeAll { $0.kind == .received || $0.kind == .correlated || $0.kind == .classified }
        return consequence
    }
}
