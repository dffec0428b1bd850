import Foundation
import InternetMessage
import Outreach
import Settings

extension RouteExplanation {
    /// When messages of sequences may leave: gaps, hours and days off of the identity, and the hours of the recipient.
    static func hours(of section: IdentitySettings, _ settings: Settings) throws(Failure) -> [Fact] {
        var facts: [Fact] = []
        func add(_ name: String, _ value: String, _ path: [String]) {
            facts.append(Fact(name: name, value: value, origin: settings.origin(of: path)?.description))
        }
        let jitter = section.gapJitter > .zero ? ", and up to \(section.gapJitter.written) more" : ""
        let gap = section.minGap > .zero ? "\(section.minGap.written) between two messages\(jitter)" : "none"
        add("gap", gap, ["identity", section.name, "min_gap"])
        let window = settings.window
        let zone = settings.timezone(of: section).identifier
        if window.week.isEmpty {
            let span = WeekSpan(days: window.days, hours: window.hours)
            add("hours", "\(span), \(zone)", settings.origin(of: ["window", "hours"]) == nil ? ["window", "days"] : ["window", "hours"])
        } else {
            add("hours", "\(window.week.map(\.description).joined(separator: ", ")), \(zone)", ["window", "week"])
        }
        if let quiet = window.quietHours { add("quiet hours", "\(quiet), \(zone)", ["window", "quiet_hours"]) }
        if !window.holidays.isEmpty { add("holidays", window.holidays.joined(separator: ", "), ["window", "holidays"]) }
        if let hour = window.preferredHour { add("preferred hour", "\(hour):00, \(zone)", ["window", "preferred_hour"]) }
        if section.workday {
            add("workday", "\(settings.workday.start) to \(settings.workday.end)", ["identity", section.name, "workday"])
        }
        if let warmup = section.warmup {
            add(
                "warm-up", "\(warmup.start) a day at first, \(warmup.increase) more with each day, up to \(warmup.ceiling)",
                ["identity", section.name, "warmup"])
        }
        if let theirs = settings.recipients {
            add("recipient's hours", theirs.week.map(\.description).joined(separator: ", "), ["recipients", "week"])
            if let quiet = theirs.quietHours { add("recipient's quiet hours", "\(quiet)", ["recipients", "quiet_hours"]) }
        }
        return facts
    }

    /// By which clock the recipient's hours are, as far as the conf and what is known of them says; nil without such hours.
    static func zone(of contact: Contact, _ settings: Settings) throws(Failure) -> String? {
        guard let hours = try ConfCalendar(settings).recipients else { return nil }
        guard let zone = hours.zone(of: contact) else {
            return "not known with certainty '\(settings.recipients?.certainty.rawValue ?? "")': only the identity's hours count"
        }
        return zone.words
    }
}
