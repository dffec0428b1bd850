import ArgumentParser
import Foundation
import Mailroom
import Outreach
import SQLiteStore

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write one file with the whole state of one moment, while everything goes on.",
        discussion: """
            Conf, keys and secrets are not in it: back up the conf folder too. The file is mode 0600 and holds people's data; an existing file is \
            never overwritten.
            """)

    @OptionGroup var conf: ConfOption
    @Argument(help: "The file to write.") var file: String

    func run() async throws {
        try await DatabaseFile.use(conf) { store in
            if FileManager.default.fileExists(atPath: file) {
                throw Failure(.badInput, "\(file) is there already; a backup never overwrites, so give another name or remove it")
            }
            try await store.backup(to: file)
            let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? NSNumber)?.int64Value ?? 0
            Console.out("\(file): \(size) bytes")
        }
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in the place of the database. Refuses while 'serve' runs.",
        discussion: """
            The backup is checked first; the database that was there is kept beside it. From that one the suppressions, a global STOP, \
            paused sequences, what became of each enrollment, which webhook calls were made, who was erased and the audit log are carried \
            over; what else happened after the backup was made is not in it. When it cannot be read, \
            the global STOP is set. --stop sets it in any case, so that you can look first.
            """)

    @OptionGroup var conf: ConfOption
    @Argument(help: "The backup.") var file: String
    @Flag(help: "Let nothing leave until 'postrider resume-all'.") var stop = false

    func run() async throws {
        try await reportingFailures {
            let settings = try conf.load()
            try Installation.prepareStateDirectory(settings)
            let path = Installation.databasePath(settings)
            let lock = try ServeLock(path: path)
            defer { withExtendedLifetime(lock) {} }
            let restorer = Restorer(path: path, draft: path + ".restoring", stamp: OpenState.stamp())
            let result = try await restorer.restore(file, stop: stop)
            Console.out("\(path): restored from \(file)" + (result.isStopped ? "; nothing leaves until 'postrider resume-all'" : ""))
            if let words = result.words { Console.out(words) }
            if let kept = result.kept { Console.out("\(kept): the database that was there") }
        }
    }
}

/// Brings a backup into place: a checked copy first, then two renames.
struct Restorer {
    let path: String
    /// Where the copy is checked before it takes the database's name.
    let draft: String
    /// Moment in the name of the database that is set aside.
    let stamp: String

    struct Result {
        /// The path of the database that was set aside; nil when there was none.
        let kept: String?
        /// Whether the restored state has the global STOP.
        let isStopped: Bool
        /// What was carried over from the database that was there; nil when there was none.
        let words: String?
    }

    func restore(_ file: String, stop: Bool) async throws -> Result {
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: draft + end) } }
        try copy(file)
        let carried: CarryOver.Summary?
        let isStopped: Bool
        do throws(StoreError) {
            (carried, isStopped) = try await check(file, stop: stop)
        } catch {
            let message = error.message.replacing(draft, with: file)
            throw Failure(.badInput, message.contains(file) ? message : "\(file): \(message); nothing was restored")
        }
        let kept = try await setAside()
        try rename(draft, to: path)
        try synchronize()
        return Result(kept: kept, isStopped: isStopped, words: carried?.words)
    }

    private func copy(_ file: String) throws {
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: draft + end) }
        do {
            try FileManager.default.copyItem(atPath: file, toPath: draft)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: draft)
        } catch {
            throw Failure(.badInput, "\(file): cannot be copied beside the database; does it exist, and is there room?")
        }
    }

    /// Checks the copy and brings it up to date; what was carried over, and whether it is stopped.
    private func check(_ file: String, stop: Bool) async throws(StoreError) -> (CarryOver.Summary?, Bool) {
        // A backup of an older program; what is no database at all is refused when it is opened.
        _ = try? SQLiteStore.migrate(path: draft)
        let store = try DatabaseFile.open(draft)
        let faults = try await store.check()
        guard faults.isEmpty else {
            try? store.close()
            throw StoreError(
                code: .unusable, message: "\(file): \(faults.joined(separator: "\n\(file): "))\n\(file): damaged; nothing was restored")
        }
        let carried = try await CarryOver.run(from: path, to: store)
        let now = OpenState.clock.now()
        let ids = RecordIDs(now: { now }, random: { UInt8.random(in: .min ... .max) })
        try await store.note([.init(id: ids.next(), at: now, person: OpenState.person, command: "restore \(file)")])
        var reason: String?
        if stop { reason = "restored from \(file) (\(OpenState.person))" }
        if case .unreadable(let why)? = carried { reason = "restored from \(file), and the database before it cannot be read: \(why)" }
        if let reason { try await store.setStop(reason: reason, at: OpenState.clock.now()) }
        let isStopped = try await store.stopReason() != nil
        try store.close()
        // The pool closes its writer before its readers, and only a writer brings the log into the file: one that had no readers does.
        try DatabaseFile.open(draft).close()
        guard !FileManager.default.fileExists(atPath: draft + "-wal") else {
            throw StoreError(code: .unusable, message: "\(draft): its log could not be brought into it; nothing was restored")
        }
        return (carried, isStopped)
    }

    /// Moves the database that is there out of the way; its log first, so that it can never be taken for the new one's.
    private func setAside() async throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        // Closing as the last one brings the log into the file; what cannot be opened is moved as it is.
        if let old = try? DatabaseFile.open(path) {
            try old.close()
            if FileManager.default.fileExists(atPath: path + "-wal") {
                throw Failure(.tryAgain, "\(path) is in use by another command; try again when it has ended")
            }
        }
        let kept = keptName()
        for end in ["-wal", "-shm", ""] where FileManager.default.fileExists(atPath: path + end) {
            try rename(path + end, to: kept + end)
        }
        return kept
    }

    /// A name no file has yet: two restores of one second keep two databases.
    private func keptName() -> String {
        let first = "\(path).before-restore-\(stamp)"
        let isFree = { (name: String) in ["", "-wal", "-shm"].allSatisfy { !FileManager.default.fileExists(atPath: name + $0) } }
        var name = first
        var count = 1
        while !isFree(name) {
            count += 1
            name = "\(first)-\(count)"
        }
        return name
    }

    private func rename(_ from: String, to: String) throws {
        do {
            try FileManager.default.moveItem(atPath: from, toPath: to)
        } catch {
            throw Failure(.internalError, "\(from) cannot be renamed to \(to); look at both before you go on")
        }
    }

    /// Waits until the file and its name are on the disk.
    private func synchronize() throws {
        for name in [path, (path as NSString).deletingLastPathComponent] {
            let descriptor = Foundation.open(name, O_RDONLY)
            guard descriptor >= 0 else { throw Failure(.internalError, "\(name) cannot be opened") }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw Failure(.internalError, "\(name) cannot be brought to the disk") }
        }
    }
}

struct DB: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Check the database, or bring it to this program's schema.",
        subcommands: [DBCheck.self, DBMigrate.self])
}

struct DBCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read the whole database and name every fault. Exit status 1 when there is one.")

    @OptionGroup var conf: ConfOption
    @Flag(help: "Count the whole timeline anew as well, and compare that with the statistics that are kept.") var statistics = false

    func run() async throws {
        try await DatabaseFile.use(conf) { store in
            let faults = try await store.check()
            guard faults.isEmpty else {
                throw Failure(.faults, faults.map { "\(store.path): \($0)" }.joined(separator: "\n") + "\n\(store.path): restore a backup")
            }
            var differences: [String] = []
            if statistics { differences = try await store.verifyStatistics() }
            guard differences.isEmpty else {
                throw Failure(
                    .faults,
                    differences.map { "\(store.path): \($0)" }.joined(separator: "\n")
                        + "\n\(store.path): only the statistics differ; mail, people and sequences are sound, so restore nothing")
            }
            let facts = try await store.statistics()
            let free = facts.pages > 0 ? facts.freePages * 100 / facts.pages : 0
            Console.out(
                "\(store.path): no faults; schema \(facts.schemaVersion), \(facts.fileBytes) bytes (\(free) % free), log \(facts.logBytes) bytes"
            )
        }
    }
}

struct DBMigrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring an older database to this program's schema. Refuses while 'serve' runs; back up first.")

    @OptionGroup var conf: ConfOption

    func run() async throws {
        try await reportingFailures {
            let path = Installation.databasePath(try conf.load())
            guard FileManager.default.fileExists(atPath: path) else { throw DatabaseFile.missing(path) }
            let lock = try ServeLock(path: path)
            defer { withExtendedLifetime(lock) {} }
            let (before, after) = try SQLiteStore.migrate(path: path)
            Console.out(before == after ? "\(path): schema \(after) already" : "\(path): schema \(before) brought to \(after)")
        }
    }
}

/// The database as a file, for what only SQLite can do.
enum DatabaseFile {
    static func open(_ path: String) throws(StoreError) -> SQLiteStore {
        try SQLiteStore.open(
            path: path, mode: .existing, ids: RecordIDs(now: { OpenState.clock.now() }, random: { UInt8.random(in: .min ... .max) }))
    }

    static func missing(_ path: String) -> Failure {
        Failure(.configuration, "\(path): there is no database yet; 'postrider serve' or the first import makes one")
    }

    static func use(_ conf: ConfOption, _ body: (SQLiteStore) async throws -> Void) async throws {
        try await reportingFailures {
            let path = Installation.databasePath(try conf.load())
            guard FileManager.default.fileExists(atPath: path) else { throw missing(path) }
            let store = try open(path)
            try await body(store)
            try store.close()
        }
    }
}
