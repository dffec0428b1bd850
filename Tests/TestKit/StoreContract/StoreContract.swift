package import Outreach

/// A store of every role.
package typealias EveryStore = AuditStore & ContactGroupStore & ContactImportStore & ContactStore & ErasureStore & GuardrailStore
    & IntakeStore
    & MailDomainStore & OutboxStore & PolicyStore
    & PauseStore
    & SecretStore & SegmentStore & SequenceStore & StatisticsStore & SuppressionStore & TimelineStore
    & TrackingStore & UpkeepStore & WebhookStore & WorkspaceStore

/// What every implementation of the store roles must do, written against the protocols alone.
///
/// A check asks for fresh stores, works on them, and throws a `ContractBreach` for the first sentence that does not hold.
package struct StoreContract<Store: EveryStore>: Sendable, CustomStringConvertible {
    /// Where the stores under test come from.
    package struct Bench: Sendable {
        /// A new, empty store.
        package let fresh: @Sendable () async throws -> Store
        /// The store as a new process finds it after the old one died without a word.
        package let reopenAfterCrash: @Sendable (Store) async throws -> Store

        package init(
            fresh: @escaping @Sendable () async throws -> Store, reopenAfterCrash: @escaping @Sendable (Store) async throws -> Store
        ) {
            self.fresh = fresh
            self.reopenAfterCrash = reopenAfterCrash
        }
    }

    package let description: String
    let check: @Sendable (StoreWorld<Store>, Bench) async throws -> Void

    init(_ sentence: String, _ check: @escaping @Sendable (StoreWorld<Store>) async throws -> Void) {
        description = sentence
        self.check = { world, _ in try await check(world) }
    }

    init(crash sentence: String, _ check: @escaping @Sendable (StoreWorld<Store>, Bench) async throws -> Void) {
        description = sentence
        self.check = check
    }

    /// Runs this check on a store of its own.
    package func run(on bench: Bench) async throws {
        try await check(StoreWorld(store: try await bench.fresh()), bench)
    }

    /// Every check.
    package static var all: [Self] {
        contacts + groups + addresses + people + comingIn + suppression + sequences + enrollments + dispatching + frequency + companies
            + delivery
            + limits
            + queue + intake + replies + secrets + policies + routing + strikes + statistics + guardrails + upkeep + tracking + webhooks
            + persons + workspaces
    }
}

/// A sentence of the contract that does not hold.
package struct ContractBreach: Error, CustomStringConvertible {
    package let description: String
}

/// Holds the contract to a sentence.
func expect(_ holds: Bool, _ sentence: String, line: Int = #line, file: String = #fileID) throws {
    if !holds { throw ContractBreach(description: "\(file):\(line): broken: \(sentence)") }
}

/// Holds the contract to a value.
func expect<Value: Equatable>(_ found: Value, _ wanted: Value, _ sentence: String, line: Int = #line, file: String = #fileID) throws {
    if found != wanted { throw ContractBreach(description: "\(file):\(line): broken: \(sentence): found \(found), wanted \(wanted)") }
}

/// Holds the contract to an error.
func expectError(
    _ code: StoreError.Code, _ sentence: String, line: Int = #line, file: String = #fileID, _ work: () async throws(StoreError) -> Void
) async throws {
    do {
        try await work()
    } catch {
        return try expect(error.code, code, sentence, line: line, file: file)
    }
    throw ContractBreach(description: "\(file):\(line): broken: \(sentence): nothing was thrown")
}
