import Foundation
import GRDB
import Glibc
import Outreach

/// The database file on the disk: made once and whole, protected, and recognised before SQLite touches it.
struct StoreFile {
    let path: String

    /// `PRAGMA application_id`, the bytes `PRdr`.
    static let applicationID: Int32 = 0x5052_6472

    /// How every connection is opened.
    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = 4
        configuration.label = "postrider"
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -16384")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    func exists() throws(StoreError) -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT else { throw failure("cannot be looked at") }
        return false
    }

    /// Makes the file under another name and links it to its own when it is whole and on the disk, so that a crash leaves all or nothing.
    ///
    /// When another process was faster, its file stays.
    func create(seed: [UInt8], migrations: [Migration] = Migration.all) throws(StoreError) {
        guard seed.count == 32 else { throw StoreError(code: .constraint, message: "an installation seed has 32 bytes") }
        try createFolder()
        let draft = "\(path).new-\(getpid())"
        defer { for name in [draft, draft + "-journal"] { unlink(name) } }
        let descriptor = Glibc.open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be made") }
        Glibc.close(descriptor)
        do {
            let queue = try DatabaseQueue(path: draft, configuration: Self.configuration)
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                try db.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
                try Migrator(migrations: migrations).run(on: db) {
                    try db.execute(sql: "INSERT INTO installation (one, seed) VALUES (1, ?)", arguments: [Data(seed)])
                }
            }
            try queue.close()
        } catch {
            throw StoreError(error)
        }
        try Self.synchronize(draft)
        guard link(draft, path) == 0 || errno == EEXIST else { throw failure("cannot be made") }
        try Self.synchronize(folder)
    }

    /// Keeps everybody else from reading the file.
    func protect() throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("cannot be looked at") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw StoreError(code: .unusable, message: "\(path) is not a file") }
        if status.st_mode & 0o077 != 0, chmod(path, 0o600) != 0 { throw failure("is open to others and cannot be closed to them") }
    }

    /// Refuses what is not a database of ours, or one of another schema version, before anything is written to it.
    func checkHeader() throws(StoreError) {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw failure("cannot be read") }
        defer { try? handle.close() }
        let header = [UInt8]((try? handle.read(upToCount: 100)) ?? Data())
        guard header.count == 100, header.starts(with: Array("SQLite format 3".utf8) + [0]),
            Self.number(header, at: 68) == Self.applicationID
        else {
            throw StoreError(code: .unusable, message: "\(path) is not a postrider database: move it away, or restore a backup")
        }
        let version = Int(Self.number(header, at: 60))
        if version > Migration.latest {
            throw StoreError(
                code: .unusable,
                message:
                    "\(path) has schema \(version) and this program knows \(Migration.latest): use the newer program, or restore a backup")
        }
        if version < Migration.latest {
            throw StoreError(
                code: .unusable,
                message: "\(path) has schema \(version), this program needs \(Migration.latest): run 'postrider db migrate'")
        }
    }

    private var folder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.utf8.isEmpty ? "." : folder
    }

    private func createFolder() throws(StoreError) {
        guard access(folder, F_OK) != 0 else { return }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StoreError(code: .unusable, message: "\(folder) cannot be made: \(error)")
        }
    }

    private func failure(_ what: String) -> StoreError {
        let reason = String(cString: strerror(errno))
        return StoreError(code: errno == ENOSPC ? .full : .unusable, message: "\(path) \(what): \(reason)")
    }

    /// Waits until a file or folder is on the disk.
    static func synchronize(_ path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(code: .io, message: "\(path) cannot be opened") }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError(code: .io, message: "\(path) cannot be brought to the disk") }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> Int32 {
        Int32(bitPattern: bytes[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
}
