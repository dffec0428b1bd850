import Testing

@testable import InternetMessage

@Suite("Time")
struct TimeTests {
    @Test(
        "dates as mail programs write them",
        arguments: [
            ("Wed, 4 Mar 2026 09:45:18 +0100", "2026-03-04T09:45:18+01:00"),
            ("4 Mar 2026 09:45 -0330", "2026-03-04T09:45:00-03:30"),
            ("Fri, 21 Nov 1997 09(comment (nested)):   55  :  06 -0600", "1997-11-21T09:55:06-06:00"),
            ("Fri, 21 Nov 1997 09:55:06 -0600 (CST)", "1997-11-21T09:55:06-06:00"),
            ("21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06+00:00"),
            ("1 Jan 49 00:00:00 UT", "2049-01-01T00:00:00+00:00"),
            ("1 Jan 102 00:00:00 Z", "2002-01-01T00:00:00+00:00"),
            ("Thu, 13 Feb 1969 23:32:54 EST", "1969-02-13T23:32:54-05:00"),
            ("Mon, 29 Feb 2024 12:00:00 pdt", "2024-02-29T12:00:00-07:00"),
            ("Mon, 29 Feb 2025 12:00:00 +0000", nil),
            ("Tue, 029 Apr 2019 23:34:45 -0800 (PST)", "2019-04-29T23:34:45-08:00"),
            ("Wed Mar  4 09:45:18 2026", "2026-03-04T09:45:18+00:00"),
            ("Wed Mar  4 09:45:18 CET 2026", "2026-03-04T09:45:18+01:00"),
            ("2026-03-04T09:45:18Z", "2026-03-04T09:45:18+00:00"),
            ("2026-03-04 09:45:18.123 +05:30", "2026-03-04T09:45:18+05:30"),
            ("04-Mar-2026 09:45:18 K", "2026-03-04T09:45:18+00:00"),
            ("Wed, 04 March 2026 9:45:18 PM GMT+0200", "2026-03-04T21:45:18+02:00"),
            ("Wed, 4 Mar 2026 12:05:00 AM +0000", "2026-03-04T00:05:00+00:00"),
            ("Sat, 31 Dec 2016 23:59:60 +0000", "2017-01-01T00:00:00+00:00"),
            ("Wed,4 Mar 2026 09:45:18 +0100", "2026-03-04T09:45:18+01:00"),
            ("4 Mar 2026 99:99:99 +9999", "2026-03-04T00:00:00+00:00"),
            ("99999999999999999999 Mar 99999999999999999999", nil),
            ("yesterday", nil), ("", nil), ("(", nil), ("4 Mar", nil), ("+", nil),
        ] as [(String, String?)])
    func readsDates(text: String, expected: String?) {
        #expect(MessageDate(text)?.iso8601 == expected)
    }

    @Test("a date is written as RFC 5322 has it and reads back the same", arguments: [-1439, -210, 0, 60, 345, 840])
    func writesDates(offset: Int) {
        for seconds in stride(from: Int64(-2_000_000_000), to: 8_000_000_000, by: 99_999_937) {
            let date = MessageDate(timestamp: Timestamp(seconds: seconds), offsetMinutes: offset)
            #expect(MessageDate(date.formatted) == date)
        }
        #expect(
            MessageDate(timestamp: Timestamp(seconds: 1_772_613_918), offsetMinutes: 60).formatted == "Wed, 04 Mar 2026 09:45:18 +0100")
    }

    @Test("days and civil dates are inverse over 800 years, and weekdays follow each other")
    func civilDates() throws {
        var previous = CivilDate(daysSinceEpoch: -146_098)
        for days in -146_097...146_097 {
            let date = CivilDate(daysSinceEpoch: days)
            #expect(date.daysSinceEpoch == days)
            #expect(previous < date)
            #expect(date.weekday == previous.weekday % 7 + 1)
            previous = date
        }
        #expect(CivilDate(daysSinceEpoch: 0).weekday == 4)
        #expect(CivilDate(year: 2000, month: 2, day: 29)?.daysSinceEpoch == 11_016)
        #expect(CivilDate(year: 1900, month: 2, day: 29) == nil)
        #expect(CivilDate(Timestamp(milliseconds: -1)).iso8601 == "1969-12-31")
    }

    @Test("arithmetic at the ends of the range saturates")
    func saturates() {
        let end = Timestamp(milliseconds: .max)
        #expect(end + .seconds(1) == end)
        #expect(Timestamp(milliseconds: .min) - .seconds(Int64.max) == Timestamp(milliseconds: .min))
        #expect(end - Timestamp(milliseconds: .min) == .milliseconds(Int64.max))
        #expect(Timestamp(seconds: .max) == end)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(CivilDate(daysSinceEpoch: .min).year < 0)
        #expect(CivilDate(daysSinceEpoch: .max).adding(days: .max).year > 0)
        _ = end.iso8601
        #expect(Timestamp(seconds: 1_772_613_918).iso8601 == "2026-03-04T08:45:18Z")
    }
}
