import Toml

/// The words of `classify/banners.toml`, folded.
struct BannerWords: Sendable {
    enum Kind: String, CaseIterable {
        case outside, mail, caution, this, origin, act, thing, no, trust, person, often, reason
    }

    private var exact: [[UInt8]: [Kind]] = [:]
    private var beginnings: [(bytes: [UInt8], kind: Kind)] = []
    /// Of scripts without spaces: they stand anywhere in a run.
    private var unspaced: [(bytes: [UInt8], kind: Kind)] = []

    private func kinds(of word: ArraySlice<UInt8>) -> [Kind] {
        if word.first.map({ $0 >= 0xE3 }) == true { return unspaced.filter { word.firstRange(of: $0.bytes) != nil }.map(\.kind) }
        return exact[Array(word)] ?? beginnings.filter { word.starts(with: $0.bytes) }.map(\.kind)
    }

    /// How many words of each kind a text has, and where the first of each stands.
    struct Found {
        private(set) var count = 0
        private var numbers: [Kind: (count: Int, first: Int)] = [:]

        init(_ text: ArraySlice<UInt8>, _ words: BannerWords) {
            for word in Folding.phrase(String(decoding: text.map { $0 == 0x0A ? 0x20 : $0 }, as: UTF8.self)).split(separator: 0x20) {
                for kind in words.kinds(of: word) { numbers[kind, default: (0, count)].count += 1 }
                count += 1
            }
        }

        subscript(kind: Kind) -> Int { numbers[kind]?.count ?? 0 }

        func first(_ kind: Kind) -> Int { numbers[kind]?.first ?? .max }
    }

    /// Read once, by the first reply.
    static let builtin = Result<BannerWords, RuleError> { () throws(RuleError) in
        try BannerWords(RuleFile(builtin: "classify/banners.toml"))
    }

    init(_ file: RuleFile) throws(RuleError) {
        guard case .table(let table)? = file.document.root["words"] else { throw file.fault(["words"], "the table [words] is missing") }
        for kind in Kind.allCases {
            guard case .string(let text)? = table[kind.rawValue] else {
                throw file.fault(["words", .key(kind.rawValue)], "the words for '\(kind.rawValue)' are missing")
            }
            for word in text.utf8.split(whereSeparator: { $0 <= 0x20 }) {
                let isOpen = word.last == 0x2A
                let key = Array(
                    Folding.phrase(String(decoding: Array(isOpen ? word.dropLast() : word), as: UTF8.self)).dropFirst().dropLast())
                if let first = key.first, first >= 0xE3 {
                    unspaced.append((key, kind))
                } else if isOpen {
                    beginnings.append((key, kind))
                } else {
                    exact[key, default: []].append(kind)
                }
            }
        }
    }
}
