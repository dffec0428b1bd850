/// What a person's own words say.
///
/// The order when several things are said: unsubscribe, left the company, referral, not now, then refusal, interest and question. A class
/// needs a score of at least ``threshold``; below it the text is `neutral`, and a person should look.
struct ToneReader {
    static let threshold = 0.6

    let messageClass: MessageClass
    let intent: Intent?
    let confidence: Double
    let meanings: Set<Meaning>

    init(_ tally: Tally, isEmpty: Bool) {
        func says(_ meaning: Meaning) -> Bool { tally[meaning] >= Self.threshold }
        // One thing said against another makes both less sure.
        func sure(_ score: Double, against others: Meaning...) -> Double {
            let rival = others.map { tally[$0] }.max() ?? 0
            return rival >= Self.threshold ? score * (1 - 0.3 * rival) : score
        }
        let wish = max(tally[.unsubscribe], tally[.erasure])
        let interest = max(tally[.positive], tally[.meet])
        if wish >= Self.threshold {
            (messageClass, intent, meanings) = (.unsubscribe, nil, [.unsubscribe, .erasure])
            confidence = sure(wish, against: .meet)
        } else if says(.leftCompany) {
            (messageClass, intent, meanings) = (.leftCompany, nil, [.leftCompany])
            confidence = tally[.leftCompany]
        } else if says(.referral), tally[.meet] < 0.8 {
            (messageClass, intent, meanings) = (.referral, nil, [.referral])
            confidence = sure(tally[.referral], against: .meet)
        } else if says(.notNow), tally[.meet] < Self.threshold {
            (messageClass, intent, meanings) = (.notNow, nil, [.notNow])
            confidence = sure(tally[.notNow], against: .positive)
        } else if says(.negative), tally[.negative] >= interest || tally[.meet] < Self.threshold && tally[.negative] >= 0.8 {
            (messageClass, intent, meanings) = (.negative, .notInterested, [.negative])
            confidence = sure(tally[.negative], against: .positive, .meet)
        } else if says(.meet) {
            (messageClass, intent, meanings) = (.positive, .readyToMeet, [.positive, .meet])
            confidence = sure(max(interest, tally[.meet]), against: .negative)
        } else if says(.positive), tally[.positive] >= tally[.question] || tally[.question] < 0.8 {
            (messageClass, intent, meanings) = (.positive, .interested, [.positive])
            confidence = sure(tally[.positive], against: .negative, .question)
        } else if says(.question) {
            (messageClass, intent, meanings) = (.question, .needMoreInfo, [.question])
            confidence = sure(tally[.question], against: .positive, .negative)
        } else {
            (messageClass, intent, meanings) = (.neutral, nil, [.neutral])
            confidence = isEmpty ? 0.3 : tally[.neutral] >= Self.threshold ? 0.75 : 0.35
        }
    }
}
