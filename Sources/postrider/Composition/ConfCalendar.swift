import Foundation
import Mailroom
import Outreach
import Settings

/// The calendar of a conf: hours of the week, holidays, and the hours of recipients.
struct ConfCalendar {
    /// The hours of recipients; nil when the conf has none.
    let recipients: RecipientHours?
    private let settings: Settings
    private let week: WeekHours
    private let holidays: Holidays

    /// - Throws: `configuration` with the place of what cannot be used.
    init(_ settings: Settings) throws(Failure) {
        let section = settings.window
        let spans = section.week.isEmpty ? [WeekSpan(days: section.days, hours: section.hours)] : section.week
        self.settings = settings
        week = try Self.week(spans, at: "[window]")
        holidays = try Self.holidays(settings)
        recipients = try Self.recipients(settings)
    }

    /// The window of `[window]` in a zone.
    func window(_ zone: LocalZone) throws(Failure) -> SendingWindow {
        try Self.checked(
            SendingWindow(
                week: week, zone: zone, quietHours: Self.quietHours(settings.window.quietHours), holidays: holidays,
                preferredHour: settings.window.preferredHour), at: Self.place(settings, ["window", "quiet_hours"]))
    }

    private static func recipients(_ settings: Settings) throws(Failure) -> RecipientHours? {
        guard let section = settings.recipients else { return nil }
        let week = try week(section.week, at: "[recipients]")
        let quiet = quietHours(section.quietHours)
        if let utc = LocalZone("UTC") {
            _ = try checked(SendingWindow(week: week, zone: utc, quietHours: quiet), at: place(settings, ["recipients", "quiet_hours"]))
        }
        let certainty = ContactZone.Certainty.allCases.first { $0.word.utf8.elementsEqual(section.certainty.rawValue.utf8) }
        return RecipientHours(
            week: week, quietHours: quiet, preferredHour: section.preferredHour, certainty: certainty ?? .medium,
            zones: try Desks.zoneBook(),
            holidays: section.holidays ? HolidayBook(parsing: try Desks.embedded("calendar/holidays.txt")) : nil)
    }

    private static func week(_ spans: [WeekSpan], at section: String) throws(Failure) -> WeekHours {
        var days: [Outreach.Weekday: [Range<Int>]] = [:]
        for span in spans {
            for day in span.days {
                guard let named = Outreach.Weekday.allCases.first(where: { $0.shortName.utf8.elementsEqual(day.rawValue.utf8) }) else {
                    continue
                }
                days[named, default: []].append(span.hours.startMinute..<span.hours.endMinute)
            }
        }
        guard let week = WeekHours(days) else { throw Failure(.configuration, "\(section) has no usable hours") }
        return week
    }

    private static func quietHours(_ range: QuietRange?) -> SendingWindow.QuietHours? {
        range.flatMap { SendingWindow.QuietHours(start: $0.startMinute, end: $0.endMinute) }
    }

    /// Refuses a window that never opens.
    private static func checked(_ window: SendingWindow, at place: String) throws(Failure) -> SendingWindow {
        guard window.next(onOrAfter: OpenState.clock.now()) != nil else {
            throw Failure(.configuration, "\(place): the quiet hours leave nothing of the hours of the week; nothing would ever leave")
        }
        return window
    }

    private static func holidays(_ settings: Settings) throws(Failure) -> Holidays {
        guard !settings.window.holidays.isEmpty else { return .none }
        let place = place(settings, ["window", "holidays"])
        let book = HolidayBook(parsing: try Desks.embedded("calendar/holidays.txt"))
        var all = Holidays.none
        var unknown: [String] = []
        for name in settings.window.holidays {
            if Array(name.utf8).suffix(4).map({ $0 | 0x20 }).elementsEqual(".ics".utf8) {
                guard let data = FileManager.default.contents(atPath: name) else {
                    throw Failure(.configuration, "\(place): \(name): cannot be read")
                }
                do throws(HolidayFile.Fault) {
                    all = all.joined(with: try HolidayFile.holidays(parsing: [UInt8](data), file: name))
                } catch {
                    throw Failure(.configuration, error.description)
                }
            } else if let days = book.holidays(in: name) {
                all = all.joined(with: days)
            } else {
                unknown.append("'\(TerminalText.line(name))'")
            }
        }
        guard unknown.isEmpty else {
            throw Failure(
                .configuration,
                "\(place): there are no holidays of \(unknown.joined(separator: ", ")); name an .ics file, or one of "
                    + book.all.joined(separator: " "))
        }
        return all
    }

    /// Where the conf has a key, for a fault.
    private static func place(_ settings: Settings, _ path: [String]) -> String {
        settings.origin(of: path)?.description ?? "[\(path[0])] \(path.last ?? "")"
    }
}
