import MailTransport
import SMTP

/// What a delivery report means for somebody who asked with `probe smtp` or `send-test`: one line and an exit status.
struct ProbeOutcome {
    let status: ExitStatus
    let line: String

    /// - Parameter deadline: of the call; nil: there is none.
    init(_ report: DeliveryReport, deadline: CallDeadline? = nil) {
        let outcome: DeliveryOutcome
        switch report.result {
        case .withdrawn:
            (status, line) = (.tryAgain, "deferred: not sent")
            return
        case .outcome(let reached): outcome = reached
        }
        let word: String
        switch outcome {
        case .accepted(let reply):
            (status, line) = (.ok, TerminalText.line("accepted: \(reply.code) \(reply.text)"))
            return
        case .ambiguous: (status, word) = (.internalError, "ambiguous")
        case .rejected(let failure):
            status = Self.isForSafety(failure, report) ? .noPermission : .unavailable
            word = status == .noPermission ? "refused" : "rejected"
        case .deferred(let failure):
            if Self.isForSafety(failure, report) {
                (status, word) = (.noPermission, "refused")
            } else if failure.scope == .session, failure.reply?.isPermanentFailure == true {
                // A session that a 5xx ended (a greeting of 554, a login refused with 535) is deferred for the outbox, because the mail itself
                // was not judged; who asks this one server has its answer.
                (status, word) = (.unavailable, "rejected")
            } else {
                (status, word) = (.tryAgain, "deferred")
            }
        }
        let failure = outcome.failure
        let reason: String
        if let deadline, deadline.isOver, failure?.reply == nil {
            reason = deadline.words(for: "the dialogue with \(report.remoteMTA ?? "the server")")
        } else {
            reason = failure?.reply.map { "\($0.code) \($0.text)" } ?? report.reason
        }
        line = TerminalText.line("\(word) (\(failure.map { "\($0.stage)" } ?? "")): \(reason)")
    }

    /// Whether it is we who did not go on.
    private static func isForSafety(_ failure: DeliveryFailure, _ report: DeliveryReport) -> Bool {
        switch failure.cause {
        case .tlsUnavailable: failure.reply?.isTransientFailure != true
        // A handshake that the connection did not survive is no refusal of ours.
        case .tlsFailed: report.isPeerRefused || report.tls != nil
        case .authenticationUnavailable: true
        // No token just now is no refusal: a later try may have one.
        case .authenticationFailed: failure.reply == nil && report.loginTrouble?.remedy != .time
        // Plain text behind the answer to STARTTLS is an attack.
        case .protocolError(.unsolicitedInput): failure.stage == .startTLS
        case .refusedForSafety(let refusal): refusal != .abandoned
        case .replyCode, .routing, .unasked, .protocolError, .connectionLost, .timeout, .extensionMissing: false
        }
    }
}
