package import InternetMessage
import Toml

/// Ordered rules from the words of a refusal to its class; the same for reports that come back and for replies to our own deliveries.
///
/// A rule file is a list of `[[rule]]` tables: `class`, and any of `any` (phrases, one a line; one of them must occur), `status`
/// (`"5.1.1"`, `"*.7.*"`, or a list), `code` (`"550"`, `"4.."`, or a list), `scope` and `permanent` where they differ from the class's own.
/// All conditions that a rule has must hold. The first rule that holds wins; rules of an installation stand before the built-in ones.
package struct BounceRules: Sendable {
    /// What a refusal means.
    package struct Verdict: Sendable, Equatable {
        package let failureClass: FailureClass
        package let scope: FailureScope
        /// The address or its domain is dead: no later attempt can succeed.
        package let permanent: Bool
        /// File and line of the rule, for example `builtin:bounce/base.toml:12`; `default` when no rule holds.
        package let ruleID: String
    }

    private struct Rule {
        var verdict: Verdict
        var needsText: Bool
        var statuses: [[Int?]]
        var codes: [[UInt8]]
    }

    private let rules: [Rule]
    private let matcher: PhraseMatcher
    /// The rule of each phrase of the matcher.
    private let owners: [Int]

    /// The rules that the binary carries.
    package static func builtin() throws(RuleError) -> BounceRules {
        try BounceRules([RuleFile(builtin: "bounce/base.toml")])
    }

    /// Rules of an installation, `local` in order, before those that the binary carries.
    package init(local: [(file: String, bytes: [UInt8])]) throws(RuleError) {
        var files: [RuleFile] = []
        for (name, bytes) in local { files.append(try RuleFile(name: name, bytes: bytes)) }
        files.append(try RuleFile(builtin: "bounce/base.toml"))
        try self.init(files)
    }

    private init(_ files: [RuleFile]) throws(RuleError) {
        var rules: [Rule] = []
        var patterns: [[[UInt8]]] = []
        var owners: [Int] = []
        for file in files {
            for (index, table) in try file.tables("rule").enumerated() {
                let path: [TomlStep] = ["rule", .index(index)]
                let known = ["class", "any", "status", "code", "scope", "permanent", "note"]
                for entry in table.entries where !known.contains(entry.key) {
                    throw file.fault(path + [.key(entry.key)], "unknown key '\(entry.key)'; the keys are \(known.joined(separator: ", "))")
                }
                guard case .string(let name)? = table["class"], let failureClass = FailureClass(rawValue: name) else {
                    throw file.fault(
                        path + ["class"], "'class' must be one of \(FailureClass.allCases.map(\.rawValue).joined(separator: " "))")
                }
                var scope = failureClass.scope
                if let value = table["scope"] {
                    guard case .string(let name) = value, let known = FailureScope(rawValue: name) else {
                        throw file.fault(
                            path + ["scope"], "'scope' must be one of \(FailureScope.allCases.map(\.rawValue).joined(separator: " "))")
                    }
                    scope = known
                }
                var permanent = failureClass.isPermanent
                if let value = table["permanent"] {
                    guard case .bool(let flag) = value else { throw file.fault(path + ["permanent"], "'permanent' must be true or false") }
                    permanent = flag
                }
                let line = file.document.line(near: path)
                var rule = Rule(
                    verdict: Verdict(failureClass: failureClass, scope: scope, permanent: permanent, ruleID: "\(file.name):\(line)"),
                    needsText: false, statuses: [], codes: [])
                for status in try Self.strings(table["status"], file, path + ["status"]) {
                    let parts = status.utf8.split(separator: 0x2E).map { String(decoding: Array($0), as: UTF8.self) }
                    guard parts.count == 3, parts.allSatisfy({ $0 == "*" || Int($0) != nil }) else {
                        throw file.fault(path + ["status"], "a status is three numbers or * with dots, as in \"5.1.1\" or \"*.7.*\"")
                    }
                    rule.statuses.append(parts.map { Int($0) })
                }
                for code in try Self.strings(table["code"], file, path + ["code"]) {
                    let bytes = Array(code.utf8)
                    guard bytes.count == 3, bytes.allSatisfy({ $0.isDigit || $0 == 0x2E }) else {
                        throw file.fault(path + ["code"], "a code is three digits, a dot for any digit, as in \"550\" or \"4..\"")
                    }
                    rule.codes.append(bytes)
                }
                if case .string(let text)? = table["any"] {
                    rule.needsText = true
                    for (_, line) in file.lines(of: text, at: path + ["any"]) {
                        patterns.append(PhraseBook.parse(line).fragments)
                        owners.append(rules.count)
                    }
                } else if table["any"] != nil {
                    throw file.fault(path + ["any"], "'any' is a text with one phrase a line")
                }
                guard rule.needsText || !rule.statuses.isEmpty || !rule.codes.isEmpty else {
                    throw file.fault(path, "a rule needs 'any', 'status' or 'code'")
                }
                rules.append(rule)
            }
        }
        self.rules = rules
        self.owners = owners
        matcher = PhraseMatcher(patterns)
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

    /// What a reply means: `code` its reply code, `status` its enhanced status code, `text` its words; codes that are nil are looked for
    /// in the text. At most 8 KB of the text are read.
    package func verdict(code: Int?, status: EnhancedStatusCode?, text: String) -> Verdict {
        let bytes = Array(text.utf8.prefix(8192))
        let inText = ReplyCodes(in: bytes)
        let code = code ?? inText.code
        // A status such as 5.0.0 says nothing; one in the text may say more.
        var status = status ?? inText.status
        if let given = status, given.subject == 0, let better = inText.status { status = better.subject == 0 ? given : better }
        var matched = Set<Int>()
        for hit in matcher.hits(in: Folding.phrase(String(decoding: Self.withoutAddresses(bytes), as: UTF8.self))) {
            matched.insert(owners[hit.phrase])
        }
        for (number, rule) in rules.enumerated() {
            if rule.needsText, !matched.contains(number) { continue }
            if !rule.statuses.isEmpty, !rule.statuses.contains(where: { Self.holds($0, status) }) { continue }
            if !rule.codes.isEmpty, !rule.codes.contains(where: { Self.holds($0, code) }) { continue }
            return rule.verdict
        }
        return Verdict(failureClass: .unclassified, scope: .unknown, permanent: false, ruleID: "default")
    }

    /// The words of addresses are chosen by people and say nothing about the failure.
    private static func withoutAddresses(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(0x40) else { return bytes }
        var kept: [UInt8] = []
        for word in bytes.split(whereSeparator: { $0 <= 0x20 || $0 == 0x3C || $0 == 0x3E || $0 == 0x28 || $0 == 0x29 })
        where !word.contains(0x40) {
            kept += word
            kept.append(0x20)
        }
        return kept
    }

    private static func holds(_ pattern: [Int?], _ status: EnhancedStatusCode?) -> Bool {
        guard let status else { return false }
        return zip(pattern, [status.class, status.subject, status.detail]).allSatisfy { $0 == nil || $0 == $1 }
    }

    private static func holds(_ pattern: [UInt8], _ code: Int?) -> Bool {
        guard let code, (100...999).contains(code) else { return false }
        return zip(pattern, String(code).utf8).allSatisfy { $0 == 0x2E || $0 == $1 }
    }
}
