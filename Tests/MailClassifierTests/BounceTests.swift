import Foundation
import InternetMessage
import Testing

@testable import MailClassifier

@Suite("reports")
struct BounceTests {
    let classifier: Classifier
    let rules: BounceRules

    init() throws {
        classifier = try #require(Mail.classifier)
        rules = try BounceRules.builtin()
    }

    static func fixture(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
        return Array(try Data(contentsOf: url))
    }

    struct Example: Sendable {
        var file: String
        var messageClass: MessageClass
        var bounces: [String]
    }

    static let examples = [
        Example(
            file: "postfix-unknown.eml", messageClass: .bounce,
            bounces: ["user@example.com failed 5.1.1 550 invalid_recipient recipient hard"]),
        Example(file: "postfix-delayed.eml", messageClass: .delay, bounces: ["user@example.com delayed 4.4.1 - network domain soft"]),
        Example(
            file: "exchange-two.eml", messageClass: .bounce,
            bounces: [
                "one@corp.example.net failed 5.1.10 550 invalid_recipient recipient hard",
                "two@corp.example.net failed 5.2.2 554 mailbox_full recipient soft",
            ]),
        Example(file: "exim-quota.eml", messageClass: .bounce, bounces: ["user@example.com failed 5.2.2 552 mailbox_full recipient soft"]),
        Example(
            file: "qmail-unknown.eml", messageClass: .bounce, bounces: ["user@example.com failed - 550 invalid_recipient recipient hard"]),
        Example(file: "sendmail-old.eml", messageClass: .bounce, bounces: ["user@example.com failed 5.1.2 550 bad_domain domain hard"]),
        Example(file: "free-text-warning.eml", messageClass: .delay, bounces: ["user@example.com delayed - - network domain soft"]),
        Example(file: "delivered-only.eml", messageClass: .neutral, bounces: []),
        Example(file: "person-about-bounce.eml", messageClass: .question, bounces: []),
    ]

    static func line(_ bounce: Classification.Bounce) -> String {
        [
            bounce.recipient?.text ?? "-", bounce.action.rawValue, bounce.status?.text ?? "-", bounce.replyCode.map(String.init) ?? "-",
            bounce.failureClass.rawValue, bounce.scope.rawValue, bounce.permanent ? "hard" : "soft",
        ].joined(separator: " ")
    }

    @Test("reports of five servers, and mail that only looks like one", arguments: examples)
    func report(_ example: Example) throws {
        let bytes = try Self.fixture(example.file)
        // The same message with bare LF and with bare CR.
        for variant in [bytes, bytes.filter { $0 != 0x0D }, bytes.filter { $0 != 0x0A }] {
            let result = classifier.classify(Message(parsing: variant))
            #expect(result.messageClass == example.messageClass, "\(result.evidence)")
            #expect(result.bounces.map(Self.line) == example.bounces)
        }
    }

    @Test("every cut of every report gives an answer")
    func everyCut() throws {
        for example in Self.examples {
            let bytes = try Self.fixture(example.file)
            for end in stride(from: 0, through: bytes.count, by: 7) {
                let result = classifier.classify(Message(parsing: Array(bytes[..<end])))
                #expect((0...1).contains(result.confidence))
                #expect(result.messageClass != .unsubscribe)
            }
        }
    }

    @Test("a feedback report is a complaint with its recipient")
    func complaint() throws {
        let result = classifier.classify(Message(parsing: try Self.fixture("arf.eml")))
        #expect(result.messageClass == .complaint)
        #expect(result.complaint?.feedbackType == "abuse")
        #expect(result.complaint?.originalRecipients.map(\.text) == ["user@provider.example.net"])
        #expect(result.complaint?.originalMessageID == "our-1@sender.example.org")
    }

    static let replies: [(String, FailureClass, FailureScope, Bool)] = [
        ("550 5.1.1 User unknown", .invalidRecipient, .recipient, true),
        ("550 No such user here", .invalidRecipient, .recipient, true),
        ("452 4.2.2 The email account that you tried to reach is over quota", .mailboxFull, .recipient, false),
        ("550 5.2.1 The account has been disabled", .inactiveMailbox, .recipient, false),
        ("451 4.7.1 Greylisting in action, please come back later", .greylisted, .source, false),
        ("421 4.7.0 Too many connections from your host", .rateLimited, .source, false),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.net blocklist", .reputationBlock, .source,
            false
        ),
        ("550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", .authFailed, .us, false),
        ("530 5.7.0 Must issue a STARTTLS command first", .tlsFailed, .us, false),
        ("554 5.7.1 Relay access denied", .relayDenied, .us, false),
        ("535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", .routeAuth, .us, false),
        ("535 5.7.3 Authentication unsuccessful [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]", .routeAuth, .us, false),
        ("530 5.7.0 Authentication required", .routeAuth, .us, false),
        ("454 4.7.0 Temporary authentication failure: Connection lost to authentication server", .routeAuth, .us, false),
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", .routeAuth, .us, false),
        ("550 5.7.30 Sender's DKIM authentication didn't pass", .authFailed, .us, false),
        ("554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", .rateLimited, .us, false),
        ("432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending", .rateLimited, .us, false),
        ("550 5.7.1 your account is suspended from sending", .reputationBlock, .us, false),
        ("550 5.1.8 Access denied, bad outbound sender. For more information please go to", .reputationBlock, .us, false),
        ("554 5.7.1 Sender account is blocked from sending mail", .reputationBlock, .us, false),
        ("550 Outgoing mail from this account is disabled", .reputationBlock, .us, false),
        ("554 5.7.1 <ann@example.com>: Sender address rejected: account suspended", .reputationBlock, .us, false),
        ("550 5.1.0 Sender account suspended due to abuse", .reputationBlock, .us, false),
        ("550 5.4.6 Your sending quota has been exceeded", .rateLimited, .us, false),
        ("550 5.1.8 User has exceeded its 24-hour sending limit", .rateLimited, .us, false),
        ("550 5.2.2 The recipient's mailbox quota has been exceeded", .mailboxFull, .recipient, false),
        ("550 5.2.1 The account of ann@example.com has been suspended", .inactiveMailbox, .recipient, false),
        ("450 4.7.1 <out.example.com>: Helo command rejected: Host not found", .authFailed, .us, false),
        ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", .invalidRecipient, .recipient, true),
        ("501 5.1.3 Bad recipient address syntax", .invalidRecipient, .recipient, true),
        ("552 5.3.4 Message size exceeds fixed limit", .messageTooBig, .content, false),
        ("554 5.7.1 Message rejected as spam", .spamContent, .content, false),
        ("556 5.1.10 Recipient address has a null MX", .badDomain, .domain, true),
        ("451 4.4.3 DNS server failure", .dnsFailure, .domain, false),
        ("553 5.1.8 Sender address rejected: Domain not found", .policy, .source, false),
        ("500 5.5.1 Command unrecognized", .protocolError, .us, false),
        (
            "550-5.7.1 [192.0.2.1 19] Gmail has detected that this message is likely\n550-5.7.1 unsolicited mail. To reduce the amount of spam, this message has\n550 5.7.1 been blocked.",
            .spamContent, .content, false
        ),
        ("550-Requested action not taken: mailbox\n550 unavailable", .invalidRecipient, .recipient, true),
        ("554 5.7.1 [HME1] This message was blocked due to failed authentication checks.", .authFailed, .us, false),
        ("550 5.2.1 This mailbox has been blocked due to inactivity", .inactiveMailbox, .recipient, false),
        ("421 4.4.2 Connection closed due to inactivity", .network, .domain, false),
        (
            "421-4.7.27 Your email has been rate limited because SPF authentication didn't\n421 4.7.27 pass for this message.", .authFailed,
            .us,
            false
        ),
        (
            "450 4.1.1 <a@example.com>: Recipient address rejected: unverified address: host mx.example.com[192.0.2.1] said: 451 later",
            .network, .domain, false
        ),
        ("451 4.7.325 Remote certificate does not match", .tlsFailed, .us, false),
        ("450 something odd", .unclassified, .unknown, false),
        ("550 5.7.1 to userunknown@spam.example.com: not permitted", .policy, .domain, false),
    ]

    @Test("replies of servers are read by the same rules", arguments: replies)
    func reply(_ text: String, _ failureClass: FailureClass, _ scope: FailureScope, _ permanent: Bool) {
        let verdict = rules.verdict(code: nil, status: nil, text: text)
        #expect(verdict.failureClass == failureClass, "\(verdict.ruleID)")
        #expect(verdict.scope == scope)
        #expect(verdict.permanent == permanent)
        #expect(verdict.ruleID == "default" || verdict.ruleID.hasPrefix("builtin:bounce/"))
    }

    static let codes: [(String, Int?, String?)] = [
        ("550 5.1.1 no", 550, "5.1.1"), ("550-5.1.1 no", 550, "5.1.1"), ("host 192.0.2.25 said: 421 later", 421, nil),
        ("5.1.1", nil, "5.1.1"),
        ("version 5.1.1.2", nil, nil), ("ends 250.", nil, nil), ("#5.1.1)", nil, "5.1.1"), ("550", 550, nil), ("call 5501234", nil, nil),
        ("99999999999999999999 5.9999.1", nil, nil), ("", nil, nil),
    ]

    @Test("codes in text", arguments: codes)
    func codesInText(_ text: String, _ code: Int?, _ status: String?) {
        let found = ReplyCodes(in: Array(text.utf8))
        #expect(found.code == code)
        #expect(found.status?.text == status)
    }

    @Test("rules of an installation stand before the built-in ones and are named by file and line")
    func localRules() throws {
        let source = """
            # ours
            [[rule]]
            class = "policy"
            any = '''
            user unknown
            '''
            scope = "us"
            permanent = true
            action = "pause_route"
            wait = "2h"
            """
        let local = try BounceRules(local: [(file: "bounce.toml", bytes: Array(source.utf8))])
        let verdict = local.verdict(code: 550, status: nil, text: "User unknown")
        #expect(
            verdict
                == BounceRules.Verdict(
                    failureClass: .policy, scope: .us, permanent: true, action: .pauseRoute, wait: .seconds(7200), ruleID: "bounce.toml:2",
                    isExact: true))
        #expect(local.verdict(code: 550, status: nil, text: "mailbox full").failureClass == .mailboxFull)
    }

    static let limits: [(rule: String, limit: SuppressAfter?)] = [
        ("class = \"mailbox_full\"", SuppressAfter(count: 5, days: 30)), ("class = \"inactive_mailbox\"", SuppressAfter(count: 2, days: 7)),
        ("class = \"policy\"", nil), ("class = \"policy\"\nsuppress_after = \"3 in 14d\"", SuppressAfter(count: 3, days: 14)),
        ("class = \"mailbox_full\"\nsuppress_after = \"never\"", nil),
    ]

    @Test("how many lost messages are the end of an address: as usual for the class, or as the rule says", arguments: limits)
    func suppressAfter(_ expected: (rule: String, limit: SuppressAfter?)) throws {
        let source = "[[rule]]\n\(expected.rule)\nany = \"odd words\"\n"
        let local = try BounceRules(local: [(file: "a.toml", bytes: Array(source.utf8))])
        #expect(local.verdict(code: 550, status: nil, text: "odd words").suppressAfter == expected.limit)
    }

    static let faults = [
        ("[[rule]]\nclass = \"nonsense\"\ncode = \"550\"", 2), ("[[rule]]\nclass = \"policy\"", 1),
        ("[[rule]]\nclass = \"policy\"\ncodes = \"550\"", 3),
        ("[[rule]]\nclass = \"policy\"\nstatus = \"5.1\"", 3), ("[[rule]\n", 1), ("rule = 1", 1),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\naction = \"resend\"", 4),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\n\nwait = \"soon\"", 5),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\nwait = \"31d\"", 4),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\nexample = 5", 4),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\nsuppress_after = \"2 a week\"", 4),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\nsuppress_after = \"0 in 7d\"", 4),
        ("[[rule]]\nclass = \"policy\"\ncode = \"550\"\nsuppress_after = \"2 in 7h\"", 4),
        ("[[rule]]\nclass = \"policy\"\nany = '''\n# nothing\n'''", 3),
    ]

    @Test("every built-in rule is the first to take its own examples, and has one")
    func builtinRulesAreAlive() {
        for fault in rules.lint() { Issue.record("\(fault)") }
    }

    @Test("the lint finds a rule without an example, one that another rule hides, and one that does not take its own")
    func lint() throws {
        let source = """
            [[rule]]
            class = "policy"
            any = '''
            odd words
            '''
            example = ["550 odd words", "550 even words"]
            [[rule]]
            class = "network"
            any = '''
            very odd words
            '''
            example = "550 very odd words"
            [[rule]]
            class = "network"
            code = "599"
            """
        let local = try BounceRules(local: [(file: "a.toml", bytes: Array(source.utf8))])
        #expect(
            local.lint().filter { $0.file == "a.toml" }.map(\.description) == [
                "a.toml:1: the rule does not take its own example '550 even words'",
                "a.toml:7: a.toml:1 takes the example '550 very odd words' before this rule",
                "a.toml:13: the rule has no 'example'; give a reply that it is the first to take",
            ])
    }

    @Test("what blames the sender never ends the recipient, and what needs somebody is ours")
    func actions() {
        for failureClass in FailureClass.allCases {
            if [.source, .us].contains(failureClass.scope) { #expect(!failureClass.action.endsMessage, "\(failureClass)") }
            if failureClass.action.needsPerson { #expect(failureClass.scope == .us, "\(failureClass)") }
        }
        #expect(FailureClass.allCases.filter { $0.action == .suppress } == [.invalidRecipient])
    }

    @Test("a fault in a rule file is told with its line", arguments: faults)
    func fault(_ source: String, _ line: Int) {
        let error = #expect(throws: RuleError.self) { try BounceRules(local: [(file: "bounce.toml", bytes: Array(source.utf8))]) }
        #expect(error?.line == line)
        #expect(error?.file == "bounce.toml")
    }
}
