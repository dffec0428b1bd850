/// A report on TLS between mail servers (RFC 8460): how sessions to our domain went, policy by policy.
package struct TLSReport: Sendable, Hashable {
    /// Failures of one kind.
    package struct Failure: Sendable, Hashable {
        /// `starttls-not-supported`, `certificate-expired` and others, in lower case; nil when absent.
        package var resultType: String?
        package var sendingMTA: String?
        package var receivingHost: String?
        package var receivingHELO: String?
        package var receivingIP: String?
        /// Sessions that failed so; 0 when unreadable.
        package var count = 0
        /// A link or words with more about it.
        package var additionalInformation: String?
        /// A code for the reason, for example an error of the TLS library.
        package var reasonCode: String?

        package init() {}
    }

    /// What happened under one policy.
    package struct Policy: Sendable, Hashable {
        /// `tlsa`, `sts` or `no-policy-found`, in lower case.
        package var type: String?
        /// The policy line by line.
        package var lines: [String] = []
        /// The domain the policy is for.
        package var domain: String?
        /// The hosts or patterns of hosts it names.
        package var hosts: [String] = []
        package var successes = 0
        package var failureCount = 0
        package var failures: [Failure] = []

        package init() {}
    }

    /// Who reports.
    package var organization: String?
    /// Where the reporter can be asked.
    package var contact: String?
    /// Unique for the reporter.
    package var reportID: String?
    /// Begin of the period.
    package var begin: Timestamp?
    /// End of the period.
    package var end: Timestamp?
    package var policies: [Policy] = []
    /// Whether entries beyond the limits were dropped.
    package var isCut = false

    package init() {}

    /// The report in a JSON document; nil when it is none.
    init?(json: ArraySlice<UInt8>, limits: ReportLimits = .default) {
        guard json.count <= limits.inflatedBytes, let root = JSONReader.value(of: json, limits: limits),
            root["policies"] != nil, root["organization-name"] != nil || root["report-id"] != nil || root["date-range"] != nil
        else { return nil }
        organization = root["organization-name"]?.text
        contact = root["contact-info"]?.text
        reportID = root["report-id"]?.text
        begin = Self.moment(root["date-range"]?["start-datetime"])
        end = Self.moment(root["date-range"]?["end-datetime"])
        var room = limits.records
        for entry in root["policies"]?.elements ?? [] {
            guard room > 0 else {
                isCut = true
                break
            }
            room -= 1
            var policy = Policy()
            policy.type = entry["policy"]?["policy-type"]?.text?.utf8.asciiLowercased.utf8Text
            policy.lines = Self.texts(entry["policy"]?["policy-string"], limits, &isCut)
            policy.domain = entry["policy"]?["policy-domain"]?.text
            policy.hosts = Self.texts(entry["policy"]?["mx-host"], limits, &isCut)
            policy.successes = entry["summary"]?["total-successful-session-count"]?.count ?? 0
            policy.failureCount = entry["summary"]?["total-failure-session-count"]?.count ?? 0
            for detail in entry["failure-details"]?.elements ?? [] {
                guard room > 0 else {
                    isCut = true
                    break
                }
                room -= 1
                policy.failures.append(Self.failure(detail))
            }
            policies.append(policy)
        }
    }

    private static func failure(_ detail: JSONReader.Value) -> Failure {
        var failure = Failure()
        failure.resultType = detail["result-type"]?.text?.utf8.asciiLowercased.utf8Text
        failure.sendingMTA = detail["sending-mta-ip"]?.text
        failure.receivingHost = detail["receiving-mx-hostname"]?.text
        failure.receivingHELO = detail["receiving-mx-helo"]?.text
        failure.receivingIP = detail["receiving-ip"]?.text
        failure.count = detail["failed-session-count"]?.count ?? 0
        failure.additionalInformation = detail["additional-information"]?.text
        failure.reasonCode = detail["failure-reason-code"]?.text
        return failure
    }

    /// A list of strings; a lone string counts as a list of one, because reporters write that.
    private static func texts(_ value: JSONReader.Value?, _ limits: ReportLimits, _ isCut: inout Bool) -> [String] {
        guard let value else { return [] }
        if let text = value.text { return [text] }
        let all = value.elements.compactMap(\.text)
        if all.count > limits.listEntries { isCut = true }
        return Array(all.prefix(limits.listEntries))
    }

    private static func moment(_ value: JSONReader.Value?) -> Timestamp? {
        value?.text.flatMap { MessageDate($0)?.timestamp }
    }
}
