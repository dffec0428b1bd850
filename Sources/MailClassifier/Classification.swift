package import InternetMessage

/// What a message that came back is.
package enum MessageClass: String, Sendable, CaseIterable {
    case positive, question, negative
    case notNow = "not_now"
    case referral, unsubscribe
    case outOfOffice = "out_of_office"
    case leftCompany = "left_company"
    case autoAcknowledgement = "auto_acknowledgement"
    case challenge, neutral, bounce, delay, complaint
}

/// What a person who answered has in mind.
package enum Intent: String, Sendable, CaseIterable {
    case interested
    case readyToMeet = "ready_to_meet"
    case needMoreInfo = "need_more_info"
    case notInterested = "not_interested"
}

/// What a message means, how sure that is, and why.
package struct Classification: Sendable, Equatable {
    /// One thing that led to the class.
    package struct Evidence: Sendable, Equatable {
        /// The rule: `header:auto-submitted`, or the file and line of a phrase such as `builtin:classify/en.toml:12`.
        package let rule: String
        /// `header`, `subject`, `body` or `report`.
        package let place: String
        /// What was seen there, as written, at most 240 characters.
        package let text: String
    }

    /// One recipient of a report.
    package struct Bounce: Sendable, Equatable {
        package enum Action: String, Sendable {
            case failed, delayed
        }

        /// Whom the report is about, nil when it does not say.
        package let recipient: EmailAddress?
        package let action: Action
        package let status: EnhancedStatusCode?
        /// SMTP reply code, 200...599.
        package let replyCode: Int?
        package let failureClass: FailureClass
        package let scope: FailureScope
        /// A hard bounce: the address or its domain does not exist or takes no mail, and trying again is no use.
        package let permanent: Bool
        /// The other side's words, empty when it had none.
        package let diagnostic: String
        package let remoteMTA: String?
        /// The rule that gave the class, nil when none did.
        package let ruleID: String?
        /// With how many such messages the address is given up; nil: with none.
        package let suppressAfter: SuppressAfter?
    }

    /// A complaint about spam from a feedback loop (RFC 5965).
    package struct Complaint: Sendable, Equatable {
        /// The feedback type in lower case: `abuse`, `opt-out`, `fraud`, `other`, ...
        package let feedbackType: String
        package let originalRecipients: [EmailAddress]
        /// The complained-about message's id without angle brackets.
        package let originalMessageID: String?
    }

    /// Somebody to turn to: a name, an address, or both.
    package struct Contact: Sendable, Equatable {
        package let name: String?
        package let address: EmailAddress?
    }

    package let messageClass: MessageClass
    package let intent: Intent?
    /// 0...1: how often a reading on such grounds is right. Below ``Classifier/actionThreshold`` a person should look.
    package let confidence: Double
    /// Written by a program.
    package let automatic: Bool
    /// The person's own words without quote, attribution and signature; of automatic mail its text.
    package let replyText: String
    package let signature: String?
    /// The day that an absence note names: the first day back, or the last day away where only that is given. Never guessed.
    package let returnDate: CivilDate?
    /// The day from which a person who said "not now" may be asked again.
    package let comeBackDate: CivilDate?
    /// To whom the writer points: the right person, the successor, the stand-in.
    package let referredTo: [Contact]
    package let evidence: [Evidence]
    package let bounces: [Bounce]
    package let complaint: Complaint?
}
