import Embedded
package import InternetMessage

/// A linear model from features to what a person's words say, with probabilities that mean how often such an answer is right.
///
/// The file: `PTM` and the digit of the format, the number of places (4 octets, least significant first), the number of classes (1), the temperature and the size of one
/// step as IEEE 754 singles (4 each), then one signed octet for each place and class. Behind these a model that was
/// learnt from an installation's labels has lines of text that say where it is from (``Provenance``).
///
/// A place stands for words, not for languages, and means what ``ToneFeatures`` makes of it: where that changes, the digit of the format must.
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
    /// The share of all places that have a weight: what it knows of words that it never saw.
    let occupancy: Double
    /// nil: it was not learnt from labels.
    package internal(set) var provenance: Provenance?
    /// How evidence names it; nil: the binary carries it.
    package private(set) var name: String?

    /// Where a model of an installation's own is from.
    package struct Provenance: Sendable, Equatable {
        /// The fingerprint of the model that was moved.
        package let base: String
        package let labels: Int
        package let day: CivilDate
    }

    /// Octets that the lines of text at the end may take.
    private static let longestProvenance = 1000
    /// No model file is larger. Octets.
    package static let largest = headerSize + ToneFeatures.places * ToneClass.allCases.count + longestProvenance

    /// Weights lose what lies below one 127th of the largest.
    init(places: Int, temperature: Float, weights: [Float]) {
        let largest = weights.reduce(Float(0)) { max($0, abs($1)) }
        let step = largest > 0 ? largest / 127 : 1
        self.places = places
        self.temperature = temperature
        self.step = step
        steps = weights.map { Int8(max(-127, min(127, ($0 / step).rounded()))) }
        occupancy = Self.occupancy(steps)
    }

    private static func occupancy(_ steps: [Int8]) -> Double {
        let classes = ToneClass.allCases.count
        var taken = 0
        var start = 0
        while start + classes <= steps.count {
            var i = start
            while i < start + classes, steps[i] == 0 { i += 1 }
            if i < start + classes { taken += 1 }
            start += classes
        }
        return steps.isEmpty ? 0 : Double(taken) / Double(steps.count / classes)
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

    /// The model in a file.
    ///
    /// - Parameter name: the file, as evidence and faults name it.
    /// - Throws: `RuleError` that says why it is no model for this program.
    package static func read(_ bytes: [UInt8], named name: String) throws(RuleError) -> ToneModel {
        guard var model = ToneModel(parsing: bytes) else {
            throw RuleError(code: .content, file: name, line: 1, message: fault(in: bytes))
        }
        model.name = "\(name)#\(model.fingerprint)"
        return model
    }

    private static func fault(in bytes: [UInt8]) -> String {
        guard bytes.starts(with: magic.dropLast()) else { return "this is no tone model; 'postrider classify train' writes one" }
        guard bytes.starts(with: magic) else {
            return "a tone model in the format of another version of this program; train it again with this one"
        }
        let whole = headerSize + ToneFeatures.places * ToneClass.allCases.count
        guard (whole...largest).contains(bytes.count) else {
            return
                "a tone model of \(bytes.count) octets where \(whole) and a few are due: it was cut or is of another program; train it again"
        }
        return "a tone model that is damaged; train it again"
    }

    /// Nil when the bytes are no model of this shape.
    package init?(parsing bytes: [UInt8]) {
        let classes = ToneClass.allCases.count
        guard bytes.count >= Self.headerSize, bytes.count <= Self.largest, bytes.starts(with: Self.magic), bytes[8] == classes else {
            return nil
        }
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
        let places = Int(word(4))
        let temperature = Float(bitPattern: word(9))
        let step = Float(bitPattern: word(13))
        let end = Self.headerSize + ToneFeatures.places * classes
        guard places == ToneFeatures.places, bytes.count >= end, temperature.isNormal, temperature > 0, step.isFinite else { return nil }
        if bytes.count > end {
            guard let origin = Provenance(parsing: bytes[end...]) else { return nil }
            provenance = origin
        }
        self.places = places
        self.temperature = temperature
        self.step = step
        steps =
            bytes[Self.headerSize..<end].withContiguousStorageIfAvailable { storage in
                storage.withMemoryRebound(to: Int8.self) { Array($0) }
            } ?? []
        occupancy = Self.occupancy(steps)
    }

    /// Sixteen hexadecimal digits that differ where what the model says differs.
    package var fingerprint: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in weightsEncoded { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The file form.
    package var encoded: [UInt8] { weightsEncoded + (provenance?.encoded ?? []) }

    private var weightsEncoded: [UInt8] {
        func octets(_ word: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        var bytes = Self.magic + octets(UInt32(places)) + [UInt8(ToneClass.allCases.count)]
        bytes += octets(temperature.bitPattern) + octets(step.bitPattern)
        bytes += steps.map { UInt8(bitPattern: $0) }
        return bytes
    }

    /// The share of the places that have a weight: of words it learnt nearly all, of any others as many as chance lets share a place.
    func share(known places: some Collection<Int>) -> Double {
        let classes = ToneClass.allCases.count
        let known = places.count { place in steps[place * classes..<(place + 1) * classes].contains { $0 != 0 } }
        return places.isEmpty ? 1 : Double(known) / Double(places.count)
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

extension ToneModel.Provenance {
    fileprivate var encoded: [UInt8] { Array("base \(base)\nlabels \(labels)\nday \(day.iso8601)\n".utf8) }

    /// Lines of a name and a value; other names are left to later versions.
    fileprivate init?(parsing bytes: ArraySlice<UInt8>) {
        var values: [[UInt8]: ArraySlice<UInt8>] = [:]
        for line in bytes.split(separator: 0x0A) {
            guard let space = line.firstIndex(of: 0x20), line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
            values[Array(line[..<space])] = line[line.index(after: space)...]
        }
        func value(_ name: String) -> String? { values[Array(name.utf8)].map { String(decoding: $0, as: UTF8.self) } }
        let numbers = values[Array("day".utf8)]?.split(separator: UInt8(ascii: "-")).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        guard let base = value("base"), base.utf8.count == 16, let labels = value("labels").flatMap({ Int($0) }), labels >= 0,
            let numbers, numbers.count == 3, let day = CivilDate(year: numbers[0], month: numbers[1], day: numbers[2])
        else { return nil }
        self.init(base: base, labels: labels, day: day)
    }
}
