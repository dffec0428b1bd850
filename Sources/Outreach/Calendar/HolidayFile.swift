import InternetMessage

/// Holidays from an iCalendar file (RFC 5545): its events of whole days.
package enum HolidayFile {
    /// What cannot be taken from a file, with the line of the event.
    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package let file: String
        package let line: Int
        package let message: String

        package var description: String { "\(file):\(line): \(message)" }
    }

    package struct Limits: Sendable {
        package var days = 20_000
        /// The last year that a yearly event is followed to.
        package var lastYear = 2060

        package init() {}
    }

    /// Every day of every event; an event that repeats does so yearly on its day. Events that are cancelled are left out.
    ///
    /// - Throws: the first event that is none of whole days, repeats otherwise, or goes over the limits; a file without a calendar.
    package static func holidays(parsing bytes: [UInt8], file: String, limits: Limits = Limits()) throws(Fault) -> Holidays {
        var names: [CivilDate: String] = [:]
        var event: Event?
        var isCalendar = false
        for line in unfolded(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes) {
            func fault(_ message: String) -> Fault { Fault(file: file, line: event?.line ?? line.number, message: message) }
            let (name, parameters, value) = property(line.bytes)
            switch (name, value) {
            case ("BEGIN", "VCALENDAR"): isCalendar = true
            case ("BEGIN", "VEVENT"): event = Event(line: line.number)
            case ("END", "VEVENT"):
                guard let ended = event else { continue }
                if ended.isCancelled {
                    event = nil
                    continue
                }
                for date in try ended.dates(lastYear: limits.lastYear, fault) where !ended.left.contains(date) {
                    names[date] = names[date] ?? ended.name
                    guard names.count <= limits.days else { throw fault("more than \(limits.days) days") }
                }
                event = nil
            case ("DTSTART", _): event?.start = (value, parameters)
            case ("DTEND", _): event?.end = (value, parameters)
            case ("SUMMARY", _): event?.name = unescaped(value)
            case ("RRULE", _): event?.rule = value
            case ("EXDATE", _):
                for part in value.utf8.split(separator: UInt8(ascii: ",")) {
                    if let date = CivilDate(basic: Array(part.prefix(8))[...]) { event?.left.insert(date) }
                }
            case ("DURATION", _) where event != nil: throw fault("DURATION is not understood; give DTEND")
            case ("RDATE", _) where event != nil: throw fault("RDATE is not understood; list the days as events of their own")
            case ("STATUS", "CANCELLED"): event?.isCancelled = true
            default: break
            }
        }
        guard isCalendar else { throw Fault(file: file, line: 1, message: "no BEGIN:VCALENDAR; is it an iCalendar file?") }
        return Holidays(names)
    }

    private struct Event {
        let line: Int
        var start: (value: String, parameters: String)?
        var end: (value: String, parameters: String)?
        var rule: String?
        var name = "a holiday"
        var isCancelled = false
        /// Days on which it does not take place.
        var left: Set<CivilDate> = []

        init(line: Int) { self.line = line }

        func dates(lastYear: Int, _ fault: (String) -> Fault) throws(Fault) -> [CivilDate] {
            guard let start else { throw fault("an event without DTSTART") }
            guard let first = CivilDate(basic: Array(start.value.utf8)[...]) else {
                if start.value.utf8.count == 8, start.value.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
                    throw fault("'\(name)' begins on '\(start.value)', an invalid date; write year, month and day, as 20270131")
                }
                throw fault("'\(name)' begins at a time of day ('\(start.value)'); a holiday is a whole day, DTSTART;VALUE=DATE:20270101")
            }
            var length = 1
            if let end {
                guard let after = CivilDate(basic: Array(end.value.utf8)[...]), after.daysSinceEpoch - first.daysSinceEpoch <= 366 else {
                    throw fault("'\(name)' ends at '\(end.value)'; a day like 20270102 within a year, the first on which it is over")
                }
                // RFC 5545 §3.6.1: the end is not part of it; one that is the start is meant as one day.
                length = max(1, after.daysSinceEpoch - first.daysSinceEpoch)
            }
            return try starts(first, lastYear: lastYear, fault).flatMap { day in (0..<length).map { day.adding(days: $0) } }
        }

        private func starts(_ first: CivilDate, lastYear: Int, _ fault: (String) -> Fault) throws(Fault) -> [CivilDate] {
            guard let rule else { return [first] }
            var (interval, count, until) = (1, Int.max, CivilDate(year: lastYear, month: 12, day: 31) ?? first)
            var isYearly = false
            for part in rule.utf8.split(separator: UInt8(ascii: ";")) {
                let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1)
                guard pair.count == 2 else { throw fault("RRULE '\(rule)' cannot be read") }
                let (key, value) = (String(decoding: pair[0], as: UTF8.self), String(decoding: pair[1], as: UTF8.self))
                switch key {
                case "FREQ": isYearly = value.utf8.elementsEqual("YEARLY".utf8)
                case "INTERVAL": interval = Int(value) ?? 0
                case "COUNT": count = Int(value) ?? 0
                case "UNTIL": until = min(until, CivilDate(basic: Array(pair[1].prefix(8))[...]) ?? first)
                // The day that it begins on, said once more.
                case "BYMONTH" where Int(value) == first.month: break
                case "BYMONTHDAY" where Int(value) == first.day: break
                case "WKST": break
                default: throw fault("'\(name)' repeats by \(key)=\(value), which is not understood; list its days as events of their own")
                }
            }
            guard isYearly, (1...100).contains(interval), count > 0 else {
                throw fault("'\(name)' repeats as '\(rule)'; only FREQ=YEARLY is understood, list its days as events of their own")
            }
            var days: [CivilDate] = []
            var year = first.year
            while days.count < count, year <= until.year {
                // 29 February is a holiday in leap years only.
                if let day = CivilDate(year: year, month: first.month, day: first.day), day <= until { days.append(day) }
                year += interval
            }
            return days
        }
    }

    /// Lines without their folds (RFC 5545 §3.1), each with the number of its first.
    private static func unfolded(_ bytes: [UInt8]) -> [(number: Int, bytes: [UInt8])] {
        var lines: [(number: Int, bytes: [UInt8])] = []
        var number = 0
        for raw in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            let line = raw.last == 13 ? raw.dropLast() : raw
            if let first = line.first, first == 32 || first == 9, !lines.isEmpty {
                lines[lines.count - 1].bytes += line.dropFirst()
            } else if !line.isEmpty {
                lines.append((number, Array(line)))
            }
        }
        return lines
    }

    /// Name and parameters in upper case, and the value.
    private static func property(_ line: [UInt8]) -> (name: String, parameters: String, value: String) {
        var isQuoted = false
        var colon = line.count
        for (index, byte) in line.enumerated() {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: ":"), !isQuoted {
                colon = index
                break
            }
        }
        let head = line[..<colon].map { $0 >= 97 && $0 <= 122 ? $0 & 0xDF : $0 }
        let semicolon = head.firstIndex(of: UInt8(ascii: ";")) ?? head.count
        return (
            String(decoding: head[..<semicolon], as: UTF8.self), String(decoding: head[semicolon...], as: UTF8.self),
            String(decoding: line[min(colon + 1, line.count)...], as: UTF8.self)
        )
    }

    private static func unescaped(_ text: String) -> String {
        var out: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                out.append(byte == UInt8(ascii: "n") || byte == UInt8(ascii: "N") ? 32 : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte >= 32, byte != 127 {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
