import Foundation
import InternetMessage
import Outreach
import Rehearsal
import Settings

/// Shows what a rehearsal found, for a person or one JSON object a line.
struct CampaignReport {
    /// What is shown beside the totals.
    enum Detail {
        /// Each message.
        case messages
        /// What leaves each day to which domains.
        case domains
    }

    let settings: Settings
    let detail: Detail
    let json: Bool

    /// Domains that are named one by one; the others are added up.
    private static let namedDomains = 6
    private static let namedLimits = 20

    func write(_ calendar: CampaignCalendar, sequence: String, _ result: CampaignStage.Result) async throws {
        var totals = CampaignTotals()
        var table = Table([
            .init("AT"), .init("IDENTITY"), .init("TO", limit: 40), .init("SEQUENCE", limit: 24), .init("STEP", limit: 20),
            .init("HELD BY", limit: 90),
        ])
        let zones = try zones()
        try await calendar.eachEntry { entry in
            let zone = zones[entry.identity] ?? zones[""]
            if let zone { totals.count(entry, zone: zone) }
            guard detail == .messages else { return }
            if json {
                JSONLine.write([
                    "event": "message", "at": .moment(entry.at), "identity": .string(entry.identity),
                    "to": .string(entry.recipient.text), "sequence": .string(entry.sequence), "step": .string(entry.step),
                    "subject": .string(entry.subject), "route": .string(entry.route), "held_by": .text(entry.heldBy),
                ])
            } else {
                table.add([
                    Self.local(entry.at, zone), entry.identity, entry.recipient.text, entry.sequence, entry.step, entry.heldBy ?? "-",
                ])
                table.writeWhenLong()
            }
        }
        if !json, detail == .messages {
            table.write()
            Console.out("")
        }
        write(totals, zones)
        try await writeCalls(calendar)
        try await writeWaiting(calendar, sequence: sequence, zones)
        writeEnd(totals, result, zones[""])
    }

    private func write(_ totals: CampaignTotals, _ zones: [String: LocalZone]) {
        var table = Table([
            .init("DAY"), .init("IDENTITY"), .init("MESSAGES", number: true), .init("FROM"), .init("TO"), .init("DOMAINS", limit: 100),
        ])
        for (day, count) in totals.sorted {
            let zone = zones[day.identity] ?? zones[""]
            if json {
                JSONLine.write([
                    "event": "day", "date": .string(day.date.iso8601), "identity": .string(day.identity),
                    "messages": .count(count.messages), "first": .moment(count.first), "last": .moment(count.last),
                    "domains": .object(Self.sorted(count.domains).map { (key: $0.key, value: .count($0.value)) }),
                ])
                continue
            }
            table.add([
                "\(day.date.iso8601) \(Weekday(of: day.date).shortName)", day.identity, "\(count.messages)",
                Self.clock(count.first, zone), Self.clock(count.last, zone), Self.domainWords(count.domains),
            ])
        }
        for (limit, count) in totals.sortedLimits where json {
            JSONLine.write(["event": "limit", "held_by": .string(limit), "messages": .count(count)])
        }
        guard !json else { return }
        table.isEmpty ? Console.out("nothing leaves") : table.write()
        guard !totals.limits.isEmpty else { return }
        Console.out("")
        var limits = Table([.init("HELD", number: true), .init("BY", limit: 120)])
        for (limit, count) in totals.sortedLimits.prefix(Self.namedLimits) { limits.add(["\(count)", limit]) }
        limits.write()
        let more = totals.limits.count - Self.namedLimits
        if more > 0 { Console.out("and \(more) more limits") }
    }

    /// Calls to other systems that would be made; none is.
    private func writeCalls(_ calendar: CampaignCalendar) async throws {
        var counts: [String: Int] = [:]
        try await calendar.eachCall { call, contact, sequence in
            counts[call.webhook, default: 0] += 1
            guard json, detail == .messages else { return }
            JSONLine.write([
                "event": "call", "at": .moment(call.createdAt), "webhook": .string(call.webhook), "contact": .string(contact),
                "sequence": .string(sequence), "step": .string(call.step),
            ])
        }
        guard !counts.isEmpty else { return }
        if json {
            for (webhook, count) in counts.sorted(by: { $0.key < $1.key }) {
                JSONLine.write(["event": "webhook", "webhook": .string(webhook), "calls": .count(count)])
            }
            return
        }
        Console.out("")
        var table = Table([.init("CALLS", number: true), .init("WEBHOOK (nothing is called in a rehearsal)", limit: 60)])
        for (webhook, count) in counts.sorted(by: { $0.key < $1.key }) { table.add(["\(count)", webhook]) }
        table.write()
    }

    private func writeWaiting(_ calendar: CampaignCalendar, sequence: String, _ zones: [String: LocalZone]) async throws {
        var table = Table([
            .init("WAITING", limit: 40), .init("STATE"), .init("STEP", limit: 20), .init("UNTIL"), .init("BECAUSE", limit: 90),
        ])
        try await calendar.eachWaiting(of: sequence) { waiting in
            if json {
                JSONLine.write([
                    "event": "waiting", "contact": .string(waiting.contact), "sequence": .string(waiting.sequence),
                    "state": .string(waiting.state.rawValue), "step": .string(waiting.step), "until": .moment(waiting.until),
                    "because": .string(waiting.because),
                ])
                return
            }
            if table.isEmpty { Console.out("") }
            table.add([
                waiting.contact, waiting.state.rawValue, waiting.step,
                waiting.until.map { Self.local($0, zones[waiting.identity] ?? zones[""]) } ?? "a person",
                waiting.because,
            ])
            table.writeWhenLong()
        }
        if !json, !table.isEmpty { table.write() }
    }

    /// - Parameter zone: that of `[main]`, since no identity is spoken of.
    private func writeEnd(_ totals: CampaignTotals, _ result: CampaignStage.Result, _ zone: LocalZone?) {
        let how: (word: String, next: Timestamp?) =
            switch result.ending {
            case _ where result.isInterrupted: ("interrupted", nil)
            case .finished: ("finished", nil)
            case .beyond(let next): ("horizon", next)
            }
        if json {
            return JSONLine.write([
                "event": "end", "ending": .string(how.word), "messages": .count(totals.messages), "last": .moment(totals.last),
                "next": .moment(how.next),
            ])
        }
        Console.out("")
        switch how.word {
        case "interrupted":
            Console.out("\(totals.messages) messages leave; interrupted at \(Self.local(result.end, zone)), so this is not all")
        case "horizon":
            let next = how.next.map { Self.local($0, zone) } ?? ""
            Console.out("\(totals.messages) messages leave; the next thing happens at \(next), beyond the horizon")
        default: Console.out("\(totals.messages) messages leave; then nothing is planned any more")
        }
    }

    /// The zone of each identity, and under no name that of `[main]`.
    private func zones() throws(Failure) -> [String: LocalZone] {
        var zones = try Desks.identities(settings, in: nil).mapValues(\.pacing.window.zone)
        zones[""] = LocalZone(settings.main.timezone.identifier)
        return zones
    }

    // MARK: Words

    private static func sorted(_ domains: [String: Int]) -> [(key: String, value: Int)] {
        domains.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private static func domainWords(_ domains: [String: Int]) -> String {
        let sorted = sorted(domains)
        var words = sorted.prefix(namedDomains).map { "\($0.key) \($0.value)" }
        if sorted.count > namedDomains { words.append("\(sorted.count - namedDomains) more") }
        return words.joined(separator: ", ")
    }

    private static func clock(_ moment: Timestamp, _ zone: LocalZone?) -> String {
        let minute = zone?.minuteOfDay(at: moment) ?? 0
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }

    private static func local(_ moment: Timestamp, _ zone: LocalZone?) -> String {
        guard let zone else { return moment.iso8601 }
        let date = zone.date(at: moment)
        return "\(date.iso8601) \(Weekday(of: date).shortName) \(clock(moment, zone))"
    }
}
