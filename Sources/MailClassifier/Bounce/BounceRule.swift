import Toml

/// One rule of a file: what must hold, and what it means then.
struct BounceRule {
    static let keys = ["class", "any", "status", "code", "scope", "permanent", "action", "wait", "suppress_after", "example", "note"]
    /// The longest `wait`.
    private static let longestWait = 30 * 86_400

    let verdict: BounceRules.Verdict
    /// One of them must occur; empty: whatever the words are.
    let phrases: [[UInt8]]
    let statuses: [[Int?]]
    let codes: [[UInt8]]
    /// Replies that it must be the first to take.
    let examples: [String]
    /// Where it stands, for faults.
    let file: String
    let line: Int

    init(_ table: TomlTable, in file: RuleFile, at path: [TomlStep]) throws(RuleError) {
        for entry in table.entries where !Self.keys.contains(entry.key) {
            throw file.fault(path + [.key(entry.key)], "unknown key '\(entry.key)'; the keys are \(Self.keys.joined(separator: ", "))")
        }
        let failureClass: FailureClass = try Self.word(table, "class", file, path)
        let scope = table["scope"] == nil ? failureClass.scope : try Self.word(table, "scope", file, path)
        let action = table["action"] == nil ? failureClass.action : try Self.word(table, "action", file, path)
        var permanent = failureClass.isPermanent
        if let value = table["permanent"] {
            guard case .bool(let flag) = value else { throw file.fault(path + ["permanent"], "'permanent' must be true or false") }
            permanent = flag
        }
        // A usual wait belongs to the usual action; one that is written belongs to any.
        var wait = action == failureClass.action ? failureClass.wait : nil
        if let value = table["wait"] {
            guard case .string(let text) = value, let seconds = Self.seconds(text), seconds <= Self.longestWait else {
                throw file.fault(path + ["wait"], "'wait' is a time such as \"90s\", \"15m\", \"6h\" or \"2d\"")
            }
            wait = .seconds(seconds)
        }
        var suppressAfter = failureClass.suppressAfter
        if let value = table["suppress_after"] {
            guard case .string(let text) = value, let limit = Self.suppressAfter(text) else {
                throw file.fault(
                    path + ["suppress_after"], "'suppress_after' is a count and days such as \"2 in 7d\", or \"never\"")
            }
            suppressAfter = limit.count == 0 ? nil : limit
        }
        line = file.document.line(near: path)
        self.file = file.name
        verdict = BounceRules.Verdict(
            failureClass: failureClass, scope: scope, permanent: permanent, action: action, wait: wait,
            suppressAfter: suppressAfter, ruleID: "\(file.name):\(line)",
            isByCode: table["any"] == nil, isExact: table["permanent"] != nil)
        statuses = try Self.strings(table["status"], file, path + ["status"]).map { status throws(RuleError) in
            let parts = status.utf8.split(separator: 0x2E).map { String(decoding: Array($0), as: UTF8.self) }
            guard parts.count == 3, parts.allSatisfy({ $0 == "*" || Int($0) != nil }) else {
                throw file.fault(path + ["status"], "a status is three numbers or * with dots, as in \"5.1.1\" or \"*.7.*\"")
            }
            return parts.map { Int($0) }
        }
        codes = try Self.strings(table["code"], file, path + ["code"]).map { code throws(RuleError) in
            let bytes = Array(code.utf8)
            guard bytes.count == 3, bytes.allSatisfy({ $0.isDigit || $0 == 0x2E }) else {
                throw file.fault(path + ["code"], "a code is three digits, a dot for any digit, as in \"550\" or \"4..\"")
            }
            return bytes
        }
        examples = try Self.strings(table["example"], file, path + ["example"])
        switch table["any"] {
        case nil: phrases = []
        case .string(let text)?:
            phrases = file.lines(of: text, at: path + ["any"]).map(\.bytes)
            guard !phrases.isEmpty else { throw file.fault(path + ["any"], "'any' is a text with one phrase a line") }
        default: throw file.fault(path + ["any"], "'any' is a text with one phrase a line")
        }
        guard !phrases.isEmpty || !statuses.isEmpty || !codes.isEmpty else {
            throw file.fault(path, "a rule needs 'any', 'status' or 'code'")
        }
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ table: TomlTable, _ key: String, _ file: RuleFile, _ path: [TomlStep]
    ) throws(RuleError) -> Word {
        guard case .string(let name)? = table[key], let word = Word(rawValue: name) else {
            throw file.fault(path + [.key(key)], "'\(key)' must be one of \(Word.allCases.map(\.rawValue).joined(separator: " "))")
        }
        return word
    }

    private static func strings(_ value: TomlValue?, _ file: RuleFile, _ path: [TomlStep]) throws(RuleError) -> [String] {
        switch value {
        case nil: return []
        case .string(let text)?: return [text]
        case .array(let elements)?:
            var texts: [String] = []
            for element in elements {
                guard case .string(let text) = element else { throw file.fault(path, "must be a string or a list of strings") }
                texts.append(text)
            }
            return texts
        default: throw file.fault(path, "must be a string or a list of strings")
        }
    }

    private static func seconds(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        let units: [UInt8: Int] = [UInt8(ascii: "s"): 1, UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3600, UInt8(ascii: "d"): 86_400]
        guard (2...7).contains(bytes.count), let last = bytes.last, let unit = units[last], bytes.dropLast().allSatisfy(\.isDigit) else {
            return nil
        }
        return bytes.dropLast().reduce(0) { $0 * 10 + Int($1 - 0x30) } * unit
    }

    /// `2 in 7d`; a count of 0 for `never`.
    private static func suppressAfter(_ text: String) -> SuppressAfter? {
        if text.utf8.elementsEqual("never".utf8) { return SuppressAfter(count: 0, days: 0) }
        let words = text.utf8.split(separator: 0x20).map { Array($0) }
        guard words.count == 3, words[1] == Array("in".utf8), (1...3).contains(words[0].count), words[0].allSatisfy(\.isDigit),
            words[2].last == UInt8(ascii: "d"), let seconds = seconds(String(decoding: words[2], as: UTF8.self)),
            (1...366).contains(seconds / 86_400)
        else { return nil }
        let count = words[0].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return count == 0 ? nil : SuppressAfter(count: count, days: seconds / 86_400)
    }
}
