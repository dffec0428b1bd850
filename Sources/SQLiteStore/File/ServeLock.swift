import Foundation
import Glibc
package import Outreach

/// The lock that one `serve` holds on its database; the kernel lets go of it when the process ends, however it ends.
package final class ServeLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock beside the database at `path`.
    ///
    /// - Throws: `busy` when another process (or this one) holds it; `unusable` when the lock file cannot be opened.
    package init(path: String) throws(StoreError) {
        let lock = path + ".serve-lock"
        let descriptor = Glibc.open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(code: .unusable, message: "\(lock) cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            throw StoreError(code: .busy, message: "'postrider serve' runs on \(path) already; stop it first")
        }
        self.descriptor = descriptor
    }

    deinit { Glibc.close(descriptor) }
}
