/// What a phrase of the rule files speaks for.
enum Meaning: String, Sendable, CaseIterable {
    // What a person wants.
    case unsubscribe, erasure, positive, meet, question, negative, referral, neutral
    case notNow = "not_now"
    /// The law, the police, or a complaint to an authority or a provider, against us.
    case threat
    /// Passed on inside the house.
    case forwarded
    // What a program says.
    case outOfOffice = "out_of_office"
    case leftCompany = "left_company"
    case acknowledgement, challenge, automatic
    // What surrounds the words.
    case negator, hypothesis
    /// The commonest words of a language, by which it is known.
    case common
    case signOff = "sign_off"
    case mobileSignature = "mobile_signature"
    case disclaimer
    case attribution
    // What reports about mail say.
    case failure, delay
    case reportSubject = "report_subject"
    case copyBegins = "copy_begins"
    case complaintSubject = "complaint_subject"

    /// A text that only programs write.
    var isAutomatic: Bool {
        switch self {
        case .outOfOffice, .leftCompany, .acknowledgement, .challenge, .automatic: true
        default: false
        }
    }
}

/// How much a phrase proves, and so what one occurrence of it alone is worth as confidence.
///
/// | strength | confidence | meaning |
/// |---|---|---|
/// | certain | 0.96 | says it and can hardly mean anything else |
/// | strong | 0.86 | says it in nearly every mail that has it |
/// | fair | 0.68 | usually says it |
/// | hint | 0.40 | speaks for it; never decides alone |
///
/// Several phrases of one meaning add up as independent witnesses: 1 - (1 - a)(1 - b), never above 0.98.
enum Strength: String, Sendable {
    case certain, strong, fair, hint

    var confidence: Double {
        switch self {
        case .certain: 0.96
        case .strong: 0.86
        case .fair: 0.68
        case .hint: 0.40
        }
    }
}
