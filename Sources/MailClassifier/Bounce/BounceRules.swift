package import InternetMessage
import Toml

/// Ordered rules from the words of a refusal to its class; the same for reports that come back and for replies to our own deliveries.
///
/// A rule file is a list of `[[rule]]` tables: `class`, and any of `any` (phrases, one a line; one of them must occur), `status`
/// (`"5.1.1"`, `"*.7.*"`, or a list), `code` (`"550"`, `"4.."`, or a list), `scope`, `action`, `wait`, `suppress_after` and `permanent` where they differ from the
/// class's own, and `example`: a reply, or a list of them, that this rule is the first to take. All conditions that a rule has must hold. The
/// first rule that holds wins; rules of an installation stand before the built-in ones.
package struct BounceRules: Sendable {
    /// What a refusal means.
    package struct Verdict: Sendable, Equatable {
        package let failureClass: FailureClass
        package let scope: FailureScope
        /// The address or its domain is dead: no later attempt can succeed.
        package let permanent: Bool
        package let action: FailureAction
        /// How long nothing is tried again; nil: as the retry schedule says.
        package let wait: Duration?
        /// File and line of the rule, for example `builtin:bounce/base.toml:12`; `default` when no rule holds.
        package let ruleID: String
        /// No words were asked for: a reply code or a status alone gave the class.
        let isByCode: Bool
        /// The rule itself says whether the address is dead: its words mean that at any moment.
        let isExact: Bool
        /// With how many such messages the address is given up; nil: with none.
        package let suppressAfter: SuppressAfter?

        init(
            failureClass: FailureClass, scope: FailureScope, permanent: Bool, action: FailureAction? = nil, wait: Duration? = nil,
            suppressAfter: SuppressAfter? = nil, ruleID: String, isByCode: Bool = false, isExact: Bool = false
        ) {
            self.isByCode = isByCode
            self.isExact = isExact
            self.failureClass = failureClass
            self.scope = scope
            self.permanent = permanent
            self.action = action ?? failureClass.action
            self.wait = wait
            self.suppressAfter = suppressAfter
            self.ruleID = ruleID
        }

        /// The same without giving the address up; who says twice that there is nobody of that name means it.
        var passing: Verdict {
            Verdict(
                failureClass: failureClass, scope: scope, permanent: false, action: action == .suppress ? .fail : action, wait: wait,
                suppressAfter: suppressAfter ?? (failureClass == .invalidRecipient ? Self.unproven : nil), ruleID: ruleID,
                isByCode: isByCode, isExact: isExact)
        }

        /// How often an unknown user that one report does not prove is told before the address is given up.
        static let unproven = SuppressAfter(count: 2, days: 30)
    }

    /// What the binary carries, in order.
    private static let builtinFiles = ["bounce/providers.toml", "bounce/base.toml"]

    private let rules: [BounceRule]
    private let matcher: PhraseMatcher
    /// The rule of each phrase of the matcher.
    private let owners: [Int]

    /// The rules that the binary carries.
    package static func builtin() throws(RuleError) -> BounceRules { try shared.get() }

    /// Read once, by whoever asks first.
    private static let shared = Result<BounceRules, RuleError> { () throws(RuleError) in try BounceRules(local: []) }

    /// Without rules everything is unclassified.
    static let none = BounceRules()

    private init() {
        rules = []
        owners = []
        matcher = PhraseMatcher([])
    }

    /// Rules of an installation, `local` in order, before those that the binary carries.
    package init(local: [(file: String, bytes: [UInt8])]) throws(RuleError) {
        var files: [RuleFile] = []
        for (name, bytes) in local { files.append(try RuleFile(name: name, bytes: bytes)) }
        for path in Self.builtinFiles { files.append(try RuleFile(builtin: path)) }
        var rules: [BounceRule] = []
        var patterns: [[[UInt8]]] = []
        var owners: [Int] = []
        for file in files {
            for (index, table) in try file.tables("rule").enumerated() {
                let rule = try BounceRule(table, in: file, at: ["rule", .index(index)])
                for phrase in rule.phrases {
                    patterns.append(PhraseBook.parse(phrase[...]).fragments)
                    owners.append(rules.count)
                }
                rules.append(rule)
            }
        }
        self.rules = rules
        self.owners = owners
        matcher = PhraseMatcher(patterns)
    }

    /// What is wrong with the rules beside their form: a rule without an example can be dead and nobody would know, and one whose example is
    /// taken by a rule before it does not do what it was written for.
    package func lint() -> [RuleError] {
        var faults: [RuleError] = []
        for rule in rules {
            func fault(_ message: String) {
                faults.append(RuleError(code: .content, file: rule.file, line: rule.line, message: message))
            }
            if rule.examples.isEmpty { fault("the rule has no 'example'; give a reply that it is the first to take") }
            for example in rule.examples {
                let verdict = verdict(reply: example)
                guard verdict.ruleID != rule.verdict.ruleID else { continue }
                fault(
                    verdict.ruleID == "default"
                        ? "the rule does not take its own example '\(example)'"
                        : "\(verdict.ruleID) takes the example '\(example)' before this rule")
            }
        }
        return faults
    }

    /// What a reply means, as a server wrote it: `550 5.1.1 User unknown`.
    package func verdict(reply text: String) -> Verdict {
        let bytes = Array(text.utf8.drop { $0 == 32 || $0 == 9 }.prefix(64))
        var code: Int?
        if bytes.count >= 3, bytes[0] == UInt8(ascii: "4") || bytes[0] == UInt8(ascii: "5"), bytes[1...2].allSatisfy(\.isDigit),
            bytes.count == 3 || [32, 9, UInt8(ascii: "-")].contains(bytes[3])
        {
            code = bytes[..<3].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        return verdict(code: code, status: EnhancedStatusCode(parsing: code == nil ? bytes[...] : bytes.dropFirst(4)), text: text)
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
        for hit in matcher.hits(in: Folding.phrase(String(decoding: Self.asOneLine(Self.withoutAddresses(bytes)), as: UTF8.self))) {
            matched.insert(owners[hit.phrase])
        }
        for (number, rule) in rules.enumerated() {
            if !rule.phrases.isEmpty, !matched.contains(number) { continue }
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

    /// A reply of several lines repeats its code in each (`550-5.7.1 this message is likely 550-5.7.1 unsolicited mail`); phrases go on over them.
    private static func asOneLine(_ bytes: [UInt8]) -> [UInt8] {
        let words = bytes.split(whereSeparator: { $0 <= 0x20 })
        func code(_ word: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
            let digits = word.prefix(3)
            guard digits.count == 3, digits.allSatisfy(\.isDigit), digits.first.map({ $0 &- 0x34 < 2 }) == true else { return nil }
            return word.count == 3 || word[word.startIndex + 3] == 0x2D ? digits : nil
        }
        guard let first = words.firstIndex(where: { code($0) != nil }), let digits = code(words[first]),
            words[first...].contains(where: { $0.count > 3 && code($0) == digits })
        else { return bytes }
        var kept = words[...first].flatMap { $0 + [0x20] }
        var followsCode = false
        for word in words[(first + 1)...] {
            var rest = word
            if code(word) == digits {
                followsCode = word.count == 3
                rest = word.dropFirst(4)
                if EnhancedStatusCode(String(decoding: rest, as: UTF8.self)) != nil { continue }
            } else if followsCode {
                followsCode = false
                if EnhancedStatusCode(String(decoding: word, as: UTF8.self)) != nil { continue }
            }
            kept += rest
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
