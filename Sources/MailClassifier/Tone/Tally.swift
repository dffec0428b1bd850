/// What the phrases found in a text add up to, meaning by meaning.
struct Tally: Sendable {
    /// One phrase that was found and counted.
    struct Find: Sendable {
        var meaning: Meaning
        var rule: String
        var text: String
        var confidence: Double
    }

    private(set) var scores: [Meaning: Double] = [:]
    private(set) var finds: [Find] = []
    /// A sentence ends with a question mark.
    private(set) var asks = false

    /// Phrases kept as evidence.
    private static let findLimit = 40
    /// Phrases of one sentence that are weighed; more means the text is no sentence.
    private static let hitLimit = 80

    /// 0 when nothing speaks for it.
    subscript(_ meaning: Meaning) -> Double { scores[meaning] ?? 0 }

    init() {}

    init(_ text: String, book: PhraseBook) {
        for sentence in Folding.sentences(text) { add(sentence, book) }
    }

    func finds(of meanings: Set<Meaning>) -> [Find] { finds.filter { meanings.contains($0.meaning) } }

    private mutating func add(_ meaning: Meaning, _ confidence: Double, rule: String, text: String) {
        scores[meaning] = min(0.98, 1 - (1 - self[meaning]) * (1 - confidence))
        if finds.count < Self.findLimit { finds.append(Find(meaning: meaning, rule: rule, text: text, confidence: confidence)) }
    }

    private mutating func add(_ sentence: FoldedSentence, _ book: PhraseBook) {
        let all = book.hits(in: sentence.bytes).prefix(Self.hitLimit)
        let negators = all.filter { $0.meaning == .negator }
        let supposes = all.contains { $0.meaning == .hypothesis }
        let hits = all.filter { $0.meaning != .negator && $0.meaning != .hypothesis }
        var asksToMeet = false
        var refuses = false
        // The same meaning twice in one sentence is one witness: the strongest.
        var best: [Meaning: (confidence: Double, phrase: Int)] = [:]
        func note(_ meaning: Meaning, _ confidence: Double, _ phrase: Int) {
            if confidence > best[meaning]?.confidence ?? 0 { best[meaning] = (confidence, phrase) }
        }
        for hit in hits {
            // "not interested" is more than its "interested".
            if hits.contains(where: { $0.meaning != hit.meaning && $0.start <= hit.start && $0.end >= hit.end && $0.end - $0.start > hit.end - hit.start }) {
                continue
            }
            var confidence = hit.strength.confidence
            if Self.isNegated(hit, negators, sentence) {
                switch hit.meaning {
                case .positive:
                    note(.negative, Strength.fair.confidence, hit.phrase)
                    continue
                case .negative, .unsubscribe, .erasure, .meet, .referral, .outOfOffice, .notNow, .leftCompany: continue
                default: break
                }
            }
            if supposes, hit.meaning == .positive || hit.meaning == .unsubscribe { confidence = min(confidence, Strength.fair.confidence) }
            if hit.meaning == .meet { asksToMeet = true }
            if hit.meaning == .negative { refuses = true }
            note(hit.meaning, confidence, hit.phrase)
        }
        for (meaning, found) in best.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            add(meaning, found.confidence, rule: book.ruleID(found.phrase), text: sentence.original)
        }
        if sentence.isQuestion {
            asks = true
            if !asksToMeet, !refuses { add(.question, Strength.fair.confidence, rule: "question-mark", text: sentence.original) }
        }
    }

    /// Whether a word of negation governs the phrase: before it within some words, or right behind it where the language puts it there.
    private static func isNegated(_ hit: PhraseBook.Hit, _ negators: [PhraseBook.Hit], _ sentence: FoldedSentence) -> Bool {
        negators.contains { negator in
            if negator.end <= hit.start + 1 {
                return hit.start - negator.end <= 24 && !sentence.hasComma(in: negator.end - 1..<hit.start + 1)
            }
            guard negator.strength == .certain, negator.start >= hit.end - 1 else { return false }
            return negator.start - hit.end <= 16 && !sentence.hasComma(in: hit.end - 1..<negator.start + 1)
        }
    }
}
