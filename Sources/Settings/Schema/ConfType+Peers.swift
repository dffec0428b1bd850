internal import Toml

extension ConfType where Value == String {
    static var hostName: ConfType {
        .string("a host name", show: { $0 }) { text, _ in
            Names.isHostName(text) && !IPText.isAddress(text)
                ? .success(text) : .failure(Complaints("'\(text)' is no host name", "write a name such as \"mail.example.com\""))
        }
    }

    static var domain: ConfType {
        .string("a domain", show: { $0 }) { text, _ in
            if text.utf8.contains(UInt8(ascii: "@")) {
                return .failure(Complaints("'\(text)' is an address, not a domain", "write what follows the '@'"))
            }
            return Names.isHostName(text) && !IPText.isAddress(text) ? .success(text) : .failure(Complaints("'\(text)' is no domain"))
        }
    }

    /// A DKIM selector: one or more labels (RFC 6376 §3.1).
    static var selector: ConfType {
        .string("a selector", show: { $0 }) { text, _ in
            Names.isDomainName(text, allowUnderscore: true) ? .success(text) : .failure(Complaints("'\(text)' is no selector"))
        }
    }

    static var localPart: ConfType {
        .string("the part of an address before the '@'", show: { $0 }) { text, _ in
            Names.isLocalPart(text.utf8)
                ? .success(text) : .failure(Complaints("'\(text)' is no local part", "write only what stands before the '@'"))
        }
    }

    static var ipAddress: ConfType {
        .string("an IP address", show: { $0 }) { text, _ in
            IPText.isAddress(text) ? .success(text) : .failure(Complaints("'\(text)' is no IP address"))
        }
    }

    /// An https URL without user, query or fragment.
    static var webAddress: ConfType { webAddress(otherwise: "one-click links must be https (RFC 8058)") }

    /// - Parameter otherwise: what is said of an address without TLS.
    static func webAddress(otherwise: String) -> ConfType {
        .string("an https URL", show: { $0 }) { text, _ in
            let bytes = Array(text.utf8)
            let scheme = ["https://", "http://"].first { bytes.starts(with: $0.utf8) }
            guard let scheme, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"<>\"\\^`{|}".utf8.contains($0) }) else {
                return .failure(Complaints("'\(text)' is no https URL", "write it as \"https://u.example.com/\""))
            }
            let rest = bytes.dropFirst(scheme.utf8.count)
            let authority = Array(rest.prefix { $0 != UInt8(ascii: "/") })
            guard !bytes.contains(where: { "@?#".utf8.contains($0) }) else {
                return .failure(Complaints("the URL may not hold a user, a query or a fragment"))
            }
            guard let (host, _) = Endpoint.split(authority, defaultPort: 443), Names.isHostName(host) || IPText.isAddress(host) else {
                return .failure(Complaints("'\(text)' has no valid host"))
            }
            guard scheme.utf8.elementsEqual("https://".utf8) else {
                return .failure(Complaints(otherwise, "write https://"))
            }
            return .success(text)
        }
    }
}

extension ConfType where Value == String {
    /// Where an authorization server is asked: https, or http to this machine.
    static var tokenAddress: ConfType {
        .string("an https URL", show: { $0 }) { text, _ in
            let bytes = Array(text.utf8)
            let scheme = ["https://", "http://"].first { bytes.starts(with: $0.utf8) }
            guard let scheme, bytes.count <= 2048, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"<>\"\\^`{|}#@".utf8.contains($0) }) else {
                return .failure(Complaints("'\(text)' is no https URL", "write it as \"https://login.example.com/token\""))
            }
            let authority = Array(bytes.dropFirst(scheme.utf8.count).prefix { !"/?".utf8.contains($0) })
            guard let (host, _) = Endpoint.split(authority, defaultPort: 443), Names.isHostName(host) || IPText.isAddress(host) else {
                return .failure(Complaints("'\(text)' has no valid host"))
            }
            guard scheme.utf8.elementsEqual("https://".utf8) || host.utf8.elementsEqual("localhost".utf8) || IPText.isLoopback(host) else {
                return .failure(Complaints("a client's secret is sent over https only", "write https://"))
            }
            return .success(text)
        }
    }
}

extension ConfType where Value == SenderAddress {
    static var sender: ConfType {
        .string("an address such as \"Anna Berg <anna@example.com>\"", show: \.text) { text, _ in
            if Names.hasOpenTag(text) { return .failure(Complaints.openTag) }
            return Names.sender(text).map { .success($0) }
                ?? .failure(Complaints("'\(text)' is no address", "write it as \"Anna Berg <anna@example.com>\""))
        }
    }
}

extension ConfType where Value == ListenAddress {
    static var listen: ConfType {
        .string("an address to listen on such as \"127.0.0.1:8025\", \"[::]:25\" or \"unix:/run/postrider/lmtp.sock\"", show: \.description)
        { text, context in
            if let path = Endpoint.socketPath(text) {
                return path.utf8.count <= 107
                    ? .success(.unix(path: path)) : .failure(Complaints("the path of a socket takes at most 107 bytes"))
            }
            guard let (host, port) = Endpoint.split(Array(text.utf8), defaultPort: nil) else {
                return .failure(
                    Complaints("'\(text)' is no listen address", "write it as \"127.0.0.1:8025\", \"[::]:25\" or \"unix:/path\""))
            }
            guard IPText.isAddress(host) else {
                return .failure(Complaints("'\(host)' is no IP address", "a listener binds to an IP address, not to a name"))
            }
            return .success(.ip(host, port: port))
        }
    }
}

extension ConfType where Value == HostAddress {
    static var host: ConfType {
        .string("a host name, an IP address or \"unix:/path\"", show: \.description) { text, context in
            if let path = Endpoint.socketPath(text) { return .success(.unix(path: path)) }
            if let address = IPText.canonical(text) { return .success(.ip(address)) }
            if Names.isHostName(text) { return .success(.name(text)) }
            let hasPort = Endpoint.split(Array(text.utf8), defaultPort: nil) != nil
            return .failure(Complaints("'\(text)' is no host", hasPort ? "put the port in its own key, port = ..." : nil))
        }
    }
}

extension ConfType where Value == ResolverAddress {
    static var resolver: ConfType {
        .string("an IP address, with its port as in \"127.0.0.1@5353\"", show: \.description) { text, _ in
            let bytes = Array(text.utf8)
            if IPText.isAddress(text) { return .success(ResolverAddress(address: text, port: 53)) }
            if let at = bytes.firstIndex(of: UInt8(ascii: "@")), let port = Endpoint.port(bytes[(at + 1)...]) {
                let address = String(decoding: bytes[..<at], as: UTF8.self)
                if IPText.isAddress(address) { return .success(ResolverAddress(address: address, port: port)) }
            } else if let (address, port) = Endpoint.split(bytes, defaultPort: nil), IPText.isAddress(address) {
                return .success(ResolverAddress(address: address, port: port))
            }
            return .failure(
                Complaints("'\(text)' is no address of a resolver", "write an IP address, with a port as in \"127.0.0.1@5353\""))
        }
    }
}

/// A host with a port, as text.
enum Endpoint {
    static func socketPath(_ text: String) -> String? {
        guard text.utf8.starts(with: "unix:/".utf8), text.utf8.count > 6 else { return nil }
        return String(decoding: text.utf8.dropFirst(5), as: UTF8.self)
    }

    static func port(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let port = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return (1...65_535).contains(port) ? port : nil
    }

    /// `host:port` or `[v6]:port`; without a port only when there is a default.
    static func split(_ text: [UInt8], defaultPort: Int?) -> (host: String, port: Int)? {
        var host = text[...]
        var rest: ArraySlice<UInt8> = []
        if text.first == UInt8(ascii: "[") {
            guard let close = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = text[1..<close]
            rest = text[(close + 1)...]
            guard IPText.isVersion6(String(decoding: host, as: UTF8.self)) else { return nil }
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            host = text[..<colon]
            rest = text[colon...]
        }
        guard !host.isEmpty else { return nil }
        let name = String(decoding: host, as: UTF8.self)
        if rest.isEmpty { return defaultPort.map { (name, $0) } }
        guard rest.first == UInt8(ascii: ":"), let port = port(rest.dropFirst()) else { return nil }
        return (name, port)
    }
}
