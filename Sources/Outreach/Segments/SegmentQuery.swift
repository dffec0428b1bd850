package import InternetMessage

/// Which contacts are meant: `company = "Acme" and not tag:customer and (country in ("DE", "AT") or provider = google)`.
///
/// - Facts: `tag:NAME`, `list:NAME`, `enrolled`, `enrolled:SEQUENCE` (now or ever), `replied`, `replied:CLASS` (by whatever is sure to be
///   theirs), `sent`, `opened`, `clicked` and the same with `:SEQUENCE` (by a person, not by a machine), `suppressed`, `imported`.
/// - Texts: `email`, `domain`, `name`, `time_zone`, `consent_source`, `provider`, `state`, `state:SEQUENCE`, `cause`, `cause:SEQUENCE` (of any of their
///   enrollments), `field.NAME`, and any other name for the field of that name. They are compared with `=`, `!=`, `in (...)`,
///   `not in (...)`, `contains`, `starts_with` and `ends_with` without regard to the case of ASCII letters, and with `<`, `<=`, `>`, `>=` where
///   both are numbers; a text alone holds when it is not empty. `!=` is the opposite of `=`.
/// - Moments: `created`, `imported` and `consent_date` are compared with a day of UTC (`2026-03-01`) or with what is so long past (`P30D ago`).
/// - `and`, `or`, `not` and parentheses join them; `and` binds closer than `or`.
package struct SegmentQuery: Sendable, Equatable {
    package enum Test: Sendable, Equatable {
        case isIn(ContactGroup.Name)
        case suppressed
        /// nil: in any sequence.
        case enrolled(sequence: String?)
        /// nil: anything that a person wrote to say something.
        case replied(ReplyClass?)
        /// That became of some message; nil: of any sequence, or of none.
        case mailed(Mail, sequence: String?)
        /// It has a text.
        case given(Text)
        case compare(Text, Comparison)
        case created(Order, Moment)
        /// Some import took it in; nil: at any time.
        case imported(Order?, Moment)
        /// The date of a consent is known; nil: whichever.
        case consented(Order?, Moment)
    }

    package enum Mail: String, Sendable {
        /// A server took it.
        case sent
        /// A person opened it; who clicks has opened.
        case opened
        /// A person clicked in it.
        case clicked
    }

    package enum Text: Sendable, Equatable {
        case field(String)
        case email
        case domain
        case name
        case timeZone
        case consentSource
        case provider
        /// State of any enrollment in that sequence; nil: in any.
        case state(sequence: String?)
        case cause(sequence: String?)
    }

    package enum Comparison: Sendable, Equatable {
        /// ASCII letters of all of them are in lower case.
        case oneOf([String])
        case contains(String)
        case startsWith(String)
        case endsWith(String)
        case number(Order, Double)
    }

    package enum Order: String, Sendable, CaseIterable {
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case more = ">"
        case same = "="
    }

    package enum Moment: Sendable, Equatable {
        case day(CivilDate)
        case ago(ISODuration)

        /// From its first millisecond to behind its last one.
        package func span(at now: Timestamp) -> Range<Timestamp> {
            switch self {
            case .day(let date): return date.startOfDayUTC..<date.adding(days: 1).startOfDayUTC
            case .ago(let duration):
                let moment = now - duration.duration
                return moment..<(moment + .milliseconds(1))
            }
        }
    }

    /// A name in it that means something only where there is such a thing.
    package struct Mention: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case field
            case tag
            case list
            case sequence
        }

        package let kind: Kind
        package let text: String
        /// In the query, from 1.
        package let column: Int

        package init(kind: Kind, text: String, column: Int) {
            self.kind = kind
            self.text = text
            self.column = column
        }
    }

    package static let longest = 2_000
    package static let deepest = 8
    package static let mostTests = 200

    package let root: Expression<Test>
    /// In the order in which they stand in it.
    package let mentions: [Mention]

    package init(_ source: String) throws(ExpressionFault) {
        var parser = SegmentParser(Array(source.utf8))
        root = try parser.expression()
        mentions = parser.mentions
    }
}
