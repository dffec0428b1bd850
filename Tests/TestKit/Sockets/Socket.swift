import Glibc

/// A TCP socket on 127.0.0.1 with blocking calls, for threads of the tests' own; closed when the last reference goes.
///
/// Reads are for one thread at a time; `shutdown` may be called by another one and ends them.
final class Socket: Sendable {
    let descriptor: CInt

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    /// Listens on `port`; 0 lets the system choose.
    static func listen(port: Int) throws -> Socket {
        let socket = try open()
        try withAddress(port: port) { address, length in
            guard bind(socket.descriptor, address, length) == 0 else { throw SystemError("bind \(port)") }
        }
        guard Glibc.listen(socket.descriptor, 128) == 0 else { throw SystemError("listen \(port)") }
        return socket
    }

    static func connect(port: Int) throws -> Socket {
        let socket = try open()
        try withAddress(port: port) { address, length in
            guard Glibc.connect(socket.descriptor, address, length) == 0 else { throw SystemError("connect \(port)") }
        }
        return socket
    }

    /// The port we are bound to.
    var port: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// The next connection; nil once the socket is shut down.
    func accept() -> Socket? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        return accepted < 0 ? nil : Socket(descriptor: accepted)
    }

    /// Some bytes; empty at the end of the stream and after a broken connection. Throws when none come in time.
    func read(within milliseconds: CInt) throws -> [UInt8] {
        guard isReadable(within: milliseconds) else { throw TimedOut(description: "nothing to read for \(milliseconds) ms") }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    /// True when there is something to read, or the peer has closed.
    func isReadable(within milliseconds: CInt) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, milliseconds) > 0
    }

    /// True when the peer has closed and nothing is left to read.
    var isClosedByPeer: Bool {
        var byte: UInt8 = 0
        return isReadable(within: 0) && recv(descriptor, &byte, 1, CInt(MSG_PEEK)) <= 0
    }

    /// Writes all of `bytes`; false when the connection is gone.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Ends what we write; the peer reads an end of the stream.
    func finishWriting() { _ = Glibc.shutdown(descriptor, CInt(SHUT_WR)) }

    /// Ends both directions, and every call that waits on the socket.
    func shutdown() { _ = Glibc.shutdown(descriptor, CInt(SHUT_RDWR)) }

    private static func open() throws -> Socket {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return Socket(descriptor: descriptor)
    }

    private static func withAddress(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// Cuts a socket's stream into lines that end in CRLF.
///
/// Bytes after a line stay for the next one. A lone CR or LF does not end a line.
struct LineReader {
    let socket: Socket
    let milliseconds: CInt
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ socket: Socket, within milliseconds: CInt) {
        self.socket = socket
        self.milliseconds = milliseconds
    }

    /// The next line without its CRLF; nil at the end of the stream, where an unfinished line is dropped.
    mutating func next() throws -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].indices.first(where: { buffer[$0] == 0x0a && $0 > start && buffer[$0 - 1] == 0x0d }) {
                defer { start = end + 1 }
                return Array(buffer[start..<end - 1])
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            let more = try socket.read(within: milliseconds)
            guard !more.isEmpty else { return nil }
            buffer += more
        }
    }
}
