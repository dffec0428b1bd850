import GRDB
import InternetMessage
package import Outreach

extension SQLiteStore {
    package func verifyStatistics() async throws(StoreError) -> [String] {
        for _ in 0..<10 {
            try await countAllEvents()
            // What came in since then is counted first: the two must be of the same moment.
            if let differences = try await read({ try $0.isCounted() ? $0.differences() : nil }) { return differences }
        }
        return ["the statistics cannot be compared while so much happens; stop 'postrider serve' and try again"]
    }
}

extension Ledger {
    fileprivate func isCounted() throws -> Bool { try !hasUncounted(before: .max) }

    /// What differs between the rollups and a count from the beginning, or from where events are kept.
    fileprivate func differences() throws -> [String] {
        let settledHour = try settledHour()
        var counter = EventCounter(self, settledHour: settledHour) { enrollment in
            // What was counted of events that may be gone stands.
            guard settledHour > .min, var kept = try kept(enrollment) else { return nil }
            if let contacted = kept.contacted, contacted.hour > settledHour { kept.contacted = nil }
            kept.answers.removeAll { $0.hour > settledHour }
            return kept
        }
        let firstHour = settledHour == .min ? Int64.min : settledHour + 1
        // Of the day in which that hour is, not everything may be kept.
        let firstDay = settledHour == .min ? Int64.min : firstHour / 24 + 1
        var after: Int64 = 0
        while true {
            let events = try db.records(SQLiteStore.everySQL, ["after": after, "limit": 2000])
            guard let last = events.last else { break }
            after = try last.integer("id")
            try counter.count(events)
        }
        var faults: [String] = []
        func compare(_ what: String, _ kept: Tally?, _ counted: Tally?) {
            for count in Tally.Count.allCases where kept?[count] ?? 0 != counted?[count] ?? 0 {
                faults.append(
                    "statistics: \(what) \(count.rawValue) is kept as \(kept?[count] ?? 0) and counted as \(counted?[count] ?? 0)")
            }
        }
        var days = counter.dayRows.filter { $0.key.day >= firstDay }
        for record in try db.records("SELECT * FROM rollup_day WHERE day >= :first", ["first": firstDay]) {
            let row = EventCounter.DayRow(
                workspace: try record.integer("workspace_id"), sequence: try record.integer("sequence_id"),
                dimension: try record.text("dimension"), day: try record.integer("day"), value: try record.text("value"))
            compare(Self.words(row), try Tally(record), days.removeValue(forKey: row))
        }
        for (row, tally) in days { compare(Self.words(row), nil, tally) }

        var hours: [Int64: Tally] = [:]
        for (row, tally) in counter.hours where row.hour >= firstHour { hours[row.hour, default: Tally()] += tally }
        let sums = Tally.Count.allCases.map { "SUM(\($0.rawValue)) AS \($0.rawValue)" }.joined(separator: ", ")
        let hoursSQL = "SELECT hour, \(sums) FROM rollup_contact_hour WHERE hour >= :first GROUP BY hour"
        for record in try db.records(hoursSQL, ["first": firstHour]) {
            let hour = try record.integer("hour")
            compare("contacts in hour \(hour)", try Tally(record), hours.removeValue(forKey: hour))
        }
        for (hour, tally) in hours { compare("contacts in hour \(hour)", nil, tally) }

        for record in try db.records(Self.standingsSQL) {
            let state = try record.text("state") + " " + record.text("cause")
            faults.append(
                "statistics: enrollments of sequence \(try record.integer("sequence_id")) that are \(state) are kept as "
                    + "\(try record.integer("kept")) and counted as \(try record.integer("counted"))")
        }
        return faults.sorted()
    }

    private static let standingsSQL = """
        SELECT sequence_id, state, cause, SUM(kept) AS kept, SUM(counted) AS counted FROM (
            SELECT workspace_id, sequence_id, state, cause, enrollments AS kept, 0 AS counted FROM rollup_state
            UNION ALL
            SELECT workspace_id, sequence_id, state, COALESCE(cause, ''), 0, COUNT(*) FROM enrollment GROUP BY 1, 2, 3, 4)
        GROUP BY workspace_id, sequence_id, state, cause HAVING SUM(kept) <> SUM(counted)
        """

    private static func words(_ row: EventCounter.DayRow) -> String {
        "\(CivilDate(daysSinceEpoch: Int(clamping: row.day)).iso8601) of sequence \(row.sequence), \(row.dimension) '\(row.value)':"
    }
}
