import InternetMessage
import Settings

/// What in a conf does nothing, or cannot work, though nothing of it is wrong: each in one line, for a person.
enum ConfNotes {
    static func all(_ settings: Settings) -> [String] {
        let nowhere = isUnconfigured(settings) ? nowhere(settings) : nil
        return (nowhere.map { [$0] } ?? []) + idle(settings) + unread(settings)
    }

    // MARK: Mail that reaches nobody

    /// Whether the conf has no route, so that all mail goes to a sink.
    static func isUnconfigured(_ settings: Settings) -> Bool { settings.routes.contains(where: \.isImplied) }

    /// nil when a route leads to a server, or nobody sends.
    static func nowhere(_ settings: Settings) -> String? {
        if isUnconfigured(settings) {
            return
                "the conf has no [route.NAME], so that all mail goes to a sink: it counts as sent, NOTHING LEAVES this machine and nobody gets "
                + "it; add a [route.NAME] of type \"submission\" or \"mx\" before people are enrolled"
        }
        guard !settings.routes.isEmpty, settings.routes.allSatisfy(\.type.leadsNowhere) else { return nil }
        let files = settings.routes.filter { $0.type == .maildir }.map { $0.path ?? "a folder" }
        if files.isEmpty { return "every route is a sink: mail counts as sent, and nothing leaves this machine" }
        let isAll = files.count == settings.routes.count
        return
            "no route leads to a mail server: mail counts as sent and nothing leaves this machine; \(isAll ? "it" : "that of maildir routes") is "
            + "written to \(files.joined(separator: ", "))"
    }

    // MARK: Keys that do nothing

    private static func idle(_ settings: Settings) -> [String] {
        var notes: [String] = []
        let window = settings.window
        for key in ["days", "hours"] where !window.week.isEmpty {
            guard let place = settings.origin(of: ["window", key]) else { continue }
            notes.append("\(place): '\(key)' means nothing beside 'week', which says the days and hours; take one of them out")
        }
        let spans = window.week.isEmpty ? [WeekSpan(days: window.days, hours: window.hours)] : window.week
        for (section, hour, week) in [
            ("window", window.preferredHour, spans), ("recipients", settings.recipients?.preferredHour, settings.recipients?.week ?? []),
        ] {
            guard let hour, !isWithin(hour, week) else { continue }
            notes.append(
                "\(place(settings, [section, "preferred_hour"])): \(hour) o'clock lies outside the hours of every day, "
                    + "so that it means nothing")
        }
        for identity in settings.identities {
            guard let starts = identity.dailyStarts, starts > identity.dailyLimit else { continue }
            notes.append(
                "\(place(settings, ["identity", identity.name, "daily_starts"])): it is more than the daily_limit of '\(identity.name)', "
                    + "\(identity.dailyLimit), so that it caps nothing")
        }
        return notes
    }

    /// Whether a day has hours before and after that hour, or begins with it.
    private static func isWithin(_ hour: Int, _ week: [WeekSpan]) -> Bool {
        let minute = hour * 60
        return Weekday.allCases.contains { day in
            let hours = week.filter { $0.days.contains(day) }.map(\.hours)
            return hours.contains { $0.startMinute <= minute } && hours.contains { $0.endMinute > minute }
        }
    }

    // MARK: Replies that nobody reads

    /// Only what is certain: a mailbox may get the mail of any address.
    private static func unread(_ settings: Settings) -> [String] {
        guard settings.mailboxes.isEmpty else { return [] }
        let domains = Set(settings.acceptDomains.compactMap(DomainName.toASCII))
        let hasListener = settings.smtpListener != nil || settings.lmtpListener != nil
        var names: [String] = []
        for identity in settings.identities {
            let isRead =
                switch identity.replyTo {
                case .own: DomainName.toASCII(identity.from.domain).map(domains.contains) ?? false
                case .token: hasListener
                }
            if !isRead { names.append("'\(identity.name)'") }
        }
        guard !names.isEmpty else { return [] }
        return [
            "nothing reads the replies to \(names.sorted().joined(separator: ", ")), so that no reply ever ends a sequence or is seen here; "
                + "add a [mailbox.NAME] that gets them, or a listener and reply_to = \"token\""
        ]
    }

    private static func place(_ settings: Settings, _ path: [String]) -> String {
        settings.origin(of: path)?.description ?? "[\(path[0])] \(path.last ?? "")"
    }
}
