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
    /// Said, and denied in the same breath: "do not unsubscribe me".
    private(set) var denied: Set<Meaning> = []

    /// Phrases kept as evidence.
    private static let findLimit = 40
    /// Phrases of one sentence that are weighed; more means the text is no sentence.
    private static let hitLimit = 80

    /// 0 when nothing speaks for it.
    subscript(_ meaning: Meaning) -> Double { scores[meaning] ?? 0 }

    init() {}

    init(_ text: String, book: PhraseBook) {
        let sentences = Folding.sentences(text).map { ($0, Array(book.hits(in: $0.bytes).prefix(Self.hitLimit))) }
        // Short words of one language are other words in another.
        let languages = book.languages(of: sentences.lazy.flatMap(\.1))
        // Phrases of so many bytes are not found by chance in another language.
        let tellingLength = languages?.isSure == true ? 11 : 8
        for (sentence, hits) in sentences {
            add(
                sentence,
                hits.filter {
                    $0.meaning != .common && (languages?.files.contains($0.file) != false || $0.end - $0.start >= tellingLength)
                }, book)
        }
    }

    func finds(of meanings: Set<Meaning>) -> [Find] { finds.filter { meanings.contains($0.meaning) } }

    private mutating func add(_ meaning: Meaning, _ confidence: Double, rule: String, text: String) {
        scores[meaning] = min(0.98, 1 - (1 - self[meaning]) * (1 - confidence))
        if finds.count < Self.findLimit { finds.append(Find(meaning: meaning, rule: rule, text: text, confidence: confidence)) }
    }

    private mutating func add(_ sentence: FoldedSentence, _ all: [PhraseBook.Hit], _ book: PhraseBook) {
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
            // "not interested" is more than its "interested"; what a report says stands by itself.
            if hit.meaning != .failure,
                hits.contains(where: {
                    $0.meaning != hit.meaning && $0.start <= hit.start && $0.end >= hit.end && $0.end - $0.start > hit.end - hit.start
                })
            {
                continue
            }
            if hit.meaning == .threat {
                if !Self.isNoThreat(hit, negators, sentence) { note(.threat, hit.strength.confidence, hit.phrase) }
                continue
            }
            var confidence = hit.strength.confidence
            if Self.isNegated(hit, negators, sentence) {
                switch hit.meaning {
                case .positive:
                    note(.negative, Strength.fair.confidence, hit.phrase)
                    continue
                case .unsubscribe, .erasure:
                    denied.insert(hit.meaning)
                    continue
                case .negative, .meet, .referral, .outOfOffice, .notNow, .leftCompany: continue
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
            if best[.question] == nil, !refuses, Self.namesTime(sentence.original) {
                // "Thursday at 9?" proposes; it does not ask about the offer.
                asksToMeet = true
                add(.meet, Strength.fair.confidence, rule: "question-time", text: sentence.original)
            }
            if !asksToMeet, !refuses { add(.question, Strength.fair.confidence, rule: "question-mark", text: sentence.original) }
        }
    }

    /// A time of day: `9:30`, `9am`, `15 Uhr`, `14h`.
    private static func namesTime(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var i = 0
        while i < bytes.count {
            guard bytes[i].isDigit, i == 0 || bytes[i - 1] <= 0x20 || bytes[i - 1] == 0x28 else {
                i += 1
                continue
            }
            let start = i
            while i < bytes.count, bytes[i].isDigit { i += 1 }
            guard i - start <= 2 else { continue }
            if i + 2 < bytes.count, bytes[i] == 0x3A || bytes[i] == 0x2E, bytes[i + 1].isDigit, bytes[i + 2].isDigit { return true }
            var j = i
            if j < bytes.count, bytes[j] == 0x20 { j += 1 }
            let tail = bytes[j...].prefix(3).map { $0 | 0x20 }
            if tail.starts(with: "am".utf8) || tail.starts(with: "pm".utf8) || tail.starts(with: "uhr".utf8) { return true }
            if j == i, tail.first == 0x68, tail.count == 1 || !tail[1].isLetter { return true }
        }
        return false
    }

    /// A word that joins a second statement: what is denied before it is not denied behind it.
    private static func beginsAnew(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.split(separator: 0x20).contains { word in joiners.contains { $0.elementsEqual(word) } }
    }

    private static let joiners: [[UInt8]] = [
        "and", "but", "please", "pls", "und", "aber", "bitte", "et", "mais", "merci", "y", "pero", "favor", "maar", "och", "og", "mutta",
        "ale",
        "prosze", "prosim", "ve", "ama", "lutfen",
    ].map { Array($0.utf8) }

    /// Whether words that threaten are denied, or only stand beside each other: "I asked Sue, you can call her". A condition before them
    /// ("if you do not stop, we report you") denies nothing.
    private static func isNoThreat(_ hit: PhraseBook.Hit, _ negators: [PhraseBook.Hit], _ sentence: FoldedSentence) -> Bool {
        sentence.hasComma(in: hit.start + 1..<max(hit.start + 1, hit.end - 1))
            || negators.contains { $0.end == hit.start + 1 || $0.start >= hit.start && $0.end <= hit.end }
    }

    /// Whether a word of negation governs the phrase: before it within some words, or right behind it where the language puts it there.
    private static func isNegated(_ hit: PhraseBook.Hit, _ negators: [PhraseBook.Hit], _ sentence: FoldedSentence) -> Bool {
        // "ne ... pas intéressés" denies once: the phrase holds the second half of the negation itself.
        if hit.meaning == .negative || hit.meaning == .unsubscribe,
            negators.contains(where: { $0.start >= hit.start && $0.end <= hit.end && $0.end - $0.start < hit.end - hit.start })
        {
            return false
        }
        return negators.contains { negator in
            if negator.end <= hit.start + 1 {
                return hit.start - negator.end <= 24 && !sentence.hasComma(in: negator.end - 1..<hit.start + 1)
                    && !Self.beginsAnew(sentence.bytes[(negator.end - 1)..<max(negator.end - 1, min(hit.start + 1, sentence.bytes.count))])
            }
            guard negator.strength == .certain, negator.start >= hit.end - 1 else { return false }
            return negator.start - hit.end <= 16 && !sentence.hasComma(in: hit.end - 1..<negator.start + 1)
        }
    }
}
