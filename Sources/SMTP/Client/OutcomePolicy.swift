/// All policy on what a reply, a loss or a timeout means for delivery. No other file turns a reply code into an outcome.
///
/// - Until the final dot may have been written, any interruption is a deferral.
/// - From then on only a complete reply decides; anything else is ambiguous.
/// - Trouble with the session (greeting, EHLO, TLS, authentication, 421) says nothing about a recipient and never rejects one.
enum OutcomePolicy {
    /// The outcome that a complete reply to a command or to the final dot forces; nil when the transaction goes on.
    static func outcome(of reply: Reply, at stage: Stage, dialect: Dialect) -> DeliveryOutcome? {
        switch (stage, reply.code / 100) {
        case (.mail, 2), (.recipient, 2): return nil
        case (.data, 3): return reply.code == 354 ? nil : unexpected(reply, at: stage)
        case (.finalDot, 2): return .accepted(reply)
        case (_, 4): return .deferred(failure(reply, at: stage, dialect: dialect))
        case (_, 5):
            return isPermanent(reply, at: stage)
                ? .rejected(failure(reply, at: stage, dialect: dialect)) : .deferred(failure(reply, at: stage, dialect: dialect))
        default: return unexpected(reply, at: stage)
        }
    }

    /// The outcome of recipients that are undecided when the session ends for `cause`.
    static func outcome(interruptedBy cause: DeliveryFailure.Cause, at stage: Stage, reply: Reply? = nil) -> DeliveryOutcome {
        let failure = DeliveryFailure(stage: stage, scope: .session, cause: cause, reply: reply)
        return stage == .finalDot ? .ambiguous(failure) : .deferred(failure)
    }

    /// Whether the server closes the connection with this reply, RFC 5321 §3.8.
    static func endsSession(_ reply: Reply) -> Bool { reply.code == 421 }

    /// What a reply that should not have come means for the session: 421 is an orderly farewell, all else breaks the protocol.
    static func cause(ofUnsolicited reply: Reply) -> DeliveryFailure.Cause {
        endsSession(reply) ? .replyCode : .protocolError(.unsolicitedInput)
    }

    private static func isPermanent(_ reply: Reply, at stage: Stage) -> Bool {
        switch reply.code {
        // Authentication wanted or refused, RFC 4954 §6: the route's trouble, whatever stage it shows at.
        case 530, 534, 535, 538: false
        // The two sides disagree about the dialogue itself.
        case 500, 502, 503: stage == .finalDot
        // RFC 5321 §4.5.3.1.10: too many recipients, to be tried again. A message that is too big is so tomorrow, too (RFC 3463 §3.3, §3.4).
        case 552: stage != .recipient || ["5.2.3", "5.3.4"].contains(reply.enhancedStatusCode?.description)
        default: true
        }
    }

    private static func failure(_ reply: Reply, at stage: Stage, dialect: Dialect) -> DeliveryFailure {
        DeliveryFailure(stage: stage, scope: scope(of: reply, at: stage, dialect: dialect), cause: .replyCode, reply: reply)
    }

    private static func scope(of reply: Reply, at stage: Stage, dialect: Dialect) -> DeliveryFailure.Scope {
        switch reply.code {
        case 421, 530, 534, 535, 538: return .session
        case 500, 502, 503: if stage != .finalDot { return .session }
        default: break
        }
        switch stage {
        case .recipient: return .recipient
        case .finalDot: return dialect == .lmtp ? .recipient : .message
        case .mail, .data, .content: return .message
        default: return .session
        }
    }

    private static func unexpected(_ reply: Reply, at stage: Stage) -> DeliveryOutcome {
        outcome(interruptedBy: .protocolError(.unexpectedReply), at: stage, reply: reply)
    }
}
