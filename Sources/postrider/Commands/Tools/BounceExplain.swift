import ArgumentParser
import InternetMessage
import MailClassifier

struct Bounce: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What a refusal means.", subcommands: [BounceExplain.self])
}

struct BounceExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which rule (file:line) gives which class, scope and action for the words of a refusal.")

    @Flag(help: "One JSON object.")
    var json = false
    @Argument(help: ArgumentHelp("The reply as the server gave it, such as '550 5.1.1 User unknown'.", valueName: "reply text"))
    var text: String

    func run() async throws {
        try await reportingFailures {
            let rules: BounceRules
            do throws(RuleError) {
                rules = try BounceRules.builtin()
            } catch {
                throw Failure(.internalError, error.description)
            }
            let code = Self.code(text)
            let verdict = rules.verdict(code: code, status: Self.status(text, behind: code != nil), text: text)
            let action = Self.action(verdict, code: code)
            if json {
                JSONLine.write([
                    "rule": .string(verdict.ruleID), "class": .string(verdict.failureClass.rawValue),
                    "scope": .string(verdict.scope.rawValue),
                    "permanent": .bool(verdict.permanent), "action": .string(action),
                ])
            } else {
                FactSheet.write([
                    ("rule", verdict.ruleID), ("class", verdict.failureClass.rawValue), ("scope", verdict.scope.rawValue),
                    ("permanent", verdict.permanent ? "yes" : "no"), ("action", action),
                ])
            }
        }
    }

    /// The reply code at the beginning; nil where there is none, and the rules look for one in the text.
    private static func code(_ text: String) -> Int? {
        let bytes = Array(text.utf8.drop { $0 == 32 || $0 == 9 }.prefix(4))
        guard bytes.count >= 3, bytes[0] == UInt8(ascii: "4") || bytes[0] == UInt8(ascii: "5"),
            bytes[1...2].allSatisfy({ $0 &- 48 < 10 }), bytes.count == 3 || [32, 9, UInt8(ascii: "-")].contains(bytes[3])
        else { return nil }
        return bytes[..<3].reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    private static func status(_ text: String, behind code: Bool) -> EnhancedStatusCode? {
        let bytes = Array(text.utf8.drop { $0 == 32 || $0 == 9 })[...]
        return EnhancedStatusCode(parsing: code ? bytes.dropFirst(4) : bytes)
    }

    /// What follows when a server of ours gets this answer.
    private static func action(_ verdict: BounceRules.Verdict, code: Int?) -> String {
        if let code, code / 100 == 4 { return "deferred: tried again by the retry schedule" }
        if verdict.permanent, verdict.failureClass == .invalidRecipient {
            return "failed: the address is suppressed when it is the recipient that was refused; its sequence ends"
        }
        if verdict.permanent { return "failed: its sequence ends" }
        return code == nil
            ? "as the reply code says: 4xx is tried again, 5xx fails without giving the address up"
            : "failed: this message is not tried again, the address is not given up"
    }
}
