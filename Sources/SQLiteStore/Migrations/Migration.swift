/// One step of the schema's history: numbered, plain SQL, never edited once landed.
struct Migration: Sendable {
    /// Equals `PRAGMA user_version` after the step; 1, 2, 3, ... without gaps.
    let number: Int
    let sql: String

    /// Every step in order.
    static let all: [Migration] = [
        first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth, thirteenth, fourteenth,
        fifteenth, sixteenth, seventeenth, eighteenth, nineteenth, twentieth, twentyFirst, twentySecond,
        twentyThird, twentyFourth, twentyFifth, twentySixth, twentySeventh,
    ]

    /// The schema version that this program writes and reads.
    static var latest: Int { all.last?.number ?? 0 }
}
