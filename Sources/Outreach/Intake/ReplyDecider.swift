package import InternetMessage

/// Decides what follows from a message that came in and was read.
package struct ReplyDecider: Sendable {
    private let ids: RecordIDs

    package init(ids: RecordIDs) { self.ids = ids }

    /// The conversation that a message belongs to, as it stands now.
    package struct Conversation: Sendable {
        package let correlation: Correlation
        /// nil when the message of ours belonged to no sequence.
        package let machine: SequenceMachine?
        package let contact: Contact?
        /// The company of whom our message went to; nil when there is none.
        package let company: String?

        package init(correlation: Correlation, machine: SequenceMachine?, contact: Contact?, company: String? = nil) {
            self.correlation = correlation
            self.machine = machine
            self.contact = contact
            self.company = company
        }
    }

    /// The class that counts: mail to an `unsub+TOKEN@` address asks to be left alone, whatever it says and whoever wrote it, because mail
    /// programs send it for their users (RFC 2369, RFC 8058); only what servers report about mail of ours stays what it is.
    package static func effectiveClass(of reading: Reading, correlation: Correlation?) -> ReplyClass {
        correlation?.tokenKind == .unsubscribe && !reading.replyClass.isReport ? .unsubscribe : reading.replyClass
    }

    package func decide(_ record: ReplyRecord, conversation: Conversation?, at now: Timestamp) -> Consequence {
        let writer = TimelineWriter(
            ids: ids, at: now, contact: record.contact, enrollment: record.enrollment, outbox: record.outbox, intake: record.intake)
        var timeline = [writer.event(.received, "from \(record.from): \(record.subject)", Self.proof(of: record))]
        if let certainty = record.certainty {
            timeline.append(
                writer.event(
                    .correlated, "\(certainty.rawValue) certainty: \(record.proofs.joined(separator: "; "))",
                    ["certainty": certainty.rawValue, "proofs": record.proofs.joined(separator: "\n")]))
        }
        if let first = record.duplicateOf {
            timeline.append(writer.event(.classified, "the same message as \(first)", ["duplicate_of": first.description]))
            return Consequence(timeline: timeline)
        }
        if record.isOwn {
            timeline.append(writer.event(.classified, "a copy of our own mail; it answers nothing", ["own": "true"]))
            return Consequence(timeline: timeline)
        }
        let reading = record.reading
        let replyClass = record.replyClass
        timeline.append(classified(replyClass, record, writer))
        guard let conversation, let certainty = record.certainty else { return Consequence(timeline: timeline) }
        let permanent = reading.bounces.contains(where: \.permanent)
        let transition = conversation.machine?.advance(
            on: .replied(
                replyClass, certainty: certainty, returnDate: reading.returnDate, permanentBounce: permanent,
                intent: reading.intent, failureClass: reading.bounces.first(where: \.permanent)?.failureClass), at: now)
        let suppressions = certainty == .low ? [] : self.suppressions(replyClass, record, conversation, at: now)
        if permanent, certainty != .low {
            let facts = ["diagnostic": reading.bounces.first?.diagnostic ?? "", "class": reading.bounces.first?.failureClass ?? ""]
            let ours = conversation.correlation.message
            let summary =
                ours.forwardedReply.map { "the reply \($0) that was sent on to \(ours.recipient.text) came back" }
                ?? "delivery failed for good"
            timeline.append(writer.event(.bounced, summary, facts))
        }
        timeline += suppressions.map { writer.event(.suppressed, "\($0.reason.rawValue) (\($0.source.rawValue))") }
        if let event = writer.event(of: transition, from: conversation.machine?.enrollment.state) { timeline.append(event) }
        let strikes = certainty == .low || replyClass != .bounce ? [] : self.strikes(record, conversation, at: now)
        let stop =
            certainty == .low
            ? nil : CompanyStop(replyClass, to: conversation.machine, company: conversation.company, reply: record.intake, at: now)
        return Consequence(
            transition: transition, suppressions: suppressions, strikes: strikes, timeline: timeline, companies: stop.map { [$0] } ?? [])
    }

    private func strikes(_ record: ReplyRecord, _ conversation: Conversation, at now: Timestamp) -> [Strike] {
        let message = conversation.correlation.message
        guard !message.isToOurs else { return [] }
        let key = message.recipient.suppressionKey
        let bounce = record.reading.bounces.first { bounce in
            bounce.strikeLimit != nil && bounce.recipient.map { $0.suppressionKey.utf8.elementsEqual(key.utf8) } ?? true
        }
        guard let bounce, let limit = bounce.strikeLimit else { return [] }
        return [
            Strike(
                message: message.outbox, workspace: message.workspace, address: message.recipient,
                failureClass: bounce.failureClass, limit: limit, at: now)
        ]
    }

    private static func proof(of record: ReplyRecord) -> [String: String] {
        var facts = ["authentication": record.authentication]
        facts["dmarc"] = record.domainProof?.rawValue
        return facts
    }

    /// What a person writes; reports and automatic answers fail DMARC for reasons of their own.
    private static let worthForging: Set<ReplyClass> = [
        .positive, .question, .negative, .notNow, .referral, .unsubscribe, .leftCompany, .neutral,
    ]

    /// A class that somebody would gain by forging says so when the From domain is not borne out, so that a person can hold it.
    private func classified(_ replyClass: ReplyClass, _ record: ReplyRecord, _ writer: TimelineWriter) -> TimelineEvent {
        let reading = record.reading
        var facts = ["class": replyClass.rawValue, "confidence": "\((reading.confidence * 100).rounded() / 100)"]
        facts["intent"] = reading.intent
        facts["evidence"] = reading.evidence.joined(separator: "\n")
        facts["return_date"] = reading.returnDate?.iso8601
        facts["dmarc"] = record.domainProof?.rawValue
        let doubt = record.domainProof == .fail && Self.worthForging.contains(replyClass) ? "; fails DMARC, may be forged" : ""
        return writer.event(.classified, "\(replyClass.rawValue) (\(Int((reading.confidence * 100).rounded())) %)\(doubt)", facts)
    }

    private func suppressions(
        _ replyClass: ReplyClass, _ record: ReplyRecord, _ conversation: Conversation, at now: Timestamp
    ) -> [Suppression] {
        let message = conversation.correlation.message
        guard !message.isToOurs else { return [] }
        func suppression(_ reason: Suppression.Reason, _ source: Suppression.Source) -> [Suppression] {
            [
                Suppression(
                    id: ids.next(), workspace: message.workspace, subject: .init(message.recipient), reason: reason,
                    source: source, note: "message \(record.intake)", at: now)
            ]
        }
        switch replyClass {
        case .unsubscribe:
            return suppression(.unsubscribed, conversation.correlation.tokenKind == .unsubscribe ? .mailto : .replyText)
        case .complaint:
            return suppression(.complaint, .complaint)
        case .bounce:
            let unknown = record.reading.bounces.contains { $0.permanent && Array($0.failureClass.utf8) == Array("invalid_recipient".utf8) }
            return unknown ? suppression(.invalidRecipient, .bounce) : []
        default:
            return []
        }
    }
}

/// Decides what an unsubscribe by link or button does; it acts at once and for ever, in the workspace that wrote.
package struct UnsubscribeDecider: Sendable {
    private let ids: RecordIDs

    package init(ids: RecordIDs) { self.ids = ids }

    package func decide(
        _ message: SentMessage, machine: SequenceMachine?, company: String? = nil, source: Suppression.Source, at now: Timestamp
    ) -> Consequence {
        let writer = TimelineWriter(ids: ids, at: now, contact: message.contact, enrollment: message.enrollment, outbox: message.outbox)
        let transition = machine?.advance(on: .unsubscribed(source), at: now)
        let suppression = Suppression(
            id: ids.next(), workspace: message.workspace, subject: .init(message.recipient), reason: .unsubscribed, source: source,
            note: "message \(message.outbox)", at: now)
        let events = [
            writer.event(.unsubscribed, "unsubscribed (\(source.rawValue))", ["source": source.rawValue]),
            writer.event(of: transition, from: machine?.enrollment.state),
        ]
        let stop = CompanyStop(.unsubscribe, to: machine, company: company, reply: nil, at: now)
        return Consequence(
            transition: transition, suppressions: [suppression], timeline: events.compactMap { $0 }, companies: stop.map { [$0] } ?? [])
    }
}
