import Foundation
import Testing

/// The folder of foreign mail that is read in place and never part of this package.
enum Corpora {
    static let folder: URL? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["POSTRIDER_CORPORA"] ?? root.appending(path: "../shared/corpora").path
        return FileManager.default.fileExists(atPath: "\(path)/README.md") ? URL(filePath: path) : nil
    }()
    /// Where absence is a failure.
    static let isRequired = ProcessInfo.processInfo.environment["REQUIRE_CORPORA"] == "1"
    static let isWanted = folder != nil || isRequired
    static let absence: Comment = "no corpora here: set POSTRIDER_CORPORA"

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: try #require(folder, "REQUIRE_CORPORA=1 and no corpora").appending(path: path)))
    }

    /// A message as SMTP carries it: every line ends with CRLF.
    static func message(_ path: String) throws -> [UInt8] {
        let bytes = try bytes(path)
        var output: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if byte == 10, index == 0 || bytes[index - 1] != 13 { output.append(13) }
            output.append(byte)
        }
        return output
    }

    static func names(_ path: String) throws -> [String] {
        let folder = try #require(folder, "REQUIRE_CORPORA=1 and no corpora").appending(path: path)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}
