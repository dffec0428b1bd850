/// Every provider profile and every reaction, from the files of the installation and the one that the binary carries.
package struct ProviderBook: Sendable {
    /// What is wrong with a file: where, and what to do.
    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package let file: String
        package let line: Int
        package let message: String

        package var description: String { "\(file):\(line): \(message)" }
    }

    /// One or more, in the order of the files.
    package struct Faults: Error, Sendable, Equatable {
        package let faults: [Fault]
    }

    /// Of sites that belong to nobody known.
    package internal(set) var fallback = ProviderProfile(name: "default")
    package internal(set) var profiles: [ProviderProfile] = []
    /// In the order in which they are tried; those of the installation first.
    package internal(set) var reactions: [ReactionRule] = []

    /// Nobody is known, nothing is reacted to.
    package init() {}

    /// The site of a domain by the names of its mail exchangers; the domain itself where they are not known.
    package func site(domain: String, exchangers: [String]) -> MailSite {
        let hosts = Set(exchangers.map { Self.folded($0) }).sorted { $0.lexicographicallyPrecedes($1) }
        // All exchangers must be the provider's: a domain with one foreign host is a site of its own.
        let profile = profiles.first { profile in
            !hosts.isEmpty && hosts.allSatisfy { host in profile.suffixes.contains { Self.ends(host, with: $0) } }
        }
        if let profile, profile.isOneSite { return MailSite(name: profile.name, profile: profile) }
        return MailSite(name: hosts.isEmpty ? domain : Self.name(hosts), profile: profile ?? fallback)
    }

    /// Ends of the names of hosts to which mail goes over TLS only; each begins with a dot and is for the name after it, too.
    package var encryptedHosts: [[UInt8]] { profiles.filter(\.encrypts).flatMap(\.suffixes) }

    /// The names joined by `+`; of a long list the first two, and a number that keeps it apart from others that begin so.
    private static func name(_ hosts: [[UInt8]]) -> String {
        let names = hosts.map { String(decoding: $0, as: UTF8.self) }
        let whole = names.joined(separator: "+")
        guard whole.utf8.count > 120 else { return whole }
        // FNV-1a: the same names give the same number anywhere.
        let number = whole.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return names.prefix(2).joined(separator: "+") + "+\(String(number, radix: 36))"
    }

    private static func folded(_ name: String) -> [UInt8] {
        var bytes = name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return bytes
    }

    private static func ends(_ host: [UInt8], with suffix: [UInt8]) -> Bool {
        host.count > suffix.count && host.suffix(suffix.count).elementsEqual(suffix) || host.elementsEqual(suffix.dropFirst())
    }
}
