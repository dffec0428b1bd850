import Testing

@testable import IMAP

@Suite("UIDs, sets and dates")
struct NumberAndDateTests {
    @Test("zero is no UID and no UIDVALIDITY")
    func zero() {
        #expect(UID(0) == nil)
        #expect(UIDValidity(0) == nil)
        #expect(uid(.max).successor == nil)
        #expect(uid(1).predecessor == nil)
    }

    @Test(
        "a set is written in ascending ranges",
        arguments: [
            ([], ""), ([5], "5"), ([3, 1, 2, 2, 9], "1:3,9"), ([.max, .max - 1, 1], "1,4294967294:4294967295"),
            ([1, 3, 5], "1,3,5"),
        ] as [([UInt32], String)])
    func sets(numbers: [UInt32], text: String) {
        let set = UIDSet(numbers.map(uid))
        #expect(String(decoding: set.encoded, as: UTF8.self) == text)
        #expect(set.count == Set(numbers).count)
        for number in numbers { #expect(set.contains(uid(number))) }
        for number: UInt32 in [4, 7, 100] { #expect(!set.contains(uid(number)) || numbers.contains(number)) }
        if !numbers.isEmpty { #expect(UIDSet(parsing: set.encoded[...]) == set) }
    }

    @Test(
        "sets as servers write them",
        arguments: [
            ("9:8,1", "1,8:9"), ("1:4294967295", "1:4294967295"), ("4:6,5:9,10", "4:10"), ("7", "7"),
            ("4294967295,1:4294967295", "1:4294967295"),
        ])
    func parsing(text: String, canonical: String) {
        #expect(UIDSet(parsing: bytes(text)[...]).map { String(decoding: $0.encoded, as: UTF8.self) } == canonical)
    }

    @Test("what is no set", arguments: ["", ",", "1,", "0", "*", "1:*", "1:", ":1", "1:2:3", "4294967296", "-1", "a", "1 2"])
    func notSets(text: String) {
        #expect(UIDSet(parsing: bytes(text)[...]) == nil)
    }

    @Test(
        "internal dates",
        arguments: [
            ("17-Jul-1996 02:44:25 -0700", 837_596_665_000), (" 1-Jan-1970 00:00:00 +0000", 0), ("1-jan-1970 00:00:01 +0001", -59_000),
            ("29-Feb-2024 23:59:60 +0000", 1_709_251_200_000), ("31-Dec-9999 23:59:59 +0000", 253_402_300_799_000),
            ("01-Jan-0001 00:00:00 +0000", -62_135_596_800_000),
        ] as [(String, Int64)])
    func internalDates(text: String, milliseconds: Int64) {
        #expect(InternalDate(parsing: bytes(text))?.millisecondsSince1970 == milliseconds)
    }

    @Test(
        "what is no internal date",
        arguments: [
            "", "17-Jul-1996", "30-Feb-2024 00:00:00 +0000", "17-Jux-1996 02:44:25 -0700", "17-Jul-96 02:44:25 -0700",
            "17-Jul-1996 24:00:00 +0000", "17-Jul-1996 02:60:25 +0000", "17-Jul-1996 02:44:25 GMT", "17-Jul-1996 02:44:25 -0700 ",
            "00-Jan-2000 00:00:00 +0000", "1-Jan-0000 00:00:00 +0000",
        ])
    func notInternalDates(text: String) {
        #expect(InternalDate(parsing: bytes(text)) == nil)
    }

    @Test(
        "search dates",
        arguments: [
            (0, "1-Jan-1970"), (-1, "31-Dec-1969"), (1_709_251_199_999, "29-Feb-2024"), (1_709_251_200_000, "1-Mar-2024"),
            (-62_135_596_800_000, "1-Jan-0001"), (253_402_300_799_999, "31-Dec-9999"), (4_102_444_800_000, "1-Jan-2100"),
        ] as [(Int64, String)])
    func searchDates(milliseconds: Int64, text: String) {
        #expect(SearchDate(millisecondsSince1970: milliseconds).map { String(decoding: $0.encoded, as: UTF8.self) } == text)
    }

    @Test("days the calendar has not")
    func noDays() {
        #expect(SearchDate(year: 2023, month: 2, day: 29) == nil)
        #expect(SearchDate(year: 2100, month: 2, day: 29) == nil)
        #expect(SearchDate(year: 2024, month: 13, day: 1) == nil)
        #expect(SearchDate(year: 2024, month: 4, day: 31) == nil)
        #expect(SearchDate(year: 0, month: 1, day: 1) == nil)
        #expect(SearchDate(millisecondsSince1970: .max) == nil)
        #expect(SearchDate(millisecondsSince1970: .min) == nil)
    }

    @Test("every day of four centuries is its own and the next one follows")
    func everyDay() {
        var days = CivilCalendar.daysSince1970(year: 1900, month: 1, day: 1)
        for year in 1900..<2300 {
            for month in 1...12 {
                for day in 1...CivilCalendar.days(inMonth: month, of: year) {
                    guard CivilCalendar.daysSince1970(year: year, month: month, day: day) == days,
                        let back = CivilCalendar.date(daysSince1970: Int64(days)), back == (year, month, day)
                    else {
                        Issue.record("\(year)-\(month)-\(day)")
                        return
                    }
                    days += 1
                }
            }
        }
    }
}
