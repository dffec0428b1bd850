internal import Foundation

/// The files of the machine, as far as conf needs them; tests put their own in its place.
package protocol ConfFiles: Sendable {
    /// The bytes of a file, or why they cannot be had, in words for a person.
    func contents(of path: String) -> Result<[UInt8], FileTrouble>
    /// The names in a directory, in no order; empty when there is no such directory.
    func names(in directory: String) -> [String]
    /// What stands at a path, symbolic links followed; nil when there is nothing.
    func facts(of path: String) -> FileFacts?
}

/// Why a file could not be read, in words.
package struct FileTrouble: Error, Sendable, Equatable {
    package var reason: String
    package init(reason: String) { self.reason = reason }
}

/// What the checks want to know about a file.
package struct FileFacts: Sendable, Equatable {
    package var isRegularFile: Bool
    /// The permission bits, as in `0o640`.
    package var mode: Int
    /// In bytes.
    package var size: Int
    /// Whether this process may read it.
    package var isReadable: Bool

    package init(isRegularFile: Bool = true, mode: Int = 0o640, size: Int = 64, isReadable: Bool = true) {
        self.isRegularFile = isRegularFile
        self.mode = mode
        self.size = size
        self.isReadable = isReadable
    }
}

/// The real files.
package struct LocalFiles: ConfFiles {
    package init() {}

    package func contents(of path: String) -> Result<[UInt8], FileTrouble> {
        do {
            return .success(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return .failure(FileTrouble(reason: "there is no such file"))
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            return .failure(FileTrouble(reason: "this user may not read it"))
        } catch {
            return .failure(FileTrouble(reason: error.localizedDescription))
        }
    }

    package func names(in directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }

    package func facts(of path: String) -> FileFacts? {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else { return nil }
        return FileFacts(
            isRegularFile: attributes[.type] as? FileAttributeType == .typeRegular,
            mode: (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777,
            size: (attributes[.size] as? NSNumber)?.intValue ?? 0,
            isReadable: FileManager.default.isReadableFile(atPath: target))
    }
}
