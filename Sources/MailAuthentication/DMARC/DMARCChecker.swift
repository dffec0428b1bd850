package import DNS

/// Finds the policy of a From domain and holds SPF and DKIM against it (RFC 9989 §4.10, §5.3).
package struct DMARCChecker: Sendable {
    private let resolver: any Resolver
    private let isOverdue: @Sendable () -> Bool

    /// - Parameter isOverdue: asked before each lookup; once it says true the check ends with a temporary error.
    package init(resolver: any Resolver, isOverdue: @escaping @Sendable () -> Bool = { false }) {
        self.resolver = resolver
        self.isOverdue = isOverdue
    }

    /// - Parameters:
    ///   - domain: the From domain, lower-case A-labels.
    ///   - spf: nil when the client is not known.
    package func check(_ domain: String, spf: SPFResult?, dkim: [DKIMResult]) async -> DMARCResult {
        guard Domain.labels(domain.utf8) != nil else { return DMARCResult(outcome: .permanentError, domain: "") }
        var walk = DMARCTreeWalk(resolver: resolver, isOverdue: isOverdue)
        do throws(DMARCTreeWalk.Unanswered) {
            guard let found = try await walk.policy(of: domain) else { return DMARCResult(outcome: .none, domain: domain) }
            var result = DMARCResult(outcome: .fail, domain: domain)
            if let proof = try await proof(domain, found.record, spf, dkim, &walk) {
                result = DMARCResult(outcome: .pass, domain: domain)
                result.proof = proof
            } else if try await mayYetPass(domain, found.record, spf, dkim, &walk) {
                result = DMARCResult(outcome: .temporaryError, domain: domain)
            }
            result.policyDomain = found.domain
            result.policy = found.policy
            result.isTesting = found.record.isTesting
            return result
        } catch {
            return DMARCResult(outcome: .temporaryError, domain: domain)
        }
    }

    private func proof(
        _ domain: String, _ record: DMARCRecord, _ spf: SPFResult?, _ dkim: [DKIMResult], _ walk: inout DMARCTreeWalk
    ) async throws(DMARCTreeWalk.Unanswered) -> DMARCResult.Proof? {
        // What l= leaves unsigned anybody may have written (RFC 6376 §8.2).
        for signature in dkim where signature.outcome == .pass && signature.coversWholeBody {
            if try await walk.isAligned(signature.domain, with: domain, isStrict: record.isStrictForDKIM) { return .dkim }
        }
        if let spf, spf.outcome == .pass, try await walk.isAligned(spf.domain, with: domain, isStrict: record.isStrictForSPF) {
            return .spf
        }
        return nil
    }

    /// Whether something that would bear the domain out could not be looked up now.
    private func mayYetPass(
        _ domain: String, _ record: DMARCRecord, _ spf: SPFResult?, _ dkim: [DKIMResult], _ walk: inout DMARCTreeWalk
    ) async throws(DMARCTreeWalk.Unanswered) -> Bool {
        for signature in dkim where signature.outcome == .temporaryError {
            if try await walk.isAligned(signature.domain, with: domain, isStrict: record.isStrictForDKIM) { return true }
        }
        guard let spf, spf.outcome == .temporaryError else { return false }
        return try await walk.isAligned(spf.domain, with: domain, isStrict: record.isStrictForSPF)
    }
}
