import InternetMessage

/// DMARC and TLS reports as data, in the `report` of `parse --json`.
enum ReportJSON {
    static func value(_ report: AggregateReport) -> JSONValue {
        [
            "kind": "dmarc", "organization": .text(report.organization), "contact": .text(report.contact),
            "report_id": .text(report.reportID),
            "begin": .moment(report.begin), "end": .moment(report.end), "domain": MessageJSON.host(report.policy.domain),
            "policy": .text(report.policy.policy), "subdomain_policy": .text(report.policy.subdomainPolicy),
            "messages": .count(report.messageCount), "records": .array(report.records.map(record)),
        ]
    }

    private static func record(_ record: AggregateReport.Record) -> JSONValue {
        [
            "source_ip": .text(record.sourceIP), "count": .count(record.count), "disposition": .text(record.disposition),
            "dkim_aligned": verdict(record.dkimAligned), "spf_aligned": verdict(record.spfAligned),
            "header_from": MessageJSON.host(record.headerFrom), "envelope_from": MessageJSON.host(record.envelopeFrom),
            "reasons": .texts(record.reasons.map(\.type)), "dkim": .array(record.dkim.map(result)), "spf": .array(record.spf.map(result)),
        ]
    }

    private static func result(_ result: AggregateReport.Record.Result) -> JSONValue {
        [
            "domain": MessageJSON.host(result.domain), "result": .text(result.result), "selector": .text(result.selector),
            "scope": .text(result.scope),
        ]
    }

    private static func verdict(_ aligned: Bool?) -> JSONValue { .text(aligned.map { $0 ? "pass" : "fail" }) }

    static func value(_ report: TLSReport) -> JSONValue {
        [
            "kind": "tlsrpt", "organization": .text(report.organization), "contact": .text(report.contact),
            "report_id": .text(report.reportID), "begin": .moment(report.begin), "end": .moment(report.end),
            "policies": .array(report.policies.map(policy)),
        ]
    }

    private static func policy(_ policy: TLSReport.Policy) -> JSONValue {
        [
            "type": .text(policy.type), "domain": MessageJSON.host(policy.domain), "successes": .count(policy.successes),
            "failures": .count(policy.failureCount),
            "details": .array(
                policy.failures.map { failure in
                    [
                        "result": .text(failure.resultType), "sending_ip": .text(failure.sendingMTA),
                        "receiving_host": MessageJSON.host(failure.receivingHost), "count": .count(failure.count),
                        "reason_code": .text(failure.reasonCode),
                    ]
                }),
        ]
    }
}
