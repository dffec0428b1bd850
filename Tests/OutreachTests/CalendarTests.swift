import Embedded
import Foundation
import InternetMessage
import TestKit
import Testing

@testable import Outreach

/// A moment such as `2026-03-29T01:00:00Z`.
private func moment(_ iso: String) throws -> Timestamp {
    let digits = iso.split { "-T:Z".contains($0) }.compactMap { Int($0) }
    let date = try #require(CivilDate(year: digits[0], month: digits[1], day: digits[2]))
    return date.startOfDayUTC + .seconds(digits[3] * 3600 + digits[4] * 60 + (digits.count > 5 ? digits[5] : 0))
}

private func date(_ iso: String) throws -> CivilDate { try #require(CivilDate(iso: Array(iso.utf8)[...])) }

private func zone(_ name: String) throws -> LocalZone { try #require(LocalZone(name)) }

private func week(_ spans: [Range<Int>], _ days: [Weekday] = [.monday, .tuesday, .wednesday, .thursday, .friday]) throws -> WeekHours {
    try #require(WeekHours(Dictionary(uniqueKeysWithValues: days.map { ($0, spans) })))
}

@Suite("the calendar")
struct CalendarTests {
    // MARK: changes of the clock

    @Test(
        "local times that a change skips are no moment, those that it repeats are two",
        arguments: [
            ("Europe/Berlin", "2026-03-29", 150, []), ("Europe/Berlin", "2026-03-29", 180, ["2026-03-29T01:00Z"]),
            ("Europe/Berlin", "2026-10-25", 150, ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]),
            ("Europe/Berlin", "2026-10-25", 180, ["2026-10-25T02:00Z"]),
            ("America/New_York", "2026-03-08", 121, []),
            ("America/New_York", "2026-11-01", 90, ["2026-11-01T05:30Z", "2026-11-01T06:30Z"]),
            // Half an hour only.
            ("Australia/Lord_Howe", "2026-10-04", 135, []),
            ("Australia/Lord_Howe", "2026-04-05", 105, ["2026-04-04T14:45Z", "2026-04-04T15:15Z"]),
            // At midnight: the day begins at one.
            ("Africa/Cairo", "2026-04-24", 30, []), ("Asia/Kolkata", "2026-06-01", 0, ["2026-05-31T18:30Z"]),
            // A whole day that never was.
            ("Pacific/Apia", "2011-12-30", 720, []),
        ])
    func moments(name: String, day: String, minute: Int, expected: [String]) throws {
        #expect(try zone(name).moments(date(day), minuteOfDay: minute) == expected.map(moment))
    }

    static let zones: [String] = TimeZone.knownTimeZoneIdentifiers.filter { LocalZone($0) != nil }

    /// Whether what the window says is the first moment at which the wall clock is in it: by looking at every minute.
    private func check(_ window: SendingWindow, from start: Timestamp, _ hours: Int) {
        let minutes = (0..<hours * 60).map { start + .seconds($0 * 60) }
        let open = minutes.map { moment in
            let (date, minute) = (window.zone.date(at: moment), window.zone.minuteOfDay(at: moment))
            return window.week.spans(on: Weekday(of: date)).contains { $0.contains(minute) }
                && !(window.quietHours?.contains(minute) ?? false)
                && window.holidays.name(on: date) == nil
        }
        for index in stride(from: 0, to: minutes.count, by: 61) {
            let expected = open[index...].firstIndex(of: true).map { minutes[$0] }
            let found = window.next(onOrAfter: minutes[index])
            if let expected {
                guard found?.at != expected else { continue }
                Issue.record("\(window.zone.name) from \(minutes[index].iso8601): \(found?.at.iso8601 ?? "-") and not \(expected.iso8601)")
                return
            }
            if let found, found.at <= minutes[minutes.count - 1] {
                Issue.record("\(window.zone.name) from \(minutes[index].iso8601): \(found.at.iso8601), which is closed")
                return
            }
        }
    }

    @Test("in every zone, over every change of four years, the next opening is the first open minute of the wall clock")
    func everyZone() throws {
        #expect(Self.zones.count > 300)
        let week = try week([60..<135, 150..<200, 1380..<1440], Weekday.allCases)
        let quiet = SendingWindow.QuietHours(start: 1410, end: 70)
        // What many zones have in common is looked at once.
        var changes: Set<[Int64]> = []
        for name in Self.zones {
            let zone = try zone(name)
            let holiday = try date("2026-10-26")
            let window = SendingWindow(week: week, zone: zone, quietHours: quiet, holidays: Holidays([holiday: "a day off"]))
            for change in zone.changes(from: try moment("2024-01-01T00:00Z"), to: try moment("2028-01-01T00:00Z")) {
                let kind = [change.seconds, Int64(zone.offset(at: change + .seconds(-1))), Int64(zone.offset(at: change))]
                guard changes.insert(kind).inserted else { continue }
                // To the minute below, as every offset in use is of whole minutes.
                check(window, from: Timestamp(seconds: (change.seconds - 12 * 3600) / 60 * 60), 30)
            }
        }
        #expect(changes.count > 100)
    }

    @Test(
        "a window is open for what a change leaves of it, and for both of two hours",
        arguments: [
            // 02:30 to 04:00 where 02:00 to 03:00 is skipped: open from 03:00 on.
            ("2026-03-29T00:00Z", "2026-03-29T01:00Z"),
            // The hour is there twice: from the first 02:30 to 03:00, which is 02:00 again, and from the second.
            ("2026-10-25T00:00Z", "2026-10-25T00:30Z"), ("2026-10-25T01:00Z", "2026-10-25T01:30Z"),
            ("2026-10-25T01:29Z", "2026-10-25T01:30Z"),
        ])
    func cut(from: String, expected: String) throws {
        let window = SendingWindow(week: try week([150..<240], [.sunday]), zone: try zone("Europe/Berlin"))
        #expect(window.next(onOrAfter: try moment(from))?.at == (try moment(expected)))
    }

    // MARK: what binds

    private func office(preferred: Int? = nil) throws -> SendingWindow {
        let list = try #require(EmbeddedFile.named("calendar/holidays.txt")).bytes
        return SendingWindow(
            week: try week([540..<720, 780..<1020]), zone: try zone("Europe/Berlin"), quietHours: .init(start: 16 * 60, end: 9 * 60 + 30),
            holidays: try #require(HolidayBook(parsing: list).holidays(in: "de-by")), preferredHour: preferred)
    }

    @Test(
        "what bound a moment is said",
        arguments: [
            ("2026-03-02T10:00Z", "2026-03-02T10:00Z", ""), ("2026-03-02T05:00Z", "2026-03-02T08:30Z", "sending window is closed"),
            ("2026-03-02T08:10Z", "2026-03-02T08:30Z", "quiet hours"),
            ("2026-03-02T11:30Z", "2026-03-02T12:00Z", "sending window is closed"),
            ("2026-03-07T10:00Z", "2026-03-09T08:30Z", "sending window is closed on sat"),
            // Good Friday and Easter Monday.
            ("2026-04-02T17:00Z", "2026-04-07T07:30Z", "sending window is closed, holiday: Good Friday, holiday: Easter Monday"),
            ("2026-04-03T10:00Z", "2026-04-07T07:30Z", "holiday: Good Friday, holiday: Easter Monday"),
            // Corpus Christi is one in Bavaria.
            ("2026-06-04T10:00Z", "2026-06-05T07:30Z", "holiday: Corpus Christi"),
        ])
    func binding(from: String, at: String, words: String) throws {
        let opening = try #require(try office().next(onOrAfter: moment(from)))
        #expect(try opening.at == (moment(at)) && opening.words == words, "\(opening.at.iso8601) \(opening.words)")
    }

    @Test(
        "a preferred hour is waited for on a day that still has it, and on no other",
        arguments: [
            ("2026-03-02T08:45Z", "2026-03-02T13:00Z", "preferred hour is 14:00"), ("2026-03-02T13:20Z", "2026-03-02T13:20Z", ""),
            ("2026-03-02T15:30Z", "2026-03-03T13:00Z", "quiet hours"),
            ("2026-03-01T12:00Z", "2026-03-02T13:00Z", "sending window is closed on sun"),
        ])
    func preferred(from: String, at: String, words: String) throws {
        let opening = try #require(try office(preferred: 14).next(onOrAfter: moment(from)))
        #expect(try opening.at == (moment(at)) && opening.words == words, "\(opening.at.iso8601) \(opening.words)")
        // After the last hour of the day a preferred hour means nothing.
        #expect(try office(preferred: 18).next(onOrAfter: moment("2026-03-02T09:00Z"))?.because == [])
    }

    @Test("hours that never come are none")
    func never() throws {
        let quiet = SendingWindow(week: try week([540..<600]), zone: try zone("UTC"), quietHours: .init(start: 0, end: 1440))
        #expect(quiet.next(onOrAfter: try moment("2026-03-02T10:00Z")) == nil)
        #expect(WeekHours([:]) == nil && WeekHours([.monday: []]) == nil && WeekHours([.monday: [60..<1441]]) == nil)
        #expect(SendingWindow.QuietHours(start: 60, end: 60) == nil)
        #expect(WeekHours([.monday: [60..<120, 100..<130, 130..<140]])?.spans(on: .monday) == [60..<140])
    }

    @Test("two windows are open together at the first moment that both admit")
    func together() throws {
        let berlin = SendingWindow(week: try week([540..<1020]), zone: try zone("Europe/Berlin"))
        let angeles = SendingWindow(week: try week([480..<1020]), zone: try zone("America/Los_Angeles"))
        let both = try #require(SendingWindow.next(onOrAfter: moment("2026-03-02T09:00Z"), in: [berlin, angeles]))
        // 08:00 in Los Angeles is 17:00 in Berlin, but for the weeks between the changes of March.
        #expect(try both.at == (moment("2026-03-09T15:00Z")) && both.because == [.hours])
        let late = SendingWindow(week: try week([0..<60]), zone: try zone("Europe/Berlin"))
        #expect(SendingWindow.next(onOrAfter: try moment("2026-03-02T09:00Z"), in: [berlin, late]) == nil)
    }

    // MARK: business days

    @Test(
        "delays are counted in business days, at the same time of day",
        arguments: [
            ("2026-03-06T10:00:30Z", 1, "2026-03-09T10:00:30Z"), ("2026-03-06T10:00:00Z", 5, "2026-03-13T10:00:00Z"),
            ("2026-03-07T10:00:00Z", 1, "2026-03-09T10:00:00Z"), ("2026-04-02T10:00:00Z", 1, "2026-04-07T10:00:00Z"),
            // Over the change to summer time, on the wall clock.
            ("2026-03-27T10:00:00Z", 1, "2026-03-30T09:00:00Z"), ("2026-03-06T10:00:00Z", 0, "2026-03-06T10:00:00Z"),
        ])
    func businessDays(from: String, count: Int, expected: String) throws {
        let window = try office()
        let days = try #require(BusinessDays(days: window.week.openDays, holidays: window.holidays, zone: window.zone))
        #expect(days.adding(count, to: try moment(from)) == (try moment(expected)))
    }

    @Test("a time of day that the day skips is the moment of the change")
    func skippedTime() throws {
        let days = try #require(BusinessDays(days: Set(Weekday.allCases), zone: zone("Europe/Berlin")))
        #expect(days.adding(1, to: try moment("2026-03-28T01:30:00Z")) == (try moment("2026-03-29T01:00:00Z")))
        #expect(days.adding(1, to: try moment("2026-10-24T00:30:00Z")) == (try moment("2026-10-25T00:30:00Z")))
    }

    // MARK: holidays from files

    private static let calendar = """
        BEGIN:VCALENDAR\r
        VERSION:2.0\r
        BEGIN:VEVENT\r
        SUMMARY:Company\\, \r
         outing\r
        DTSTART;VALUE=DATE:20260515\r
        END:VEVENT\r
        BEGIN:VEVENT\r
        DTSTART;VALUE=DATE:20261224\r
        DTEND;VALUE=DATE:20270102\r
        SUMMARY;LANGUAGE=en:Between the years\r
        RRULE:FREQ=YEARLY;UNTIL=20281231\r
        EXDATE;VALUE=DATE:20271231\r
        END:VEVENT\r
        BEGIN:VEVENT\r
        STATUS:CANCELLED\r
        DTSTART;VALUE=DATE:20260601\r
        END:VEVENT\r
        END:VCALENDAR\r

        """

    @Test("a calendar's whole days are holidays, those that repeat yearly in each year")
    func iCalendar() throws {
        let days = try HolidayFile.holidays(parsing: Array(Self.calendar.utf8), file: "company.ics")
        #expect(days.name(on: try date("2026-05-15")) == "Company, outing")
        #expect(
            try days.name(on: date("2027-12-24")) == "Between the years" && days.name(on: date("2027-01-01")) == "Between the years")
        #expect(try days.name(on: date("2027-01-02")) == nil && days.name(on: date("2027-12-31")) == nil)
        #expect(try days.name(on: date("2029-12-24")) == nil && days.name(on: date("2026-06-01")) == nil)
        #expect(days.count == 1 + 3 * 9 - 1)
    }

    @Test(
        "what is no holiday is refused with its line",
        arguments: [
            ("hello", "company.ics:1: no BEGIN:VCALENDAR"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n", "company.ics:2: an event without DTSTART"),
            (
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Party\nDTSTART:20260515T180000Z\nEND:VEVENT\n",
                "company.ics:2: 'Party' begins at a time of day"
            ),
            (
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20260230\nEND:VEVENT\n",
                "company.ics:2: 'x' begins on '20260230', an invalid date; write year, month and day"
            ),
            (
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nRRULE:FREQ=WEEKLY\nDTSTART:20260515\nEND:VEVENT\n",
                "company.ics:2: 'x' repeats as 'FREQ=WEEKLY'"
            ),
            (
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nRRULE:FREQ=YEARLY;BYDAY=1MO\nDTSTART:20260515\nEND:VEVENT\n",
                "company.ics:2: 'x' repeats by BYDAY=1MO"
            ),
        ])
    func iCalendarFaults(_ text: String, _ fault: String) {
        #expect { _ = try HolidayFile.holidays(parsing: Array(text.utf8), file: "company.ics") } throws: {
            "\($0)".hasPrefix(fault)
        }
    }

    @Test("the built-in holidays know countries and their parts")
    func builtinHolidays() throws {
        let book = HolidayBook(parsing: try #require(EmbeddedFile.named("calendar/holidays.txt")).bytes)
        #expect(book.all.count > 80 && book.holidays(in: "XX") == nil)
        for (region, day) in [
            ("US", "2026-11-26"), ("GB", "2027-12-27"), ("GB-SCT", "2026-11-30"), ("FR", "2030-07-14"), ("DE", "2026-10-03"),
            ("DE-BY", "2026-01-06"),
        ] {
            #expect(book.holidays(in: region)?.name(on: try date(day)) != nil, "\(region) \(day)")
        }
        #expect(book.holidays(in: "DE")?.name(on: try date("2026-01-06")) == nil)
    }

    // MARK: where somebody is

    @Test(
        "the surest of field, country, phone and domain says where somebody is",
        arguments: [
            (["country": "USA", "phone": "+1 415 555 0100"], "ann@acme.com", "America/Los_Angeles medium phone US"),
            (["country": "Österreich"], "ann@acme.com", "Europe/Vienna high country AT"),
            (["country": "ÖSTERREICH"], "ann@acme.com", "Europe/Vienna high country AT"),
            (["country": "Česko"], "ann@acme.com", "Europe/Prague high country CZ"),
            (["country": "O\u{308}sterreich"], "ann@acme.com", "Europe/Vienna high country AT"),
            (["country": "TÜRKİYE"], "ann@acme.com", "Europe/Istanbul high country TR"),
            (["country": "åland islands"], "ann@acme.com", "Europe/Mariehamn high country AX"),
            (["country": "AUT"], "ann@acme.com", "Europe/Vienna high country AT"),
            (["country_code": "usa"], "ann@acme.com", "America/New_York low country US"),
            (["country": "GBR"], "ann@acme.com", "Europe/London high country GB"), (["country": "XXX"], "ann@acme.com", "-"),
            (["Country": "us"], "ann@acme.com", "America/New_York low country US"),
            (["country": "Deutschland", "phone": "+1 415 555 0100"], "ann@acme.com", "Europe/Berlin high country DE"),
            (["phone": "0044 20 7946 0000"], "ann@acme.com", "Europe/London medium phone GB"),
            (["phone": "030 123456"], "ann@acme.de", "Europe/Berlin medium domain DE"),
            ([:], "ann@acme.co.uk", "Europe/London medium domain GB"), ([:], "ann@acme.io", "-"), ([:], "ann@acme.com", "-"),
            (["country": "Atlantis"], "ann@acme.at", "Europe/Vienna medium domain AT"),
        ])
    func contactZones(fields: [String: String], address: String, expected: String) throws {
        let book = ZoneBook(
            countries: try ContactSheetTests.builtin("countries.txt"), phonePrefixes: try ContactSheetTests.builtin("phone-zones.txt"))
        let contact = Contact(
            id: Contact.ID(rawValue: 1), address: try #require(EmailAddress(address)), fields: fields, createdAt: Timestamp(seconds: 0))
        func words(_ found: ContactZone?) -> String {
            found.map { "\($0.zone.name) \($0.certainty.word) \($0.source.rawValue) \($0.country ?? "-")" } ?? "-"
        }
        #expect(words(book.zone(of: contact)) == expected)
        var said = contact
        said.timeZone = "Asia/Tokyo"
        #expect(words(book.zone(of: said)).hasPrefix("Asia/Tokyo stated field"))
    }

    @Test("every zone that the list of countries names is known, and what looks like one is not")
    func listedZones() throws {
        let countries = String(decoding: try ContactSheetTests.builtin("countries.txt"), as: UTF8.self)
        let names = countries.split(separator: "\n").filter { !$0.hasPrefix("#") }.flatMap {
            $0.split(separator: "\t")[2].split(separator: " ")
        }
        #expect(names.count > 400)
        let codes = countries.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: "\t").last ?? "" }
        #expect(Set(codes).count == codes.count && codes.allSatisfy { $0.utf8.count == 3 && $0.utf8.allSatisfy { $0 >= 65 && $0 <= 90 } })
        for name in names { #expect(LocalZone(String(name)) != nil, "\(name)") }
        for name in ["Mars/Base", "CET+1", "+02:00", "Europe/", "/", "Europe/../UTC", ""] { #expect(LocalZone(name) == nil, "\(name)") }
    }

    @Test("recipients have their own hours where it is known well enough where they are")
    func recipients() throws {
        let zones = ZoneBook(
            countries: try ContactSheetTests.builtin("countries.txt"), phonePrefixes: try ContactSheetTests.builtin("phone-zones.txt"))
        let hours = RecipientHours(
            week: try week([540..<1020]), quietHours: nil, preferredHour: nil, certainty: .medium, zones: zones,
            holidays: HolidayBook(parsing: try #require(EmbeddedFile.named("calendar/holidays.txt")).bytes))
        func window(_ fields: [String: String]) throws -> SendingWindow? {
            hours.window(
                of: Contact(
                    id: Contact.ID(rawValue: 1), address: try #require(EmailAddress("ann@acme.com")), fields: fields,
                    createdAt: Timestamp(seconds: 0)))
        }
        #expect(try window(["country": "US"]) == nil, "a country of many zones says too little")
        let japan = try #require(try window(["country": "Japan"]))
        #expect(japan.zone.name == "Asia/Tokyo")
        // Marine Day.
        #expect(japan.next(onOrAfter: try moment("2026-07-20T01:00Z"))?.words.contains("Marine Day") == true)
    }
}
