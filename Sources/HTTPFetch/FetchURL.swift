/// A URL that may be fetched: `https`, or `http` to this machine or where it is allowed, and nothing that could be read in two ways.
struct FetchURL: Equatable {
    /// RFC 9110 §4.1 asks for 8000 octets to be supported; nobody here needs them.
    static let longest = 2048

    let text: String
    /// Without brackets.
    let host: String

    /// - Parameter inClear: whether `http` may go to other machines, too.
    init(_ text: String, inClear: Bool = false) throws(HTTPFetchError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.longest, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"<>\"\\^`{|}#".utf8.contains($0) }) else {
            throw HTTPFetchError(.badURL, "a URL has printable ASCII only, no fragment, and at most \(Self.longest) octets")
        }
        let isSecure = bytes.starts(with: "https://".utf8)
        guard isSecure || bytes.starts(with: "http://".utf8) else {
            throw HTTPFetchError(.badURL, "the URL does not begin with https://")
        }
        let authority = bytes.dropFirst(isSecure ? 8 : 7).prefix { !"/?".utf8.contains($0) }
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw HTTPFetchError(.badURL, "a URL with a user or a password is not fetched")
        }
        guard let host = Self.host(of: authority) else { throw HTTPFetchError(.badURL, "the URL names no host, or its port is no port") }
        guard isSecure || inClear || Self.isLoopback(host) else {
            throw HTTPFetchError(.badURL, "http:// is for this machine only; write https://\(host)")
        }
        self.text = text
        self.host = host
    }

    private static func host(of authority: ArraySlice<UInt8>) -> String? {
        var host = authority
        var rest: ArraySlice<UInt8> = []
        if authority.first == UInt8(ascii: "[") {
            guard let close = authority.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = authority[(authority.startIndex + 1)..<close]
            rest = authority[(close + 1)...]
            guard host.allSatisfy({ "0123456789abcdefABCDEF:.".utf8.contains($0) }) else { return nil }
        } else if let colon = authority.firstIndex(of: UInt8(ascii: ":")) {
            host = authority[..<colon]
            rest = authority[colon...]
        }
        guard !host.isEmpty else { return nil }
        if !rest.isEmpty {
            let digits = rest.dropFirst()
            guard rest.first == UInt8(ascii: ":"), (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
                (1...65_535).contains(digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
            else { return nil }
        }
        return String(decoding: host, as: UTF8.self)
    }

    /// Addresses in their usual form, and the name that means nothing else.
    private static func isLoopback(_ host: String) -> Bool {
        if host.utf8.elementsEqual("localhost".utf8) || host.utf8.elementsEqual("::1".utf8) { return true }
        let parts = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0].elementsEqual("127".utf8)
            && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }
}
