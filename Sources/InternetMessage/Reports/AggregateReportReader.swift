/// Reads the XML of a DMARC aggregate report, elements by their names and places, whatever their namespace.
struct AggregateReportReader {
    private var report = AggregateReport()
    private var record = AggregateReport.Record()
    private var reason = AggregateReport.Record.Reason(type: "")
    private var result = AggregateReport.Record.Result()
    private var path: [String] = []
    private var text: [UInt8] = []
    private let limits: ReportLimits

    /// The report in an XML document; nil when it is none, or broken, because a part of it would tell something wrong.
    static func report(_ xml: ArraySlice<UInt8>, limits: ReportLimits = .default) -> AggregateReport? {
        guard xml.count <= limits.inflatedBytes else { return nil }
        var reader = AggregateReportReader(limits: limits)
        return reader.read(xml)
    }

    private init(limits: ReportLimits) {
        self.limits = limits
    }

    private mutating func read(_ xml: ArraySlice<UInt8>) -> AggregateReport? {
        var scanner = XMLScanner(xml, limits: limits)
        var isReport = false
        while let event = scanner.next() {
            switch event {
            case .start(let name):
                if path.isEmpty {
                    guard name.matches("feedback") else { return nil }
                    isReport = true
                }
                path.append(name.utf8Text)
                text = []
                begin()
            case .text(let piece):
                if text.count < limits.textBytes { text += piece }
            case .end:
                end()
                path.removeLast()
                text = []
            }
        }
        return isReport && !scanner.isBroken ? report : nil
    }

    private var place: String { path.dropFirst().joined(separator: "/") }

    private mutating func begin() {
        switch place {
        case "record": record = AggregateReport.Record()
        case "record/row/policy_evaluated/reason": reason = .init(type: "")
        case "record/auth_results/dkim", "record/auth_results/spf": result = .init()
        default: break
        }
    }

    private mutating func end() {
        // Elements that only hold others say nothing themselves.
        let value = text[...].trimmed.utf8Text
        let word = text[...].trimmed.asciiLowercased.utf8Text
        switch place {
        case "report_metadata/org_name": report.organization = value
        case "report_metadata/email": report.contact = value
        case "report_metadata/extra_contact_info": report.extraContact = value
        case "report_metadata/report_id": report.reportID = value
        case "report_metadata/date_range/begin": report.begin = moment
        case "report_metadata/date_range/end": report.end = moment
        case "report_metadata/error": add(value, to: \.errors)
        case "policy_published/domain": report.policy.domain = word
        case "policy_published/p": report.policy.policy = word
        case "policy_published/sp": report.policy.subdomainPolicy = word
        case "policy_published/np": report.policy.nonexistentSubdomainPolicy = word
        case "policy_published/adkim": report.policy.dkimAlignment = word
        case "policy_published/aspf": report.policy.spfAlignment = word
        case "policy_published/pct": report.policy.percentage = ReportNumber.count(text[...]).map { min($0, 100) }
        case "policy_published/fo": report.policy.failureOptions = word
        case "policy_published/testing": report.policy.isTesting = text[...].trimmed.matches("y")
        case "policy_published/discovery_method": report.policy.discoveryMethod = word
        case "record":
            if report.records.count < limits.records { report.records.append(record) } else { report.isCut = true }
        default: endInRecord(value, word)
        }
    }

    private mutating func endInRecord(_ value: String, _ word: String) {
        switch place {
        case "record/row/source_ip": record.sourceIP = word
        case "record/row/count": record.count = ReportNumber.count(text[...]) ?? 0
        case "record/row/policy_evaluated/disposition": record.disposition = word
        case "record/row/policy_evaluated/dkim": record.dkimAligned = text[...].trimmed.matches("pass")
        case "record/row/policy_evaluated/spf": record.spfAligned = text[...].trimmed.matches("pass")
        case "record/row/policy_evaluated/reason/type": reason.type = word
        case "record/row/policy_evaluated/reason/comment": reason.comment = value.utf8.isEmpty ? nil : value
        case "record/row/policy_evaluated/reason": keep(reason, in: \.reasons)
        case "record/identifiers/header_from", "record/identities/header_from": record.headerFrom = word
        case "record/identifiers/envelope_from", "record/identities/envelope_from": record.envelopeFrom = word
        case "record/identifiers/envelope_to", "record/identities/envelope_to": record.envelopeTo = word
        case "record/auth_results/dkim/domain", "record/auth_results/spf/domain": result.domain = word
        case "record/auth_results/dkim/result", "record/auth_results/spf/result": result.result = word
        case "record/auth_results/dkim/selector": result.selector = value
        case "record/auth_results/spf/scope": result.scope = word
        case "record/auth_results/dkim/human_result", "record/auth_results/spf/human_result": result.note = value.utf8.isEmpty ? nil : value
        case "record/auth_results/dkim": keep(result, in: \.dkim)
        case "record/auth_results/spf": keep(result, in: \.spf)
        default: break
        }
    }

    private mutating func keep<Element>(_ element: Element, in list: WritableKeyPath<AggregateReport.Record, [Element]>) {
        if record[keyPath: list].count < limits.listEntries { record[keyPath: list].append(element) } else { report.isCut = true }
    }

    private mutating func add(_ text: String, to list: WritableKeyPath<AggregateReport, [String]>) {
        if report[keyPath: list].count < limits.listEntries { report[keyPath: list].append(text) } else { report.isCut = true }
    }

    private var moment: Timestamp? {
        ReportNumber.count(text[...]).map { Timestamp(seconds: Int64($0)) }
    }
}
