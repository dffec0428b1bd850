import Testing

@testable import InternetMessage

@Suite("Reports")
struct ReportTests {
    private func deliveryStatus(_ name: String, _ end: Fixture.LineEnd = .lf) throws -> DeliveryStatusReport? {
        guard case .deliveryStatus(let report) = Message(parsing: try Fixture.bytes(name, end)).report else { return nil }
        return report
    }

    @Test("a Postfix bounce with two recipients and returned headers", arguments: Fixture.LineEnd.allCases)
    func postfix(end: Fixture.LineEnd) throws {
        let report = try #require(try deliveryStatus("dsn-postfix", end))
        #expect(report.reportingMTA == "mx.example.org")
        #expect(report.originalEnvelopeID == "QQ314159")
        #expect(
            report.recipients == [
                DeliveryStatusReport.Recipient(
                    originalRecipient: "Nobody@Example.com", finalRecipient: "nobody@example.com", action: "failed",
                    status: EnhancedStatusCode(class: 5, subject: 1, detail: 1),
                    diagnosticCode: end == .lf
                        ? "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown"
                        : "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown",
                    remoteMTA: "mx.example.com"),
                DeliveryStatusReport.Recipient(
                    finalRecipient: "full@example.com", action: "delayed", status: EnhancedStatusCode("4.2.2"),
                    diagnosticCode: "452 4.2.2 over quota; try later"),
            ])
        #expect(report.returnedMessageID?.text == "sent-1@example.org")
        #expect(report.returnedHeader?.first("subject")?.text == "Hello")
    }

    @Test("an Exchange bounce returns the message whole")
    func exchange() throws {
        let report = try #require(try deliveryStatus("dsn-exchange"))
        #expect(report.recipients.map(\.finalRecipient) == ["gone@example.com"])
        #expect(report.recipients.first?.status?.text == "5.1.10")
        #expect(
            report.recipients.first?.diagnosticCode
                == "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup")
        #expect(report.returnedMessageID?.text == "sent-2@example.org")
        let text = Message(parsing: try Fixture.bytes("dsn-exchange")).text
        #expect(text?.utf8.starts(with: "Delivery has failed to these recipients".utf8) == true)
    }

    @Test("groups without empty lines between them, and replies written over several lines")
    func noGroupLines() throws {
        let report = try #require(try deliveryStatus("dsn-no-group-lines"))
        #expect(report.reportingMTA == "relay.example.net")
        #expect(report.recipients.map(\.finalRecipient) == ["one@example.com", "two@example.com"])
        #expect(report.recipients.map(\.action) == ["failed", "failed"])
        #expect(report.recipients.map(\.status?.text) == ["5.0.0", nil])
        #expect(report.recipients.first?.diagnosticCode == "550-first line 550-5.7.1: second line 550 last line")
        #expect(report.returnedMessageID == nil && report.returnedHeader == nil)
    }

    @Test("a bounce inside a forwarded message is found")
    func forwarded() throws {
        let report = try #require(try deliveryStatus("dsn-forwarded"))
        #expect(report.recipients.map(\.finalRecipient) == ["gone@example.com"])
        #expect(report.returnedMessageID?.text == "sent-3@example.org")
    }

    @Test("an abuse report")
    func abuse() throws {
        guard case .feedback(let report) = Message(parsing: try Fixture.bytes("arf-abuse")).report else {
            Issue.record("no feedback report")
            return
        }
        #expect(report.type == "abuse")
        #expect(report.originalRecipients == ["user@example.com"])
        #expect(report.originalMailFrom == "somespammer@example.net")
        #expect(report.originalMessageID?.text == "8787KJKJ3K4J3K4J3K4J3.mail@example.net")
        #expect(report.sourceIP == "192.0.2.2")
        #expect(report.reportedDomain == "example.net")
        #expect(report.userAgent == "SomeGenerator/1.0")
    }

    @Test("a read receipt")
    func receipt() throws {
        guard case .disposition(let report) = Message(parsing: try Fixture.bytes("mdn-displayed")).report else {
            Issue.record("no disposition report")
            return
        }
        #expect(report.dispositionType == "displayed")
        #expect(report.finalRecipient == "joe@example.com")
        #expect(report.originalMessageID?.text == "sent-4@example.org")
    }

    @Test("an ordinary message carries no report", arguments: ["reply-plain", "mixed-nested", "eai"])
    func none(name: String) throws {
        #expect(Message(parsing: try Fixture.bytes(name)).report == nil)
    }

    @Test(
        "enhanced status codes",
        arguments: [
            ("5.1.1", "5.1.1"), (" 4.2.2 (full)", "4.2.2"), ("2.0.0;", "2.0.0"), ("5.7.509", "5.7.509"), ("5.1.1.", "5.1.1"), ("5.1", nil),
            ("5.1.", nil),
            ("3.1.1", nil), ("5.1.1234", nil), ("5.1.1.1", nil), ("5.1.1x", nil), ("", nil), ("5,1,1", nil), ("05.1.1", "5.1.1"),
            ("5555.1.1", nil),
        ] as [(String, String?)])
    func statusCodes(text: String, expected: String?) {
        #expect(EnhancedStatusCode(text)?.text == expected)
    }
}
