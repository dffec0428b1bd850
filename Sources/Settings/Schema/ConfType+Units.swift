internal import Foundation
internal import Toml

extension ConfType where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ConfType {
        let form = "a duration such as \"5m\" (s, m, h, d, w) from \(Units.text(range.lowerBound)) to \(Units.text(range.upperBound))"
        return ConfType(form: form) { value, _ in
            if case .integer(let number) = value {
                return .failure(Complaints("\(number) has no unit", "write a unit, as in \"\(number)s\" or \"\(number)m\""))
            }
            guard case .string(let text) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            guard let seconds = Units.seconds(Array(text.utf8)) else {
                return .failure(Complaints("'\(text)' is no duration", "write it as \"90s\", \"5m\", \"1h30m\" or \"2d\""))
            }
            let duration = Duration.seconds(seconds)
            guard range.contains(duration) else {
                return .failure(Complaints("'\(text)' is outside \(Units.text(range.lowerBound)) to \(Units.text(range.upperBound))"))
            }
            return .success(duration)
        } show: {
            TomlText.quoted(Units.text($0))
        }
    }
}

extension ConfType where Value == ByteCount {
    static func size(_ range: ClosedRange<ByteCount>) -> ConfType {
        counted("a size such as \"10M\" (K, M, G)", suffix: "", range)
    }

    /// Bytes in a second.
    static func dataRate(_ range: ClosedRange<ByteCount>) -> ConfType {
        counted("bytes per second such as \"500B/s\"", suffix: "/s", range)
    }

    private static func counted(_ form: String, suffix: String, _ range: ClosedRange<ByteCount>) -> ConfType {
        let bounds = "\(Units.text(range.lowerBound))\(suffix) to \(Units.text(range.upperBound))\(suffix)"
        return ConfType(form: "\(form) from \(bounds)") { value, _ in
            if case .integer(let number) = value { return .failure(Complaints("\(number) has no unit", "write \(form)")) }
            guard case .string(let text) = value else { return .failure(Complaints("expected \(form), not \(value.kind)")) }
            var bytes = Array(text.utf8)
            guard bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) else {
                return .failure(Complaints("'\(text)' lacks '\(suffix)'", "write \(form)"))
            }
            bytes.removeLast(suffix.utf8.count)
            guard let count = Units.bytes(bytes) else { return .failure(Complaints("'\(text)' is not understood", "write \(form)")) }
            let size = ByteCount(bytes: count)
            guard range.contains(size) else { return .failure(Complaints("'\(text)' is outside \(bounds)")) }
            return .success(size)
        } show: {
            TomlText.quoted(Units.text($0) + suffix)
        }
    }
}

extension ConfType where Value == HourRange {
    static var hours: ConfType {
        .string("hours of a day such as \"08:30-17:30\"", show: \.description) { text, _ in
            let bytes = Array(text.utf8)
            guard bytes.count == 11, bytes[5] == UInt8(ascii: "-"), let start = Units.minuteOfDay(bytes[..<5]),
                let end = Units.minuteOfDay(bytes[6...])
            else { return .failure(Complaints("'\(text)' is no range of hours", "write it as \"08:30-17:30\"")) }
            guard start < end else { return .failure(Complaints("'\(text)' ends before it starts", "a window lies within one day")) }
            return .success(HourRange(startMinute: start, endMinute: end))
        }
    }
}

extension ConfType where Value == QuietRange {
    static var quietHours: ConfType {
        .string("a part of each day such as \"21:00-07:30\"", show: \.description) { text, _ in
            let bytes = Array(text.utf8)
            guard bytes.count == 11, bytes[5] == UInt8(ascii: "-"), let start = Units.minuteOfDay(bytes[..<5]),
                let end = Units.minuteOfDay(bytes[6...]), start != end
            else { return .failure(Complaints("'\(text)' is no part of a day", "write it as \"21:00-07:30\"")) }
            return .success(QuietRange(startMinute: start, endMinute: end))
        }
    }
}

extension ConfType where Value == WeekSpan {
    static var weekSpan: ConfType {
        .string("hours of the week such as \"mon-fri 09:00-12:00\"", show: \.description) { text, _ in
            let parts = text.utf8.split(separator: UInt8(ascii: " "))
            let bytes = parts.last.map { Array($0) } ?? []
            guard parts.count == 2, bytes.count == 11, bytes[5] == UInt8(ascii: "-"), let start = Units.minuteOfDay(bytes[..<5]),
                let end = Units.minuteOfDay(bytes[6...]), let days = days(parts[0])
            else {
                return .failure(
                    Complaints("'\(text)' is no part of a week", "write it as \"mon-fri 09:00-12:00\" or \"mon,wed 13:00-17:00\""))
            }
            guard start < end else { return .failure(Complaints("'\(text)' ends before it starts", "a window lies within one day")) }
            return .success(WeekSpan(days: days, hours: HourRange(startMinute: start, endMinute: end)))
        }
    }

    /// `mon`, `mon-fri`, `mon,wed-thu`; nil for anything else.
    private static func days(_ text: Substring.UTF8View) -> [Weekday]? {
        var found: [Weekday] = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = part.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map { name in
                Weekday.allCases.firstIndex { $0.rawValue.utf8.elementsEqual(name) }
            }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else { return nil }
            for day in Weekday.allCases[first...last] where !found.contains(day) { found.append(day) }
        }
        return found.isEmpty ? nil : found
    }
}

extension ConfType where Value == TimeZone {
    static var timeZone: ConfType {
        .string("a time zone such as \"Europe/Berlin\"", show: \.identifier) { text, _ in
            let known = TimeZone.knownTimeZoneIdentifiers
            if text.utf8.elementsEqual("UTC".utf8), let zone = TimeZone(identifier: "UTC") { return .success(zone) }
            // TimeZone(identifier:) also takes abbreviations and offsets, which know no daylight saving time.
            if let name = known.first(where: { $0.utf8.elementsEqual(text.utf8) }), let zone = TimeZone(identifier: name) {
                return .success(zone)
            }
            let nearest = Suggestion.nearest(to: text, among: known)
            return .failure(
                Complaints(
                    "unknown time zone '\(text)'",
                    nearest.map { "did you mean '\($0)'?" } ?? "write a name of the tz database, as \"Europe/Berlin\""))
        }
    }
}

extension Duration {
    /// As a conf file writes it: `1h30m`, `90s`.
    package var written: String { Units.text(self) }
}

/// Numbers with units.
enum Units {
    private static let durations: [(unit: UInt8, seconds: Int)] = [
        (UInt8(ascii: "w"), 604_800), (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3_600), (UInt8(ascii: "m"), 60),
        (UInt8(ascii: "s"), 1),
    ]

    /// Seconds of `90s`, `1h30m`: units from large to small, each at most once; nil when it is not that.
    static func seconds(_ text: [UInt8]) -> Int? {
        var rest = text[...]
        var units = durations[...]
        var total = 0
        while !rest.isEmpty {
            guard let number = digits(&rest), let letter = rest.popFirst(), let place = units.firstIndex(where: { $0.unit == letter })
            else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: units[place].seconds)
            let (sum, tooLarge) = total.addingReportingOverflow(product)
            guard !overflow, !tooLarge else { return nil }
            total = sum
            units = units[(place + 1)...]
        }
        return text.isEmpty ? nil : total
    }

    static func text(_ duration: Duration) -> String {
        var rest = Int(duration.components.seconds)
        if rest == 0 { return "0s" }
        // A week is shown as days; people count retention and expiry so.
        var text = ""
        for (unit, seconds) in durations.dropFirst() where rest >= seconds {
            text += "\(rest / seconds)\(Character(Unicode.Scalar(unit)))"
            rest %= seconds
        }
        return text
    }

    /// Bytes of `500B`, `64K`, `10M`, `1G`; nil when it is not that.
    static func bytes(_ text: [UInt8]) -> Int? {
        var rest = text[...]
        guard let number = digits(&rest), let letter = rest.popFirst(), rest.isEmpty else { return nil }
        let shift: Int
        switch letter {
        case UInt8(ascii: "B"): shift = 0
        case UInt8(ascii: "K"): shift = 10
        case UInt8(ascii: "M"): shift = 20
        case UInt8(ascii: "G"): shift = 30
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : bytes
    }

    static func text(_ size: ByteCount) -> String {
        for (shift, letter) in [(30, "G"), (20, "M"), (10, "K")] where size.bytes > 0 && size.bytes % (1 << shift) == 0 {
            return "\(size.bytes >> shift)\(letter)"
        }
        return "\(size.bytes)B"
    }

    /// Minutes since midnight of `08:30`; `24:00` is the end of the day.
    static func minuteOfDay(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        guard let hour = digits(&rest), rest.popFirst() == UInt8(ascii: ":"), let minute = digits(&rest), rest.isEmpty, minute < 60,
            hour <= 24
        else {
            return nil
        }
        let total = hour * 60 + minute
        return total <= 1440 ? total : nil
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let run = rest.prefix { (0x30...0x39).contains($0) }
        guard !run.isEmpty, run.count <= 15 else { return nil }
        rest = rest.dropFirst(run.count)
        return run.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
