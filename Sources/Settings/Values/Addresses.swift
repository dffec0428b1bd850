internal import Glibc

/// Where a listener listens.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address without brackets, and a port.
    case ip(String, port: Int)
    /// The path of a UNIX socket.
    case unix(path: String)

    package var description: String {
        switch self {
        case .ip(let address, let port): IPText.isVersion6(address) ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Whether only this machine can connect.
    package var isLocal: Bool {
        switch self {
        case .ip(let address, _): IPText.isLoopback(address)
        case .unix: true
        }
    }
}

/// The other end of a route or mailbox.
package enum HostAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host name to look up.
    case name(String)
    /// An IP address without brackets.
    case ip(String)
    /// The path of a UNIX socket.
    case unix(path: String)

    package var description: String {
        switch self {
        case .name(let name): name
        case .ip(let address): address
        case .unix(let path): "unix:\(path)"
        }
    }

    /// With the port, as in `mail.example.com:587` and `[2001:db8::1]:587`.
    package func place(_ port: Int) -> String {
        switch self {
        case .name(let name): "\(name):\(port)"
        case .ip(let address): ListenAddress.ip(address, port: port).description
        case .unix: description
        }
    }

    /// Whether it is this machine for certain, so that nothing on the way can be overheard.
    package var isLocal: Bool {
        switch self {
        case .name(let name): name.utf8.elementsEqual("localhost".utf8)
        case .ip(let address): IPText.isLoopback(address)
        case .unix: true
        }
    }
}

/// A DNS server to ask.
package struct ResolverAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address without brackets.
    package var address: String
    package var port: Int

    /// In libunbound's form, `address@port`.
    package var description: String { port == 53 ? address : "\(address)@\(port)" }
}

/// An address that mail is sent as, as written and taken apart.
///
/// The text is checked to be one line with one address of the usual form (dot-atom local part, domain with valid labels).
package struct SenderAddress: Sendable, Hashable {
    /// The whole value, as in `Anna Berg <anna@example.com>`.
    package var text: String
    /// The name before the address, without quotes, empty when there is none.
    package var displayName: String
    package var localPart: String
    package var domain: String

    package var address: String { "\(localPart)@\(domain)" }
}

/// The path of a file that holds a secret; the checks have seen it present, readable, not empty and closed to others.
package struct SecretFile: Sendable, Hashable {
    /// Absolute.
    package var path: String

    /// The content without one line end at its close, as editors leave it.
    package func read(_ files: any ConfFiles = LocalFiles()) -> Result<[UInt8], FileTrouble> {
        files.contents(of: path).map { bytes in
            var secret = bytes
            if secret.last == 0x0A { secret.removeLast() }
            if secret.last == 0x0D { secret.removeLast() }
            return secret
        }
    }
}

/// IP addresses as text.
enum IPText {
    static func isVersion4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    static func isVersion6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    static func isAddress(_ text: String) -> Bool { isVersion4(text) || isVersion6(text) }

    /// The one way to write the address, which may stand in brackets; nil when it is none.
    static func canonical(_ text: String) -> String? {
        let bytes = text.utf8
        let isBracketed = bytes.first == UInt8(ascii: "[") && bytes.last == UInt8(ascii: "]")
        let bare = isBracketed ? String(decoding: Array(bytes.dropFirst().dropLast()), as: UTF8.self) : text
        if isVersion4(bare) { return bare }
        var address = in6_addr()
        guard inet_pton(AF_INET6, bare, &address) == 1 else { return nil }
        let words = address.__in6_u.__u6_addr16
        return canonical([words.0, words.1, words.2, words.3, words.4, words.5, words.6, words.7].map { UInt16(bigEndian: $0) })
    }

    /// Eight groups with the first of the longest runs of zeros left out (RFC 5952 §4).
    private static func canonical(_ groups: [UInt16]) -> String {
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 } else if index + 1 - start > longest.count { longest = start..<(index + 1) }
        }
        func text(_ part: some Collection<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard longest.count > 1 else { return text(groups) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }

    static func isLoopback(_ text: String) -> Bool {
        isVersion4(text) ? text.utf8.starts(with: "127.".utf8) : text.utf8.elementsEqual("::1".utf8)
    }
}
