import Foundation
import Glibc
package import Testing

/// The real servers and verifiers that interop tests run against.
package enum Interop {
    /// A program that a test needs and the machine lacks, where `REQUIRE_INTEROP=1` makes that a failure.
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// True in continuous integration and `scripts/test`: what is absent is then a failure and not a skip.
    package static var isRequired: Bool { ProcessInfo.processInfo.environment["REQUIRE_INTEROP"] == "1" }

    /// The path of the program `name`; without it the running test is cancelled, visibly, or fails where interop is required.
    package static func require(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        if let path = path(of: name) { return path }
        try absent("no \(name) on this machine; scripts/setup --test installs it", sourceLocation)
    }

    /// Cancels the running test, or fails it where interop is required, unless we run as root, which `server` needs.
    package static func requireRoot(for server: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        if geteuid() != 0 { try absent("\(server) starts as root only", sourceLocation) }
    }

    /// The path of the program `name` in `PATH` or among the system's server programs; nil when there is none.
    package static func path(of name: String) -> String? {
        let folders =
            (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    static func absent(_ message: String, _ sourceLocation: SourceLocation) throws -> Never {
        guard !isRequired else { throw Missing(description: message) }
        try Test.cancel("\(message)", sourceLocation: sourceLocation)
    }
}
