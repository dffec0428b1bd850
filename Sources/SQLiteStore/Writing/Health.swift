import Outreach
import Synchronization

/// Remembers the first failure of the disk: after it nothing may be tried again on the same handle.
///
/// The kernel may have marked the unwritten pages clean, so that a later fsync would wrongly succeed.
final class Health: Sendable {
    private let failure = Mutex<StoreError?>(nil)

    /// Throws the first failure of the disk, if there was one.
    func check() throws(StoreError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Notes an error of a write; only those of the disk count.
    func note(_ error: StoreError) {
        guard error.code == .io else { return }
        let first = StoreError(code: .io, message: "the disk failed and the process must exit: \(error.message)")
        failure.withLock { if $0 == nil { $0 = first } }
    }
}
