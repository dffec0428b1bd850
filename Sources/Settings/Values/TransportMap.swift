package import InternetMessage

/// A transport map as its file says it.
package struct TransportMap: Sendable, Equatable {
    /// Whom a line is for.
    package enum Recipients: Sendable, Equatable {
        case everybody
        /// In lower-case A-labels.
        case domain(String)
        /// In lower-case A-labels, without the dot before it.
        case below(String)
        case address(EmailAddress)

        /// The same for all lines that are for the same recipients.
        fileprivate var key: String {
            switch self {
            case .everybody: "*"
            case .domain(let domain): domain
            case .below(let domain): ".\(domain)"
            case .address(let address): address.suppressionKey
            }
        }
    }

    package struct Entry: Sendable, Equatable {
        package let recipients: Recipients
        /// The NAME of a route or a pool.
        package let target: String
        /// From 1.
        package let line: Int
    }

    package let path: String
    package let entries: [Entry]

    /// Reads `RECIPIENT ROUTE` lines; `#` begins a comment, and blank lines are passed over.
    ///
    /// - Returns: what is wrong, each with its line, when anything is.
    static func read(_ bytes: [UInt8], path: String) -> Result<TransportMap, Complaints> {
        var entries: [Entry] = []
        var complaints: [Complaint] = []
        var lines: [String: Int] = [:]
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map(Array.init)
            guard let first = words.first, first.first != UInt8(ascii: "#") else { continue }
            func complain(_ message: String, _ remedy: String) {
                complaints.append(Complaint("\(path):\(index + 1): \(message)", remedy))
            }
            let shown = UnknownKey.printable(String(decoding: first, as: UTF8.self))
            guard words.count == 2 || words.count > 2 && words[2].first == UInt8(ascii: "#") else {
                complain("a line has a recipient and a route", "write it as \"example.com relay\"")
                continue
            }
            guard let recipients = recipients(first) else {
                complain("'\(shown)' names no recipients", "write an address, a domain, \".example.com\" for every domain below, or \"*\"")
                continue
            }
            let target = String(decoding: words[1], as: UTF8.self)
            if let earlier = lines[recipients.key] ?? lines[Recipients.everybody.key] {
                complain("'\(shown)' never counts: line \(earlier) stands before it", "remove one of them, or change their order")
                continue
            }
            lines[recipients.key] = index + 1
            entries.append(Entry(recipients: recipients, target: target, line: index + 1))
        }
        return complaints.isEmpty ? .success(TransportMap(path: path, entries: entries)) : .failure(Complaints(complaints))
    }

    private static func recipients(_ word: [UInt8]) -> Recipients? {
        if word == [UInt8(ascii: "*")] { return .everybody }
        if word.contains(UInt8(ascii: "@")) { return EmailAddress(parsing: word).map { .address($0) } }
        let isBelow = word.first == UInt8(ascii: ".")
        let name = String(decoding: isBelow ? Array(word.dropFirst()) : word, as: UTF8.self)
        guard name.utf8.first != UInt8(ascii: "["), let domain = DomainName.toASCII(name) else { return nil }
        return isBelow ? .below(domain) : .domain(domain)
    }
}

extension ConfType where Value == TransportMap {
    /// A file with lines of a recipient and a route.
    static var transportMap: ConfType {
        .string("the path of a file", show: \.path) { text, context in
            let path = context.absolute(text)
            return FileChecks.present(path, context).flatMap { path, _ in
                switch context.files.contents(of: path) {
                case .failure(let trouble): .failure(Complaints("\(path): \(trouble.reason)"))
                case .success(let bytes): TransportMap.read(bytes, path: path)
                }
            }
        }
    }
}
