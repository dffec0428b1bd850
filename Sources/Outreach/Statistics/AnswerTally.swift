package import InternetMessage

/// What the messages that came in, and unsubscriptions, add to the counts of one enrollment.
///
/// A function of all that its timeline tells, not of the order in which it is read: what a person says of a reply later changes what it
/// counts as, and on the day on which it came in.
package struct AnswerTally: Sendable {
    /// What one timeline event of the enrollment says.
    package struct Said: Sendable, Equatable {
        package let at: Timestamp
        package let kind: TimelineEvent.Kind
        package let outbox: OutboxMessage.ID?
        package let intake: IncomingMessage.ID?
        /// The class of a reply, or of a failure.
        package let word: String?
        package let certainty: String?
        /// It is another copy of a message, or one of our own.
        package let isNothing: Bool

        package init(
            at: Timestamp, kind: TimelineEvent.Kind, outbox: OutboxMessage.ID?, intake: IncomingMessage.ID?, word: String?,
            certainty: String?, isNothing: Bool
        ) {
            self.at = at
            self.kind = kind
            self.outbox = outbox
            self.intake = intake
            self.word = word
            self.certainty = certainty
            self.isNothing = isNothing
        }
    }

    /// One count, on the hour in which it came about, of the message that it is about.
    package struct Entry: Sendable, Hashable, Codable {
        package let count: String
        /// Hours since 1970-01-01T00:00Z.
        package let hour: Int64
        package let outbox: Int64

        package init(_ count: Tally.Count, hour: Int64, outbox: OutboxMessage.ID) {
            self.count = count.rawValue
            self.hour = hour
            self.outbox = outbox.rawValue
        }
    }

    /// What a person writes.
    private static let replies: Set<ReplyClass> = [.positive, .question, .negative, .notNow, .referral, .unsubscribe, .neutral]

    /// - Parameters:
    ///   - said: the events of the enrollment that are about something that came in, or an unsubscription, by id.
    ///   - settled: entries whose events are no longer kept; they stand as they are.
    package static func entries(of said: [Said], settled: [Entry] = []) -> [Entry] {
        struct Message {
            let outbox: OutboxMessage.ID
            let at: Timestamp
            var replyClass: ReplyClass?
            var failure: String?
            var isCertain = false
            var isNothing = false
            /// false: a button or a link did it.
            var isWritten = true
        }
        var messages: [Message] = []
        var places: [IncomingMessage.ID: Int] = [:]
        for event in said {
            guard let outbox = event.outbox else { continue }
            guard let intake = event.intake else {
                if event.kind == .unsubscribed {
                    messages.append(Message(outbox: outbox, at: event.at, replyClass: .unsubscribe, isCertain: true, isWritten: false))
                }
                continue
            }
            let place = places[intake] ?? messages.count
            if places[intake] == nil {
                places[intake] = place
                messages.append(Message(outbox: outbox, at: event.at))
            }
            if event.isNothing { messages[place].isNothing = true }
            switch event.kind {
            case .classified: if let word = event.word, let known = ReplyClass(rawValue: word) { messages[place].replyClass = known }
            case .correlated: messages[place].isCertain = event.certainty != Correlation.Certainty.low.rawValue
            case .bounced: messages[place].failure = event.word ?? "unclassified"
            default: break
            }
        }
        var entries = settled
        var seen = Set(settled.map(\.count))
        var bounced = Set(settled.filter { isBounce($0.count) }.map(\.outbox))
        func add(_ count: Tally.Count, _ message: Message) {
            guard seen.insert(count.rawValue).inserted else { return }
            entries.append(Entry(count, hour: hour(of: message.at), outbox: message.outbox))
        }
        for message in messages where message.isCertain && !message.isNothing {
            guard let replyClass = message.replyClass else { continue }
            if replyClass == .bounce {
                guard let failure = message.failure, bounced.insert(message.outbox.rawValue).inserted else { continue }
                entries.append(Entry(bounce(ofClass: failure), hour: hour(of: message.at), outbox: message.outbox))
                continue
            }
            if message.isWritten, replies.contains(replyClass) { add(.replied, message) }
            if let count = count(of: replyClass) { add(count, message) }
        }
        return entries
    }

    /// The kind of bounce that a class of failure is.
    package static func bounce(ofClass failure: String?) -> Tally.Count {
        let hard = ["invalid_recipient", "inactive_mailbox", "bad_domain"]
        return hard.contains { failure?.utf8.elementsEqual($0.utf8) ?? false } ? .bouncedHard : .bouncedSoft
    }

    package static func hour(of moment: Timestamp) -> Int64 {
        let seconds = moment.seconds
        return seconds >= 0 ? seconds / 3600 : (seconds - 3599) / 3600
    }

    private static func isBounce(_ count: String) -> Bool {
        [Tally.Count.bouncedHard, .bouncedSoft].contains { $0.rawValue.utf8.elementsEqual(count.utf8) }
    }

    private static func count(of replyClass: ReplyClass) -> Tally.Count? {
        switch replyClass {
        case .positive: .positive
        case .question: .question
        case .negative: .negative
        case .notNow: .notNow
        case .referral: .referral
        case .neutral: .neutral
        case .outOfOffice: .outOfOffice
        case .unsubscribe: .unsubscribed
        case .complaint: .complained
        case .bounce, .delay, .leftCompany, .autoAcknowledgement, .challenge: nil
        }
    }
}
