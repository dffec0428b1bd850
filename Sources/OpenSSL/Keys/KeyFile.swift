import Glibc

/// Reads files that hold keys or certificates.
enum KeyFile {
    /// More than any chain or bundle of authorities in use; a wrong path to something huge ends here.
    static let limit = 16 << 20

    /// The octets of a private file: a regular file that not everybody may read (group is allowed, as Debian's `ssl-cert` does).
    static func readSecret(_ path: String) throws(KeyError) -> [UInt8] { try read(path, secret: true) }

    /// The octets of a file that holds nothing secret.
    static func readPublic(_ path: String) throws(KeyError) -> [UInt8] { try read(path, secret: false) }

    private static func read(_ path: String, secret: Bool) throws(KeyError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        // Asked of the open descriptor, so that the file looked at is the file read.
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw unreadable(path, errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw KeyError(.unreadableFile, "\(path) is not a regular file; name a PEM file")
        }
        if secret, facts.st_mode & (S_IROTH | S_IWOTH) != 0 {
            throw KeyError(
                .worldReadableFile,
                "\(path) is open to every user of this machine; 'chmod o-rwx' it (group-readable is fine) and think about a new key")
        }
        guard facts.st_size <= limit else {
            throw KeyError(.unreadableFile, "\(path) has more than \(limit >> 20) MiB; name a PEM file")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(path, errno)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: piece[..<count])
        }
        throw KeyError(.unreadableFile, "\(path) grew beyond \(limit >> 20) MiB while it was read")
    }

    private static func unreadable(_ path: String, _ number: Int32) -> KeyError {
        KeyError(
            .unreadableFile, "\(path) cannot be read; check that it exists and that this process's user or group may read it",
            cause: String(cString: strerror(number)))
    }
}
