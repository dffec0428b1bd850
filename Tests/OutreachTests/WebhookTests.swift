import Foundation
import InternetMessage
import TestKit
import Testing

@testable import Outreach

@Suite("steps that call other systems")
struct WebhookTests {
    private static let head = "name = \"x\"\n[[step]]\nname = \"a\"\nsubject = \"s\"\ntext = \"t\"\n"
    private static let book = WebhookBook(["crm": "https://crm.example.com/hook", "desk": "https://desk.example.com/"])

    private func read(_ text: String, as file: String = "plan.toml", _ book: WebhookBook? = book) throws -> SequenceFile {
        try SequenceFile(parsing: Array(text.utf8), file: file, webhooks: book)
    }

    @Test(
        "what a step says is read, stored and written back in both forms",
        arguments: [
            ("webhook = \"crm\"", .init(webhook: "crm")),
            ("webhook = \"crm\"\nfields = \"company\"", .init(webhook: "crm", fields: ["company"])),
            (
                "webhook = \"desk\"\nfields = [\"company\", \"size\"]\ndata = { stage = \"{{company|none}} \\\"warm\\\"\", list = \"b\" }",
                .init(
                    webhook: "desk", fields: ["company", "size"], data: ["stage": "{{company|none}} \"warm\"", "list": "b"])
            ),
            (
                "webhook = \"crm\"\nurl = \"https://crm.example.com/hook\"\ndelay = \"P1D\"",
                .init(webhook: "crm", url: "https://crm.example.com/hook")
            ),
            ("url = \"https://desk.example.com/\"", .init(webhook: nil, url: "https://desk.example.com/")),
        ] as [(String, SequencePlan.Call)])
    func reads(lines: String, call: SequencePlan.Call) throws {
        let plan = try read(Self.head + "[[step]]\ntype = \"webhook\"\nname = \"b\"\n\(lines)\n").plan
        #expect(plan.steps[1].work == .webhook(call))
        let writer = PlanWriter(plan)
        #expect(try read(writer.toml).plan == plan, "\(writer.toml)")
        // In JSON each way is written.
        let json = try read(writer.json, as: "x.json")
        #expect(json.plan == plan && json.warnings.isEmpty, "\(writer.json)")
        #expect(try JSONDecoder().decode(SequencePlan.self, from: try JSONEncoder().encode(plan)) == plan)
    }

    @Test("a node of a JSON plan is read without loss, and what means nothing here is kept")
    func json() throws {
        let source = """
            {"version": "1.0", "nodes": [{"id": "a", "type": "webhook", "url": "https://crm.example.com/hook", "method": "POST",
              "headers": {"X-Team": "sales"}, "fields": ["company"], "transitions": []}]}
            """
        let file = try read(source, as: "x.json")
        #expect(
            file.warnings.map(\.message) == [
                "'method' means nothing here; it is kept as it is", "'headers' means nothing here; it is kept as it is",
            ])
        let written = PlanWriter(file.plan).json
        #expect(written.contains("\"method\": \"POST\"") && written.contains("\"X-Team\": \"sales\""), "\(written)")
        #expect(try read(written, as: "x.json").plan == file.plan && read(PlanWriter(file.plan).toml).plan == file.plan)
    }

    @Test(
        "what a person can get wrong is told with its line",
        arguments: [
            ("webhook = \"cmr\"", 9, "there is no [webhook.cmr] in the conf; there are crm, desk"),
            ("fields = [\"a\"]", 6, "'webhook' is missing: the NAME of a [webhook.NAME] of the conf"),
            ("webhook = 7", 9, "'webhook' must be a string"),
            ("url = \"https://evil.example.com/\"", 9, "no [webhook.NAME] of the conf has this URL; there are crm, desk"),
            ("webhook = \"crm\"\nurl = \"https://desk.example.com/\"", 10, "it is not the URL that [webhook.crm] has in the conf"),
            ("webhook = \"crm\"\ncolour = \"red\"", 10, "unknown key 'colour'; known are"),
            ("webhook = \"crm\"\nfields = [1]", 10, "'fields' must be a string or a list of strings"),
            ("webhook = \"crm\"\nfields = [\"a\", \"a\"]", 10, "'a' stands there twice"),
            ("webhook = \"crm\"\ndata = { a = 1 }", 10, "'a' must be a string"),
            ("webhook = \"crm\"\ndata = { a = \"{{unsubscribe_url}}\" }", 10, "data of this step: {{unsubscribe_url}} is the link of one"),
            ("webhook = \"crm\"\ndata = { a = \"{{b\" }", 10, "data of this step, its line 1: a tag is opened"),
            (
                "webhook = \"crm\"\n[[step.transition]]\non = \"replied\"\nto = \"c\"\n[[step]]\nname = \"c\"\ndelay = \"P1D\"\ntext = \"t\"",
                11,
                "a step of type webhook is decided at once"
            ),
        ] as [(String, Int, String)])
    func faults(lines: String, line: Int, words: String) throws {
        let error = #expect(throws: SequenceFile.Faults.self) {
            try read(Self.head + "[[step]]\ntype = \"webhook\"\nname = \"b\"\n\(lines)\n")
        }
        let found = error?.faults.first { $0.message.contains(words) }
        #expect(found?.line == line, "\(error?.faults ?? [])")
    }

    @Test("where no conf is known names are not held against it; where it has none that is said")
    func book() throws {
        let source = Self.head + "[[step]]\ntype = \"webhook\"\nname = \"b\"\nwebhook = \"any\"\n"
        #expect(try read(source, nil).plan.steps.count == 2)
        let error = #expect(throws: SequenceFile.Faults.self) { try read(source, WebhookBook()) }
        #expect(error?.faults.first?.message == "there is no [webhook.any] in the conf; there is none")
    }

    // MARK: What is handed over

    private static let now = Timestamp(seconds: 1_790_586_000)

    private func compose(_ source: String, fields: [String: String], name: String? = "Ann") throws -> WebhookComposer.Result {
        let file = try read(source)
        let contact = Contact(
            id: .init(rawValue: 3), address: try #require(EmailAddress("ann@example.com")), displayName: name, fields: fields,
            createdAt: Self.now)
        let version = SequenceVersion(id: .init(rawValue: 4), workspace: .default, plan: file.plan, hash: "abc")
        let enrollment = Enrollment(
            id: .init(rawValue: 5), workspace: .default, contact: contact.id, sequence: version.id, identity: "anna", state: .active,
            cause: nil, reason: "", nextStep: 0, dueAt: Self.now, heldBy: nil, version: 1, createdAt: Self.now)
        guard case .webhook(let call) = file.plan.steps[0].work else { throw CancellationError() }
        let zone = try #require(LocalZone("UTC"))
        let identity = SenderIdentity(
            name: "anna", from: Mailbox(address: try #require(EmailAddress("anna@example.com"))), route: "r", replyTo: .token,
            returnPath: .token,
            pacing: .init(
                dailyLimit: nil, minimumGap: .zero, gapJitter: .zero,
                window: try #require(SendingWindow(days: Set(Weekday.allCases), opens: 0, closes: 1440, zone: zone))))
        return WebhookComposer.compose(
            call, to: "crm", of: DueEnrollment(enrollment: enrollment, contact: contact, sequence: version), templates: file.templates,
            identity: identity, id: .init(rawValue: 9), at: Self.now)
    }

    private static let step = "name = \"x\"\n[[step]]\ntype = \"webhook\"\nname = \"tell\"\nwebhook = \"crm\"\n"

    @Test("the content is the documented one: what was chosen and nothing else of the contact")
    func content() throws {
        let source = Self.step + "fields = [\"company\", \"size\", \"name\"]\ndata = { stage = \"{{company}} by {{sender_email}}\" }\n"
        guard case .call(let call) = try compose(source, fields: ["company": "A \"B\" & Ü", "secret": "s"]) else {
            return #expect(Bool(false), "a call")
        }
        #expect(
            call.body
                == #"{"id":"aaaaaaaaaj","type":"sequence.step","at":"2026-09-28T09:00:00Z","workspace":"default","sequence":"x","#
                + #""version":"abc","step":"tell","enrollment":"aaaaaaaaaf","contact":{"id":"aaaaaaaaad","email":"ann@example.com","#
                + #""fields":{"company":"A \"B\" & Ü","size":null,"name":"Ann"}},"data":{"stage":"A \"B\" & Ü by anna@example.com"}}"#)
        #expect(call.webhook == "crm" && call.step == "tell" && call.state == .queued && call.nextAttemptAt == Self.now)
    }

    @Test("a value that is missing is named, and counted beforehand")
    func missing() throws {
        let source = Self.step + "data = { stage = \"{{company}} {{size|any}}\" }\n"
        #expect(try compose(source, fields: [:]) == .missing(["company"]))
        let file = try read(source)
        var census = TemplateCensus(file.plan, file.templates)
        #expect(census.count(["email": "a@example.com"], line: 2) == [.init(step: "tell", names: ["company"])])
        // A version from before that was refused.
        let stored = String(decoding: try JSONEncoder().encode(file.plan), as: UTF8.self).replacing(
            "{{company}}", with: "{{unsubscribe_url}}")
        let plan = try JSONDecoder().decode(SequencePlan.self, from: Data(stored.utf8))
        census = TemplateCensus(plan, try StepTemplates(plan))
        #expect(census.count(["email": "a@example.com"], line: 2) == [.init(step: "tell", names: ["unsubscribe_url"])])
    }

    @Test("what the other system said is for whoever looks at the call, and not among our own words", arguments: [1, 3])
    func said(attempts: Int) {
        let call = WebhookCall(
            id: .init(rawValue: 1), workspace: .default, enrollment: .init(rawValue: 2), contact: .init(rawValue: 3),
            version: .init(rawValue: 4), step: "a", webhook: "crm", body: "{}", createdAt: Self.now, attempts: attempts,
            nextAttemptAt: Self.now)
        for status in [400, 503] {
            let answer = WebhookAnswer.status(status, text: "no ann@example.com")
            let verdict = WebhookJudge.verdict(on: answer, of: call, waits: [.seconds(60)], at: Self.now)
            #expect(verdict.reason == verdict.words + ": no ann@example.com" && verdict.words.hasSuffix("answered with status \(status)"))
        }
    }

    // MARK: What an answer makes of a call

    @Test(
        "each answer makes the call what it should be",
        arguments: [
            (.status(200), 1, .delivered, nil), (.status(204), 3, .delivered, nil), (.status(503), 1, .queued, 60),
            (.status(503), 2, .queued, 300),
            (.status(500), 3, .failed, nil), (.status(429, retryAfter: .seconds(600)), 1, .queued, 600),
            (.status(429, retryAfter: .seconds(10)), 1, .queued, 60), (.status(408), 1, .queued, 60), (.status(425), 2, .queued, 300),
            (.status(400), 1, .failed, nil), (.status(404), 1, .failed, nil), (.status(410), 1, .failed, nil),
            (.status(302), 1, .failed, nil),
            (.nothing("nobody there"), 1, .queued, 60), (.nothing("nobody there"), 3, .failed, nil), (.refused("private"), 1, .failed, nil),
        ] as [(WebhookAnswer, Int, WebhookCall.State, Int64?)])
    func verdicts(answer: WebhookAnswer, attempts: Int, state: WebhookCall.State, wait: Int64?) {
        // Five of its attempts were before a person queued it anew.
        let call = WebhookCall(
            id: .init(rawValue: 1), workspace: .default, enrollment: .init(rawValue: 2), contact: .init(rawValue: 3),
            version: .init(rawValue: 4), step: "a", webhook: "crm", body: "{}", createdAt: Self.now, attempts: 5 + attempts,
            attemptsBefore: 5,
            nextAttemptAt: Self.now)
        let verdict = WebhookJudge.verdict(on: answer, of: call, waits: [.seconds(60), .seconds(300)], at: Self.now)
        #expect(verdict.state == state && verdict.nextAttemptAt == wait.map { Self.now + .seconds($0) })
        if case .status(let status, _, _) = answer { #expect(verdict.status == status) } else { #expect(verdict.status == nil) }
        #expect(verdict.words == verdict.reason)
        if attempts == 3, state == .failed { #expect(verdict.reason.hasPrefix("given up after 3 attempts: ")) }
    }
}
