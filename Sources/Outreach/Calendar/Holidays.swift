package import InternetMessage

/// Days on which no business is done, by name.
package struct Holidays: Sendable, Hashable {
    private var names: [CivilDate: String] = [:]

    package static let none = Holidays()

    package init() {}

    /// - Parameter names: what each day is called, for a person.
    package init(_ names: [CivilDate: String]) { self.names = names }

    package var isEmpty: Bool { names.isEmpty }
    package var count: Int { names.count }

    /// What the day is called; nil when it is no holiday.
    package func name(on date: CivilDate) -> String? { names[date] }

    /// The days of both; of two names of one day the first stays.
    package func joined(with other: Holidays) -> Holidays { Holidays(names.merging(other.names) { first, _ in first }) }
}

/// The public holidays of countries and their parts, as a list has them.
package struct HolidayBook: Sendable, Hashable {
    private let regions: [String: Holidays]

    /// Reads lines of a region (`DE`, or `DE-BY` for what a part has beside its country), a day and a name, with tabs between them; `#`
    /// begins a comment. Lines that are not so are left out.
    package init(parsing bytes: [UInt8]) {
        var regions: [String: [CivilDate: String]] = [:]
        for line in bytes.split(separator: 10) where line.first != UInt8(ascii: "#") {
            let cells = line.split(separator: 9, maxSplits: 2)
            guard cells.count == 3, let date = CivilDate(iso: cells[1]) else { continue }
            regions[String(decoding: cells[0], as: UTF8.self), default: [:]][date] = String(decoding: cells[2], as: UTF8.self)
        }
        self.regions = regions.mapValues(Holidays.init)
    }

    /// The holidays of a country (`DE`), or of a part of it with those of the country (`DE-BY`), in any case; nil for one that is not there.
    package func holidays(in region: String) -> Holidays? {
        let key = String(decoding: region.utf8.map { $0 >= 97 && $0 <= 122 ? $0 & 0xDF : $0 }, as: UTF8.self)
        guard let own = regions[key] else { return nil }
        let country = String(decoding: key.utf8.prefix(2), as: UTF8.self)
        return key.utf8.count > 2 ? (regions[country] ?? .none).joined(with: own) : own
    }

    /// The regions that there are, in order.
    package var all: [String] { regions.keys.sorted() }
}

extension CivilDate {
    /// `2027-03-01`; nil for anything else.
    init?(iso bytes: ArraySlice<UInt8>) {
        let digits = Array(bytes)
        guard digits.count == 10, digits[4] == UInt8(ascii: "-"), digits[7] == UInt8(ascii: "-"),
            let year = Self.number(digits[0..<4]), let month = Self.number(digits[5..<7]), let day = Self.number(digits[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// `20270301`; nil for anything else.
    init?(basic bytes: ArraySlice<UInt8>) {
        let digits = Array(bytes)
        guard digits.count == 8, let year = Self.number(digits[0..<4]), let month = Self.number(digits[4..<6]),
            let day = Self.number(digits[6..<8])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard digit >= 48, digit <= 57 else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return value
    }
}
