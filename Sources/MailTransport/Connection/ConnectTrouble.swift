import Glibc
import NIOCore
import NIOPosix
import OpenSSL

/// Why a connection could not be made, in words for a person.
enum ConnectTrouble {
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError: words(error)
        case let error as IOError: words(errno: error.errnoCode)
        case ChannelError.connectTimeout(let time): "no answer within \(seconds(time)) s"
        case is SocketAddressError: "that is no address"
        case is SocketAddressError.UnknownHost: "the name has no address"
        case is CancellationError: "given up before there was a connection"
        case ChannelError.ioOnClosedChannel, ChannelError.eof: "the peer closed the connection at once"
        case let error as TLSError: "\(error)"
        default: "\(error)"
        }
    }

    private static func words(_ error: NIOConnectionError) -> String {
        var reasons: [String] = []
        for failure in error.connectionErrors {
            let reason = words(failure.error)
            if !reasons.contains(reason) { reasons.append(reason) }
        }
        guard reasons.isEmpty else { return reasons.joined(separator: "; ") }
        if error.dnsAError != nil || error.dnsAAAAError != nil {
            return "the name has no address; check its spelling, and what this machine's own resolver (/etc/hosts, /etc/resolv.conf) says"
        }
        return "the name has no address"
    }

    private static func words(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused; nothing listens there"
        case ETIMEDOUT: "no answer"
        case ECONNRESET, EPIPE: "the peer reset the connection"
        case EHOSTUNREACH, ENETUNREACH: "this machine has no way to that address"
        case EADDRNOTAVAIL: "the address to send from is not one of this machine, or the destination is none of its networks'"
        case EACCES, EPERM: "this machine does not allow the connection; check its firewall and the mode of the socket"
        case ENOENT: "there is no such socket"
        case EAFNOSUPPORT: "this machine has no network of that kind"
        default: "the system reports error \(code)"
        }
    }

    private static func seconds(_ time: TimeAmount) -> String {
        let tenths = time.nanoseconds / 100_000_000
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
