import Toml

/// All phrases of all languages in one matcher.
///
/// A phrase file is a list of `[[phrases]]` tables: `means`, `strength`, and `text` with one phrase a line. In a phrase `*` stands for up to
/// six words, `word*` for any ending, `^` in front for the beginning of a sentence and `$` behind for its end. Case, diacritics, apostrophes
/// and punctuation do not count. The languages are read together: a reply often mixes two of them, and headers lie about which.
struct PhraseBook: Sendable {
    struct Phrase: Sendable {
        var meaning: Meaning
        var strength: Strength
        var atStart: Bool
        var atEnd: Bool
        var file: Int
        var line: Int
    }

    struct Hit: Sendable {
        var meaning: Meaning
        var strength: Strength
        var start: Int
        var end: Int
        var phrase: Int
        /// The number of the rule file: of the language.
        var file: Int
    }

    static let builtinLanguages = ["en", "de", "fr", "es", "it", "nl", "pt", "sv", "da", "no", "fi", "pl", "cs", "tr", "ja"]

    /// Phrases in languages that have no file of their own, and that the tone model has not learnt.
    private static let otherLanguages = "others"

    private let files: [String]
    /// The file that is no language: the words of mail systems.
    private let systemFile: Int?
    private let phrases: [Phrase]
    private let matcher: PhraseMatcher

    static func builtin() throws(RuleError) -> PhraseBook {
        var files: [RuleFile] = []
        for language in builtinLanguages + [otherLanguages, "reports"] { files.append(try RuleFile(builtin: "classify/\(language).toml")) }
        return try PhraseBook(files)
    }

    init(_ files: [RuleFile]) throws(RuleError) {
        var phrases: [Phrase] = []
        var patterns: [[[UInt8]]] = []
        for (number, file) in files.enumerated() {
            for (index, table) in try file.tables("phrases").enumerated() {
                let path: [TomlStep] = ["phrases", .index(index)]
                for entry in table.entries where !["means", "strength", "text"].contains(entry.key) {
                    throw file.fault(path + [.key(entry.key)], "unknown key '\(entry.key)'; the keys are means, strength and text")
                }
                guard case .string(let name)? = table["means"], let meaning = Meaning(rawValue: name) else {
                    throw file.fault(path + ["means"], "'means' must be one of \(Meaning.allCases.map(\.rawValue).joined(separator: " "))")
                }
                var strength = Strength.strong
                if let value = table["strength"] {
                    guard case .string(let name) = value, let known = Strength(rawValue: name) else {
                        throw file.fault(path + ["strength"], "'strength' must be certain, strong, fair or hint")
                    }
                    strength = known
                }
                guard case .string(let text)? = table["text"] else { throw file.fault(path, "'text' is missing; write one phrase a line") }
                for (line, text) in file.lines(of: text, at: path + ["text"]) {
                    let (fragments, atStart, atEnd) = Self.parse(text[...])
                    guard !fragments.isEmpty, !text.contains(0x2A) || !Self.hasMisplacedStar(text) else {
                        throw RuleError(
                            code: .content, file: file.name, line: line,
                            message: "'*' stands alone or at the end of a word, and a phrase needs a word")
                    }
                    patterns.append(fragments)
                    phrases.append(Phrase(meaning: meaning, strength: strength, atStart: atStart, atEnd: atEnd, file: number, line: line))
                }
            }
        }
        self.files = files.map(\.name)
        systemFile = files.firstIndex { $0.name.utf8.elementsEqual("builtin:classify/reports.toml".utf8) }
        self.phrases = phrases
        matcher = PhraseMatcher(patterns)
    }

    /// The fragments of a phrase as written, and whether it is bound to the beginning or the end of a sentence.
    static func parse(_ text: ArraySlice<UInt8>) -> (fragments: [[UInt8]], atStart: Bool, atEnd: Bool) {
        // Most phrases are words of small letters with one space between them, and are folded as they stand.
        var isPlain = true
        var last: UInt8 = 0x20
        for byte in text {
            guard byte &- 0x61 < 26 || byte == 0x20 && last != 0x20 else {
                isPlain = false
                break
            }
            last = byte
        }
        if isPlain, last != 0x20 {
            var plain: [UInt8] = []
            plain.reserveCapacity(text.count + 2)
            plain.append(0x20)
            plain += text
            plain.append(0x20)
            return ([plain], false, false)
        }
        var words = text.split(separator: 0x20).map { Array($0) }
        let atStart = words.first == [0x5E]
        if atStart { words.removeFirst() }
        let atEnd = words.last == [0x24]
        if atEnd { words.removeLast() }
        var fragments: [[UInt8]] = []
        for group in words.split(separator: [0x2A]) {
            var group = Array(group)
            let open = group.last?.last == 0x2A
            if open { group[group.count - 1].removeLast() }
            var bytes = folded(group)
            guard bytes.count > 2 else { continue }
            // Scripts without spaces have no word edges to hold on to.
            if isUnspaced(bytes[1...]) { bytes.removeFirst() }
            if open || endsUnspaced(bytes) { bytes.removeLast() }
            fragments.append(bytes)
        }
        return (fragments, atStart, atEnd)
    }

    private static func hasMisplacedStar(_ text: [UInt8]) -> Bool {
        text.split(separator: 0x20).contains { $0.count > 1 && $0.dropLast().contains(0x2A) }
    }

    /// The words as folded text; most rules are written folded, and need no more than spaces.
    private static func folded(_ words: [[UInt8]]) -> [UInt8] {
        let joined = Array(words.joined(separator: [0x20]))
        if joined.allSatisfy({ $0 == 0x20 || $0.isDigit || $0 &- 0x61 < 26 }) { return joined.isEmpty ? [] : [0x20] + joined + [0x20] }
        return Folding.phrase(String(decoding: joined, as: UTF8.self))
    }

    private static func isUnspaced(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.first ?? 0 >= 0x80 else { return false }
        return String(decoding: bytes.prefix(4), as: UTF8.self).unicodeScalars.first.map { Folding.isUnspaced($0.value) } ?? false
    }

    private static func endsUnspaced(_ bytes: [UInt8]) -> Bool {
        guard bytes.dropLast().last ?? 0 >= 0x80 else { return false }
        return String(decoding: bytes.dropLast(), as: UTF8.self).unicodeScalars.last.map { Folding.isUnspaced($0.value) } ?? false
    }

    /// The phrases found in folded bytes, by where they end.
    func hits(in bytes: [UInt8]) -> [Hit] {
        matcher.hits(in: bytes).compactMap { hit in
            let phrase = phrases[hit.phrase]
            if phrase.atStart, hit.start > 0 { return nil }
            if phrase.atEnd, hit.end < bytes.count { return nil }
            return Hit(
                meaning: phrase.meaning, strength: phrase.strength, start: hit.start, end: hit.end, phrase: hit.phrase, file: phrase.file)
        }
    }

    /// The files whose language these hits are probably in, by their commonest words; nil when nothing tells.
    ///
    /// Short texts may be in several; a language with less than half of the best one's words is none of them. `isSure` tells whether
    /// more than one word spoke for the best.
    func languages(of hits: some Sequence<Hit>) -> (files: Set<Int>, isSure: Bool)? {
        var counts: [Int: Int] = [:]
        for hit in hits where hit.meaning == .common { counts[hit.file, default: 0] += 1 }
        guard let best = counts.values.max() else { return nil }
        var languages = Set(counts.filter { $0.value * 2 > best }.keys)
        if let systemFile { languages.insert(systemFile) }
        return (languages, best > 1)
    }

    /// Whether the phrase that evidence names so is in a language that the tone model has not learnt.
    static func isUnlearnt(_ rule: String) -> Bool { rule.utf8.starts(with: "builtin:classify/\(otherLanguages).toml:".utf8) }

    /// How evidence names a phrase: `builtin:classify/en.toml:12`.
    func ruleID(_ phrase: Int) -> String { "\(files[phrases[phrase].file]):\(phrases[phrase].line)" }
}
