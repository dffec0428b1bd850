/// A made-up zone, for rehearsals and tests: what is not in it does not exist.
package struct StaticResolver: Resolver {
    package enum Record: Sendable, Equatable {
        case a(String)
        case aaaa(String)
        case mx(Int, String)
        case txt(String)
        case ptr(String)
        case cname(String)
        case tlsa(usage: UInt8, selector: UInt8, matchingType: UInt8, data: [UInt8])
    }

    private var zone: [String: [Record]]
    private var failures: [String: DNSFailure]
    private var secureNames: Set<String>
    package let validation: DNSValidation
    private static let longestAliasChain = 8

    /// - Parameters:
    ///   - zone: The records of each name. A name without records exists, with no data.
    ///   - failures: Names whose lookups fail, whatever the zone says.
    ///   - secure: Names whose answers count as proven by DNSSEC.
    package init(
        _ zone: [String: [Record]], failures: [String: DNSFailure] = [:], secure: Set<String> = [], validation: DNSValidation = .on
    ) {
        self.validation = validation
        self.zone = Dictionary(zone.map { (DomainText.normal($0), $1) }, uniquingKeysWith: +)
        self.failures = Dictionary(failures.map { (DomainText.normal($0), $1) }) { first, _ in first }
        self.secureNames = Set(secure.map(DomainText.normal))
    }

    package func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
        var current = DomainText.normal(name)
        guard DomainText.isQueryable(current) else { return DNSAnswer(type, .failure(.invalidName)) }
        var isSecure = true
        for step in 0...Self.longestAliasChain {
            if let failure = failures[current] { return DNSAnswer(type, .failure(failure)) }
            isSecure = isSecure && secureNames.contains(current)
            let canonicalName = step == 0 ? nil : current
            guard let records = zone[current] else {
                return DNSAnswer(type, hasNameBelow(current) ? .noData : .nameNotFound, isSecure: isSecure, canonicalName: canonicalName)
            }
            if type != .cname, let target = records.lazy.compactMap(\.alias).first {
                current = DomainText.normal(target)
                continue
            }
            let wires = records.filter { $0.type == type }.map(\.wire)
            if wires.contains(nil) { return DNSAnswer(type, .failure(.responseCode(2))) }
            let data = wires.compactMap { $0 }
            return DNSAnswer(type, data.isEmpty ? .noData : .records(data), isSecure: isSecure, canonicalName: canonicalName)
        }
        return DNSAnswer(type, .failure(.responseCode(2)))
    }

    private func hasNameBelow(_ name: String) -> Bool {
        let ending = Array(".\(name)".utf8)
        return zone.keys.contains { $0.utf8.count > ending.count && $0.utf8.suffix(ending.count).elementsEqual(ending) }
    }
}

extension StaticResolver.Record {
    var type: RecordType {
        switch self {
        case .a: .a
        case .aaaa: .aaaa
        case .mx: .mx
        case .txt: .txt
        case .ptr: .ptr
        case .cname: .cname
        case .tlsa: .tlsa
        }
    }

    var alias: String? {
        if case .cname(let target) = self { target } else { nil }
    }

    /// The record data as DNS carries it; nil when the record cannot be.
    var wire: [UInt8]? {
        switch self {
        case .a(let text): IPAddress(text).flatMap { $0.isVersion6 ? nil : $0.bytes }
        case .aaaa(let text): IPAddress(text).flatMap { $0.isVersion6 ? $0.bytes : nil }
        case .mx(let preference, let host):
            UInt16(exactly: preference).flatMap { number in
                DomainText.encode(DomainText.normal(host)).map { [UInt8(number >> 8), UInt8(number & 0xFF)] + $0 }
            }
        case .txt(let text): Self.strings(Array(text.utf8))
        case .ptr(let host), .cname(let host): DomainText.encode(DomainText.normal(host))
        case .tlsa(let usage, let selector, let matchingType, let data): data.isEmpty ? nil : [usage, selector, matchingType] + data
        }
    }

    private static func strings(_ text: [UInt8]) -> [UInt8] {
        var wire: [UInt8] = text.isEmpty ? [0] : []
        var rest = text[...]
        while !rest.isEmpty {
            let piece = rest.prefix(255)
            wire += [UInt8(piece.count)] + piece
            rest.removeFirst(piece.count)
        }
        return wire
    }
}
