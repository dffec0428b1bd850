package import InternetMessage

/// What is known of an address by its looks: lists of domains and of local parts.
package struct AddressLists: Sendable {
    package enum Trait: String, Sendable, CaseIterable {
        /// Its local part names an office (`info`, `sales`) and not a person.
        case role
        /// Mail for everybody: the domain says nothing of a company.
        case freeMail = "free_mail"
        /// An address to throw away.
        case disposable

        /// For a person.
        package var words: String {
            switch self {
            case .role: "a role address"
            case .freeMail: "a free-mail address"
            case .disposable: "a disposable address"
            }
        }
    }

    private let roles: Set<String>
    private let freeMail: Set<String>
    private let disposable: Set<String>

    /// Reads lists of one entry a line in lower case; `#` begins a comment. Domains mean their subdomains too.
    package init(roles: [UInt8], freeMail: [UInt8], disposable: [UInt8]) {
        self.roles = Self.entries(roles)
        self.freeMail = Self.entries(freeMail)
        self.disposable = Self.entries(disposable)
    }

    /// What holds for the address, in the order of `Trait`.
    package func traits(of address: EmailAddress) -> [Trait] {
        var traits: [Trait] = []
        let key = Array(address.suppressionKey.utf8)
        guard let at = key.lastIndex(of: UInt8(ascii: "@")) else { return [] }
        let local = key[..<at].prefix { $0 != UInt8(ascii: "+") }
        if roles.contains(String(decoding: local, as: UTF8.self)) { traits.append(.role) }
        let domain = key[(at + 1)...]
        if Self.contains(freeMail, domain) { traits.append(.freeMail) }
        if Self.contains(disposable, domain) { traits.append(.disposable) }
        return traits
    }

    /// Whether mail of that domain is for everybody, so that two of its addresses are not of one company.
    package func isFreeMail(domain: String) -> Bool { Self.contains(freeMail, Array(domain.utf8)[...]) }

    static func contains(_ list: Set<String>, _ domain: ArraySlice<UInt8>) -> Bool {
        var rest = domain
        while true {
            if list.contains(String(decoding: rest, as: UTF8.self)) { return true }
            guard let dot = rest.firstIndex(of: UInt8(ascii: ".")) else { return false }
            rest = rest[(dot + 1)...]
        }
    }

    private static func entries(_ bytes: [UInt8]) -> Set<String> {
        var entries: Set<String> = []
        for line in bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            let entry = CSVCell.trimmed(String(decoding: line.prefix { $0 != UInt8(ascii: "#") }, as: UTF8.self))
            if !entry.utf8.isEmpty { entries.insert(entry) }
        }
        return entries
    }
}
