/// What the tone model looks at in a text: hashed words, pairs of words, beginnings and pieces of words, what stands under a negation, marks
/// and places, and which phrases of the rules were found.
struct ToneFeatures: Sendable {
    /// Features of one text that are kept; a longer text says nothing more.
    static let limit = 4000
    /// The number of places of a model: a power of two.
    static let places = 1 << 16

    /// Places in the model, ascending, each once, with their weights.
    private(set) var entries: [(place: Int, value: Float)] = []

    /// The places of words and of pieces of words alone, in scripts that write spaces between words.
    private(set) var vocabulary: Set<Int> = []
    /// Different words in scripts that write spaces between them.
    private(set) var wordCount = 0

    private struct Collector {
        var words: Set<UInt32> = []
        var alone: Set<UInt32> = []
        var vocabulary: Set<UInt32> = []
        var marks: Set<UInt32> = []
    }

    /// - Parameter hearsRules: false leaves out what the rules found, so that training relies on the words as well.
    init(_ text: String, tally: Tally, book: PhraseBook, hearsRules: Bool = true) {
        var collector = Collector()
        let sentences = Folding.sentences(text)
        for (number, sentence) in sentences.enumerated() {
            let negators = book.hits(in: sentence.bytes).filter { $0.meaning == .negator }
            Self.add(sentence, negators: negators, isFirst: number == 0, isLast: number == sentences.count - 1, to: &collector)
            if collector.words.count >= Self.limit { break }
        }
        func mark(_ name: String) { collector.marks.insert(Self.hash(name.utf8, seed: 7)) }
        mark("bias")
        // The model has not learnt of threats: they decide without it.
        for meaning in Meaning.allCases where hearsRules && meaning != .threat {
            let score = tally[meaning]
            if score >= 0.39 { mark("says \(meaning.rawValue)") }
            if score >= 0.6 { mark("clearly \(meaning.rawValue)") }
            if score >= 0.86 { mark("strongly \(meaning.rawValue)") }
            if score >= 0.95 { mark("certainly \(meaning.rawValue)") }
        }
        let ruled = ToneReader(tally, isEmpty: sentences.isEmpty)
        if hearsRules { mark("rule \(ruled.messageClass.rawValue) \(ruled.intent?.rawValue ?? "")") }
        let words = sentences.reduce(0) { $0 + $1.bytes.count(where: { $0 == 0x20 }) - 1 }
        mark("length \(words < 2 ? 1 : words < 4 ? 3 : words < 8 ? 7 : words < 20 ? 19 : words < 50 ? 49 : 99)")
        if tally.asks { mark("asks") }
        let bytes = Array(text.utf8.prefix(8000))
        if bytes.contains(0x40), !AddressFinder.addresses(in: bytes[...]).isEmpty { mark("address") }
        if bytes.contains(0x21) { mark("exclaims") }
        if bytes.indices.dropLast(2).contains(where: { bytes[$0] == 0x3A && bytes[$0 + 1] == 0x2F && bytes[$0 + 2] == 0x2F }) {
            mark("link")
        }

        vocabulary = Set(collector.vocabulary.map { Int($0) & (Self.places - 1) })
        wordCount = collector.alone.count
        var values: [Int: Float] = [:]
        // A long text is not surer than a short one.
        let scale = 3 / Float(max(1, collector.words.count)).squareRoot()
        for hash in collector.words { values[Int(hash) & (Self.places - 1), default: 0] += scale }
        for hash in collector.marks { values[Int(hash) & (Self.places - 1), default: 0] += 0.7 }
        entries = values.map { ($0.key, $0.value) }.sorted { $0.place < $1.place }
    }

    private static func add(
        _ sentence: FoldedSentence, negators: [PhraseBook.Hit], isFirst: Bool, isLast: Bool, to collector: inout Collector
    ) {
        // More than any sentence of a person has.
        let negators = negators.prefix(100)
        var words: [(bytes: ArraySlice<UInt8>, isNegated: Bool)] = []
        var i = 1
        while i < sentence.bytes.count {
            var end = i
            while end < sentence.bytes.count, sentence.bytes[end] != 0x20 { end += 1 }
            let isNegated = negators.contains { $0.end <= i + 1 && i - $0.end <= 28 && !sentence.hasComma(in: $0.end - 1..<i) }
            if end > i { words.append((sentence.bytes[i..<end], isNegated)) }
            i = end + 1
        }
        func add(_ seed: UInt32, _ parts: ArraySlice<UInt8>...) {
            var hash = seed &* 0x9E37_79B1 ^ 0x811C_9DC5
            for part in parts {
                for byte in part { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
                hash = (hash ^ 0x1F) &* 0x0100_0193
            }
            hash = Self.mixed(hash)
            collector.words.insert(hash)
            guard seed == 1 || seed == 24, parts[0].first ?? 0xE0 < 0xE0 else { return }
            collector.vocabulary.insert(hash)
            if seed == 1 { collector.alone.insert(hash) }
        }
        for (number, word) in words.enumerated() {
            add(1, word.bytes)
            if word.isNegated { add(2, word.bytes) }
            if number > 0 { add(3, words[number - 1].bytes, word.bytes) }
            if number > 1 { add(4, words[number - 2].bytes, words[number - 1].bytes, word.bytes) }
            if number > 1 { add(12, words[number - 2].bytes, word.bytes) }
            if word.bytes.count > 5 { add(5, word.bytes.prefix(5)) }
            if number == 0, isFirst { add(6, word.bytes) }
            if number == words.count - 1, isLast { add(7, word.bytes) }
            if sentence.isQuestion { add(8, word.bytes) }
            pieces(of: word.bytes, add)
        }
        if let first = words.first { add(9, first.bytes) }
        if words.count > 1 { add(10, words[0].bytes, words[1].bytes) }
        if words.count <= 3 { add(11, sentence.bytes[...]) }
    }

    /// Pieces of four letters; of scripts that do not separate words, of two and three.
    private static func pieces(of word: ArraySlice<UInt8>, _ add: (UInt32, ArraySlice<UInt8>...) -> Void) {
        var starts: [Int] = []
        for i in word.indices where word[i] & 0xC0 != 0x80 { starts.append(i) }
        starts.append(word.endIndex)
        let isWide = word.first.map { $0 >= 0xE0 } ?? false
        for length in isWide ? [1, 2, 3] : [4] {
            guard starts.count > length else { continue }
            for k in 0..<(starts.count - length) { add(20 + UInt32(length), word[starts[k]..<starts[k + length]]) }
        }
    }

    private static func hash(_ bytes: some Sequence<UInt8>, seed: UInt32) -> UInt32 {
        var hash = seed &* 0x9E37_79B1 ^ 0x811C_9DC5
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return mixed(hash)
    }

    private static func mixed(_ hash: UInt32) -> UInt32 {
        var hash = hash
        hash ^= hash >> 15
        hash = hash &* 0x2C1B_3C6D
        hash ^= hash >> 12
        hash = hash &* 0x297A_2D39
        return hash ^ hash >> 15
    }
}
