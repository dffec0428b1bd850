import Toml

/// The names of months and days, and the words that stand around dates, in the languages of `classify/dates.toml`.
struct DateWords: Sendable {
    /// What a word means where dates are read.
    enum Word: Sendable, Equatable {
        case month(Int)
        /// 1 Monday ... 7 Sunday.
        case weekday(Int)
        /// The same, of a name that is a common word elsewhere: "Mon 16" and "mon retour".
        case shortWeekday(Int)
        case back, until, from, next, tomorrow, today, day, week, monthUnit, quarter, year, inWord, the
        /// Behind a number: st, nd, er, ...
        case ordinal
        case number(Int)
        case inclusive
        /// Behind a number: an hour. Before one: how long.
        case clock, lasting
        /// In front of a month: the day from which on it is meant, 15 of "mid May", 31 (its last) of "end of May".
        case part(Int)
    }

    private var exact: [[UInt8]: Word] = [:]
    private var unspaced: [(bytes: [UInt8], word: Word)] = []
    private var prefixes: [(bytes: [UInt8], word: Word)] = []

    static func builtin() throws(RuleError) -> DateWords {
        try DateWords(RuleFile(builtin: "classify/dates.toml"))
    }

    init(_ file: RuleFile) throws(RuleError) {
        for (section, make) in [
            ("months", Word.month), ("weekdays", Word.weekday), ("short_weekdays", Word.shortWeekday),
            ("numbers", Word.number),
        ] as [(String, (Int) -> Word)] {
            guard case .table(let table)? = file.document.root[section] else {
                throw file.fault([.key(section)], "the table [\(section)] is missing")
            }
            for entry in table.entries {
                guard let number = Int(entry.key), case .string(let words) = entry.value else {
                    throw file.fault([.key(section), .key(entry.key)], "write a number, and a text of words")
                }
                add(words, make(number))
            }
        }
        let roles: [(String, Word)] = [
            ("back", .back), ("until", .until), ("from", .from), ("next", .next), ("tomorrow", .tomorrow), ("today", .today), ("day", .day),
            ("week", .week), ("month", .monthUnit), ("quarter", .quarter), ("year", .year), ("in", .inWord), ("the", .the),
            ("ordinal", .ordinal),
            ("inclusive", .inclusive), ("clock", .clock), ("lasting", .lasting), ("middle", .part(15)), ("late", .part(31)),
        ]
        guard case .table(let table)? = file.document.root["words"] else { throw file.fault(["words"], "the table [words] is missing") }
        for (key, word) in roles {
            guard case .string(let words)? = table[key] else {
                throw file.fault(["words", .key(key)], "the words for '\(key)' are missing")
            }
            add(words, word)
        }
    }

    private mutating func add(_ words: String, _ meaning: Word) {
        for word in words.utf8.split(whereSeparator: { $0 <= 0x20 }) {
            let open = word.last == 0x2A
            let folded = Folding.phrase(String(decoding: Array(open ? word.dropLast() : word), as: UTF8.self))
            let key = Array(folded.dropFirst().dropLast())
            if Self.isUnspaced(key) { unspaced.append((key, meaning)) }
            if open { prefixes.append((key, meaning)) } else if exact[key] == nil { exact[key] = meaning }
        }
    }

    /// Han, kana and Hangul, and Thai.
    private static func isUnspaced(_ word: [UInt8]) -> Bool {
        guard let first = word.first else { return false }
        return first >= 0xE3 || first == 0xE0 && word.count > 2 && (0xB8...0xB9).contains(word[1])
    }

    private static func contains(_ needle: [UInt8], in word: [UInt8]) -> Bool {
        guard !needle.isEmpty, word.count >= needle.count else { return false }
        return (0...(word.count - needle.count)).contains { word[$0..<($0 + needle.count)].elementsEqual(needle) }
    }

    /// What a folded word means, nil when it has nothing to do with dates.
    func meaning(of word: [UInt8]) -> Word? {
        if let known = exact[word] { return known }
        // Scripts without spaces: the word stands somewhere in the run.
        if Self.isUnspaced(word) { return unspaced.first { Self.contains($0.bytes, in: word) }?.word }
        guard word.count >= 3 else { return nil }
        return prefixes.first { word.starts(with: $0.bytes) }?.word
    }
}
