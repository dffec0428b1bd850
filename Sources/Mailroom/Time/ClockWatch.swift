import InternetMessage

/// Notices that a clock was set back while a service runs, by what it said before.
struct ClockWatch {
    /// Clocks are set right by seconds all the time.
    private static let patience = Duration.seconds(60)

    private var latest: Timestamp?

    /// Whether the clock says less than it did before.
    mutating func isSetBack(at now: Timestamp) -> Bool {
        defer { latest = now }
        return latest.map { $0 - now > Self.patience } ?? false
    }
}
