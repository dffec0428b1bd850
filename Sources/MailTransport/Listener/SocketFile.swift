import Glibc

/// The file of a local socket.
enum SocketFile {
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let number: Int32

        var description: String { "cannot set the mode of \(path): errno \(number)" }
    }

    static func setMode(_ mode: UInt32, of path: String) throws {
        guard chmod(path, mode) == 0 else { throw Failure(path: path, number: errno) }
    }
}
