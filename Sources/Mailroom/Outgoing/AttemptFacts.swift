import InternetMessage
import MailTransport
import Outreach
import SMTP

extension DeliveryAttempt {
    /// The facts of one attempt as they are kept.
    init(
        _ outcome: DeliveryOutcome, report: DeliveryReport, of message: OutboxMessage.ID, startedAt: Timestamp, endedAt: Timestamp,
        awaits: String? = nil
    ) {
        let reply: Reply?
        let kind: Outcome
        switch outcome {
        case .accepted(let accepted): (kind, reply) = (.accepted, accepted)
        case .deferred(let failure): (kind, reply) = (.deferred, failure.reply)
        case .rejected(let failure): (kind, reply) = (.rejected, failure.reply)
        case .ambiguous(let failure): (kind, reply) = (.ambiguous, failure.reply)
        }
        self.init(
            outbox: message, startedAt: startedAt, endedAt: endedAt, outcome: kind,
            stage: outcome.failure.map { "\($0.stage)" } ?? "accepted",
            replyCode: reply?.code,
            enhancedStatus: report.enhancedStatusCode.flatMap { EnhancedStatusCode($0.description) },
            text: report.reason, remoteMTA: report.remoteMTA, tls: report.tls,
            transcript: report.transcript, awaits: awaits)
    }
}
