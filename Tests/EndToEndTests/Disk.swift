import Foundation
import TestKit
import Testing

/// How `serve` ends before its time.
enum End: String, CaseIterable, Sendable {
    /// `kill -9`: what was written stays, synchronised or not.
    case kill
    /// What was not synchronised is gone.
    case powerLoss = "power loss"
}

/// A disk that forgets what was not synchronised: the database of an installation, kept twice.
///
/// A preloaded library (Fixtures/power-loss.c) carries a write over to the second copy only when its file is synchronised; after the loss the
/// second copy is all there is. SQLite's shared-memory file is no part of it: it is made anew from the log.
final class Disk: Sendable {
    private let state: String
    private let shadow: String
    private let library: String

    /// The installation is at rest: all of its database counts as durable.
    init(_ premises: Premises) async throws {
        state = try premises.folder.makeFolder("state")
        shadow = try premises.folder.makeFolder("shadow")
        library = premises.folder("power-loss.so")
        let source = try #require(Bundle.module.resourceURL?.appending(path: "Fixtures/power-loss.c").path)
        try await Command.succeed("/usr/bin/cc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl", "-lpthread"])
        try copy(from: state, to: shadow)
    }

    /// With this `serve` runs on the disk.
    func environment() -> [String: String?] {
        ["LD_PRELOAD": library, "POWER_LOSS_ROOT": state, "POWER_LOSS_SHADOW": shadow]
    }

    /// The power fails after the process ended: only what was synchronised is left. The environment to go on with.
    func losePower() throws -> [String: String?] {
        try copy(from: shadow, to: state)
        return environment()
    }

    private func copy(from source: String, to target: String) throws {
        let files = FileManager.default
        for name in try files.contentsOfDirectory(atPath: target) where name.contains(".sqlite") {
            try files.removeItem(atPath: "\(target)/\(name)")
        }
        for name in try files.contentsOfDirectory(atPath: source) where name.hasSuffix(".sqlite") || name.hasSuffix("-wal") {
            try files.copyItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
        }
    }
}
