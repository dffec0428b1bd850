import Foundation
import Testing

/// The folder of foreign mail that is read in place and never part of this package.
enum Corpora {
    static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = environment["POSTRIDER_CORPORA"] ?? root.appendingPathComponent("../shared/corpora").path
        return FileManager.default.fileExists(atPath: path) ? URL(fileURLWithPath: path) : nil
    }()
    /// Set in CI: then absence is a failure.
    static let isRequired = ProcessInfo.processInfo.environment["REQUIRE_CORPORA"] == "1"
    static let isWanted = folder != nil || isRequired
    static let absence: Comment = "no corpora here: set POSTRIDER_CORPORA"

    struct File: Sendable {
        /// The path below the folder.
        let name: String
        let url: URL

        func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: url)) }
    }

    /// Every file that is not empty, below the folder or below `path` in it, in the order of their names.
    static func files(_ path: String = "") throws -> [File] {
        let top = try #require(folder, "REQUIRE_CORPORA=1 and no corpora").resolvingSymlinksInPath()
        let start = path.isEmpty ? top : top.appendingPathComponent(path)
        let keys: [URLResourceKey] = [.isRegularFileKey, .fileSizeKey]
        let all = try #require(FileManager.default.enumerator(at: start, includingPropertiesForKeys: keys))
        var found: [File] = []
        while let url = all.nextObject() as? URL {
            let values = try url.resourceValues(forKeys: Set(keys))
            guard values.isRegularFile == true, let size = values.fileSize, size > 0 else { continue }
            found.append(File(name: String(url.resolvingSymlinksInPath().path.dropFirst(top.path.count + 1)), url: url))
        }
        return found.sorted { $0.name < $1.name }
    }
}
