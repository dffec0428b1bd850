import Foundation
import InternetMessage
import Mailroom
import Outreach
import SQLiteStore
import Settings

/// The state of an installation opened for work: its settings, its store, and what ids and chances are drawn from.
struct Installation {
    let settings: Settings
    let store: SQLiteStore
    let ids: RecordIDs
    let chance: Chance
    let clock: any MailClock
    /// Those of the conf among them.
    let workspaces: WorkspaceBook
    /// Whether its database was made just now; a person is told, so that a slip in state_directory is noticed.
    var isNew = false

    /// Path of the database below the state directory.
    static func databasePath(_ settings: Settings) -> String { settings.main.stateDirectory + "/postrider.sqlite" }

    /// Makes the state directory when it is not there.
    static func prepareStateDirectory(_ settings: Settings) throws(Failure) {
        let path = settings.main.stateDirectory
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.noPermission, "\(path) cannot be made; create it for the user that runs postrider")
        }
    }

    /// Opens the database; commands and `serve` make it when it is not there yet.
    static func open(_ settings: Settings, clock: any MailClock = SystemClock()) async throws -> Installation {
        try prepareStateDirectory(settings)
        let ids = RecordIDs(now: { clock.now() }, random: { UInt8.random(in: .min ... .max) })
        var seed: [UInt8] = []
        for _ in 0..<32 { seed.append(UInt8.random(in: .min ... .max)) }
        let isNew = !FileManager.default.fileExists(atPath: databasePath(settings))
        let store = try SQLiteStore.open(path: databasePath(settings), mode: .createIfMissing(seed: seed), ids: ids)
        return Installation(
            settings: settings, store: store, ids: ids, chance: Chance(seed: try await store.installationSeed()), clock: clock,
            workspaces: try await store.workspaces(making: settings.workspaces), isNew: isNew)
    }

    /// The same where there is a database that can be used; else nil, and a person is told unless there is none.
    static func openPresent(_ settings: Settings) async throws -> Installation? {
        guard FileManager.default.isReadableFile(atPath: databasePath(settings)) else { return nil }
        do {
            return try await open(settings)
        } catch let error as StoreError {
            Console.error("what the database knows is left out: \(error.message)")
            return nil
        }
    }

    /// Brings order after a process that ended in the middle of its work; the messages of which nobody knows whether they left, now held.
    func recover() async throws -> [OutboxMessage] {
        let now = clock.now()
        let ambiguous = try await store.recover(now: now)
        for message in ambiguous {
            // So that nothing that comes in meanwhile makes its step due again.
            guard let machine = try await store.machine(of: message.enrollment, identities: [:]) else { continue }
            let consequence = OutboxConsequence.changed(machine, .uncertain(step: message.step), ids: ids, at: now)
            _ = try await store.apply(consequence)
        }
        return ambiguous
    }
}
