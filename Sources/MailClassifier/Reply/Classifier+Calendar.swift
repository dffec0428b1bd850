import InternetMessage

extension Classifier {
    /// What an answer to our invitation means (RFC 5546 §3.2.3); nil when it says nothing, and the rest of the message decides.
    ///
    /// The calendar program writes the text around it and often marks the mail as automatic; the decision in it is a person's. Own words that
    /// want no mail, or none now, outweigh the button that was pressed.
    func answer(_ reply: CalendarReply, _ facts: Facts) -> Classification? {
        let (messageClass, intent, confidence): (MessageClass, Intent?, Double)
        switch reply.participation {
        case .accepted: (messageClass, intent, confidence) = (.positive, .readyToMeet, 0.95)
        case .tentative: (messageClass, intent, confidence) = (.positive, .interested, 0.7)
        // A day that does not suit is no refusal of the matter: below the threshold, for a person to look at.
        case .declined: (messageClass, intent, confidence) = (.negative, .notInterested, 0.55)
        case .delegated, .needsAction: return nil
        }
        let words = human(facts)
        switch words.confidence >= Self.actionThreshold ? words.messageClass : messageClass {
        case .unsubscribe, .notNow, .referral, .leftCompany: return words
        case .negative where messageClass == .positive: return words
        case .positive where messageClass == .negative, .question where messageClass == .negative: return words
        default: break
        }
        let text = [reply.attendee?.text, reply.summary, reply.start].compactMap { $0 }.joined(separator: ", ")
        let evidence = Classification.Evidence(
            rule: "calendar:\(reply.participation.rawValue)", place: "calendar", text: String(text.prefix(240)))
        return Classification(
            messageClass: messageClass, intent: intent, confidence: confidence, automatic: false,
            replyText: facts.reply.own.utf8.isEmpty ? reply.comment ?? "" : facts.reply.own, signature: facts.reply.signature,
            returnDate: nil,
            comeBackDate: nil, referredTo: [], evidence: [evidence] + (words.messageClass == messageClass ? words.evidence : []),
            bounces: [],
            complaint: nil)
    }
}
