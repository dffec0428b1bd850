package import InternetMessage

/// The second of the two gates: which limits count for a message once its route and its site are known.
package struct DeliveryLimits: Sendable {
    /// Of all mail together, the daily limit of `[safety]` included; what goes to people of ours excepted, here as for workspaces and
    /// identities.
    package var instance: [Rate] = []
    /// Of each workspace.
    package var workspace: [Rate] = []
    /// What people call the workspaces.
    package var workspaces = WorkspaceBook([])
    /// Of each identity, beside what the first gate holds it to.
    package var identity: [Rate] = []
    /// Of each domain of recipients.
    package var recipientDomain: [Rate] = []
    /// By route.
    package var routes: [String: [Rate]] = [:]
    /// By source.
    package var sources: [String: [Rate]] = [:]
    /// The source of each route that names one.
    package var sourceOfRoute: [String: String] = [:]

    package init() {}

    /// - Parameters:
    ///   - site: its name and its rates; nil when the route leads to one host, whose limits are the route's.
    ///   - window: of the message's identity: its date is what days are counted by. nil: that of UTC.
    package func limits(for candidate: OutboxCandidate, site: (name: String, rates: [Rate])?, window: SendingWindow?, at now: Timestamp)
        -> [SendingLimit]
    {
        let date = window?.zone.date(at: now) ?? CivilDate(now)
        let nextDay = window?.nextDay(after: now) ?? date.adding(days: 1).startOfDayUTC
        func limits(_ subject: String, _ rates: [Rate], shown: String? = nil) -> [SendingLimit] {
            // Of several rates for the same period the lowest counts, once.
            Rate.Period.allCases.compactMap { period in
                rates.filter { $0.period == period }.min { $0.count < $1.count }
                    .map { SendingLimit(subject: subject, rate: $0, date: date, nextDay: nextDay, shown: shown) }
            }
        }
        var all: [SendingLimit] = []
        // What people are written is what these bound; replies that are sent on have caps of their own.
        if !candidate.isToOurs {
            all += limits("the instance", instance)
            if !workspace.isEmpty {
                let name = workspaces.name(of: candidate.workspace)
                all += limits("workspace \(candidate.workspace.rawValue)", workspace, shown: "workspace \(name)")
            }
            all += limits("identity \(candidate.identity)", identity)
        }
        all += limits("route \(candidate.route)", routes[candidate.route] ?? [])
        if let source = sourceOfRoute[candidate.route] { all += limits("source \(source)", sources[source] ?? []) }
        all += limits("domain \(candidate.domain)", recipientDomain)
        if let site { all += limits("site \(site.name)", site.rates) }
        return all
    }
}
