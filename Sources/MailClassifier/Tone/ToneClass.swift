/// What a person's own words can say, as the tone model tells it apart. The raw value is its place in the model.
package enum ToneClass: Int, Sendable, CaseIterable {
    case interested, meet, question, negative, notNow, referral, unsubscribe, neutral, leftCompany

    /// Its name in files of examples.
    package var name: String {
        switch self {
        case .interested: "interested"
        case .meet: "meet"
        case .question: "question"
        case .negative: "negative"
        case .notNow: "not_now"
        case .referral: "referral"
        case .unsubscribe: "unsubscribe"
        case .neutral: "neutral"
        case .leftCompany: "left_company"
        }
    }

    package init?(named name: String) {
        guard let found = Self.allCases.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return nil }
        self = found
    }

    /// What a person's label says about the words; nil for the classes of programs.
    package init?(_ messageClass: MessageClass, intent: Intent?) {
        switch messageClass {
        case .positive: self = intent == .readyToMeet ? .meet : .interested
        case .question: self = .question
        case .negative: self = .negative
        case .notNow: self = .notNow
        case .referral: self = .referral
        case .unsubscribe: self = .unsubscribe
        case .neutral: self = .neutral
        case .leftCompany: self = .leftCompany
        case .outOfOffice, .autoAcknowledgement, .challenge, .bounce, .delay, .complaint: return nil
        }
    }

    var messageClass: MessageClass {
        switch self {
        case .interested, .meet: .positive
        case .question: .question
        case .negative: .negative
        case .notNow: .notNow
        case .referral: .referral
        case .unsubscribe: .unsubscribe
        case .neutral: .neutral
        case .leftCompany: .leftCompany
        }
    }

    var intent: Intent? {
        switch self {
        case .interested: .interested
        case .meet: .readyToMeet
        case .question: .needMoreInfo
        case .negative: .notInterested
        default: nil
        }
    }

    /// The phrases that speak for it.
    var meanings: Set<Meaning> {
        switch self {
        case .interested: [.positive]
        case .meet: [.positive, .meet]
        case .question: [.question]
        case .negative: [.negative]
        case .notNow: [.notNow]
        case .referral: [.referral]
        case .unsubscribe: [.unsubscribe, .erasure, .threat]
        case .neutral: [.neutral]
        case .leftCompany: [.leftCompany]
        }
    }
}
