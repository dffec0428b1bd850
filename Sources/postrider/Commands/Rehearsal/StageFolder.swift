import Foundation
import InternetMessage
import SQLiteStore

/// The folders that rehearsals and the demo play in.
enum StageFolder {
    static let database = "/postrider.sqlite"
    private static let prefix = "postrider-rehearsal-"

    /// A new folder for temporary files, closed to others.
    static func make(_ prefix: String = prefix) throws(Failure) -> String {
        let path = FileManager.default.temporaryDirectory.path + "/\(prefix)\(UUID().uuidString.prefix(8).lowercased())"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.noPermission, "\(path) cannot be made; set TMPDIR to a folder with room for a copy of the database")
        }
        return path
    }

    /// The folder of a rehearsal that is kept, made when it is not there.
    static func open(_ path: String) throws(Failure) -> String {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.noPermission, "\(path) cannot be made; name a folder that you may make")
        }
        return path
    }

    /// Takes away the copies of rehearsals whose process ended without doing so: they hold people's data.
    static func removeLeftOvers() {
        let folder = FileManager.default.temporaryDirectory.path
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.utf8.starts(with: prefix.utf8) {
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path + database + ".serve-lock"),
                let lock = try? ServeLock(path: path + database)
            else { continue }
            withExtendedLifetime(lock) { try? FileManager.default.removeItem(atPath: path) }
        }
    }
}

/// What a kept folder says of the rehearsal in it, once everybody is enrolled.
struct StageNote: Codable {
    let start: Timestamp
    /// Of the type `TimelineEvent.ID`.
    let mark: Int64
    let sequence: String

    private static let name = "/rehearsal.json"

    /// Nil when no rehearsal was begun in the folder.
    static func read(in path: String) throws(Failure) -> StageNote? {
        guard let bytes = FileManager.default.contents(atPath: path + name) else {
            guard !FileManager.default.fileExists(atPath: path + StageFolder.database) else {
                throw Failure(.badInput, "\(path) has a rehearsal that was broken off before everybody was enrolled; remove the folder")
            }
            return nil
        }
        guard let note = try? JSONDecoder().decode(StageNote.self, from: bytes) else {
            throw Failure(.badInput, "\(path)\(name) cannot be read; remove the folder")
        }
        return note
    }

    func write(in path: String) throws {
        try JSONEncoder().encode(self).write(to: URL(filePath: path + Self.name), options: .atomic)
    }
}
