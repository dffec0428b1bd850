package import InternetMessage

/// A tone model that learnt from an installation's own labels.
///
/// The labels are learnt beside built-in sentences, so that a handful of them moves what they speak of and nothing else. Every fifth built-in
/// sentence is left out and tells afterwards whether something was lost all the same.
package struct ToneCorrection: Sendable {
    /// A person's own words and what somebody says they mean.
    package struct Label: Sendable {
        package let text: String
        package let tone: ToneClass

        package init(text: String, tone: ToneClass) {
            self.text = text
            self.tone = tone
        }
    }

    /// How many of the built-in sentences that were left out were read right.
    package struct Score: Sendable, Equatable {
        package let right: Int
        package let all: Int

        package var share: Double { all == 0 ? 0 : Double(right) / Double(all) }
    }

    /// By how much the share of right answers may fall: one in a hundred.
    package static let margin = 0.01

    package let model: ToneModel
    package let before: Score
    package let after: Score

    /// Whether the model reads the built-in sentences worse by more than the margin.
    package var isLoss: Bool { before.share - after.share > Self.margin }

    /// - Parameters:
    ///   - base: the model that is moved.
    ///   - day: noted in the model.
    package init(_ labels: [Label], from base: ToneModel, on day: CivilDate) throws(RuleError) {
        let builtin = try ToneExamples(ToneExamples.builtinSources()).examples
        // Groups of labels stand behind all others and are never drawn apart.
        let learnt = labels.map { ToneTraining.Example(text: $0.text, tone: $0.tone, group: 0) }
        let known = builtin.filter { $0.group % Self.parts != 0 }
        let wanted = min(known.count, max(Self.leastBeside, labels.count * Self.besideEach))
        // Evenly over all of them, and so over languages and classes.
        let beside = (0..<wanted).map { known[$0 * known.count / wanted] }
        var model = try ToneTraining(learnt + beside, settings: .correction).model(from: base)
        model.provenance = .init(base: base.fingerprint, labels: labels.count, day: day)
        var seen: Set<Int> = []
        let left = builtin.filter { $0.group % Self.parts == 0 && seen.insert($0.group).inserted }
        let book = try PhraseBook.builtin()
        let samples = left.map { (ToneFeatures($0.text, tally: Tally($0.text, book: book), book: book), $0.tone.rawValue) }
        func score(_ model: ToneModel) -> Score {
            let right = samples.count { features, tone in
                let scores = model.scores(features)
                return scores.indices.max { scores[$0] < scores[$1] } == tone
            }
            return Score(right: right, all: samples.count)
        }
        self.model = model
        before = score(base)
        after = score(model)
    }

    private static let parts = 5
    private static let leastBeside = 400
    /// Built-in examples for each label.
    private static let besideEach = 4
}

extension ToneExamples {
    /// The sentences of the built-in model, as the binary carries them.
    static func builtinSources() throws(RuleError) -> [Source] {
        var sources: [Source] = []
        for language in ["cs", "da", "de", "en", "es", "fi", "fr", "it", "ja", "nl", "no", "pl", "pt", "sv", "tr"] {
            sources.append(Source(name: language, text: String(decoding: try RuleFile.builtinBytes("tone/\(language).txt"), as: UTF8.self)))
        }
        return sources
    }
}
