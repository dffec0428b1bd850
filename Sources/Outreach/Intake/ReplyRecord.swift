package import InternetMessage

/// What a message that came in means: the classes of the command line contract.
package enum ReplyClass: String, Sendable, CaseIterable, Codable {
    case positive
    case question
    case negative
    case notNow = "not_now"
    case referral
    case unsubscribe
    case outOfOffice = "out_of_office"
    case leftCompany = "left_company"
    case autoAcknowledgement = "auto_acknowledgement"
    case challenge
    case neutral
    case bounce
    case delay
    case complaint

    /// Written by a server about a message of ours; such mail is forged easily.
    package var isReport: Bool { self == .bounce || self == .delay || self == .complaint }

    /// Whether somebody waits for our answer.
    package var requiresResponse: Bool { self == .question || self == .positive || self == .referral }
}

/// A read reply or report: what it says and how sure that is.
package struct Reading: Sendable, Equatable {
    /// One failed recipient of a report.
    package struct Bounce: Sendable, Equatable {
        package let recipient: EmailAddress?
        package let status: EnhancedStatusCode?
        package let permanent: Bool
        /// Class of the failure (`invalid_recipient`, `mailbox_full`, ...).
        package let failureClass: String
        package let diagnostic: String
        /// With how many such messages nobody should write to the address again; nil: however often it fails so, or it has not failed yet.
        package let strikeLimit: StrikeLimit?

        package init(
            recipient: EmailAddress?, status: EnhancedStatusCode?, permanent: Bool, failureClass: String, diagnostic: String,
            strikeLimit: StrikeLimit? = nil
        ) {
            self.recipient = recipient
            self.status = status
            self.permanent = permanent
            self.failureClass = failureClass
            self.diagnostic = diagnostic
            self.strikeLimit = strikeLimit
        }
    }

    package let replyClass: ReplyClass
    package let intent: String?
    /// 0 ... 1.
    package let confidence: Double
    /// Rules and words that led to the class, one line each.
    package let evidence: [String]
    /// The person's own words, or the automatic text.
    package let text: String
    /// End of an absence.
    package let returnDate: CivilDate?
    package let bounces: [Bounce]

    package init(
        replyClass: ReplyClass, intent: String?, confidence: Double, evidence: [String], text: String, returnDate: CivilDate?,
        bounces: [Bounce]
    ) {
        self.replyClass = replyClass
        self.intent = intent
        self.confidence = confidence
        self.evidence = evidence
        self.text = text
        self.returnDate = returnDate
        self.bounces = bounces
    }
}

/// A sorted incoming message: what it answers and what it means.
package struct ReplyRecord: Sendable, Equatable {
    package let intake: IncomingMessage.ID
    package let sortedAt: Timestamp
    /// nil: nothing of ours is answered.
    package let enrollment: Enrollment.ID?
    package let contact: Contact.ID?
    /// The message of ours that it answers; nil when unknown.
    package let outbox: OutboxMessage.ID?
    package let certainty: Correlation.Certainty?
    /// Each proof that was found, one line each.
    package let proofs: [String]
    package let from: String
    package let subject: String
    package let messageID: MessageID?
    /// Hex SHA-256 over the decoded text without what servers change about blanks and empty lines, to link duplicates with the Message-ID.
    package let bodyHash: String
    /// The same over the text as it stands, as earlier versions stored it; nil when that was not computed. Not kept.
    package var plainBodyHash: String?
    /// The first intake of the same message; nil when this is the first.
    package var duplicateOf: IncomingMessage.ID?
    package let reading: Reading
    /// The class that counts as long as no person said otherwise: mostly the reading's, but see `ReplyDecider.effectiveClass`.
    package let replyClass: ReplyClass
    /// A class that a person set; it wins over `replyClass`.
    package var label: ReplyClass?
    package var requiresResponse: Bool
    /// What SPF, DKIM and DMARC say of who sent it, in the words of an Authentication-Results field, for a person.
    package let authentication: String
    /// Whether its From domain is borne out; nil when that cannot be told.
    package let domainProof: DomainProof?

    /// A copy of what we wrote ourselves: it belongs to its conversation and answers nothing.
    package let isOwn: Bool

    /// The result of DMARC for the From domain (RFC 9989).
    package enum DomainProof: String, Sendable, CaseIterable {
        case pass
        /// The domain has a policy, and neither SPF nor DKIM bears it out: anybody may have written the message.
        case fail
        /// The domain has no policy.
        case none
        /// DNS gave no answer.
        case temporaryError = "temperror"
        /// There is no From domain to ask about.
        case permanentError = "permerror"
    }

    /// - Parameter replyClass: nil: the reading's.
    package init(
        intake: IncomingMessage.ID, sortedAt: Timestamp, enrollment: Enrollment.ID?, contact: Contact.ID?, outbox: OutboxMessage.ID?,
        certainty: Correlation.Certainty?, proofs: [String], from: String, subject: String, messageID: MessageID?, bodyHash: String,
        duplicateOf: IncomingMessage.ID?, reading: Reading, replyClass: ReplyClass? = nil, label: ReplyClass? = nil,
        requiresResponse: Bool, authentication: String, domainProof: DomainProof? = nil, isOwn: Bool = false
    ) {
        self.intake = intake
        self.sortedAt = sortedAt
        self.enrollment = enrollment
        self.contact = contact
        self.outbox = outbox
        self.certainty = certainty
        self.proofs = proofs
        self.from = from
        self.subject = subject
        self.messageID = messageID
        self.bodyHash = bodyHash
        self.duplicateOf = duplicateOf
        self.reading = reading
        self.replyClass = replyClass ?? reading.replyClass
        self.label = label
        self.requiresResponse = requiresResponse
        self.authentication = authentication
        self.domainProof = domainProof
        self.isOwn = isOwn
    }

    /// The same message as the answer in another conversation that it also names.
    package func answering(_ correlation: Correlation, as replyClass: ReplyClass) -> ReplyRecord {
        ReplyRecord(
            intake: intake, sortedAt: sortedAt, enrollment: correlation.message.enrollment, contact: correlation.message.contact,
            outbox: correlation.message.outbox, certainty: correlation.certainty, proofs: correlation.lines, from: from, subject: subject,
            messageID: messageID, bodyHash: bodyHash, duplicateOf: nil, reading: reading, replyClass: replyClass,
            requiresResponse: replyClass.requiresResponse, authentication: authentication, domainProof: domainProof, isOwn: isOwn)
    }
}
