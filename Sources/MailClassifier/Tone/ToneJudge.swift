/// What a person's own words say, by the model with the rules as witnesses, and by the rules alone where they are exact.
///
/// Said plainly and not denied, a wish to hear no more decides whatever else is said, and so does a threat, which says no less. Of a text that
/// is none (``Illegibility``) nothing is read. Otherwise the likeliest class holds; below
/// ``threshold`` the answer is `neutral` with the confidence of a guess, and a person should look.
struct ToneJudge {
    static let threshold: Float = 0.42
    /// What a wish to hear no more needs where no phrase speaks for it.
    static let wishThreshold: Float = 0.96
    /// Below this the model denies what the rules found: the words stand in another sense.
    static let denial: Float = 0.02
    /// What it needs where a phrase only hints at it.
    static let hintedThreshold: Float = 0.7

    let messageClass: MessageClass
    let intent: Intent?
    let confidence: Double
    let evidence: [Classification.Evidence]
    let isLegible: Bool

    init(_ text: String, place: String, tally: Tally, model: ToneModel, book: PhraseBook) {
        guard !text.utf8.isEmpty else {
            (messageClass, intent, confidence, evidence, isLegible) = (.neutral, nil, 0.3, [], true)
            return
        }
        let features = ToneFeatures(text, tally: tally, book: book)
        if let reason = Illegibility(text, features: features, tally: tally, model: model) {
            let seen = Folding.sentences(text, limits: .init(scalars: 400, sentences: 1)).first?.original ?? ""
            (messageClass, intent, confidence, isLegible) = (.neutral, nil, 0.2, false)
            evidence = [.init(rule: reason.rawValue, place: place, text: seen)]
            return
        }
        isLegible = true
        let chances = model.probabilities(features)
        func chance(_ tone: ToneClass) -> Float { chances[tone.rawValue] }
        let positive = chance(.interested) + chance(.meet)
        let isWish = max(tally[.unsubscribe], tally[.erasure]) >= Strength.certain.confidence - 0.001
        var best: (tone: ToneClass, chance: Float) = (chance(.meet) > chance(.interested) ? .meet : .interested, positive)
        for tone in ToneClass.allCases where tone != .interested && tone != .meet && chance(tone) > best.chance {
            best = (tone, chance(tone))
        }
        // A refusal that the rules found in one short sentence, and nothing friendly beside it, is none the less one.
        let isRefusal = tally[.negative] >= ToneReader.threshold && max(tally[.positive], tally[.meet]) < ToneReader.threshold
        if isRefusal, best.tone.messageClass == .positive, text.utf8.count < 120 {
            best = (.negative, Float(max(Double(chance(.negative)), tally[.negative])))
        } else if isRefusal, best.tone == .negative, text.utf8.count < 120 {
            best.chance = max(best.chance, Float(tally[.negative]))
        }
        // Put off in plain words, and not refused in any: a model that leans to no is not sure enough to lose the contact.
        if tally[.notNow] >= Strength.strong.confidence - 0.001, tally[.negative] < ToneReader.threshold, best.chance < 0.75,
            best.tone == .negative || best.tone == .neutral
        {
            best = (.notNow, max(0.65, chance(.notNow)))
        }
        // It acts at once and for ever: a likeness to such wishes alone is not enough.
        let spoken = max(tally[.unsubscribe], tally[.erasure])
        // Denied in words, or asked about, it is no wish.
        if best.tone == .unsubscribe, spoken < Strength.strong.confidence - 0.001,
            tally.asks || !tally.denied.isEmpty || best.chance < (spoken > 0 ? Self.hintedThreshold : Self.wishThreshold)
        {
            let others = ToneClass.allCases.filter { $0 != .unsubscribe }.map { ($0, $0 == .interested ? positive : chance($0)) }
            best = others.max { $0.1 < $1.1 } ?? best
        }
        let isThreat = tally[.threat] >= ToneReader.threshold
        // It can deny nothing in a language that it has not learnt.
        let isUnlearnt = tally.finds(of: [.unsubscribe, .erasure]).contains { PhraseBook.isUnlearnt($0.rule) }
        if isThreat || isWish && (isUnlearnt || chance(.unsubscribe) > Self.denial) {
            best = (.unsubscribe, max(0.95, chance(.unsubscribe)))
        }
        // What the model has no opinion on, the rules may know; of a language that it has not learnt it knows nothing.
        let isForeign =
            best.tone != .unsubscribe
            && tally.finds(of: [.positive, .meet, .negative, .notNow, .question]).contains { PhraseBook.isUnlearnt($0.rule) }
        if isForeign || best.chance < Self.threshold || best.tone == .neutral && best.chance < 0.6 {
            let ruled = ToneReader(tally, isEmpty: false)
            let known = ToneClass.allCases.first { $0.messageClass == ruled.messageClass && $0.intent == ruled.intent }
            if let known, known != .neutral, ruled.confidence >= 0.8 { best = (known, 0.62) }
        }
        if best.chance < Self.threshold { best = (.neutral, min(best.chance, 0.4)) }
        messageClass = best.tone.messageClass
        intent = best.tone.intent
        confidence = Double(min(best.chance, 0.99))
        var evidence = tally.finds(of: best.tone.meanings).map { Classification.Evidence(rule: $0.rule, place: place, text: $0.text) }
        if !(isWish || isThreat) || evidence.isEmpty {
            evidence.append(
                .init(
                    rule: "model:\(best.tone.name)\(model.name.map { "@\($0)" } ?? "")", place: place,
                    text: Self.telling(text, best.tone, tally, model, book)))
        }
        self.evidence = evidence
    }

    /// The sentence that says it most by itself.
    private static func telling(_ text: String, _ tone: ToneClass, _ tally: Tally, _ model: ToneModel, _ book: PhraseBook) -> String {
        let sentences = Folding.sentences(text)
        guard sentences.count > 1 else { return sentences.first?.original ?? "" }
        var best: (text: String, score: Float) = ("", -.infinity)
        for sentence in sentences.prefix(8) {
            let scores = model.scores(ToneFeatures(sentence.original, tally: Tally(), book: book))
            let others = scores.indices.filter { $0 != tone.rawValue }.map { scores[$0] }.max() ?? 0
            if scores[tone.rawValue] - others > best.score { best = (sentence.original, scores[tone.rawValue] - others) }
        }
        return best.text
    }
}
