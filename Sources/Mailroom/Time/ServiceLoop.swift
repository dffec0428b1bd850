package import Logging
import Outreach
import Synchronization

/// What lets the loop of a service outlive a store that is busy or whose disk is full: it tries again later, and says so once for each spell.
///
/// A failure of the disk or of the file (`io`, `unusable`) passes through: it ends the service, and with it the process. A full disk stored
/// nothing and lost nothing, so the service waits for room.
package final class ServiceLoop: Sendable {
    private static let waits: [Duration] = [.seconds(1), .seconds(2), .seconds(5), .seconds(10)]

    private let service: String
    private let logger: Logger
    private let pause: @Sendable (Duration) async throws -> Void
    /// Failures since the last success.
    private let failures = Mutex(0)

    /// - Parameters:
    ///   - service: its name in the log.
    ///   - pause: waits that long, or throws when the task is cancelled; the real time, whatever clock the service follows.
    package init(
        _ service: String, logger: Logger, pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.service = service
        self.logger = logger
        self.pause = pause
    }

    /// Does `work`, again and again as long as the store is busy or the disk is full.
    ///
    /// - Throws: any other failure of `work`; `CancellationError` when the task is cancelled while it waits.
    package func patiently<Value>(_ work: () async throws -> Value) async throws -> Value {
        while true {
            do {
                let value = try await work()
                passed()
                return value
            } catch let error as StoreError where error.code == .busy || error.code == .full {
                try await pause(failed(error))
            }
        }
    }

    /// One round of a service: what `work` gives, or nil when it failed in a way that passes or concerns single rows only (`busy`,
    /// `full`, `constraint`); it has waited by then and the next round can begin. Nil as well when the task was cancelled meanwhile.
    ///
    /// - Throws: a failure that must end the service.
    package func round<Value>(_ work: () async throws -> Value) async throws -> Value? {
        do {
            let value = try await work()
            passed()
            return value
        } catch let error as StoreError where [.busy, .full, .constraint].contains(error.code) {
            try? await pause(failed(error))
            return nil
        } catch is CancellationError {
            return nil
        }
    }

    /// Notes a failure; how long to wait.
    private func failed(_ error: StoreError) -> Duration {
        let count = failures.withLock { count in
            count += 1
            return count
        }
        if count == 1 {
            logger.warning("the store cannot be used now; trying again", metadata: ["service": "\(service)", "reason": "\(error.message)"])
        }
        return Self.waits[min(count, Self.waits.count) - 1]
    }

    private func passed() {
        let before = failures.withLock { count in
            defer { count = 0 }
            return count
        }
        if before > 0 { logger.notice("the store can be used again", metadata: ["service": "\(service)", "failures": "\(before)"]) }
    }
}
