import DNS

/// Looks DMARC records up from a domain towards the root (RFC 9989 §4.10), each name once.
struct DMARCTreeWalk {
    /// DNS gives no answer now.
    struct Unanswered: Error {}

    struct Policy {
        let domain: String
        let record: DMARCRecord
        let policy: DMARCPolicy
    }

    private struct Step {
        let domain: String
        let record: DMARCRecord
    }

    /// The most labels of a name asked for after the first.
    private static let mostLabels = 7
    /// Domains whose organizational domain is looked for; one message brings no more that matter.
    private static let mostDomains = 12

    private let resolver: any Resolver
    private let isOverdue: @Sendable () -> Bool
    private var known: [String: DMARCRecord?] = [:]
    private var organizations: [String: String] = [:]

    init(resolver: any Resolver, isOverdue: @escaping @Sendable () -> Bool) {
        self.resolver = resolver
        self.isOverdue = isOverdue
    }

    /// The policy for a From domain; nil when there is none, or none that may be applied.
    mutating func policy(of domain: String) async throws(Unanswered) -> Policy? {
        if let own = try await record(at: domain) {
            return own.isApplicable ? Policy(domain: domain, record: own, policy: own.policy) : nil
        }
        let steps = try await walk(from: domain)
        let organization = Self.organization(of: domain, steps)
        guard let step = steps.first(where: { $0.domain.utf8.elementsEqual(organization.utf8) }) ?? steps.last, step.record.isApplicable
        else { return nil }
        // Only a public suffix may speak for a domain below another organization.
        guard step.domain.utf8.elementsEqual(organization.utf8) || step.record.isPublicSuffix == true else { return nil }
        var policy = step.record.subdomainPolicy ?? step.record.policy
        if let absent = step.record.absentPolicy, absent != policy {
            let answer = try await answer(domain, .a)
            if answer.outcome == .nameNotFound { policy = absent }
        }
        return Policy(domain: step.domain, record: step.record, policy: policy)
    }

    /// Whether a domain that SPF or DKIM vouches for speaks for a From domain.
    mutating func isAligned(_ identifier: String, with domain: String, isStrict: Bool) async throws(Unanswered) -> Bool {
        if identifier.utf8.elementsEqual(domain.utf8) { return true }
        guard !isStrict, let own = Domain.labels(identifier.utf8), let other = Domain.labels(domain.utf8), own.last == other.last else {
            return false
        }
        guard let mine = try await organization(of: identifier), let theirs = try await organization(of: domain) else { return false }
        return mine.utf8.elementsEqual(theirs.utf8)
    }

    private mutating func organization(of domain: String) async throws(Unanswered) -> String? {
        if let known = organizations[domain] { return known }
        guard organizations.count < Self.mostDomains else { return nil }
        let found = Self.organization(of: domain, try await walk(from: domain))
        organizations[domain] = found
        return found
    }

    private static func organization(of domain: String, _ steps: [Step]) -> String {
        for step in steps {
            if step.record.isPublicSuffix == false { return step.domain }
            guard step.record.isPublicSuffix == true, !step.domain.utf8.elementsEqual(domain.utf8) else { continue }
            let labels = Domain.labels(step.domain.utf8)?.count ?? 0
            return suffix(of: domain, labels: labels + 1)
        }
        return steps.last?.domain ?? domain
    }

    private static func suffix(of domain: String, labels count: Int) -> String {
        let labels = domain.utf8.split(separator: UInt8(ascii: "."))
        return Array(labels.suffix(count).joined(separator: [UInt8(ascii: ".")])).text
    }

    /// The records from the domain up to the root, or to the first that says whether it is a public suffix.
    private mutating func walk(from domain: String) async throws(Unanswered) -> [Step] {
        var steps: [Step] = []
        var left = Domain.labels(domain.utf8)?.count ?? 0
        var target = domain
        while left > 0 {
            if let record = try await record(at: target) {
                steps.append(Step(domain: target, record: record))
                if record.isPublicSuffix != nil { return steps }
            }
            left = min(left - 1, Self.mostLabels)
            target = Self.suffix(of: domain, labels: left)
        }
        return steps
    }

    private mutating func record(at domain: String) async throws(Unanswered) -> DMARCRecord? {
        if let known = known[domain] { return known }
        let records = try await answer("_dmarc.\(domain)", .txt).texts.compactMap(DMARCRecord.init(parsing:))
        let record = records.count == 1 ? records[0] : nil
        known[domain] = .some(record)
        return record
    }

    private func answer(_ name: String, _ type: RecordType) async throws(Unanswered) -> DNSAnswer {
        guard !isOverdue() else { throw Unanswered() }
        let answer = await resolver.lookup(name, type)
        if let failure = answer.failure, failure.isTemporary { throw Unanswered() }
        return answer
    }
}
