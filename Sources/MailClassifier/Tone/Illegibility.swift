/// Why a body is no text that somebody wrote to be read: what the model says of it is chance, and a person should look.
///
/// Words of the rules count for more: where they are plain, the text is read. The raw value names the reason in the evidence.
enum Illegibility: String {
    /// Octets that are text in no charset.
    case controls = "unreadable:control-characters"
    /// Base64 and the like, boundaries and header lines of parts.
    case encoded = "unreadable:encoded-data"
    /// No language that the model has learnt: of these words it knows no more than of any letters.
    case unknown = "unreadable:unknown-words"

    /// More than this share of characters that are none is no slip of a charset.
    private static let controlShare = 0.06
    /// Of words by chance the model knows as many as its places are taken; this share of the others must be known besides. Measured: text in the
    /// languages of the model has a third of them and more from fifteen words on.
    private static let learntShare = 0.2
    /// Of fewer words the share says too little.
    private static let fewestWords = 12
    private static let scalarLimit = 40_000

    init?(_ text: String, features: ToneFeatures, tally: Tally, model: ToneModel) {
        func says(_ meanings: Meaning...) -> Bool { meanings.contains { tally[$0] >= ToneReader.threshold } }
        if says(.unsubscribe, .erasure, .threat) { return nil }
        if Self.holdsControls(text) {
            self = .controls
            return
        }
        if says(.positive, .meet, .negative, .notNow, .referral, .leftCompany) { return nil }
        if Self.isEncoded(text) {
            self = .encoded
        } else if features.wordCount >= Self.fewestWords,
            model.share(known: features.vocabulary) < model.occupancy + Self.learntShare * (1 - model.occupancy)
        {
            self = .unknown
        } else {
            return nil
        }
    }

    private static func holdsControls(_ text: String) -> Bool {
        var all = 0
        var controls = 0
        // Marks of Latin-1 that sentences hardly hold: what is left of octets where control characters were taken out.
        var marks = 0
        for scalar in text.unicodeScalars.prefix(scalarLimit) {
            all += 1
            switch scalar.value {
            case 0xAB, 0xBB, 0xBF: break
            case 0xA2...0xBE: marks += 1
            default: if isControl(scalar) { controls += 1 }
            }
        }
        if marks > 12, Double(marks + controls) > controlShare * Double(all) { return true }
        return controls > 2 && Double(controls) > controlShare * Double(all)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0C, 0x0D: return false
        case 0..<0x20, 0x7F...0x9F, 0xFFFD: return true
        case 0..<0x7F: return false
        default:
            switch scalar.properties.generalCategory {
            case .unassigned, .privateUse: return true
            default: return false
            }
        }
    }

    /// Whether most of the text is lines of data.
    private static func isEncoded(_ text: String) -> Bool {
        var all = 0
        var data = 0
        for line in text.utf8.prefix(scalarLimit).split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            all += line.count
            if isData(Array(line).trimmed) { data += line.count }
        }
        return data * 2 > all
    }

    private static func isData(_ line: ArraySlice<UInt8>) -> Bool {
        if !line.contains(where: { $0 <= 0x20 }) {
            let isBoundary = line.starts(with: "--".utf8) && line.count >= 16 && line.contains(where: \.isDigit)
            return isBoundary || line.count >= 32 && line.allSatisfy(isBase64)
        }
        let name = line.prefix { $0 != 0x3A }.map { $0 | 0x20 }
        return name.count < line.count && (name.starts(with: "content-".utf8) || name.elementsEqual("mime-version".utf8))
    }

    private static func isBase64(_ byte: UInt8) -> Bool { byte.isDigit || byte.isLetter || byte == 0x2B || byte == 0x2F || byte == 0x3D }
}
