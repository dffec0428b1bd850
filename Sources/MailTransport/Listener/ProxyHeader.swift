package import DNS
import NIOCore

/// Reads the header with which a proxy names the client that it speaks for: the PROXY protocol of HAProxy, versions 1 and 2.
///
/// Total and bounded: a header that is not understood or longer than its limit is a fault, and nothing behind it is read.
struct ProxyHeader {
    enum Step: Equatable {
        case incomplete
        /// `client` is nil when the proxy speaks for itself or names no IP address; `rest` stands behind the header.
        case done(client: IPAddress?, rest: ByteBuffer)
        case fault
    }

    /// The longest header of version 1, with its CRLF.
    private static let longestLine = 107
    /// The longest header of version 2: its fixed part, addresses, and what proxies add about TLS.
    private static let longestBlock = 16 + 4096
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private var input = ByteBuffer()

    mutating func read(_ bytes: ByteBuffer) -> Step {
        input.writeImmutableBuffer(bytes)
        let start = Array(input.readableBytesView.prefix(Self.signature.count))
        if start.elementsEqual(Self.signature.prefix(start.count)) { return start.count < Self.signature.count ? .incomplete : block() }
        let word = Array("PROXY ".utf8)
        guard start.prefix(word.count).elementsEqual(word.prefix(start.count)) else { return .fault }
        return line()
    }

    // MARK: Version 1

    private func line() -> Step {
        let view = input.readableBytesView
        guard let feed = view.prefix(Self.longestLine).firstIndex(of: 0x0A) else {
            return view.count < Self.longestLine ? .incomplete : .fault
        }
        guard feed > view.startIndex, view[feed - 1] == 0x0D else { return .fault }
        let words = view[..<(feed - 1)].split(separator: 0x20, omittingEmptySubsequences: false).map { Array($0) }
        let rest = ByteBuffer(bytes: view[(feed + 1)...])
        guard words.count >= 2 else { return .fault }
        if words[1].elementsEqual("UNKNOWN".utf8) { return .done(client: nil, rest: rest) }
        let isSix = words[1].elementsEqual("TCP6".utf8)
        guard words.count == 6, isSix || words[1].elementsEqual("TCP4".utf8), let source = Self.address(words[2], isVersion6: isSix),
            Self.address(words[3], isVersion6: isSix) != nil, words[4...].allSatisfy(Self.isPort)
        else { return .fault }
        return .done(client: source, rest: rest)
    }

    private static func address(_ text: [UInt8], isVersion6: Bool) -> IPAddress? {
        guard let address = IPAddress(String(decoding: text, as: UTF8.self)), address.isVersion6 == isVersion6 else { return nil }
        return address
    }

    private static func isPort(_ text: [UInt8]) -> Bool {
        guard (1...5).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }), text.count == 1 || text[0] != 0x30 else {
            return false
        }
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }

    // MARK: Version 2

    private func block() -> Step {
        var header = input
        header.moveReaderIndex(forwardBy: Self.signature.count)
        guard let (command, family, length) = header.readMultipleIntegers(as: (UInt8, UInt8, UInt16).self) else { return .incomplete }
        guard command >> 4 == 2, command & 0x0F <= 1, 16 + Int(length) <= Self.longestBlock else { return .fault }
        guard let addresses = header.readBytes(length: Int(length)) else { return .incomplete }
        guard command & 0x0F == 1 else { return .done(client: nil, rest: header) }
        let size: Int
        switch family {
        case 0x11: size = 4
        case 0x21: size = 16
        // Of a kind that has no IP address, or of a kind we do not know: the specification lets the receiver take the connection's own.
        default: return .done(client: nil, rest: header)
        }
        guard addresses.count >= 2 * size + 4 else { return .fault }
        return .done(client: IPAddress(bytes: addresses.prefix(size)), rest: header)
    }
}

/// Networks of peers, each an address or a prefix in CIDR form.
package struct PeerNetworks: Sendable, Hashable {
    private struct Network: Hashable {
        let address: IPAddress
        let length: Int
    }

    private let networks: [Network]

    package static let none = PeerNetworks(networks: [])

    private init(networks: [Network]) { self.networks = networks }

    /// nil when one of the texts is neither an address nor a network.
    package init?(_ texts: [String]) {
        var networks: [Network] = []
        for text in texts {
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = IPAddress(String(decoding: Array(parts[0]), as: UTF8.self)) else { return nil }
            let longest = address.bytes.count * 8
            var length = longest
            if parts.count == 2 {
                guard let given = Int(String(decoding: Array(parts[1]), as: UTF8.self)), (0...longest).contains(given) else { return nil }
                length = given
            }
            networks.append(Network(address: address, length: length))
        }
        self.networks = networks
    }

    /// Whether one of the networks holds the address; an IPv4 address mapped into IPv6 counts as what it stands for.
    package func contains(_ address: IPAddress) -> Bool {
        let plain = address.embeddedVersion4 ?? address
        return networks.contains { network in
            guard network.address.isVersion6 == plain.isVersion6 else { return false }
            return (0..<network.length).allSatisfy { bit in
                (network.address.bytes[bit / 8] ^ plain.bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
            }
        }
    }
}
