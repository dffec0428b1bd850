import Outreach
import Synchronization

/// Plans by sequence version, which never changes once loaded.
final class PlanShelf: Sendable {
    private let plans = Mutex<[SequenceVersion.ID: SequencePlan]>([:])

    /// nil when there is no such version.
    func plan(of id: SequenceVersion.ID, in store: any SequenceStore) async throws(StoreError) -> SequencePlan? {
        if let known = plans.withLock({ $0[id] }) { return known }
        guard let plan = try await store.sequence(id: id)?.plan else { return nil }
        plans.withLock { $0[id] = plan }
        return plan
    }
}

/// Parsed templates by sequence version, which never changes once loaded.
final class TemplateShelf: Sendable {
    private let parsed = Mutex<[SequenceVersion.ID: StepTemplates]>([:])

    /// nil when the stored sequence cannot be parsed, which loading it prevents.
    func templates(of sequence: SequenceVersion) -> StepTemplates? {
        if let known = parsed.withLock({ $0[sequence.id] }) { return known }
        guard let templates = try? StepTemplates(sequence.plan) else { return nil }
        parsed.withLock { $0[sequence.id] = templates }
        return templates
    }
}
