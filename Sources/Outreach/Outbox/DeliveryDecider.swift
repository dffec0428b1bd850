package import InternetMessage

/// What a failed delivery means beyond its reply code.
package struct FailureJudgement: Sendable, Equatable {
    /// Class of the failure (`invalid_recipient`, `greylisted`, `reputation_block`, ...).
    package let failureClass: String
    /// Whether trying again is useless; a 5xx that blames the sender is not the recipient's end.
    package let permanent: Bool
    /// Whether the address does not exist or is shut, so that nobody should write to it again.
    package let suppressesRecipient: Bool
    /// With how many such messages nobody should write to the address again; nil: however often it fails so.
    package let strikeLimit: StrikeLimit?
    /// The rule that said so, for a person.
    package let rule: String
    /// How long it is of no use to try this message again; nil: as the retry schedule says.
    package let wait: Duration?
    /// What somebody must see to before more of its mail can go; nil when nobody must.
    package let pause: Pause?

    /// What is out of order on our side.
    package enum Pause: String, Sendable, CaseIterable {
        /// Its login, its quota, its certificate or its address.
        case route
        /// Its SPF, DKIM or DMARC, or its right to write as the sender.
        case identity
    }

    package init(
        failureClass: String, permanent: Bool, suppressesRecipient: Bool, strikeLimit: StrikeLimit? = nil, rule: String,
        wait: Duration? = nil, pause: Pause? = nil
    ) {
        self.failureClass = failureClass
        self.permanent = permanent
        self.suppressesRecipient = suppressesRecipient
        self.strikeLimit = strikeLimit
        self.rule = rule
        self.wait = wait
        self.pause = pause
    }
}

/// What the outbox and the enrollment become after an attempt.
package struct DeliveryDecision: Sendable, Equatable {
    package let state: OutboxMessage.State
    package let nextAttemptAt: Timestamp?
    package let consequence: Consequence
}

/// Decides what follows from one attempt to deliver.
package struct DeliveryDecider: Sendable {
    package enum OnUncertain: String, Sendable, CaseIterable {
        /// At most once on the wire: a person decides.
        case hold
        /// At least once: tried again with the same Message-ID, up to `mostResends` times.
        case resend
    }

    /// How often a message is sent again that may have arrived already; a peer that is lost after each dot has taken one copy more than that.
    package static let mostResends = 2

    private let retry: RetrySchedule
    private let onUncertain: OnUncertain
    private let chance: Chance
    private let ids: RecordIDs

    package init(retry: RetrySchedule, onUncertain: OnUncertain, chance: Chance, ids: RecordIDs) {
        self.retry = retry
        self.onUncertain = onUncertain
        self.chance = chance
        self.ids = ids
    }

    /// - Parameters:
    ///   - machine: of the message's enrollment as it stands now; nil for a message without one.
    ///   - judgement: of a rejected or deferred attempt; nil for the others.
    ///   - uncertain: how many attempts before this one may have left.
    ///   - hours: outside of which it is not tried again later than `patience` from when it was queued; empty: there are none.
    package func decide(
        _ attempt: DeliveryAttempt, of message: OutboxMessage, machine: SequenceMachine?, judgement: FailureJudgement?,
        uncertain: Int = 0, hours: [SendingWindow] = []
    ) -> DeliveryDecision {
        let now = attempt.endedAt
        switch attempt.outcome {
        case .accepted:
            let transition = machine?.advance(on: .accepted(step: message.step), at: now)
            return decision(
                .sent, nil, .delivered, "accepted by \(attempt.remoteMTA ?? "the peer")", attempt, message, machine, transition, judgement)
        case .ambiguous:
            if onUncertain == .resend, uncertain < Self.mostResends {
                return later(attempt, message, machine, judgement, kind: .ambiguous, hours)
            }
            let transition = machine?.advance(on: .uncertain(step: message.step), at: now)
            let what = uncertain == 0 ? "; held" : " \(uncertain + 1) times; held, for as many copies may have arrived"
            return decision(
                .hold, nil, .ambiguous, "the reply to the final dot was lost" + what, attempt, message, machine, transition, judgement)
        case .deferred:
            return later(attempt, message, machine, judgement, kind: .deferred, hours)
        case .rejected:
            guard judgement?.permanent ?? true else { return later(attempt, message, machine, judgement, kind: .deferred, hours) }
            let transition = machine?.advance(
                on: .rejected(step: message.step, text: attempt.text, failureClass: judgement?.failureClass), at: now)
            var decision = decision(.bounced, nil, .rejected, "refused: \(attempt.text)", attempt, message, machine, transition, judgement)
            if let judgement, judgement.suppressesRecipient, !message.isToOurs {
                decision = decision.suppressing(
                    Suppression(
                        id: ids.next(), workspace: message.workspace, subject: .init(message.recipient), reason: .invalidRecipient,
                        source: .bounce,
                        note: attempt.text, at: now))
            }
            return decision.striking(message, judgement)
        }
    }

    /// A message that has not left within its lifetime.
    package func expire(_ message: OutboxMessage, machine: SequenceMachine?, at now: Timestamp) -> Consequence {
        let text = message.reason.isEmpty ? "it never left" : message.reason
        return consequence(
            .expired, "given up: \(text)", [:], message, machine, machine?.advance(on: .expired(step: message.step, text: text), at: now),
            now)
    }

    private func later(
        _ attempt: DeliveryAttempt, _ message: OutboxMessage, _ machine: SequenceMachine?, _ judgement: FailureJudgement?,
        kind: TimelineEvent.Kind, _ hours: [SendingWindow]
    ) -> DeliveryDecision {
        if let reroute = attempt.reroute, reroute.isAtOnce {
            let text = "\(attempt.text); goes on by route \(reroute.route)"
            return decision(.deferred, attempt.endedAt, kind, text, attempt, message, machine, nil, judgement)
        }
        let next = retry.next(
            after: message.attempts + 1, at: attempt.endedAt, waitsSince: message.waitsSince, message: message.id, chance: chance)
        // While its route is paused, nobody is given up for it. What an identity is paused for may be the message's own fault: it is given up in
        // its time, and waits behind the others, of which one tries next.
        let behind = attempt.identityPausedUntil.map { pause in
            next.map { max($0, pause + .seconds(300 * Int64(message.attempts + 1))) }
        }
        guard let next = attempt.pausedUntil ?? behind ?? next else {
            let transition = machine?.advance(on: .expired(step: message.step, text: attempt.text), at: attempt.endedAt)
            return decision(.expired, nil, .expired, "given up: \(attempt.text)", attempt, message, machine, transition, judgement)
                .striking(message, judgement)
        }
        let earliest = judgement?.wait.map { attempt.endedAt + $0 } ?? next
        // What may have left is not taken back.
        let transition =
            kind == .deferred
            ? machine?.advance(on: .deferred(step: message.step, waitsSince: message.waitsSince), at: attempt.endedAt) : nil
        // One more attempt when the plan has waited for long enough, which leaves by the way for that if it is put off again.
        let turn =
            transition == nil
            ? machine?.deferredWayOpens(step: message.step, waitsSince: message.waitsSince, after: attempt.endedAt) : nil
        let again = withinHours([max(next, earliest), turn].compactMap { $0 }.min() ?? next, message, hours)
        return decision(.deferred, again, kind, attempt.text, attempt, message, machine, transition, judgement)
    }

    /// How long after it was queued a message is tried again whatever the hour: who greylists wants it back within minutes or hours.
    package static let patience = Duration.seconds(4 * 3600)

    /// The moment itself, or when the hours begin after it; nobody is given up for the hours, so that it stays where they begin too late.
    private func withinHours(_ next: Timestamp, _ message: OutboxMessage, _ hours: [SendingWindow]) -> Timestamp {
        guard next - message.waitsSince > Self.patience, !hours.isEmpty,
            let opening = SendingWindow.next(onOrAfter: next, in: hours), opening.at - message.waitsSince <= retry.lifetime
        else { return next }
        return opening.at
    }

    private func decision(
        _ state: OutboxMessage.State, _ next: Timestamp?, _ kind: TimelineEvent.Kind, _ summary: String, _ attempt: DeliveryAttempt,
        _ message: OutboxMessage, _ machine: SequenceMachine?, _ transition: Transition?, _ judgement: FailureJudgement?
    ) -> DeliveryDecision {
        var facts = [
            "step": "\(message.step)", "attempt": "\(message.attempts + 1)", "stage": attempt.stage, "message_id": message.messageID.text,
        ]
        facts["reply_code"] = attempt.replyCode.map(String.init)
        facts["status"] = attempt.enhancedStatus?.text
        facts["remote_mta"] = attempt.remoteMTA
        facts["tls"] = attempt.tls
        facts["class"] = judgement?.failureClass
        facts["rule"] = judgement?.rule
        facts["next_attempt"] = next?.iso8601
        facts["route"] = message.route
        facts["next_route"] = attempt.reroute?.route
        facts["provider_id"] = attempt.providerName?.id
        facts["forwarded"] = message.forwardedReply?.description
        return DeliveryDecision(
            state: state, nextAttemptAt: next,
            consequence: consequence(kind, summary, facts, message, machine, transition, attempt.endedAt))
    }

    private func consequence(
        _ kind: TimelineEvent.Kind, _ summary: String, _ facts: [String: String], _ message: OutboxMessage, _ machine: SequenceMachine?,
        _ transition: Transition?, _ now: Timestamp
    ) -> Consequence {
        let writer = TimelineWriter(ids: ids, at: now, contact: message.contact, enrollment: message.enrollment, outbox: message.id)
        // On the timeline of whoever wrote the reply, beside what was written to them.
        let subject = message.forwardedReply.map { "the reply \($0) to \(message.recipient.text): " } ?? ""
        let events = [writer.event(kind, subject + summary, facts), writer.event(of: transition, from: machine?.enrollment.state)]
        return Consequence(transition: transition, timeline: events.compactMap { $0 })
    }
}

extension DeliveryDecision {
    fileprivate func suppressing(_ suppression: Suppression) -> DeliveryDecision {
        var consequence = consequence
        consequence.suppressions.append(suppression)
        return with(consequence)
    }

    /// The end of the message counts against its address, where its failure is of a kind that is counted.
    fileprivate func striking(_ message: OutboxMessage, _ judgement: FailureJudgement?) -> DeliveryDecision {
        guard !message.isToOurs, let judgement, let limit = judgement.strikeLimit, let at = consequence.timeline.first?.at else {
            return self
        }
        var consequence = consequence
        consequence.strikes.append(
            Strike(
                message: message.id, workspace: message.workspace, address: message.recipient, failureClass: judgement.failureClass,
                limit: limit, at: at))
        return with(consequence)
    }

    private func with(_ consequence: Consequence) -> DeliveryDecision {
        DeliveryDecision(state: state, nextAttemptAt: nextAttemptAt, consequence: consequence)
    }
}
