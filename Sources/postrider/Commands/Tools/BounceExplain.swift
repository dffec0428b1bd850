import ArgumentParser
import Foundation
import MailClassifier
import Settings

struct Bounce: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounce",
        abstract: "What a refusal means.", subcommands: [BounceExplain.self])
}

struct BounceExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which rule (file:line) gives which class, scope and action for the words of a refusal.",
        discussion: """
            The rules are those of [bounce] rules in the conf, then those of the binary; without a conf file the latter alone.
            """)

    @OptionGroup var conf: ConfOption
    @Flag(help: "One JSON object.")
    var json = false
    @Argument(help: ArgumentHelp("The reply as the server gave it, such as '550 5.1.1 User unknown'.", valueName: "reply text"))
    var text: String

    func run() async throws {
        try await reportingFailures {
            let first = text.utf8.drop { $0 == 32 || $0 == 9 }
            guard let digit = first.first else {
                throw Failure(.badInput, "there is no reply to explain; give one like '550 5.1.1 User unknown'")
            }
            if first.count >= 3, first.prefix(3).allSatisfy({ (48...57).contains($0) }), digit != UInt8(ascii: "4"),
                digit != UInt8(ascii: "5")
            {
                throw Failure(.badInput, "\(String(decoding: first.prefix(3), as: UTF8.self)) is no refusal: those begin with 4 or 5")
            }
            let verdict = try rules().verdict(reply: text)
            let wait = verdict.wait.map { $0.components.seconds }
            if json {
                JSONLine.write([
                    "rule": .string(verdict.ruleID), "class": .string(verdict.failureClass.rawValue),
                    "scope": .string(verdict.scope.rawValue), "permanent": .bool(verdict.permanent),
                    "action": .string(verdict.action.rawValue), "wait": wait.map { .integer($0) } ?? .null,
                    "suppress_after": verdict.suppressAfter.map { .string("\($0.count) in \($0.days)d") } ?? .null,
                    "meaning": .string(meaning(verdict)),
                ])
            } else {
                FactSheet.write([
                    ("rule", verdict.ruleID), ("class", verdict.failureClass.rawValue), ("scope", verdict.scope.rawValue),
                    ("permanent", verdict.permanent ? "yes" : "no"),
                    ("action", action(verdict) + (wait.map { " \(Self.time($0))" } ?? "")),
                    ("suppressed", verdict.suppressAfter.map { "after \($0.count) such messages within \($0.days) days" }),
                    ("meaning", meaning(verdict)),
                ])
            }
        }
    }

    /// A conf that was named must be there; one that was not may be missing.
    private func rules() throws(Failure) -> BounceRules {
        let isNamed = conf.conf != nil || ProcessInfo.processInfo.environment["POSTRIDER_CONF"] != nil
        if isNamed || FileManager.default.fileExists(atPath: conf.path) { return try BounceRuleFiles.load(try conf.load()) }
        do throws(RuleError) {
            return try BounceRules.builtin()
        } catch {
            throw Failure(.internalError, error.description)
        }
    }

    private static func time(_ seconds: Int64) -> String {
        seconds % 86_400 == 0
            ? "\(seconds / 86_400)d" : seconds % 3600 == 0 ? "\(seconds / 3600)h" : seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }

    private var isTemporary: Bool { text.utf8.drop { $0 == 32 || $0 == 9 }.first == UInt8(ascii: "4") }

    /// The action of the rule, and what it comes to for a reply that is not final.
    private func action(_ verdict: BounceRules.Verdict) -> String {
        isTemporary && verdict.action.endsMessage ? "retry (\(verdict.action.rawValue) for a reply of 5xx)" : verdict.action.rawValue
    }

    /// What follows when a server gives us this answer.
    private func meaning(_ verdict: BounceRules.Verdict) -> String {
        let later =
            verdict.wait.map { "tried again, not before \(Self.time($0.components.seconds)) have passed" }
            ?? "tried again by the retry schedule"
        return switch verdict.action {
        case .fail where !isTemporary: "failed: this message is not tried again, the address is not given up"
        case .suppress where !isTemporary: "failed: the address is suppressed when it is the recipient that was refused; its sequence ends"
        case .fail, .suppress, .retry, .retryLater: "deferred: \(later)"
        case .pauseRoute: "deferred: the route needs somebody; no recipient is given up for it"
        case .pauseIdentity: "deferred: the sender's set-up needs somebody; no recipient is given up for it"
        case .pauseDomain: "deferred: \(later); no recipient is given up for it"
        }
    }
}
