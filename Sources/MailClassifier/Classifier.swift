package import InternetMessage

/// Says what a reply or a report means: no network, no clock, no state.
///
/// The order of evidence: feedback report, delivery report, bounce in free text, answer to an invitation, challenge, automatic reply, and
/// last the person's own words. Quoted text never decides a class. A report in its machine-readable form beats everything written around it; an absence note
/// from `postmaster@` is no bounce, because a bounce needs a failed recipient and words or codes of failure.
package struct Classifier: Sendable {
    /// Below this confidence nothing that cannot be undone should follow without a person.
    package static let actionThreshold = 0.6

    private let book: PhraseBook
    private let dateWords: DateWords
    private let toneModel: ToneModel
    /// Nil: those of the binary, which are read when the first report comes in.
    private let ownBounceRules: BounceRules?
    // Tests hold that the rules of the binary can be read; a report of which nothing is known is unclassified.
    private var bounceRules: BounceRules { ownBounceRules ?? ((try? BounceRules.builtin()) ?? .none) }

    /// A classifier with the built-in rules; throws when the binary does not carry them or they are wrong.
    ///
    /// - Parameter tone: a model of an installation's own; nil: the built-in one.
    package init(tone: ToneModel? = nil) throws(RuleError) {
        try self.init(rules: nil, tone: tone)
    }

    /// A classifier with the built-in phrases and other rules for bounces.
    package init(bounceRules: BounceRules, tone: ToneModel? = nil) throws(RuleError) {
        try self.init(rules: bounceRules, tone: tone)
    }

    private init(rules: BounceRules?, tone: ToneModel?) throws(RuleError) {
        book = try PhraseBook.builtin()
        dateWords = try DateWords.builtin()
        toneModel = if let tone { tone } else { try ToneModel.builtin() }
        ownBounceRules = rules
    }

    /// What the message means. Total: whatever the bytes are, there is an answer.
    ///
    /// - Parameter receivedAt: when it came in; the day that dates in it are read from when it bears none of its own.
    /// - Parameter sent: the texts of our messages that it answers, as far as they are known: no line of them decides anything, whether or not
    ///   it is recognised as quoted.
    package func classify(_ message: Message, receivedAt: Timestamp? = nil, sent: [String] = []) -> Classification {
        let text = message.text ?? ""
        let report = message.report
        if case .feedback(let feedback)? = report, feedback.type != "not-spam" { return complaint(feedback, text: text) }
        if let notice = SESNotice(text), notice.kind != .bounce { return notification(notice, text: text) }
        if case .feedback(let feedback)? = report { return notSpam(feedback, text: text) }
        let signals = AutomaticSignals(message)
        let subject = message.subject ?? ""
        let subjectTally = Tally(subject, book: book)
        if report == nil, let told = PlainComplaint(message, subject: subjectTally, text: text, book: book) {
            return complaint(told, text: text)
        }
        let reply = ReplyText(
            text, senderName: message.from.first?.displayName, ours: message.to.compactMap(\.displayName), sent: sent, book: book)
        let tally = Tally(reply.own, book: book)
        let bounces = BounceReader(rules: { bounceRules }, book: book).read(
            message, report: report, text: text, signals: signals, subject: subjectTally, body: tally)
        if let bounces, !bounces.recipients.isEmpty || bounces.isSure, !isGate(bounces, tally) {
            return failure(bounces, text: reply.own)
        }
        let date = message.date ?? receivedAt.map { MessageDate(timestamp: $0, offsetMinutes: 0) }
        var facts = Facts(
            message: message, date: date, reply: reply, signals: signals, subject: subject, subjectTally: subjectTally, tally: tally)
        if case .disposition? = report { facts.isReceipt = true }
        if case .deliveryStatus? = report, bounces == nil { facts.isReceipt = true }
        if let reply = message.calendarReply, let answer = answer(reply, facts) { return answer }
        if let request = unsubscribeRequest(facts) { return request }
        if let automatic = automatic(facts) { return automatic }
        return human(facts)
    }

    /// A gate that asks the sender to prove who they are, in the form of a report: the mail waits, and is not lost.
    private func isGate(_ read: BounceReader.Result, _ tally: Tally) -> Bool {
        tally[.challenge] >= Strength.certain.confidence - 0.001 && !read.recipients.isEmpty
            && read.recipients.allSatisfy { $0.status?.class == 4 && $0.failureClass == .policy && !$0.permanent }
    }

    /// What mail programs send for somebody who pressed their button: the subject is that word alone (RFC 2369 §3.2), and the text, if any, is
    /// the program's.
    private func unsubscribeRequest(_ facts: Facts) -> Classification? {
        guard facts.signals.weight >= AutomaticSignals.proof, facts.subject.utf8.count <= 40, !SubjectShape.isAnswer(facts.subject),
            facts.subjectTally[.unsubscribe] >= Strength.certain.confidence - 0.001, facts.tally[.outOfOffice] < ToneReader.threshold
        else { return nil }
        return Classification(
            messageClass: .unsubscribe, intent: nil, confidence: 0.97, automatic: true, replyText: facts.reply.own,
            signature: facts.reply.signature, returnDate: nil, comeBackDate: nil, referredTo: [],
            evidence: facts.subjectTally.finds(of: [.unsubscribe]).map { .init(rule: $0.rule, place: "subject", text: $0.text) },
            bounces: [], complaint: nil)
    }

    struct Facts {
        let message: Message
        /// Its own date, else that of its arrival; nil when neither is known.
        let date: MessageDate?
        let reply: ReplyText
        let signals: AutomaticSignals
        let subject: String
        let subjectTally: Tally
        let tally: Tally
        /// A report that tells of no failure: read, delivered.
        var isReceipt = false
    }

    // MARK: Reports

    /// A report in the Abuse Reporting Format. One of type `auth-failure` (RFC 6591) tells that mail under our name failed SPF, DKIM or DMARC:
    /// nobody complained, so it is told by its type, and nothing follows for the recipient.
    private func complaint(_ feedback: FeedbackReport, text: String) -> Classification {
        Classification(
            messageClass: .complaint, intent: nil, confidence: 0.98, automatic: true, replyText: text, signature: nil, returnDate: nil,
            comeBackDate: nil, referredTo: [],
            evidence: [.init(rule: "report:arf", place: "report", text: "Feedback-Type: \(feedback.type)")], bounces: [],
            complaint: .init(
                feedbackType: feedback.type, originalRecipients: feedback.originalRecipients.compactMap { EmailAddress($0) },
                originalMessageID: feedback.originalMessageID?.text))
    }

    private func complaint(_ told: PlainComplaint, text: String) -> Classification {
        Classification(
            messageClass: .complaint, intent: nil, confidence: 0.95, automatic: true, replyText: text, signature: nil, returnDate: nil,
            comeBackDate: nil, referredTo: [], evidence: [told.evidence], bounces: [], complaint: told.complaint)
    }

    /// Somebody took our mail out of the spam folder: no complaint.
    private func notSpam(_ feedback: FeedbackReport, text: String) -> Classification {
        Classification(
            messageClass: .neutral, intent: nil, confidence: 0.95, automatic: true, replyText: text, signature: nil, returnDate: nil,
            comeBackDate: nil, referredTo: [],
            evidence: [.init(rule: "report:arf", place: "report", text: "Feedback-Type: \(feedback.type)")], bounces: [], complaint: nil)
    }

    /// What SES tells beside bounces: a complaint, or that all went well.
    private func notification(_ notice: SESNotice, text: String) -> Classification {
        let isComplaint = notice.kind == .complaint
        return Classification(
            messageClass: isComplaint ? .complaint : .neutral, intent: nil, confidence: 0.97, automatic: true, replyText: text,
            signature: nil,
            returnDate: nil, comeBackDate: nil, referredTo: [],
            evidence: [.init(rule: "report:ses", place: "body", text: "notificationType: \(isComplaint ? "Complaint" : "Delivery")")],
            bounces: [],
            complaint: isComplaint
                ? .init(
                    feedbackType: notice.feedbackType ?? "abuse", originalRecipients: notice.recipients.map(\.address),
                    originalMessageID: nil)
                : nil)
    }

    private func failure(_ read: BounceReader.Result, text: String) -> Classification {
        let failed = read.recipients.isEmpty ? !read.isDelay : read.recipients.contains { $0.action == .failed }
        return Classification(
            messageClass: failed ? .bounce : .delay, intent: nil, confidence: read.confidence, automatic: true, replyText: text,
            signature: nil,
            returnDate: nil, comeBackDate: nil, referredTo: [], evidence: read.evidence, bounces: read.recipients, complaint: nil)
    }

    // MARK: Automatic replies

    private func automatic(_ facts: Facts) -> Classification? {
        let tally = facts.tally
        let kinds: [(Meaning, MessageClass)] = [
            (.challenge, .challenge), (.leftCompany, .leftCompany), (.outOfOffice, .outOfOffice), (.acknowledgement, .autoAcknowledgement),
        ]
        func score(_ meaning: Meaning) -> Double {
            1 - (1 - tally[meaning]) * (1 - facts.subjectTally[meaning])
        }
        var best: (meaning: Meaning, messageClass: MessageClass, score: Double) = (.automatic, .autoAcknowledgement, 0)
        for (meaning, messageClass) in kinds where score(meaning) > best.score + 0.001 { best = (meaning, messageClass, score(meaning)) }
        // A successor named or a gate to pass says more than the words of absence or receipt around it.
        if score(.challenge) >= 0.68 {
            best = (.challenge, .challenge, score(.challenge))
        } else if score(.leftCompany) >= 0.68 {
            best = (.leftCompany, .leftCompany, score(.leftCompany))
        }

        // "Back Monday" in a short text that answers nothing is a note of absence, whatever else it says.
        if best.score < 0.6, !facts.reply.hasQuote, facts.reply.own.utf8.count < 400, !tally.asks,
            let reader = dates(facts.reply.own, facts),
            reader.returnDate() != nil, reader.returnIsStated
        {
            best = (.outOfOffice, .outOfOffice, 0.7)
        }
        let saysSo = max(tally[.automatic], facts.subjectTally[.automatic], facts.subjectTally[.outOfOffice])
        let header = facts.signals.weight
        // A day beside a plain note of absence is no proposal to meet.
        let isPlain = best.score >= 0.9 && !facts.reply.hasQuote
        let wishes: [Meaning] =
            isPlain
            ? [.unsubscribe, .erasure, .threat, .positive] : [.unsubscribe, .erasure, .threat, .positive, .meet, .negative, .notNow]
        let person = max(wishes.map { tally[$0] }.max() ?? 0, tally.asks ? 0.5 : 0)
        let program: Double
        if header >= AutomaticSignals.proof {
            program = header
        } else {
            // A person quotes what they answer, and speaks of interest; a note does neither.
            let words = facts.reply.hasQuote ? best.score * 0.4 : best.score
            program =
                (1 - (1 - header) * (1 - saysSo * 0.9) * (1 - words * 0.9)) * (person >= ToneReader.threshold && saysSo < 0.6 ? 0.5 : 1)
        }
        guard program >= ToneReader.threshold || facts.isReceipt else { return nil }

        let returnDate = best.meaning == .outOfOffice || best.score < 0.35 ? readReturnDate(facts) : nil
        var messageClass = best.messageClass
        var confidence = min(0.98, program, max(best.score, 0.5))
        var meanings: Set<Meaning> = [best.meaning, .automatic]
        if facts.isReceipt {
            (messageClass, confidence, meanings) = (.neutral, 0.8, [])
        } else if best.meaning == .outOfOffice, returnDate == nil, tally[.outOfOffice] == 0, tally[.automatic] >= ToneReader.threshold {
            // "Automatic reply" in the subject, above words of a mailbox that nobody reads: nobody is said to be away.
            (messageClass, confidence, meanings) = (.autoAcknowledgement, 0.6, [.automatic])
        } else if best.score < 0.35 {
            messageClass = returnDate == nil ? .autoAcknowledgement : .outOfOffice
            confidence = 0.5
            meanings = [.automatic]
        }
        var evidence = facts.signals.signals.map { Classification.Evidence(rule: $0.rule, place: "header", text: $0.text) }
        evidence += facts.subjectTally.finds(of: meanings).map { .init(rule: $0.rule, place: "subject", text: $0.text) }
        evidence += tally.finds(of: meanings).map { .init(rule: $0.rule, place: "body", text: $0.text) }
        return Classification(
            messageClass: messageClass, intent: nil, confidence: confidence, automatic: true, replyText: facts.reply.own,
            signature: facts.reply.signature, returnDate: messageClass == .outOfOffice ? returnDate : nil, comeBackDate: nil,
            referredTo: messageClass == .leftCompany || messageClass == .outOfOffice ? contacts(facts) : [], evidence: evidence,
            bounces: [],
            complaint: nil)
    }

    private func dates(_ text: String, _ facts: Facts) -> DateReader? {
        guard let date = facts.date else { return nil }
        return DateReader(
            text, today: CivilDate(date.timestamp, offsetMinutes: date.offsetMinutes), offsetMinutes: date.offsetMinutes,
            isEnglish: LanguageHint.isEnglish(facts.reply.own), words: dateWords)
    }

    private func readReturnDate(_ facts: Facts) -> CivilDate? {
        dates(facts.reply.own, facts)?.returnDate() ?? dates(facts.subject, facts)?.returnDate()
    }

    // MARK: People

    func human(_ facts: Facts) -> Classification {
        var tally = facts.tally
        var place = "body"
        let isEmpty = facts.reply.own.utf8.isEmpty
        // Somebody who wrote only a subject said it there.
        if isEmpty, !SubjectShape.isAnswer(facts.subject) {
            tally = facts.subjectTally
            place = "subject"
        }
        let text = place == "subject" ? facts.subject : facts.reply.own
        let tone = ToneJudge(text, place: place, tally: tally, model: toneModel, book: book)
        let addressees = referrals(facts)
        if tone.messageClass == .neutral, tone.isLegible, let first = addressees.first, place == "body", facts.reply.own.utf8.count < 400 {
            // Somebody who writes little but another's address sends us there.
            return Classification(
                messageClass: .referral, intent: nil, confidence: Strength.fair.confidence, automatic: false, replyText: facts.reply.own,
                signature: facts.reply.signature, returnDate: nil, comeBackDate: nil, referredTo: contacts(facts),
                evidence: [.init(rule: "address-in-text", place: "body", text: first.address.text)], bounces: [], complaint: nil)
        }
        let named = tone.messageClass == .referral || tone.messageClass == .leftCompany ? contacts(facts) : []
        // Passed on inside the house, and nobody is named to whom we could turn: there is nothing for us to do.
        let isPassedOn = tone.messageClass == .referral && named.isEmpty && tally[.forwarded] >= ToneReader.threshold
        return Classification(
            messageClass: isPassedOn ? .neutral : tone.messageClass, intent: tone.intent, confidence: tone.confidence, automatic: false,
            replyText: facts.reply.own,
            signature: facts.reply.signature, returnDate: nil,
            comeBackDate: tone.messageClass == .notNow ? dates(facts.reply.own, facts)?.comeBackDate() : nil,
            referredTo: named, evidence: tone.evidence,
            bounces: [],
            complaint: nil)
    }

    /// Whom the own words point to: by name, by address, or by a copy that went to them.
    private func contacts(_ facts: Facts) -> [Classification.Contact] {
        guard let words = try? ContactWords.builtin.get() else { return [] }
        let known = (facts.message.from + facts.message.to).compactMap(\.displayName)
        let finder = ContactFinder(words: words, dates: dateWords)
        let found = finder.contacts(
            in: facts.reply.own, addresses: referrals(facts), known: known, needsCue: facts.signals.weight >= AutomaticSignals.proof)
        guard found.allSatisfy({ $0.address == nil }) else { return found }
        // "Adding Ann Example (cc)": who was put into the copy, if it is one person.
        let ours = Set((facts.message.from + facts.message.to).map(\.address.suppressionKey))
        let copied = facts.message.cc.filter { !ours.contains($0.address.suppressionKey) }
        guard copied.count == 1, let other = copied.first else { return found }
        if let name = found.first?.name {
            let theirs = Folding.phrase((other.displayName ?? "") + " " + other.address.localPart)
            let isSame = Folding.phrase(name).split(separator: 0x20).contains { $0.count > 2 && theirs.firstRange(of: $0) != nil }
            return isSame ? [.init(name: name, address: other.address)] : found
        }
        return Folding.phrase(facts.reply.own).firstRange(of: Array(" cc ".utf8)) != nil
            ? [.init(name: other.displayName, address: other.address)] : found
    }

    /// The addresses in the own words that are neither the writer's nor ours.
    private func referrals(_ facts: Facts) -> [Mailbox] {
        let named = AddressFinder.mailboxes(in: facts.reply.own)
        guard !named.isEmpty else { return [] }
        var known = Set((facts.message.from + facts.message.to).map(\.address.suppressionKey))
        known.formUnion(facts.tally.finds(of: [.failure]).compactMap { failedAddress($0.text)?.suppressionKey })
        return named.filter { !known.contains($0.address.suppressionKey) }
    }

    /// "Your mail to bob@example.com bounced": the first address of a sentence, when words of failure stand behind it.
    private func failedAddress(_ sentence: String) -> EmailAddress? {
        guard let address = AddressFinder.mailboxes(in: sentence).first?.address else { return nil }
        let folded = Folding.phrase(sentence)
        guard let place = folded.firstRange(of: Folding.phrase(address.text)),
            book.hits(in: folded).contains(where: { $0.meaning == .failure && $0.start >= place.lowerBound })
        else { return nil }
        return address
    }
}
