import InternetMessage
import TestKit
import Testing

@testable import Outreach

@Suite("conditions of plans")
struct PlanConditionTests {
    @Test(
        "conditions",
        arguments: [
            ("field.country == 'de'", true), ("field.country != \"DE\"", false), ("field.budget >= 500000", true),
            ("field.budget < 9", false),
            ("field.nothing", false), ("not field.nothing and field.country", true), ("field.country in ['AT', 'DE']", true),
            ("domain == 'example.com' or field.nothing", true), ("email starts_with 'ann@' and email ends_with '.COM'", true),
            ("(field.nothing or field.country) and not (name contains 'x')", true), ("field.country < 3", false),
            ("replied.positive", true), ("replied.negative", false), ("intent == 'meeting'", true), ("bounced", false),
            ("out_of_office", true),
            ("tag.HOT", true), ("tag:cold", false), ("list:'Fair 2026' and not list.hot", true),
            ("sent.a", true), ("sent.b", false), ("variant.a == 'v1'", true), ("identity == 'anna'", true), ("provider == 'Google'", true),
        ])
    func conditions(source: String, expected: Bool) throws {
        let plan = SequencePlan(
            name: "x", description: "",
            steps: [.init(name: "a", delay: .none, subject: "s", text: "t"), .init(name: "b", delay: .none, subject: nil, text: "t")],
            stopOn: [])
        let now = Timestamp(seconds: 1_772_438_400)
        let address = try #require(EmailAddress("ann@example.com"))
        let message = OutboxMessage(
            id: .init(rawValue: 9), workspace: .default, enrollment: nil, contact: nil, step: 0, occurrence: 0, identity: "anna",
            route: "r",
            reversePath: .null, recipient: address, messageID: try #require(MessageID("m@example.org")), subject: "s", bytes: [],
            createdAt: now, budgetDate: CivilDate(daysSinceEpoch: 1), state: .sent, nextAttemptAt: nil, variant: "v1", provider: "google")
        let known = StepFacts(
            contact: Contact(
                id: .init(rawValue: 3), address: address, displayName: "Ann", fields: ["country": "DE", "budget": "600000"], createdAt: now),
            identity: "anna", plan: plan,
            history: SequenceHistory([
                .init(.reply(.positive, intent: "meeting"), at: now), .init(.reply(.outOfOffice, intent: nil), at: now + .seconds(-9)),
            ]), messages: [message], groups: [try ContactGroup.Name(.tag, "hot"), try ContactGroup.Name(.list, "fair 2026")])
        #expect(try PlanCondition(source).holds(for: known) == expected)
    }

    @Test(
        "a condition that is none says where and what",
        arguments: [
            ("", 1, "a name is expected, not 'the end'"), ("a == 'b'", 1, "there is no 'a'"), ("field == 'b'", 1, "'field' needs a name"),
            ("field.a == b", 12, "a text in quotes or a number"), ("replied == 'x'", 9, "cannot be compared"),
            ("(bounced", 9, "')' is expected"),
            ("replied.cross", 1, "'cross' is no class"), ("field.a == 'b", 12, "never closed"),
            ("bounced bounced", 9, "'and', 'or' or the end is expected"),
            ("field.a in 'b'", 12, "a list is missing"), (String(repeating: "(", count: 40), 18, "nested deeper"),
            ("tag", 1, "'tag' needs a name: tag.NAME"), ("tag.hot == 'x'", 9, "cannot be compared"),
            ("list:'a;b'", 1, "'a;b' is no name of a list"), ("tag:", 5, "a name is missing"),
            ("replied:positive", 8, "'and', 'or' or the end is expected"),
        ])
    func brokenConditions(source: String, column: Int, words: String) throws {
        let fault = #expect(throws: ExpressionFault.self) { try PlanCondition(source) }
        #expect(fault?.message.contains(words) == true && abs((fault?.column ?? 0) - column) <= 1, "\(String(describing: fault))")
    }
}
