import Foundation
import Testing

@testable import InternetMessage

@Suite("Forms of reports")
struct ReportFormTests {
    private func report(_ name: String, _ end: Fixture.LineEnd = .lf) throws -> Report? {
        Message(parsing: try Fixture.bytes(name, end)).report
    }

    private func milliseconds(_ text: String) -> Int64? { MessageDate(text)?.timestamp.milliseconds }

    // MARK: Delivery

    @Test("a delay with every field of RFC 3464 and 3885, and three fates", arguments: Fixture.LineEnd.allCases)
    func delayed(end: Fixture.LineEnd) throws {
        guard case .deliveryStatus(let status) = try report("dsn-delayed", end) else {
            Issue.record("no delivery report")
            return
        }
        #expect(status.originalEnvelopeID == "order+7=x")
        #expect(status.reportingMTA == "relay.example.net")
        #expect(status.gateway == "gateway.example.net")
        #expect(status.receivedFromMTA == "out1.example.com (192.0.2.25)")
        #expect(status.arrivalDate?.iso8601 == "2026-03-04T09:45:18+01:00")
        #expect(status.returnedMessageID?.text == "sent-7@example.com")
        #expect(status.recipients.map(\.action) == ["delayed", "relayed", "expanded"])
        #expect(status.recipients.map(\.originalRecipient) == ["ann+tag@example.org", "bo+20off@example.org", nil])
        #expect(status.recipients.map(\.finalRecipient) == ["ann+tag@example.org", "bo@example.org", "/c=de/o=example/s=carl/"])
        #expect(status.recipients.map(\.status?.text) == ["4.4.1", "2.0.0", "2.1.5"])
        let first = try #require(status.recipients.first)
        #expect(first.diagnosticCode == "451 4.4.1 try again later")
        #expect(first.lastAttempt?.timestamp.milliseconds == milliseconds("Wed, 4 Mar 2026 13:45:18 +0100"))
        #expect(first.willRetryUntil?.timestamp.milliseconds == milliseconds("Mon, 9 Mar 2026 09:45:18 +0100"))
        #expect(first.finalLogID == "4XyZ1a")
    }

    @Test("an internationalized bounce (RFC 6533)", arguments: Fixture.LineEnd.allCases)
    func global(end: Fixture.LineEnd) throws {
        guard case .deliveryStatus(let status) = try report("dsn-global", end) else {
            Issue.record("no delivery report")
            return
        }
        #expect(status.recipients.map(\.originalRecipient) == ["p\u{435}le@example.org"])
        #expect(status.recipients.map(\.finalRecipient) == ["пеле@пример.example"])
        #expect(status.recipients.first?.localizedDiagnostic == "kein Postfach für пеле")
        #expect(status.returnedHeader?.first("subject")?.text == "Grüße")
        #expect(status.returnedMessageID?.text == "sent-8@example.com")
    }

    @Test("a delivery report labelled text/plain")
    func textPart() throws {
        guard case .deliveryStatus(let status) = try report("dsn-text-part") else {
            Issue.record("no delivery report")
            return
        }
        #expect(status.recipients.map(\.finalRecipient) == ["carl@example.org"])
        #expect(status.returnedMessageID?.text == "sent-9@example.com")
    }

    @Test("a delivery report whose boundary lines do not fit its header")
    func lostBoundaries() throws {
        let text = try Fixture.bytes("dsn-delayed").utf8Text.replacing("boundary=\"b1\"", with: "boundary=\"other\"")
        guard case .deliveryStatus(let status) = Message(parsing: Array(text.utf8)).report else {
            Issue.record("no delivery report")
            return
        }
        #expect(status.recipients.map(\.action) == ["delayed", "relayed", "expanded"])
        #expect(status.returnedMessageID?.text == "sent-7@example.com")
    }

    @Test(
        "xtext is undone where it surely is xtext",
        arguments: [
            ("ann+2Btag@example.com", true, "ann+tag@example.com"), ("a+3Db@example.com", true, "a=b@example.com"),
            ("ann+20off@example.com", true, "ann+20off@example.com"), ("ann+tag@example.com", true, "ann+tag@example.com"),
            ("ann+2btag@example.com", true, "ann+2btag@example.com"), ("a+2Bb+c@example.com", true, "a+2Bb+c@example.com"),
            ("ann+2B", true, "ann+"), ("ann+2", true, "ann+2"), ("a=b+2Bc", true, "a=b+2Bc"), ("a+20b", false, "a b"),
            ("a+0Ab", false, "a+0Ab"),
            ("QQ314159", false, "QQ314159"), ("a+41b", false, "a+41b"), ("", false, ""),
        ])
    func xtext(text: String, isAddress: Bool, expected: String) {
        #expect(XText.decodedIfCertain(Array(text.utf8)[...], isAddress: isAddress).utf8Text == expected)
    }

    // MARK: Dispositions and feedback

    @Test("a disposition with modifiers and errors")
    func disposition() throws {
        guard case .disposition(let report) = try report("mdn-error") else {
            Issue.record("no disposition report")
            return
        }
        #expect(report.actionMode == "automatic-action")
        #expect(report.sendingMode == "mdn-sent-automatically")
        #expect(report.dispositionType == "deleted")
        #expect(report.modifiers == ["error", "expired"])
        #expect(report.errors == ["no viewer", "and no reader"])
        #expect(report.warnings == ["old format"])
        #expect(report.reportingUserAgent == "pc.example.org; Reader 3.1")
        #expect(report.gateway == "gateway.example.org")
        #expect(report.originalRecipient == "bo@example.org" && report.finalRecipient == "bo@example.org")
        #expect(report.originalMessageID?.text == "sent-10@example.com")
    }

    @Test(
        "dispositions as programs write them",
        arguments: [
            ("manual-action/MDN-sent-manually; displayed", "manual-action", "mdn-sent-manually", "displayed", []),
            (
                "automatic-action/MDN-sent-automatically;processed/Warning", "automatic-action", "mdn-sent-automatically", "processed",
                ["warning"]
            ),
            ("displayed", "displayed", nil, nil, []), (";displayed", nil, nil, "displayed", []), ("", nil, nil, nil, []),
            ("/;/", nil, nil, nil, []),
        ] as [(String, String?, String?, String?, [String])])
    func dispositions(text: String, action: String?, sending: String?, type: String?, modifiers: [String]) {
        let report = DispositionReport(disposition: text)
        #expect(report.actionMode == action)
        #expect(report.sendingMode == sending)
        #expect(report.dispositionType == type)
        #expect(report.modifiers == modifiers)
    }

    @Test("an authentication failure with several domains and links (RFC 6591)")
    func authenticationFailure() throws {
        guard case .feedback(let report) = try report("arf-auth-failure") else {
            Issue.record("no feedback report")
            return
        }
        #expect(report.type == "auth-failure" && report.version == "1")
        #expect(report.originalMailFrom == "bounce@bounce.example.com" && report.originalRecipients == ["bo@receiver.example"])
        #expect(report.originalEnvelopeID == "QQ7" && report.reportingMTA == "mx.receiver.example")
        #expect(report.arrivalDate?.iso8601 == "2026-03-04T09:45:18+01:00")
        #expect(report.sourceIP == "2001:db8::25" && report.sourcePort == 40025 && report.incidents == 4)
        #expect(report.reportedDomains == ["example.com", "bounce.example.com"] && report.reportedDomain == "example.com")
        #expect(report.reportedURIs == ["https://example.com/offer", "mailto:ann@example.com"])
        #expect(report.authenticationResults.count == 2)
        #expect(report.originalMessageID?.text == "sent-11@example.com")
        let failure = try #require(report.authenticationFailure)
        #expect(failure.kind == "bodyhash" && failure.deliveryResult == "reject")
        #expect(failure.dkimDomain == "example.com" && failure.dkimIdentity == "@example.com" && failure.dkimSelector == "s1")
        #expect(failure.dkimCanonicalizedHeader == Array("from:ann@example.com\r\n".utf8))
        #expect(failure.dkimCanonicalizedBody == Array("Hello\r\n".utf8))
        #expect(failure.spfRecords.count == 2 && failure.unalignedIdentities == ["dkim", "spf"])
    }

    @Test(
        "the kinds of feedback",
        arguments: ["abuse", "fraud", "miscategorized", "not-spam", "opt-out", "virus", "other", "auth-failure", "dmarc"])
    func kinds(type: String) throws {
        let text = try Fixture.bytes("arf-auth-failure").utf8Text.replacing(
            "Feedback-Type: auth-failure", with: "Feedback-Type: \(type.uppercased()) ")
        guard case .feedback(let report) = Message(parsing: Array(text.utf8)).report else {
            Issue.record("no feedback report")
            return
        }
        #expect(report.type == type)
    }

    // MARK: DMARC

    @Test("DMARC reports in gzip and zip", arguments: ["dmarc-gzip", "dmarc-zip"])
    func aggregate(name: String) throws {
        guard case .aggregate(let report) = try report(name) else {
            Issue.record("no DMARC report")
            return
        }
        #expect(report.organization == "Receiver & Sons" && report.contact == "dmarc@receiver.example" && report.reportID == "20260304.7")
        #expect(report.begin?.iso8601 == "2026-03-04T00:00:00Z" && report.end?.iso8601 == "2026-03-04T23:59:59Z")
        #expect(report.errors == ["one record was lost"])
        #expect(report.policy.domain == "example.com" && report.policy.policy == "quarantine" && report.policy.subdomainPolicy == "reject")
        #expect(report.policy.dkimAlignment == "r" && report.policy.spfAlignment == "s" && report.policy.percentage == 100)
        #expect(report.messageCount == 5 && report.records.count == 2 && !report.isCut)
        let first = report.records[0]
        #expect(first.sourceIP == "192.0.2.25" && first.count == 3 && first.disposition == "none")
        #expect(first.dkimAligned == true && first.spfAligned == false && first.passed)
        #expect(first.headerFrom == "example.com" && first.envelopeFrom == "bounce.example.com" && first.envelopeTo == nil)
        #expect(first.dkim.map(\.domain) == ["example.com", "list.example.net"] && first.dkim.map(\.selector) == ["s1", "k"])
        #expect(first.dkim.map(\.note) == [nil, "body hash"])
        #expect(first.spf.map(\.result) == ["softfail"] && first.spf.map(\.scope) == ["mfrom"])
        let second = report.records[1]
        #expect(!second.passed && second.reasons.map(\.type) == ["mailing_list"] && second.reasons.map(\.comment) == ["a <list>"])
    }

    @Test("DMARC reports of RFC 9990, stored and plain", arguments: ["dmarc-zip-stored", "dmarc-plain"])
    func aggregateOf9990(name: String) throws {
        guard case .aggregate(let report) = try report(name) else {
            Issue.record("no DMARC report")
            return
        }
        #expect(report.policy.discoveryMethod == "treewalk" && report.policy.nonexistentSubdomainPolicy == "reject")
        #expect(report.policy.isTesting == true && report.records.map(\.disposition) == ["pass"])
    }

    @Test(
        "XML that is no report, or broken, or a trap",
        arguments: [
            "", "<feedback>", "<feedback><record></feedback>", "<other></other>", "<html><body>x</body></html>", "feedback", "<feedback/",
            "<!DOCTYPE feedback [<!ENTITY a \"b\">]><feedback>&a;</feedback>", "<feedback></feedback><feedback></feedback>",
            "<feedback></x></feedback>",
            String(repeating: "<feedback>", count: 100_000), "<feedback a=\"",
        ])
    func noAggregate(xml: String) {
        #expect(AggregateReportReader.report(Array(xml.utf8)[...]) == nil)
    }

    @Test("encodings, unknown entities and overflowing numbers in XML")
    func xmlOddities() throws {
        let body = """
            <feedback a='>'><x:report_metadata xmlns:x="y"><org_name>B\u{fc}ro &#65;&#x42;&unknown;&#xD800;</org_name></x:report_metadata>\
            <record><row><count>99999999999999999999</count></row></record><record><row><count>2</count></row></record></feedback>
            """
        let plain = try #require(AggregateReportReader.report(Array(body.utf8)[...]))
        #expect(plain.organization == "B\u{fc}ro AB&unknown;&#xD800;")
        #expect(plain.records.map(\.count) == [0, 2])
        let latin = Array("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>".utf8) + body.unicodeScalars.map { UInt8($0.value) }
        #expect(AggregateReportReader.report(latin[...])?.organization == plain.organization)
        let wide: [UInt8] = [0xFF, 0xFE] + body.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] as [UInt8] }
        #expect(AggregateReportReader.report(wide[...])?.organization == plain.organization)
    }

    @Test("lists beyond the limits are cut and say so")
    func cut() throws {
        var limits = ReportLimits()
        limits.records = 2
        limits.listEntries = 1
        let record = "<record><auth_results><dkim/><dkim/></auth_results></record>"
        let report = try #require(
            AggregateReportReader.report(Array("<feedback>\(String(repeating: record, count: 3))</feedback>".utf8)[...], limits: limits))
        #expect(report.isCut && report.records.count == 2 && report.records[0].dkim.count == 1)
        limits.elements = 3
        #expect(AggregateReportReader.report(Array("<feedback>\(record)</feedback>".utf8)[...], limits: limits) == nil)
    }

    // MARK: TLS

    @Test("TLS reports", arguments: ["tlsrpt-gzip", "tlsrpt-plain"])
    func transportSecurity(name: String) throws {
        guard case .transportSecurity(let report) = try report(name) else {
            Issue.record("no TLS report")
            return
        }
        #expect(report.organization == "Receiver & Sons" && report.contact == "tls@receiver.example")
        #expect(report.reportID == "2026-03-04T00:00:00Z_example.com")
        #expect(report.begin?.iso8601 == "2026-03-04T00:00:00Z" && report.end?.iso8601 == "2026-03-04T23:59:59Z")
        #expect(report.policies.map(\.type) == ["sts", "no-policy-found"])
        let policy = try #require(report.policies.first)
        #expect(policy.lines.count == 4 && policy.hosts == ["*.example.com"] && policy.domain == "example.com")
        #expect(policy.successes == 5326 && policy.failureCount == 303)
        #expect(policy.failures.map(\.resultType) == ["certificate-expired", "starttls-not-supported"])
        #expect(policy.failures.map(\.count) == [100, 203])
        #expect(policy.failures[1].reasonCode == "no \"STARTTLS\" \u{1F600}" && policy.failures[1].receivingIP == "203.0.113.56")
    }

    @Test(
        "JSON that is broken, too deep or no report",
        arguments: [
            "", "{", "[]", "{}", "{\"policies\":[]}", "{\"report-id\":\"x\",\"policies\":[}", "{\"report-id\":\"x\",\"policies\":[]} x",
            "{\"report-id\":\"\\u12\",\"policies\":[]}", "{\"report-id\":\"x\",\"policies\":[tru]}",
            "{\"report-id\":1,\"policies\":" + String(repeating: "[", count: 100_000),
        ])
    func noTransportSecurity(json: String) {
        #expect(TLSReport(json: Array(json.utf8)[...]) == nil)
    }

    @Test("JSON members as careless reporters write them")
    func looseJSON() throws {
        let json =
            "\u{FEFF}{\"Report_ID\":7,\"policies\":[{\"policy\":{\"mx-host\":\"mx.example\"},\"summary\":null},3,[]],\"x\":[true,false,null,-1.5e3]}"
        let report = try #require(TLSReport(json: Array(json.utf8)[...]))
        #expect(report.reportID == "7" && report.policies.count == 3 && report.policies[0].hosts == ["mx.example"])
    }

    // MARK: Compression

    /// A gzip member that stores its content, which needs no compressor.
    private func stored(_ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        var rest = content[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            let size = UInt16(block.count)
            bytes += [rest.isEmpty ? 1 : 0, UInt8(size & 0xFF), UInt8(size >> 8), UInt8(~size & 0xFF), UInt8(~size >> 8)] + block
        } while !rest.isEmpty
        for value in [Inflation.checksum(content), UInt32(truncatingIfNeeded: content.count)] {
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return bytes
    }

    @Test("gzip: several members, rubbish behind, wrong check sum, cut")
    func gzip() {
        let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let member = stored(content)
        #expect(Inflation.inflate(member[...], .gzip) == content)
        #expect(Inflation.inflate((member + member)[...], .gzip) == content + content)
        #expect(Inflation.inflate((member + [0, 0, 0])[...], .gzip) == content)
        var wrong = member
        wrong[wrong.count - 8] ^= 1
        #expect(Inflation.inflate(wrong[...], .gzip) == nil)
        for end in stride(from: 0, to: member.count, by: 997) { #expect(Inflation.inflate(member[..<end], .gzip) == nil) }
        #expect(Inflation.inflate([], .raw) == nil)
    }

    @Test("bombs stop at the limits")
    func bombs() throws {
        // One deflate block of fixed codes: a zero byte, then matches of 258 octets at distance 1, each 13 bits: a ratio near 160.
        var bits: [Bool] = [true, true, false]
        func code(_ value: Int, _ width: Int) { for i in (0..<width).reversed() { bits.append(value >> i & 1 == 1) } }
        code(0x30, 8)
        for _ in 0..<40_000 {
            code(0xC5, 8)
            code(0, 5)
        }
        code(0, 7)
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: bits.count, by: 8) {
            var byte: UInt8 = 0
            for (place, bit) in bits[start..<min(bits.count, start + 8)].enumerated() where bit { byte |= 1 << UInt8(place) }
            bytes.append(byte)
        }
        let whole = 40_000 * 258 + 1
        #expect(Inflation.inflate(bytes[...], .raw)?.count == whole)
        var limits = ReportLimits()
        limits.inflationRatio = 20
        #expect(Inflation.inflate(bytes[...], .raw, limits: limits) == nil)
        limits = ReportLimits()
        limits.inflatedBytes = whole - 1
        #expect(Inflation.inflate(bytes[...], .raw, limits: limits) == nil)
        limits.inflatedBytes = whole
        #expect(Inflation.inflate(bytes[...], .raw, limits: limits)?.count == whole)
        limits.attachmentBytes = bytes.count - 1
        #expect(Inflation.inflate(bytes[...], .raw, limits: limits) == nil)
    }

    @Test("archives and streams cut at every byte and mutated", arguments: ["dmarc-gzip", "dmarc-zip", "dmarc-zip-stored", "tlsrpt-gzip"])
    func hostileArchives(name: String) throws {
        let message = Message(parsing: try Fixture.bytes(name))
        let bytes = try #require(message.attachments.last).bytes
        let isZip = bytes.first == 0x50
        func open(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
            isZip ? ZipArchive.content(of: bytes, endings: [".xml"]) : Inflation.inflate(bytes, .gzip)
        }
        let whole = try #require(open(bytes[...]))
        for end in 0..<bytes.count { #expect(open(bytes[..<end]) == nil) }
        var random = SplitMix(seed: 7)
        for _ in 0..<1_500 {
            var mutated = bytes
            for _ in 0...(random.next() % 4) {
                mutated[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if let content = open(mutated[...]), content != whole { #expect(content.count <= ReportLimits.default.inflatedBytes) }
        }
        for end in stride(from: 0, to: whole.count, by: 7) {
            #expect(AggregateReportReader.report(whole[..<end]) == nil || end >= whole.count - 1)
            #expect(TLSReport(json: whole[..<end]) == nil || end >= whole.count - 1)
        }
        for _ in 0..<1_500 {
            var mutated = whole
            for _ in 0...(random.next() % 4) {
                mutated[Int(random.next() % UInt64(whole.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = AggregateReportReader.report(mutated[...])
            _ = TLSReport(json: mutated[...])
        }
    }

    @Test("attachments that do not say they are reports stay closed")
    func closed() throws {
        let text = try Fixture.bytes("dmarc-gzip").utf8Text
        let plain = text.replacing("receiver.example!example.com!1772582400!1772668799.xml.gz", with: "holiday.gz")
        #expect(Message(parsing: Array(plain.utf8)).report == nil)
    }

    // MARK: Corpora

    @Test(
        "real delivery reports: each file that has the part yields its recipients",
        .enabled(if: FieldCorpora.areExpected, FieldCorpora.hint),
        arguments: ["sisimai-set-of-emails", "flufl.bounce"])
    func realDeliveryReports(folder: String) throws {
        var (present, parsed, recipients, dated, feedback, feedbackPresent) = (0, 0, 0, 0, 0, 0)
        for url in try FieldCorpora.files(folder) {
            let bytes = [UInt8](try Data(contentsOf: url))
            guard !url.path.contains("/labels/") else { continue }
            let message = Message(parsing: bytes)
            var stack = [message.root]
            var (hasStatus, hasFeedback) = (false, false)
            while let part = stack.popLast() {
                stack += part.children
                guard part.children.isEmpty, part.mediaType.type == "message" else { continue }
                let body = part.decodedBody().bytes[...]
                if part.mediaType.subtype.hasSuffix("delivery-status"), Self.holdsRecipient(body) { hasStatus = true }
                if part.mediaType.subtype == "feedback-report" { hasFeedback = true }
            }
            if hasFeedback { feedbackPresent += 1 }
            if hasStatus { present += 1 }
            switch message.report {
            case .deliveryStatus(let status)?:
                let usable = status.recipients.contains { $0.finalRecipient != nil || $0.originalRecipient != nil }
                if usable, hasStatus { parsed += 1 }
                if hasStatus, !usable { print("no recipient: \(url.lastPathComponent)") }
                recipients += status.recipients.count
                if status.arrivalDate != nil || status.recipients.contains(where: { $0.lastAttempt != nil }) { dated += 1 }
            case .feedback?: feedback += 1
            default: if hasStatus { print("no report: \(url.lastPathComponent)") }
            }
        }
        print(
            "\(folder): \(parsed) of \(present) delivery-status parts with a recipient read, \(recipients) recipients, \(dated) dated; \(feedback) of \(feedbackPresent) feedback reports"
        )
        #expect(present > 10)
        #expect(parsed == present)
        #expect(feedback == feedbackPresent)
    }

    private static func holdsRecipient(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.split(whereSeparator: { $0 == ASCII.lf || $0 == ASCII.cr }).contains {
            $0.hasPrefix(ignoringCase: "final-recipient:") || $0.hasPrefix(ignoringCase: "original-recipient:")
        }
    }
}
