/// Reads the XML of a DMARC aggregate report, elements by their names and places, whatever their namespace.
struct AggregateReportReader {
    /// The elements that say something, by their path below the root; every other one is `elsewhere`.
    private enum Place: String, CaseIterable {
        case feedback = ""
        case metadata = "report_metadata"
        case organization = "report_metadata/org_name"
        case email = "report_metadata/email"
        case extraContact = "report_metadata/extra_contact_info"
        case reportID = "report_metadata/report_id"
        case dateRange = "report_metadata/date_range"
        case begin = "report_metadata/date_range/begin"
        case end = "report_metadata/date_range/end"
        case error = "report_metadata/error"
        case policy = "policy_published"
        case domain = "policy_published/domain"
        case domainPolicy = "policy_published/p"
        case subdomainPolicy = "policy_published/sp"
        case nonexistentPolicy = "policy_published/np"
        case dkimAlignment = "policy_published/adkim"
        case spfAlignment = "policy_published/aspf"
        case percentage = "policy_published/pct"
        case failureOptions = "policy_published/fo"
        case testing = "policy_published/testing"
        case discovery = "policy_published/discovery_method"
        case record = "record"
        case row = "record/row"
        case sourceIP = "record/row/source_ip"
        case count = "record/row/count"
        case evaluated = "record/row/policy_evaluated"
        case disposition = "record/row/policy_evaluated/disposition"
        case dkimEvaluated = "record/row/policy_evaluated/dkim"
        case spfEvaluated = "record/row/policy_evaluated/spf"
        case reason = "record/row/policy_evaluated/reason"
        case reasonType = "record/row/policy_evaluated/reason/type"
        case reasonComment = "record/row/policy_evaluated/reason/comment"
        case identifiers = "record/identifiers"
        case headerFrom = "record/identifiers/header_from"
        case envelopeFrom = "record/identifiers/envelope_from"
        case envelopeTo = "record/identifiers/envelope_to"
        case results = "record/auth_results"
        case dkim = "record/auth_results/dkim"
        case dkimDomain = "record/auth_results/dkim/domain"
        case dkimResult = "record/auth_results/dkim/result"
        case dkimSelector = "record/auth_results/dkim/selector"
        case dkimNote = "record/auth_results/dkim/human_result"
        case spf = "record/auth_results/spf"
        case spfDomain = "record/auth_results/spf/domain"
        case spfResult = "record/auth_results/spf/result"
        case spfScope = "record/auth_results/spf/scope"
        case spfNote = "record/auth_results/spf/human_result"
        case elsewhere = "-"

        private static let children: [Place: [[UInt8]: Place]] = {
            var children: [Place: [[UInt8]: Place]] = [:]
            for place in allCases where place != .feedback && place != .elsewhere {
                let path = Array(place.rawValue.utf8)
                let slash = path.lastIndex(of: ASCII.slash)
                guard let parent = Place(rawValue: path[..<(slash ?? 0)].utf8Text) else { continue }
                children[parent, default: [:]][Array(path[(slash.map { $0 + 1 } ?? 0)...])] = place
            }
            // Quirk(early reporters): the older name of the identifiers.
            children[.record, default: [:]][Array("identities".utf8)] = .identifiers
            return children
        }()

        func child(_ name: [UInt8]) -> Place { Self.children[self]?[name] ?? .elsewhere }
    }

    private var report = AggregateReport()
    private var record = AggregateReport.Record()
    private var reason = AggregateReport.Record.Reason(type: "")
    private var result = AggregateReport.Record.Result()
    private var path: [Place] = []
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
                let place = path.last?.child(name) ?? .feedback
                path.append(place)
                text = []
                begin(place)
            case .text(let piece):
                if text.count < limits.textBytes { text += piece }
            case .end:
                if let place = path.popLast() { end(place) }
                text = []
            }
        }
        return isReport && !scanner.isBroken ? report : nil
    }

    private mutating func begin(_ place: Place) {
        switch place {
        case .record: record = AggregateReport.Record()
        case .reason: reason = .init(type: "")
        case .dkim, .spf: result = .init()
        default: break
        }
    }

    private mutating func end(_ place: Place) {
        switch place {
        case .organization: report.organization = value
        case .email: report.contact = value
        case .extraContact: report.extraContact = value
        case .reportID: report.reportID = value
        case .begin: report.begin = moment
        case .end: report.end = moment
        case .error:
            if report.errors.count < limits.listEntries { report.errors.append(value) } else { report.isCut = true }
        case .domain: report.policy.domain = word
        case .domainPolicy: report.policy.policy = word
        case .subdomainPolicy: report.policy.subdomainPolicy = word
        case .nonexistentPolicy: report.policy.nonexistentSubdomainPolicy = word
        case .dkimAlignment: report.policy.dkimAlignment = word
        case .spfAlignment: report.policy.spfAlignment = word
        case .percentage: report.policy.percentage = ReportNumber.count(text[...]).map { min($0, 100) }
        case .failureOptions: report.policy.failureOptions = word
        case .testing: report.policy.isTesting = isWord("y")
        case .discovery: report.policy.discoveryMethod = word
        case .record:
            if report.records.count < limits.records { report.records.append(record) } else { report.isCut = true }
        default: endInRecord(place)
        }
    }

    private mutating func endInRecord(_ place: Place) {
        switch place {
        case .sourceIP: record.sourceIP = word
        case .count: record.count = ReportNumber.count(text[...]) ?? 0
        case .disposition: record.disposition = word
        case .dkimEvaluated: record.dkimAligned = isWord("pass")
        case .spfEvaluated: record.spfAligned = isWord("pass")
        case .reasonType: reason.type = word
        case .reasonComment: reason.comment = text.isEmpty ? nil : value
        case .reason: keep(reason, in: \.reasons)
        case .headerFrom: record.headerFrom = word
        case .envelopeFrom: record.envelopeFrom = word
        case .envelopeTo: record.envelopeTo = word
        case .dkimDomain, .spfDomain: result.domain = word
        case .dkimResult, .spfResult: result.result = word
        case .dkimSelector: result.selector = value
        case .spfScope: result.scope = word
        case .dkimNote, .spfNote: result.note = text.isEmpty ? nil : value
        case .dkim: keep(result, in: \.dkim)
        case .spf: keep(result, in: \.spf)
        default: break
        }
    }

    private mutating func keep<Element>(_ element: Element, in list: WritableKeyPath<AggregateReport.Record, [Element]>) {
        if record[keyPath: list].count < limits.listEntries { record[keyPath: list].append(element) } else { report.isCut = true }
    }

    // MARK: The text of the element that ends

    private var value: String { text[...].trimmed.utf8Text }

    private var word: String { text[...].trimmed.asciiLowercased.utf8Text }

    private func isWord(_ word: String) -> Bool { text[...].trimmed.matches(word) }

    private var moment: Timestamp? {
        ReportNumber.count(text[...]).map { Timestamp(seconds: Int64($0)) }
    }
}
