import DNS
import InternetMessage

/// One run of `check_host` with all it includes, and what it has spent (RFC 7208 §4).
struct SPFEvaluation {
    struct Finding {
        var outcome: SPFResult.Outcome
        var directive: String?
        var problem: String?
        var explanation: String?
    }

    /// A lookup that ends the check.
    enum Stop: Error {
        case temporary(String)
        case permanent(String)
    }

    /// RFC 7208 §4.6.4.
    enum Limits {
        static let terms = 10
        static let voids = 2
        static let mailExchangers = 10
        static let pointers = 10
    }

    let resolver: any Resolver
    let isOverdue: @Sendable () -> Bool
    let client: IPAddress
    let local: [UInt8]
    let senderDomain: [UInt8]
    let helo: [UInt8]
    let receiver: [UInt8]
    let now: Timestamp
    var terms = 0
    var voids = 0
    /// Names of the client that its own addresses confirm; nil: not asked for yet.
    var validatedNames: [[UInt8]]?

    /// - Parameter explains: whether the owner's words are wanted when the outcome is a failure.
    mutating func check(_ domain: [UInt8], explains: Bool) async -> Finding {
        guard let labels = Domain.labels(domain), labels.count >= 2 else { return Finding(outcome: .none) }
        do throws(Stop) {
            let records = try await records(of: domain)
            guard let text = records.first else { return Finding(outcome: .none) }
            guard records.count == 1 else { throw .permanent("more than one SPF record") }
            let record: SPFRecord
            do throws(SPFSyntaxError) {
                record = try SPFRecord(parsing: text)
            } catch {
                throw .permanent(error.problem)
            }
            return try await evaluate(record, of: domain, explains: explains)
        } catch {
            switch error {
            case .temporary(let problem): return Finding(outcome: .temporaryError, problem: problem)
            case .permanent(let problem): return Finding(outcome: .permanentError, problem: problem)
            }
        }
    }

    private func records(of domain: [UInt8]) async throws(Stop) -> [[UInt8]] {
        guard !isOverdue() else { throw .temporary("no time left") }
        let answer = await resolver.lookup(domain.text, .txt)
        if let failure = answer.failure, failure.isTemporary { throw .temporary("\(domain.text): \(failure)") }
        return answer.texts.filter(SPFRecord.isOne)
    }

    private mutating func evaluate(_ record: SPFRecord, of domain: [UInt8], explains: Bool) async throws(Stop) -> Finding {
        for directive in record.directives where try await matches(directive.mechanism, of: domain) {
            var finding = Finding(outcome: directive.outcome, directive: directive.text)
            if finding.outcome == .fail, explains, let text = record.explanation {
                finding.explanation = await explanation(text, of: domain)
            }
            return finding
        }
        guard let redirect = record.redirect else { return Finding(outcome: .neutral) }
        try spendTerm()
        let target = await expandedDomain(redirect, of: domain)
        let finding = await check(target, explains: explains)
        guard finding.outcome != .none else { throw .permanent("redirect=\(target.text) has no SPF record") }
        return finding
    }

    private mutating func matches(_ mechanism: SPFRecord.Mechanism, of domain: [UInt8]) async throws(Stop) -> Bool {
        switch mechanism {
        case .all: return true
        case .network(let address, let length): return client.agrees(with: address, prefix: length)
        case .include(let text):
            try spendTerm()
            return try await includes(await expandedDomain(text, of: domain))
        case .exists(let text):
            try spendTerm()
            let name = await expandedDomain(text, of: domain)
            return !(try await lookUp(name, .a).addresses.isEmpty)
        case .address(let text, let prefix):
            try spendTerm()
            let name = await expandedDomain(text, of: domain)
            return try await hasClient(name, prefix)
        case .mailExchanger(let text, let prefix):
            try spendTerm()
            let name = await expandedDomain(text, of: domain)
            let hosts = try await lookUp(name, .mx).mailExchangers
            guard hosts.count <= Limits.mailExchangers else {
                throw .permanent("\(name.text) has more than \(Limits.mailExchangers) MX records")
            }
            for host in hosts where try await hasClient(Array(host.host.utf8), prefix) { return true }
            return false
        case .pointer(let text):
            try spendTerm()
            let name = await expandedDomain(text, of: domain).lowercased.text
            return await validated().contains { Domain.isWithin($0.text, name) }
        }
    }

    private mutating func includes(_ target: [UInt8]) async throws(Stop) -> Bool {
        let finding = await check(target, explains: false)
        switch finding.outcome {
        case .pass: return true
        case .fail, .softFail, .neutral: return false
        case .temporaryError: throw .temporary(finding.problem ?? "include:\(target.text)")
        case .permanentError: throw .permanent(finding.problem ?? "include:\(target.text)")
        case .none: throw .permanent("include:\(target.text) has no SPF record")
        }
    }

    private mutating func spendTerm() throws(Stop) {
        terms += 1
        if terms > Limits.terms { throw .permanent("more than \(Limits.terms) terms that need DNS") }
    }

    // MARK: Lookups

    /// What a mechanism asks for; a name that cannot be asked for has no records.
    private mutating func lookUp(_ name: [UInt8], _ type: RecordType) async throws(Stop) -> DNSAnswer {
        guard !isOverdue() else { throw .temporary("no time left") }
        var answer = DNSAnswer(type, .nameNotFound)
        if Domain.labels(name) != nil { answer = await resolver.lookup(name.text, type) }
        if let failure = answer.failure, failure.isTemporary { throw .temporary("\(name.text): \(failure)") }
        if case .records = answer.outcome { return answer }
        voids += 1
        if voids > Limits.voids { throw .permanent("more than \(Limits.voids) lookups without an answer") }
        return answer
    }

    private mutating func hasClient(_ name: [UInt8], _ prefix: SPFRecord.Prefix) async throws(Stop) -> Bool {
        let answer = try await lookUp(name, client.isVersion6 ? .aaaa : .a)
        let length = client.isVersion6 ? prefix.version6 : prefix.version4
        return answer.addresses.contains { client.agrees(with: $0, prefix: length) }
    }

    /// Names of the client's PTR records that have its address (RFC 7208 §5.5); errors of DNS leave names out.
    private mutating func validated() async -> [[UInt8]] {
        if let validatedNames { return validatedNames }
        var names: [[UInt8]] = []
        if !isOverdue() {
            for name in await resolver.lookup(client.reverseName, .ptr).names.prefix(Limits.pointers) where !isOverdue() {
                let bytes = Array(name.utf8).lowercased
                guard Domain.labels(bytes) != nil else { continue }
                if await resolver.lookup(name, client.isVersion6 ? .aaaa : .a).addresses.contains(client) { names.append(bytes) }
            }
        }
        validatedNames = names
        return names
    }

    // MARK: Macros

    /// The domain that a term names, the current one when it names none, cut from the left to what DNS carries.
    private mutating func expandedDomain(_ text: SPFMacroText?, of domain: [UInt8]) async -> [UInt8] {
        guard let text else { return domain }
        var name = await expand(text, of: domain)[...]
        if name.last == UInt8(ascii: ".") { name = name.dropLast() }
        while name.count > Domain.longest {
            guard let dot = name.firstIndex(of: UInt8(ascii: ".")) else { return Array(name) }
            name = name[(dot + 1)...]
        }
        return Array(name)
    }

    private mutating func expand(_ text: SPFMacroText, of domain: [UInt8]) async -> [UInt8] {
        var pointer: [UInt8] = []
        if text.letters.contains(UInt8(ascii: "p")) { pointer = await pointerName(for: domain) }
        let values = self
        return text.expanded { values.value(of: $0, domain: domain, pointer: pointer) }
    }

    private func value(of letter: UInt8, domain: [UInt8], pointer: [UInt8]) -> [UInt8] {
        switch letter {
        case UInt8(ascii: "s"): local + [UInt8(ascii: "@")] + senderDomain
        case UInt8(ascii: "l"): local
        case UInt8(ascii: "o"): senderDomain
        case UInt8(ascii: "d"): domain
        case UInt8(ascii: "i"): client.dotted
        case UInt8(ascii: "p"): pointer
        case UInt8(ascii: "v"): Array((client.isVersion6 ? "ip6" : "in-addr").utf8)
        case UInt8(ascii: "h"): helo
        case UInt8(ascii: "c"): Array(client.description.utf8)
        case UInt8(ascii: "r"): receiver.isEmpty ? Array("unknown".utf8) : receiver
        default: Array(String(now.seconds).utf8)
        }
    }

    /// The client's own name, one of the domain's before others (RFC 7208 §7.3).
    private mutating func pointerName(for domain: [UInt8]) async -> [UInt8] {
        let names = await validated()
        let domain = domain.lowercased
        return names.first { $0 == domain } ?? names.first { Domain.isWithin($0.text, domain.text) } ?? names.first ?? Array("unknown".utf8)
    }

    /// The owner's words for a failure; nil when they cannot be had or are not plain ASCII (RFC 7208 §6.2).
    private mutating func explanation(_ text: SPFMacroText, of domain: [UInt8]) async -> String? {
        let name = await expandedDomain(text, of: domain)
        guard Domain.labels(name) != nil, !isOverdue() else { return nil }
        let texts = await resolver.lookup(name.text, .txt).texts
        guard texts.count == 1 else { return nil }
        do throws(SPFSyntaxError) {
            let words = await expand(try SPFMacroText(parsing: texts[0], in: .explanation), of: domain)
            return words.allSatisfy { $0 >= 32 && $0 < 127 } ? words.text : nil
        } catch {
            return nil
        }
    }
}

extension IPAddress {
    /// Whether the first `prefix` bits agree; addresses of different kinds never do.
    func agrees(with other: IPAddress, prefix: Int) -> Bool {
        guard bytes.count == other.bytes.count else { return false }
        let whole = prefix / 8
        guard bytes.prefix(whole) == other.bytes.prefix(whole) else { return false }
        let rest = prefix % 8
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return bytes[whole] & mask == other.bytes[whole] & mask
    }

    /// Dotted quad, or for IPv6 each nibble between dots (RFC 7208 §7.3).
    var dotted: [UInt8] {
        guard isVersion6 else { return Array(description.utf8) }
        let digits = Array("0123456789ABCDEF".utf8)
        return Array(bytes.flatMap { [[digits[Int($0 >> 4)]], [digits[Int($0 & 15)]]] }.joined(separator: [UInt8(ascii: ".")]))
    }
}
