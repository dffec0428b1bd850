import DNS

/// An SPF record (RFC 7208 §4.6, §5, §6), read whole before anything of it counts.
struct SPFRecord: Sendable {
    /// How long the prefix is that must agree, for each kind of address.
    struct Prefix: Equatable, Sendable {
        var version4 = 32
        var version6 = 128
    }

    enum Mechanism: Equatable, Sendable {
        case all
        case include(SPFMacroText)
        case address(SPFMacroText?, Prefix)
        case mailExchanger(SPFMacroText?, Prefix)
        case pointer(SPFMacroText?)
        case network(IPAddress, Int)
        case exists(SPFMacroText)
    }

    struct Directive: Equatable, Sendable {
        let outcome: SPFResult.Outcome
        let mechanism: Mechanism
        /// As published.
        let text: String
    }

    private(set) var directives: [Directive] = []
    private(set) var redirect: SPFMacroText?
    private(set) var explanation: SPFMacroText?

    private static let version = Array("v=spf1".utf8)

    /// Whether a TXT record is an SPF record at all (RFC 7208 §4.5).
    static func isOne(_ text: [UInt8]) -> Bool {
        text.prefix(version.count).equalsIgnoringCase(version) && (text.count == version.count || text[version.count] == 32)
    }

    init(parsing text: [UInt8]) throws(SPFSyntaxError) {
        guard text.allSatisfy({ $0 >= 32 && $0 < 127 }) else { throw SPFSyntaxError("an octet that is no visible ASCII") }
        for term in text.dropFirst(Self.version.count).split(separator: 32) {
            if let equals = term.firstIndex(of: UInt8(ascii: "=")), Self.isModifierName(term[..<equals]) {
                try add(modifier: term[..<equals], term[(equals + 1)...])
            } else {
                directives.append(try Self.directive(term))
            }
        }
    }

    private static func isModifierName(_ name: ArraySlice<UInt8>) -> Bool {
        name.first?.isLetter == true && name.allSatisfy { $0.isLetterOrDigit || "-_.".utf8.contains($0) }
    }

    private mutating func add(modifier name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        if name.isWord("redirect") {
            guard redirect == nil else { throw SPFSyntaxError("redirect= twice") }
            redirect = try SPFMacroText(parsing: value, in: .domain)
        } else if name.isWord("exp") {
            guard explanation == nil else { throw SPFSyntaxError("exp= twice") }
            explanation = try SPFMacroText(parsing: value, in: .domain)
        } else {
            _ = try SPFMacroText(parsing: value, in: .unknownModifier)
        }
    }

    private static func directive(_ term: ArraySlice<UInt8>) throws(SPFSyntaxError) -> Directive {
        var rest = term
        var outcome = SPFResult.Outcome.pass
        switch rest.first {
        case UInt8(ascii: "+"): rest.removeFirst()
        case UInt8(ascii: "-"): (outcome, rest) = (.fail, rest.dropFirst())
        case UInt8(ascii: "~"): (outcome, rest) = (.softFail, rest.dropFirst())
        case UInt8(ascii: "?"): (outcome, rest) = (.neutral, rest.dropFirst())
        default: break
        }
        let name = rest.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
        let mechanism = try mechanism(name, rest.dropFirst(name.count), in: term)
        return Directive(outcome: outcome, mechanism: mechanism, text: term.text)
    }

    private static func mechanism(_ name: ArraySlice<UInt8>, _ rest: ArraySlice<UInt8>, in term: ArraySlice<UInt8>) throws(SPFSyntaxError)
        -> Mechanism
    {
        if name.isWord("all") {
            guard rest.isEmpty else { throw SPFSyntaxError("'\(term.text)': all takes nothing") }
            return .all
        }
        if name.isWord("include") { return .include(try domain(rest, in: term)) }
        if name.isWord("exists") { return .exists(try domain(rest, in: term)) }
        if name.isWord("ptr") { return .pointer(rest.isEmpty ? nil : try domain(rest, in: term)) }
        if name.isWord("a") || name.isWord("mx") {
            var rest = rest
            let prefix = try Self.prefix(&rest, in: term)
            let target = rest.isEmpty ? nil : try domain(rest, in: term)
            return name.isWord("a") ? .address(target, prefix) : .mailExchanger(target, prefix)
        }
        if name.isWord("ip4") || name.isWord("ip6") { return try network(rest, isVersion6: name.isWord("ip6"), in: term) }
        throw SPFSyntaxError("'\(term.text)' is no mechanism")
    }

    private static func domain(_ rest: ArraySlice<UInt8>, in term: ArraySlice<UInt8>) throws(SPFSyntaxError) -> SPFMacroText {
        guard rest.first == UInt8(ascii: ":"), rest.count > 1 else { throw SPFSyntaxError("'\(term.text)' lacks its domain") }
        return try SPFMacroText(parsing: rest.dropFirst(), in: .domain)
    }

    private static func network(_ rest: ArraySlice<UInt8>, isVersion6: Bool, in term: ArraySlice<UInt8>) throws(SPFSyntaxError) -> Mechanism
    {
        let longest = isVersion6 ? 128 : 32
        guard rest.first == UInt8(ascii: ":") else { throw SPFSyntaxError("'\(term.text)' lacks its network") }
        let parts = rest.dropFirst().split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0].text), address.isVersion6 == isVersion6 else {
            throw SPFSyntaxError("'\(term.text)': not an address")
        }
        guard parts.count == 2 else { return .network(address, longest) }
        guard let length = number(parts[1]), length <= longest else { throw SPFSyntaxError("'\(term.text)': not a prefix length") }
        return .network(address, length)
    }

    /// Takes `/n`, `//n` or `/n//n` from the end.
    private static func prefix(_ rest: inout ArraySlice<UInt8>, in term: ArraySlice<UInt8>) throws(SPFSyntaxError) -> Prefix {
        let slash = UInt8(ascii: "/")
        var prefix = Prefix()
        func take(_ slashes: Int, longest: Int) throws(SPFSyntaxError) -> Int? {
            let digits = rest.reversed().prefix(while: \.isDigit).count
            let end = rest.dropLast(digits)
            guard digits > 0, end.count >= slashes, end.suffix(slashes).allSatisfy({ $0 == slash }) else { return nil }
            guard let length = number(rest.suffix(digits)), length <= longest else {
                throw SPFSyntaxError("'\(term.text)': not a prefix length")
            }
            rest = end.dropLast(slashes)
            return length
        }
        prefix.version6 = try take(2, longest: 128) ?? 128
        prefix.version4 = try take(1, longest: 32) ?? 32
        return prefix
    }

    /// At most three digits without a zero in front.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...3).contains(digits.count), digits.allSatisfy(\.isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0") else {
            return nil
        }
        return digits.reduce(0) { $0 * 10 + Int($1 &- 48) }
    }
}
