import Foundation
import Logging
import Mailroom
import SQLiteStore
import ServiceLifecycle
import Settings
import UnixSignals

/// Notices what other processes commit to the database and wakes the loops, within a second.
struct ForeignCommits: Service {
    let store: SQLiteStore
    let appliance: Appliance
    let logger: Logger

    func run() async throws {
        let loop = ServiceLoop("foreign commits", logger: logger)
        try await cancelWhenGracefulShutdown {
            var seen = try await loop.round { try await store.dataVersion() }
            while !Task.isCancelled {
                do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
                guard let version = try await loop.round({ try await store.dataVersion() }) else { continue }
                if version != seen {
                    seen = version
                    appliance.ringAll()
                }
            }
        }
    }
}

/// Reads the conf again at SIGHUP: all of it or nothing.
struct Reloader: Service {
    let path: String
    /// Trapped before the conf was read for the first time, so that no change of it goes unheard.
    let hangups: UnixSignalsSequence
    let appliance: Appliance
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Said only now, when SIGTERM drains: the group has trapped its signals before any service runs.
            logger.notice(
                "serving", metadata: ["version": "\(Version.text)", "database": "\(appliance.installation.store.path)"])
            for await _ in hangups { await reload() }
        }
    }

    private func reload() async {
        switch Settings.load(path) {
        case .failure(let error):
            for fault in error.faults { logger.error("conf not taken over", metadata: ["fault": "\(fault)"]) }
            logger.error("the conf has faults; the one before stays in force")
        case .success(let settings):
            do {
                try await appliance.reload(settings)
                logger.notice(
                    "conf taken over; new listeners, mailboxes, directories, [http], [dns] and [log] need a restart",
                    metadata: ["file": "\(path)"])
            } catch let failure as Failure {
                logger.error("the conf cannot be used; the one before stays in force", metadata: ["fault": "\(failure.message)"])
            } catch {
                logger.error("the conf cannot be used; the one before stays in force", metadata: ["fault": "\(error)"])
            }
        }
    }
}
