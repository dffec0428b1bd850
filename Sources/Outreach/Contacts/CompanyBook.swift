package import InternetMessage

/// Whose addresses are of one company: those of one domain, unless mail of that domain is for everybody.
///
/// Domains are compared whole: `sales.example.com` is another company than `example.com`.
package struct CompanyBook: Sendable {
    private let lists: AddressLists?
    private let shared: Set<String>

    /// - Parameter shared: domains in lower case with A-labels, beside those of free mail; their subdomains are meant too.
    package init(lists: AddressLists, shared: [String] = []) {
        self.lists = lists
        self.shared = Set(shared)
    }

    private init() {
        lists = nil
        shared = []
    }

    /// Knows of no company.
    package static let none = CompanyBook()

    /// The domain of the company that an address belongs to, as contacts and messages are looked up by it; nil when it is nobody's.
    package func company(of address: EmailAddress) -> String? {
        guard let lists else { return nil }
        let key = Array(address.suppressionKey.utf8)
        guard let at = key.lastIndex(of: UInt8(ascii: "@")), at + 1 < key.count else { return nil }
        let domain = key[(at + 1)...]
        let name = String(decoding: domain, as: UTF8.self)
        return lists.isFreeMail(domain: name) || AddressLists.contains(shared, domain) ? nil : name
    }
}
