/// A policy of SMTP MTA Strict Transport Security (RFC 8461 §3.2).
package struct STSPolicy: Sendable, Hashable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Mail goes only to the hosts named, and only over TLS with a certificate that verifies.
        case enforce
        /// Failures are told and change nothing.
        case testing
        /// As if there were no policy.
        case none
    }

    /// Why a document is no policy.
    package enum Fault: Error, Sendable, Equatable {
        case tooLong
        case notText
        /// The first field is not `version: STSv1`.
        case noVersion
        case noMode
        case noMaxAge
        /// `enforce` or `testing` with no host pattern that is one, or with more than there may be.
        case badHosts
    }

    /// What a document may cost.
    package enum Limits {
        /// Octets (RFC 8461 §3.3).
        package static let size = 65_536
        package static let lines = 1000
        package static let patterns = 500
    }

    /// A year and a day: the most that the syntax allows (RFC 8461 §3.2).
    private static let longestAge = 31_557_600

    package let mode: Mode
    /// Host names as A-labels in lower case; one that begins with a dot stands for the hosts one label below it.
    package let hosts: [String]
    /// How long it may be kept, from when it was fetched.
    package let maxAge: Duration

    package init(mode: Mode, hosts: [String], maxAge: Duration) {
        self.mode = mode
        self.hosts = hosts
        self.maxAge = maxAge
    }

    /// Reads the document. Line ends may be LF or CRLF, unknown fields are passed over, of fields that come twice the first counts but for
    /// `mx`, which lists.
    package init(parsing bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Limits.size else { throw .tooLong }
        guard bytes.allSatisfy({ $0 == 0x0A || $0 == 0x0D || $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }) else { throw .notText }
        var fields: [(key: [UInt8], value: [UInt8])] = []
        let lines = bytes.split(separator: 0x0A, maxSplits: Limits.lines, omittingEmptySubsequences: true)
        guard lines.count <= Limits.lines else { throw .tooLong }
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            fields.append((Self.trimmed(line[..<colon]), Self.trimmed(line[(colon + 1)...])))
        }
        func value(_ key: String) -> [UInt8]? { fields.first { $0.key.elementsEqual(key.utf8) }?.value }
        guard let first = fields.first, first.key.elementsEqual("version".utf8), first.value.elementsEqual("STSv1".utf8) else {
            throw .noVersion
        }
        guard let word = value("mode"), let mode = Mode.allCases.first(where: { word.elementsEqual($0.rawValue.utf8) }) else {
            throw .noMode
        }
        guard let digits = value("max_age"), (1...10).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .noMaxAge
        }
        let seconds = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let patterns = fields.filter { $0.key.elementsEqual("mx".utf8) }.map(\.value)
        guard patterns.count <= Limits.patterns else { throw .badHosts }
        let hosts = patterns.compactMap(Self.pattern)
        guard hosts.count == patterns.count, mode == .none || !hosts.isEmpty else { throw .badHosts }
        self.init(mode: mode, hosts: hosts, maxAge: .seconds(min(seconds, Self.longestAge)))
    }

    /// Whether mail may go to that host (§4.1): a wildcard stands for exactly one label.
    package func allows(_ host: String) -> Bool {
        let host = Self.lowercased(host.utf8)
        return hosts.contains { pattern in
            guard pattern.utf8.first == UInt8(ascii: ".") else { return host.elementsEqual(pattern.utf8) }
            guard let dot = host.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return false }
            return host[dot...].elementsEqual(pattern.utf8)
        }
    }

    private static func pattern(_ bytes: [UInt8]) -> String? {
        var bytes = lowercased(bytes)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        let isWild = bytes.starts(with: "*.".utf8)
        let labels = (isWild ? bytes.dropFirst(2) : bytes[...]).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName =
            bytes.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F }
            }
        return isName ? String(decoding: isWild ? bytes.dropFirst() : bytes[...], as: UTF8.self) : nil
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return Array(bytes)
    }

    private static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }
}

/// The TXT record by which a domain says that it has a policy (RFC 8461 §3.1).
package struct STSRecord: Sendable, Hashable {
    /// Another id means another policy: 1 to 32 letters and digits.
    package let id: String

    /// Finds it among the texts of `_mta-sts.DOMAIN`; nil unless there is exactly one that begins with the version, and it has an id.
    package init?(texts: [[UInt8]]) {
        let candidates = texts.prefix(100).filter { $0.starts(with: "v=STSv1;".utf8) }
        guard candidates.count == 1, candidates[0].count <= 1024 else { return nil }
        for field in candidates[0].split(separator: UInt8(ascii: ";")).dropFirst() {
            let field = field.drop { $0 == 0x20 || $0 == 0x09 }
            guard field.starts(with: "id=".utf8) else { continue }
            var id = field.dropFirst(3)
            while let last = id.last, last == 0x20 || last == 0x09 { id.removeLast() }
            guard (1...32).contains(id.count),
                id.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) })
            else { return nil }
            self.id = String(decoding: id, as: UTF8.self)
            return
        }
        return nil
    }
}

/// The seam to whoever fetches and keeps policies.
package protocol STSPolicySource: Sendable {
    /// The policy of a recipient domain (A-labels) that is in force now; nil when it has none, or none could be had and none is kept.
    func policy(for domain: String) async -> STSPolicy?
}
