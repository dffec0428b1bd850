import Glibc
import Synchronization

/// Ports of 127.0.0.1 that servers started by tests may take.
package enum FreePort {
    private static let taken = Mutex<Set<Int>>([])

    /// A port that nothing listens on and that no other test of this process was given.
    ///
    /// It lies below the range from which the system takes ports for outgoing connections, so that none of those can occupy it
    /// before the server does.
    package static func next() throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 20_000..<32_000)
            guard taken.withLock({ $0.insert(port).inserted }) else { continue }
            if (try? Socket.listen(port: port)) != nil { return port }
        }
        throw SystemError("no free port below 32000", code: EADDRINUSE)
    }
}
