import InternetMessage

/// In which time zone a person is, as far as it is known.
package struct ContactZone: Sendable, Equatable {
    /// How sure it is; the greater the surer.
    package enum Certainty: Int, Sendable, Comparable, CaseIterable {
        /// A country with several zones, of which it is the one most people live in.
        case low
        /// A phone number, which people take with them, or the country of a domain.
        case medium
        /// A country with one zone.
        case high
        /// It was said.
        case stated

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

        /// As conf writes it.
        package var word: String { ["low", "medium", "high", "stated"][rawValue] }
    }

    /// What it was seen from.
    package enum Source: String, Sendable {
        case field
        case country
        case phone
        case domain
    }

    package let zone: LocalZone
    package let certainty: Certainty
    package let source: Source
    /// ISO 3166 code of the country; nil when only the zone is known.
    package let country: String?
}

/// What countries, phone numbers and domains say of time zones.
package struct ZoneBook: Sendable, Hashable {
    private struct Country: Sendable, Hashable {
        let code: String
        let zones: [String]
    }

    private let countries: [String: Country]
    /// English names, those in use and codes of three letters, in lower case, to codes.
    private let names: [String: String]
    private let prefixes: [String: [String]]
    private let longestPrefix: Int
    /// The country whose zone it first is.
    private let homes: [String: String]

    /// What people call countries beside the English name of the list.
    private static let aliases = [
        "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "america": "US", "uk": "GB", "u.k.": "GB",
        "united kingdom": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "deutschland": "DE",
        "österreich": "AT",
        "oesterreich": "AT", "schweiz": "CH", "suisse": "CH", "svizzera": "CH", "france": "FR", "españa": "ES", "espana": "ES",
        "italia": "IT",
        "nederland": "NL", "holland": "NL", "the netherlands": "NL", "belgië": "BE", "belgique": "BE", "danmark": "DK", "sverige": "SE",
        "norge": "NO", "suomi": "FI", "polska": "PL", "česko": "CZ", "czechia": "CZ", "brasil": "BR", "méxico": "MX", "south korea": "KR",
        "korea": "KR", "türkiye": "TR", "uae": "AE", "united arab emirates": "AE",
    ]
    /// Country domains that the whole world uses.
    private static let worldly: Set<String> = [
        "ac", "ag", "ai", "am", "bz", "cc", "co", "fm", "gg", "io", "la", "ly", "me", "nu", "sc", "sh", "tk", "to", "tv", "vc", "ws",
    ]
    private static let countryFields = ["country", "country_code", "countrycode", "land", "pays", "pais", "paese"]
    private static let phoneFields = ["phone", "phone_number", "mobile", "mobile_phone", "telephone", "tel", "telefon", "handy"]

    /// - Parameters:
    ///   - countries: lines of an ISO 3166 code, a name, zones with blanks between them, the one most people live in first, and the code of
    ///     three letters, which may be missing.
    ///   - phonePrefixes: lines of an international prefix and its zones; more than one says that it is not sure.
    package init(countries: [UInt8], phonePrefixes: [UInt8]) {
        func lines(_ bytes: [UInt8]) -> [[String]] {
            bytes.split(separator: 10).filter { $0.first != UInt8(ascii: "#") }.map { line in
                line.split(separator: 9).map { String(decoding: $0, as: UTF8.self) }
            }
        }
        func zones(_ text: String) -> [String] { text.utf8.split(separator: 32).map { String(decoding: $0, as: UTF8.self) } }
        var (byCode, names, homes): ([String: Country], [String: String], [String: String]) = ([:], Self.aliases, [:])
        for cells in lines(countries) where cells.count == 3 || cells.count == 4 {
            let country = Country(code: cells[0], zones: zones(cells[2]))
            byCode[cells[0]] = country
            names[Self.lowercased(cells[1])] = cells[0]
            if cells.count == 4 { names[Self.lowercased(cells[3])] = cells[0] }
            for zone in country.zones where homes[zone] == nil { homes[zone] = cells[0] }
        }
        var prefixes: [String: [String]] = [:]
        for cells in lines(phonePrefixes) where cells.count == 2 { prefixes[cells[0]] = zones(cells[1]) }
        self.countries = byCode
        self.names = names
        self.homes = homes
        self.prefixes = prefixes
        longestPrefix = prefixes.keys.map(\.utf8.count).max() ?? 0
    }

    /// The zone of a contact: the one that it has, else the surest of what country, phone number and domain say; nil when nothing does.
    package func zone(of contact: Contact) -> ContactZone? {
        if let name = contact.timeZone, let zone = LocalZone(name) {
            return ContactZone(zone: zone, certainty: .stated, source: .field, country: country(of: contact) ?? homes[name])
        }
        let guesses = [
            country(of: contact).flatMap { zone(ofCountry: $0, source: .country) },
            field(Self.phoneFields, of: contact).flatMap(zone(ofPhone:)),
            domainCountry(contact.address).flatMap { zone(ofCountry: $0, source: .domain) },
        ].compactMap { $0 }
        // A country that is stated is not overruled by where a number or a domain is from.
        let stated = country(of: contact)
        let likely = guesses.filter { guess in stated == nil || guess.country == nil || guess.country == stated }
        // Of equally sure ones the first.
        var best: ContactZone?
        for guess in likely where best.map({ guess.certainty > $0.certainty }) ?? true { best = guess }
        return best
    }

    /// ISO 3166 code of a country that a text names by code or name; nil for none.
    package func country(named text: String) -> String? {
        let name = Self.lowercased(CSVCell.trimmed(text))
        if name.utf8.count == 2 {
            let code = Self.uppercased(name)
            if countries[code] != nil { return code }
        }
        return names[name]
    }

    /// The zone of an international phone number, which begins with `+` or `00`; nil for any other, or an unknown prefix.
    package func zone(ofPhone text: String) -> ContactZone? {
        var bytes = text.utf8.filter { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "+") }
        if bytes.starts(with: "00".utf8) { bytes = [UInt8(ascii: "+")] + bytes.dropFirst(2) }
        guard bytes.first == UInt8(ascii: "+"), bytes.count >= 8, bytes.count <= 16 else { return nil }
        let digits = bytes.dropFirst()
        for length in stride(from: min(longestPrefix, digits.count), to: 0, by: -1) {
            guard let zones = prefixes[String(decoding: digits.prefix(length), as: UTF8.self)], let name = zones.first else { continue }
            guard let zone = LocalZone(name) else { return nil }
            return ContactZone(zone: zone, certainty: zones.count == 1 ? .medium : .low, source: .phone, country: homes[name])
        }
        return nil
    }

    private func country(of contact: Contact) -> String? { field(Self.countryFields, of: contact).flatMap(country(named:)) }

    private func zone(ofCountry code: String, source: ContactZone.Source) -> ContactZone? {
        guard let zones = countries[code]?.zones, let zone = zones.first.flatMap({ LocalZone($0) }) else { return nil }
        let certainty: ContactZone.Certainty = zones.count > 1 ? .low : source == .country ? .high : .medium
        return ContactZone(zone: zone, certainty: certainty, source: source, country: code)
    }

    private func domainCountry(_ address: EmailAddress) -> String? {
        guard let domain = address.asciiDomain, let last = domain.utf8.split(separator: UInt8(ascii: ".")).last, last.count == 2 else {
            return nil
        }
        let top = String(decoding: last, as: UTF8.self)
        guard !Self.worldly.contains(top) else { return nil }
        let code = top.utf8.elementsEqual("uk".utf8) ? "GB" : Self.uppercased(top)
        return countries[code] == nil ? nil : code
    }

    /// The first of these fields that has a value, whatever the case of its name.
    private func field(_ names: [String], of contact: Contact) -> String? {
        let lower = Dictionary(contact.fields.map { (Self.lowercased($0.key), $0.value) }) { first, _ in first }
        return names.lazy.compactMap { lower[$0] }.first { !$0.utf8.isEmpty }
    }

    /// The same in every locale; the dot of a Turkish capital I falls away.
    private static func lowercased(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 128 }) else {
            return String(decoding: text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self)
        }
        var lower = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { lower += scalar.properties.lowercaseMapping.unicodeScalars.filter { $0.value != 0x307 } }
        return String(lower)
    }

    private static func uppercased(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 97 && $0 <= 122 ? $0 & 0xDF : $0 }, as: UTF8.self)
    }
}
