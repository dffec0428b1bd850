package import Foundation

/// Where this checkout lies, for tests that read its sources, certificates or sample conf.
package enum Checkout {
    /// The folder that holds `Package.swift`, `Sources/` and `Tests/`.
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The file or folder at `path`, which is relative to the root.
    package static func url(_ path: String) -> URL { root.appending(path: path) }
}
