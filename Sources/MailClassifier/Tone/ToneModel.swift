import Embedded

/// A linear model from features to what a person's words say, with probabilities that mean how often such an answer is right.
///
/// The file: `PTM1`, the number of places (4 octets, least significant first), the number of classes (1), the temperature and the size of one
/// step as IEEE 754 singles (4 each), then one signed octet for each place and class.
package struct ToneModel: Sendable {
    static let magic = Array("PTM1".utf8)
    static let headerSize = 17

    let places: Int
    /// Divides the scores before they become probabilities.
    let temperature: Float
    /// What one step of a weight is worth.
    let step: Float
    /// Weights in steps, by place, then class.
    let steps: [Int8]

    /// Weights lose what lies below one 127th of the largest.
    init(places: Int, temperature: Float, weights: [Float]) {
        let largest = weights.reduce(Float(0)) { max($0, abs($1)) }
        let step = largest > 0 ? largest / 127 : 1
        self.places = places
        self.temperature = temperature
        self.step = step
        steps = weights.map { Int8(max(-127, min(127, ($0 / step).rounded()))) }
    }

    /// Weights by place, then class.
    var weights: [Float] { steps.map { Float($0) * step } }

    /// The model that the binary carries.
    package static func builtin() throws(RuleError) -> ToneModel {
        guard let file = EmbeddedFile.named("classify/tone.model"), let model = ToneModel(parsing: file.bytes) else {
            throw RuleError(
                code: .missing, file: "builtin:classify/tone.model", line: 1,
                message: "the binary carries no usable tone model; build it again")
        }
        return model
    }

    /// Nil when the bytes are no model of this shape.
    package init?(parsing bytes: [UInt8]) {
        let classes = ToneClass.allCases.count
        guard bytes.count >= Self.headerSize, bytes.starts(with: Self.magic), bytes[8] == classes else { return nil }
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
        let places = Int(word(4))
        let temperature = Float(bitPattern: word(9))
        let step = Float(bitPattern: word(13))
        guard places == ToneFeatures.places, bytes.count == Self.headerSize + places * classes, temperature.isNormal, temperature > 0,
            step.isFinite
        else { return nil }
        self.places = places
        self.temperature = temperature
        self.step = step
        steps =
            bytes[Self.headerSize...].withContiguousStorageIfAvailable { storage in
                storage.withMemoryRebound(to: Int8.self) { Array($0) }
            } ?? []
    }

    /// The file form.
    package var encoded: [UInt8] {
        func octets(_ word: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        var bytes = Self.magic + octets(UInt32(places)) + [UInt8(ToneClass.allCases.count)]
        bytes += octets(temperature.bitPattern) + octets(step.bitPattern)
        bytes += steps.map { UInt8(bitPattern: $0) }
        return bytes
    }

    func scores(_ features: ToneFeatures) -> [Float] {
        let classes = ToneClass.allCases.count
        var scores = [Float](repeating: 0, count: classes)
        for (place, value) in features.entries {
            let start = place * classes
            for k in 0..<classes { scores[k] += value * Float(steps[start + k]) }
        }
        return scores.map { $0 * step }
    }

    /// By class; they add up to 1.
    func probabilities(_ features: ToneFeatures) -> [Float] { Self.softmax(scores(features), temperature: temperature) }

    static func softmax(_ scores: [Float], temperature: Float) -> [Float] {
        let top = scores.max() ?? 0
        let powers = scores.map { exponential(Double(($0 - top) / temperature)) }
        let sum = powers.reduce(0, +)
        return powers.map { Float($0 / sum) }
    }

    /// e to the power of a number that is not positive, to about nine digits.
    private static func exponential(_ x: Double) -> Double {
        guard x > -40 else { return 0 }
        var result = 1.0
        let y = x / 1024
        result = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4)))
        for _ in 0..<10 { result *= result }
        return result
    }
}
