import Foundation
import Glibc

/// A folder below `/tmp` that is removed when the last reference to it goes.
///
/// Its path is short, because the path of a unix socket may have 107 bytes only; and other users may enter it, because servers that a
/// test starts as root drop to users of their own. With `KEEP_TEST_FOLDERS=1` it stays, for a look at a server's log.
package final class TemporaryFolder: Sendable {
    /// The absolute path, without a slash at the end.
    package let path: String

    package init() throws {
        var template = Array("/tmp/postrider-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil, chmod(template, 0o755) == 0 else { throw SystemError("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard ProcessInfo.processInfo.environment["KEEP_TEST_FOLDERS"] != "1" else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of the file or folder `name` in here.
    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, with its folders, and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8], permissions: Int = 0o644) throws -> String {
        let file = self(name)
        try FileManager.default.createDirectory(atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: file)
        return file
    }

    /// Writes a text file, with its folders, and returns its path.
    @discardableResult
    package func write(_ name: String, text: String, permissions: Int = 0o644) throws -> String {
        try write(name, Array(text.utf8), permissions: permissions)
    }

    /// Makes a folder in here, owned by `owner` where we are root and an owner is given, and returns its path.
    @discardableResult
    package func makeFolder(_ name: String, owner: String? = nil) throws -> String {
        let folder = self(name)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let owner, geteuid() == 0 {
            try FileManager.default.setAttributes([.ownerAccountName: owner], ofItemAtPath: folder)
        }
        return folder
    }
}

/// A call of the operating system that failed, with its `errno`.
package struct SystemError: Error, CustomStringConvertible {
    package let description: String

    init(_ call: String, code: CInt = errno) { description = "\(call): \(String(cString: strerror(code)))" }
}
