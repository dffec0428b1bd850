/// Learns a tone model from examples: multinomial logistic regression by stochastic gradient steps that shrink where they were taken often
/// (Adagrad). The same examples and seed give the same model.
package struct ToneTraining {
    /// A text and what it says.
    package struct Example: Sendable {
        package let text: String
        package let tone: ToneClass
        /// Examples of one group are variations of one sentence and stay on one side of a split.
        package let group: Int
        /// How often it counts.
        package let weight: Float

        package init(text: String, tone: ToneClass, group: Int, weight: Float = 1) {
            self.text = text
            self.tone = tone
            self.group = group
            self.weight = weight
        }
    }

    /// How well a model does on examples that it did not learn from.
    package struct Report: Sendable {
        package var right = 0
        package var all = 0
        /// By what was meant, then what was read.
        package var confusion: [[Int]]
    }

    /// Numbers of one course of learning.
    package struct Settings: Sendable {
        package var rounds = 12
        package var rate: Float = 0.25
        /// Pulls weights towards those of the model it starts from, or to nothing.
        package var decay: Float = 2e-5
        package var smoothing: Float = 0.06
        package var seed: UInt64 = 20_261_121

        package init() {}

        /// For a few labels of an installation: small steps, so that nothing learnt before is lost.
        package static var correction: Settings {
            var settings = Settings()
            settings.rounds = 6
            settings.rate = 0.02
            return settings
        }
    }

    private struct Sample {
        var features: ToneFeatures
        var tone: Int
        var group: Int
        var weight: Float
    }

    private let samples: [Sample]
    private let settings: Settings

    /// Reads the features of all examples.
    package init(_ examples: [Example], settings: Settings = Settings()) throws(RuleError) {
        let book = try PhraseBook.builtin()
        samples = examples.enumerated().map { number, example in
            // Every third one speaks for itself.
            Sample(
                features: ToneFeatures(
                    example.text, tally: Tally(example.text, book: book), book: book, hearsRules: number % 3 != 2),
                tone: example.tone.rawValue, group: example.group, weight: example.weight)
        }
        self.settings = settings
    }

    /// A model of all examples, its temperature set on `parts` models that each left one part out; and how well those did.
    package func model(parts: Int = 5) -> (model: ToneModel, report: Report) {
        let classes = ToneClass.allCases.count
        var report = Report(confusion: .init(repeating: .init(repeating: 0, count: classes), count: classes))
        var held: [(scores: [Float], tone: Int)] = []
        for part in 0..<parts {
            let weights = learn(samples.filter { $0.group % parts != part })
            let model = ToneModel(places: ToneFeatures.places, temperature: 1, weights: weights)
            for sample in samples where sample.group % parts == part {
                let scores = model.scores(sample.features)
                held.append((scores, sample.tone))
                let read = scores.indices.max { scores[$0] < scores[$1] } ?? 0
                report.all += 1
                if read == sample.tone { report.right += 1 }
                report.confusion[sample.tone][read] += 1
            }
        }
        var best: (loss: Double, temperature: Float) = (.infinity, 1)
        for step in 0..<24 {
            let temperature = 0.5 + Float(step) * 0.1
            let loss = held.reduce(0.0) { $0 - Self.logarithm(Double(ToneModel.softmax($1.scores, temperature: temperature)[$1.tone])) }
            if loss < best.loss { best = (loss, temperature) }
        }
        return (ToneModel(places: ToneFeatures.places, temperature: best.temperature, weights: learn(samples)), report)
    }

    /// `base` moved towards these examples: what they say nothing about stays as it was.
    package func model(from base: ToneModel) -> ToneModel {
        ToneModel(places: base.places, temperature: base.temperature, weights: learn(samples, from: base.weights))
    }

    private func learn(_ samples: [Sample], from base: [Float]? = nil) -> [Float] {
        let classes = ToneClass.allCases.count
        var weights = base ?? [Float](repeating: 0, count: ToneFeatures.places * classes)
        var squares = [Float](repeating: 0.01, count: weights.count)
        var counts = [Float](repeating: 0, count: classes)
        for sample in samples { counts[sample.tone] += sample.weight }
        let mean = counts.reduce(0, +) / Float(classes)
        var random = settings.seed
        var order = Array(samples.indices)
        for _ in 0..<settings.rounds {
            for i in order.indices.dropFirst().reversed() {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                order.swapAt(i, Int(random >> 33) % (i + 1))
            }
            for index in order {
                let sample = samples[index]
                var scores = [Float](repeating: 0, count: classes)
                for (place, value) in sample.features.entries {
                    for k in 0..<classes { scores[k] += value * weights[place * classes + k] }
                }
                let chances = ToneModel.softmax(scores, temperature: 1)
                // Rare classes count more, though not as much more as they are rarer.
                let balance = base == nil ? (mean / max(1, counts[sample.tone])).squareRoot() : 1
                for k in 0..<classes {
                    let wanted = k == sample.tone ? 1 - settings.smoothing : settings.smoothing / Float(classes - 1)
                    let slope = (chances[k] - wanted) * balance * sample.weight
                    guard abs(slope) > 1e-4 else { continue }
                    for (place, value) in sample.features.entries {
                        let at = place * classes + k
                        let gradient = slope * value + settings.decay * (weights[at] - (base?[at] ?? 0))
                        squares[at] += gradient * gradient
                        weights[at] -= settings.rate * gradient / squares[at].squareRoot()
                    }
                }
            }
        }
        return weights
    }

    private static func logarithm(_ x: Double) -> Double {
        // By the exponent and a series for the rest; no outside library on this floor.
        guard x > 1e-12 else { return -27.6 }
        let m = x.significand
        let t = (m - 1) / (m + 1)
        let square = t * t
        return Double(x.exponent) * 0.693_147_180_559_945 + 2 * t * (1 + square / 3 + square * square / 5 + square * square * square / 7)
    }
}
