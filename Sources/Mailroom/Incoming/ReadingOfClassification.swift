import MailClassifier
import Outreach

extension Reading {
    /// The classifier's finding in the words that the domain decides on.
    ///
    /// A report of failed authentication (RFC 6591) is no complaint of the recipient: nothing follows for the address.
    init(_ found: Classification) {
        let isAuthenticationReport = found.complaint.map { $0.feedbackType.utf8.elementsEqual("auth-failure".utf8) } ?? false
        self.init(
            replyClass: isAuthenticationReport ? .autoAcknowledgement : ReplyClass(rawValue: found.messageClass.rawValue) ?? .neutral,
            intent: found.intent?.rawValue,
            confidence: found.confidence,
            evidence: found.evidence.map { "\($0.rule) (\($0.place)): \($0.text)" }, text: found.replyText, returnDate: found.returnDate,
            bounces: found.bounces.map { bounce in
                Bounce(
                    recipient: bounce.recipient, status: bounce.status, permanent: bounce.permanent,
                    failureClass: bounce.failureClass.rawValue,
                    diagnostic: bounce.diagnostic,
                    strikeLimit: bounce.action == .failed ? bounce.suppressAfter.map(StrikeLimit.init) : nil)
            })
    }
}

extension StrikeLimit {
    init(_ limit: SuppressAfter) { self.init(count: limit.count, within: .seconds(86_400 * limit.days)) }
}
