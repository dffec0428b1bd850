import InternetMessage
import Outreach
import Testing

/// What is said of a consent, and days and moments as they are written.
@Suite("consent of contacts")
struct ConsentTests {
    @Test(
        "days and moments are read as ISO 8601 has them",
        arguments: [
            ("2026-03-01", "2026-03-01T00:00:00Z"), ("2026-03-01Z", "2026-03-01T00:00:00Z"), ("2026-03-01T14:30", "2026-03-01T14:30:00Z"),
            ("2026-03-01 14:30:15", "2026-03-01T14:30:15Z"), ("2026-03-01t14:30:15z", "2026-03-01T14:30:15Z"),
            ("2026-03-01T14:30:15.987Z", "2026-03-01T14:30:15Z"), ("2026-03-01T14:30+01:00", "2026-03-01T13:30:00Z"),
            ("2026-03-01T23:30:00-0530", "2026-03-02T05:00:00Z"), ("2026-03-01T00:30:00+02", "2026-02-28T22:30:00Z"),
            ("2024-02-29T00:00:00.5+00:00", "2024-02-29T00:00:00Z"),
        ])
    func moments(text: String, moment: String) {
        #expect(WrittenMoment.read(text, in: nil)?.iso8601 == moment)
    }

    @Test(
        "what is no day and no moment is none",
        arguments: [
            "", "2026", "01.03.2026", "2026-3-1", "2026-02-30", "2026-13-01", "2026-03-01T", "2026-03-01T24:00", "2026-03-01T10:60",
            "2026-03-01T10:00:60", "2026-03-01T10:00:00.", "2026-03-01T10:00+1", "2026-03-01T10:00+01:", "2026-03-01T10:00+01:60",
            "2026-03-01-05", "2026-03-01T10:00Zz", "2026-03-01T10:00 Z", " 2026-03-01", "2026-03-01x", "\u{661}026-03-01",
        ])
    func noMoments(text: String) {
        #expect(WrittenMoment.read(text, in: nil) == nil)
    }

    @Test("a wall clock counts where the text says nothing else")
    func zones() throws {
        let berlin = try #require(LocalZone("Europe/Berlin"))
        #expect(WrittenMoment.read("2026-07-01T10:00", in: berlin)?.iso8601 == "2026-07-01T08:00:00Z")
        #expect(WrittenMoment.read("2026-07-01T10:00+00:00", in: berlin)?.iso8601 == "2026-07-01T10:00:00Z")
        #expect(WrittenMoment.read("2026-07-01T10:00Z", in: berlin)?.iso8601 == "2026-07-01T10:00:00Z")
    }

    private static let (old, new) = (Timestamp(seconds: 1_500_000_000), Timestamp(seconds: 1_600_000_000))

    @Test(
        "what is said replaces, what is not said stays, and another source takes the date of the one before it",
        arguments: [
            (Consent(source: "fair", at: old), Consent(), Consent(source: "fair", at: old)),
            (Consent(), Consent(source: "fair"), Consent(source: "fair")),
            (Consent(at: old), Consent(source: "fair"), Consent(source: "fair", at: old)),
            (Consent(source: "fair"), Consent(at: new), Consent(source: "fair", at: new)),
            (Consent(source: "fair", at: old), Consent(at: new), Consent(source: "fair", at: new)),
            (Consent(source: "fair", at: old), Consent(source: "fair"), Consent(source: "fair", at: old)),
            (Consent(source: "fair", at: old), Consent(source: "form"), Consent(source: "form")),
            (Consent(source: "fair", at: old), Consent(source: "form", at: new), Consent(source: "form", at: new)),
            (Consent(source: "caf\u{E9}", at: old), Consent(source: "cafe\u{301}"), Consent(source: "cafe\u{301}")),
        ])
    func updates(known: Consent, given: Consent, after: Consent) {
        #expect(known.updated(by: given).isSame(as: after))
    }

    @Test("a date is written as a day where it is one, and read as it was written")
    func dates() {
        for text in ["2026-03-01", "2026-03-01T14:30:15Z"] {
            guard case .moment(let moment) = Consent.readDate(text, now: nil) else {
                return #expect(Bool(false))
            }
            #expect(Consent(at: moment).date == text)
        }
        #expect(Consent(source: "fair", at: Timestamp(seconds: 0)).words == "fair, 1970-01-01" && Consent().words == nil)
    }

    @Test("no consent is of a day to come, wherever it is today")
    func days() {
        let now = Timestamp(seconds: 1_772_323_200 + 3600)
        func isRead(_ text: String) -> Bool { if case .moment = Consent.readDate(text, now: now) { true } else { false } }
        #expect(isRead("2026-03-01") && isRead("2026-03-02") && !isRead("2026-03-03") && !isRead("2062-03-01") && !isRead("1.3.2026"))
    }

    @Test("a source is one line")
    func sources() {
        #expect(Consent.fault(ofSource: "Messe Köln 2026, \"Halle 3\"") == nil)
        for text in ["a\nb", "a\tb", "\u{7F}", String(repeating: "x", count: 501)] { #expect(Consent.fault(ofSource: text) != nil) }
    }
}
