import Foundation

/// Which variant of a message is answered most, and how sure that is.
///
/// The best is compared with each other one by the test of two proportions with a pooled share; with several others the chance of an error is
/// multiplied by their number (Bonferroni). Nobody is chosen before each variant has gone to `floor` people.
package struct VariantTrial: Sendable {
    package struct Arm: Sendable, Equatable {
        package let name: String
        /// Messages that were accepted.
        package let sent: Int
        /// How many of them were answered.
        package let replied: Int

        package init(name: String, sent: Int, replied: Int) {
            self.name = name
            self.sent = max(0, sent)
            self.replied = min(max(0, replied), max(0, sent))
        }

        var share: Double { sent == 0 ? 0 : Double(replied) / Double(sent) }
    }

    package enum Verdict: Sendable, Equatable {
        /// There is nothing to compare.
        case alone
        /// A variant has not gone to enough people yet.
        case tooFew(name: String, sent: Int, floor: Int)
        /// The best may be so by chance. Confidence is 0 ... 1.
        case undecided(best: String, confidence: Double)
        case winner(name: String, confidence: Double)
    }

    /// Least number of people for each variant.
    package static let floor = 30

    package let arms: [Arm]

    package init(_ arms: [Arm]) { self.arms = arms }

    /// - Parameter confidence: how sure it must be, 0 ..< 1.
    package func verdict(confidence wanted: Double = 0.95) -> Verdict {
        guard arms.count > 1 else { return .alone }
        if let small = arms.min(by: { $0.sent < $1.sent }), small.sent < Self.floor {
            return .tooFew(name: small.name, sent: small.sent, floor: Self.floor)
        }
        // Of two that are equal the first is named, and it is no winner.
        let place = arms.indices.reduce(0) { arms[$1].share > arms[$0].share ? $1 : $0 }
        let best = arms[place]
        let others = arms.indices.filter { $0 != place }.map { arms[$0] }
        let worst = others.map { Self.chanceOfError(best, $0) }.max() ?? 1
        let confidence = max(0, 1 - worst * Double(others.count))
        return confidence >= wanted ? .winner(name: best.name, confidence: confidence) : .undecided(best: best.name, confidence: confidence)
    }

    /// How likely shares that lie so far apart are when there is no difference: of both sides.
    private static func chanceOfError(_ a: Arm, _ b: Arm) -> Double {
        let pooled = Double(a.replied + b.replied) / Double(a.sent + b.sent)
        let spread = (pooled * (1 - pooled) * (1 / Double(a.sent) + 1 / Double(b.sent))).squareRoot()
        guard spread > 0 else { return 1 }
        return erfc(abs(a.share - b.share) / spread / 2.0.squareRoot())
    }
}

extension VariantTrial.Verdict {
    /// For a person; nil when there is nothing to say.
    package var words: String? {
        func percent(_ value: Double) -> String {
            "\(Int((value * 1000).rounded(.down)) / 10).\(Int((value * 1000).rounded(.down)) % 10) %"
        }
        switch self {
        case .alone: return nil
        case .tooFew(let name, let sent, let floor): return "no winner yet: '\(name)' went to \(sent) people, and \(floor) are needed"
        case .undecided(let best, let confidence):
            return "no winner yet: '\(best)' is ahead by replies, with a confidence of \(percent(confidence))"
        case .winner(let name, let confidence): return "'\(name)' wins by replies, with a confidence of \(percent(confidence))"
        }
    }
}
