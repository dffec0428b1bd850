import Foundation
import InternetMessage
import Outreach
import TestKit

@testable import SQLiteStore

/// A folder of its own for one test's database, taken away with it.
final class StoreFolder: Sendable {
    let url: URL
    var path: String { url.appending(path: "state/postrider.db").path }

    init() {
        url = FileManager.default.temporaryDirectory.appending(path: "postrider-store-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    static var ids: RecordIDs { RecordIDs(now: { Timestamp(seconds: 1_790_000_000) }, random: { 7 }) }
    static let seed = (0..<32).map { UInt8($0) }

    func open() throws(StoreError) -> SQLiteStore {
        try SQLiteStore.open(path: path, mode: .createIfMissing(seed: Self.seed), ids: Self.ids)
    }

    /// The files as they lie on the disk right now, without the writer's leave: what a crash leaves behind.
    func crashImage() throws -> StoreFolder {
        let image = StoreFolder()
        try FileManager.default.createDirectory(
            at: image.url.appending(path: "state"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: image.path + suffix)
        }
        return image
    }

    func bytes() throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    static func mode(of path: String) throws -> Int {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        return (mode ?? -1) & 0o777
    }
}

extension SQLiteStore {
    /// Runs SQL as one write, as a test of the schema does.
    func execute(_ sql: String) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(sql)
            return
        }
    }

    /// The one number that a statement on the writer's connection gives back in `column`.
    func number(_ sql: String, _ column: String) async throws(StoreError) -> Int {
        try await onWriter { db in try db.record(sql)?.count(column) ?? -1 }
    }
}
