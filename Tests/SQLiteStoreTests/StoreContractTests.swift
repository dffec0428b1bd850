import Synchronization
import TestKit
import Testing

@testable import SQLiteStore

@Suite("SQLiteStore holds the store contract")
struct StoreContractTests {
    @Test("on a file", arguments: StoreContract<SQLiteStore>.all)
    func holds(_ contract: StoreContract<SQLiteStore>) async throws {
        let folders = Folders()
        let bench = StoreContract<SQLiteStore>.Bench(
            fresh: { try folders.keep(StoreFolder()).open() },
            reopenAfterCrash: { _ in try folders.keep(try folders.last.crashImage()).open() })
        try await contract.run(on: bench)
    }

    /// Keeps the folders of one check until it ends.
    private final class Folders: Sendable {
        private let folders = Mutex<[StoreFolder]>([])

        func keep(_ folder: StoreFolder) -> StoreFolder {
            folders.withLock { $0.append(folder) }
            return folder
        }

        var last: StoreFolder { folders.withLock { $0.last ?? StoreFolder() } }
    }
}
