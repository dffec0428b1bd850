import Glibc

/// The file of a local socket.
enum SocketFile {
    struct Failure: Error, CustomStringConvertible {
        let what: String
        let path: String
        let number: Int32

        var description: String { "cannot set the \(what) of \(path): \(String(cString: strerror(number)))" }
    }

    static func setMode(_ mode: UInt32, of path: String) throws {
        guard chmod(path, mode) == 0 else { throw Failure(what: "mode", path: path, number: errno) }
    }

    /// - Throws: when there is no such group, or the process is not in it.
    static func setGroup(_ name: String, of path: String) throws {
        guard let entry = getgrnam(name) else { throw Failure(what: "group '\(name)'", path: path, number: ESRCH) }
        guard chown(path, uid_t.max, entry.pointee.gr_gid) == 0 else {
            throw Failure(what: "group '\(name)'", path: path, number: errno)
        }
    }
}
