import InternetMessage
import Outreach
import TestKit
import Testing

@Suite("queries of segments")
struct SegmentQueryTests {
    @Test(
        "what is written is what is meant",
        arguments: [
            ("company = \"Acme\"", Expression<SegmentQuery.Test>.test(.compare(.field("company"), .oneOf(["acme"])))),
            ("field.email != x", .not(.test(.compare(.field("email"), .oneOf(["x"]))))),
            ("not not suppressed", .test(.suppressed)),
            (
                "a or b and c",
                .any([.test(.given(.field("a"))), .all([.test(.given(.field("b"))), .test(.given(.field("c")))])])
            ),
            (
                "(a or b) and not c",
                .all([.any([.test(.given(.field("a"))), .test(.given(.field("b")))]), .not(.test(.given(.field("c"))))])
            ),
            ("country in (\"DE\", at)", .test(.compare(.field("country"), .oneOf(["de", "at"])))),
            ("country not in ['DE']", .not(.test(.compare(.field("country"), .oneOf(["de"]))))),
            ("email ends_with @Example.com", .test(.compare(.email, .endsWith("@example.com")))),
            ("domain=bücher.example", .test(.compare(.domain, .oneOf(["xn--bcher-kva.example"])))),
            ("budget>=-5.5", .test(.compare(.field("budget"), .number(.atLeast, -5.5)))),
            (
                "state:intro = finished and cause=replied",
                .all([
                    .test(.compare(.state(sequence: "intro"), .oneOf(["finished"]))),
                    .test(.compare(.cause(sequence: nil), .oneOf(["replied"]))),
                ])
            ),
            ("enrolled.\"a b\" or enrolled", .any([.test(.enrolled(sequence: "a b")), .test(.enrolled(sequence: nil))])),
            ("replied:not_now or replied", .any([.test(.replied(.notNow)), .test(.replied(nil))])),
            ("sent and not opened:intro", .all([.test(.mailed(.sent, sequence: nil)), .not(.test(.mailed(.opened, sequence: "intro")))])),
            ("clicked", .test(.mailed(.clicked, sequence: nil))),
            ("created > P30D ago", .test(.created(.more, .ago(ISODuration("P30D") ?? .none)))),
            ("imported <= 2026-03-01", .test(.imported(.atMost, .day(CivilDate(daysSinceEpoch: 20_513))))),
            ("imported", .test(.imported(nil, .ago(.none)))),
            ("consent_date < P730D ago", .test(.consented(.less, .ago(ISODuration("P730D") ?? .none)))),
            ("not consent_date", .not(.test(.consented(nil, .ago(.none))))),
            ("consent_source contains Fair", .test(.compare(.consentSource, .contains("fair")))),
            ("field.consent_source", .test(.given(.field("consent_source")))),
            ("android = x", .test(.compare(.field("android"), .oneOf(["x"])))),
        ])
    func reads(source: String, node: Expression<SegmentQuery.Test>) throws {
        #expect(try SegmentQuery(source).root == node)
    }

    @Test("tags and lists by any case, in quotes where they are more than a word")
    func groups() throws {
        let query = try SegmentQuery("tag:VIP or list:\"Fair 2026\" or tag.größe")
        #expect(query.mentions.map(\.text) == ["VIP", "Fair 2026", "größe"] && query.mentions.map(\.column) == [1, 12, 32])
        #expect(query.mentions.map(\.kind) == [.tag, .list, .tag])
        #expect(try SegmentQuery("tag:vip").root == SegmentQuery("tag:VIP").root)
        #expect(try SegmentQuery("tag:vip").root != SegmentQuery("list:vip").root)
    }

    @Test(
        "what is wrong is told with its column and what was expected",
        arguments: [
            ("", 1, "a name is expected"), ("  ", 3, "a name is expected"), ("company = ", 11, "a text is expected, not 'the end'"),
            ("company = \"Acme", 11, "never closed"), ("a = 1 b = 2", 7, "'and', 'or' or the end is expected, not 'b = 2'"),
            ("(a = 1", 7, "')' is expected"), ("gr = 'größe' and )", 18, "a name is expected"),
            ("country in \"DE\"", 12, "a list is expected"),
            ("country in (\"DE\" \"AT\")", 18, "',' or ')' is expected"), ("country not = 1", 9, "'in' is expected after 'not'"),
            ("tag", 1, "'tag' needs a name"), ("tag: x", 5, "a name is expected after 'tag:'"), ("tag:\"a,b\"", 1, "is no name of a tag"),
            ("replied:happy", 1, "'happy' is no class of replies; there are positive"),
            ("state = asleep", 9, "'asleep' is no state of enrollments; there are active"), ("state contains a", 7, "alone"),
            ("cause < 5", 7, "alone"),
            ("budget > much", 10, "a number is expected after '>', not 'much'"), ("created", 8, "one of < <= > >= = is expected"),
            ("created > soon", 11, "a day like 2026-03-01 is expected"), ("created > 2026-13-01", 11, "a day like"),
            ("created > P3D", 14, "'ago' is expected after P3D"), ("a = and", 5, "put it in quotes"), ("and", 1, "a name is expected"),
            ("name contains ''", 15, "an empty text"), ("field. = 1", 7, "the name of a field is expected"),
            (String(repeating: "(", count: 40), 9, "nested deeper than 8"),
            (String(repeating: "a ", count: 1001), 1, "at most 2000 bytes"),
            (Array(repeating: "a", count: 201).joined(separator: " or "), 1001, "at most 200 tests"),
            ("'x' = 1", 1, "a name is expected"), ("a = 1;", 6, "'and', 'or' or the end is expected"),
        ])
    func faults(source: String, column: Int, words: String) throws {
        let fault = #expect(throws: ExpressionFault.self) { try SegmentQuery(source) }
        #expect(fault?.message.contains(words) == true && fault?.column == column, "\(String(describing: fault))")
    }

    @Test("any bytes at all are read or refused", arguments: 0..<300)
    func anything(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let pieces = [
            "tag:", "a", "=", "(", ")", "\"", "'", "not ", " and ", " or ", "in", ",", "[", "]", "\u{0}", "ü", "<", "5", "P1D", "ago",
            "created", "-",
        ]
        let text = (0..<Int.random(in: 0...30)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        _ = try? SegmentQuery(text)
    }

    @Test(
        "numbers are few digits with a sign and a point",
        arguments: [
            ("5", 5), ("-5.25", -5.25), (".5", 0.5), ("5.", 5), ("123456789012345", 123_456_789_012_345), ("", nil), ("-", nil), (".", nil),
            ("1e5", nil), ("+5", nil), ("5-", nil), ("1.2.3", nil), ("1234567890123456", nil), ("٥", nil), (" 5", nil),
        ] as [(String, Double?)])
    func numbers(text: String, number: Double?) { #expect(SegmentNumber.read(Array(text.utf8)) == number) }
}
