import Foundation
package import InternetMessage

/// A time zone by its IANA name: what the clock on the wall says at a moment, and when it says it.
package struct LocalZone: Sendable, Hashable {
    package let name: String
    private let zone: TimeZone

    /// nil for a name that the system's time zone database does not have.
    package init?(_ name: String) {
        // A static build finds named zones only when the list of names is linked in, so it is asked for.
        // The list has old names for some (`Asia/Calcutta`); the new ones are told from abbreviations and offsets by their slash.
        let isListed =
            name.utf8.contains(UInt8(ascii: "/")) || name == "UTC" || name == "GMT" || TimeZone.knownTimeZoneIdentifiers.contains(name)
        guard isListed, let zone = TimeZone(identifier: name) else { return nil }
        self.name = name
        self.zone = zone
    }

    /// Seconds east of UTC at a moment.
    package func offset(at moment: Timestamp) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.seconds)))
    }

    package func date(at moment: Timestamp) -> CivilDate {
        CivilDate(daysSinceEpoch: Int(localSeconds(moment).quotient))
    }

    /// Minutes since local midnight, 0 ..< 1440.
    package func minuteOfDay(at moment: Timestamp) -> Int { Int(localSeconds(moment).remainder / 60) }

    /// The moment at which the wall clock shows that minute on that date.
    ///
    /// A time that a change to summer time skips is the moment of the change's far side; one that happens twice is its first.
    package func moment(_ date: CivilDate, minuteOfDay: Int) -> Timestamp {
        moment(wall: Timestamp(seconds: Int64(date.daysSinceEpoch) * 86_400 + Int64(minuteOfDay) * 60))
    }

    /// - Parameter wall: what the clock shows, as if it showed UTC.
    private func moment(wall: Timestamp) -> Timestamp {
        func at(_ offset: Int) -> Timestamp { wall - .seconds(Int64(offset)) }
        let before = offset(at: wall - .seconds(86_400))
        let after = offset(at: wall + .seconds(86_400))
        guard before != after else { return at(before) }
        let candidates = [at(before), at(after)].filter { wall - $0 == .seconds(Int64(offset(at: $0))) }
        return candidates.min() ?? at(before)
    }

    /// So much later: weeks and days go by the calendar, so that the wall clock shows the same time whatever it was put forward or back by
    /// between; hours, minutes and seconds by what really passes.
    package func adding(_ duration: ISODuration, to moment: Timestamp) -> Timestamp {
        let days = duration.days
        guard days > 0 else { return moment + duration.duration }
        let wall = moment + .seconds(Int64(offset(at: moment)) + days * 86_400)
        return self.moment(wall: wall) + .seconds(duration.seconds - days * 86_400)
    }

    private func localSeconds(_ moment: Timestamp) -> (quotient: Int64, remainder: Int64) {
        let seconds = moment.seconds + Int64(offset(at: moment))
        let days = CivilDate(Timestamp(seconds: seconds)).daysSinceEpoch
        return (Int64(days), seconds - Int64(days) * 86_400)
    }
}

/// A day of the week, Monday first.
package enum Weekday: Int, Sendable, CaseIterable {
    case monday, tuesday, wednesday, thursday, friday, saturday, sunday

    package init(of date: CivilDate) {
        self = Weekday.allCases[date.weekday - 1]
    }

    /// Monday to Friday.
    package static let business: Set<Weekday> = [.monday, .tuesday, .wednesday, .thursday, .friday]

    /// `mon`, `tue`, ... as conf spells it.
    package var shortName: String { ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][rawValue] }
}
