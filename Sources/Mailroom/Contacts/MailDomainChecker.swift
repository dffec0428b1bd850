package import DNS
import InternetMessage
package import Outreach

/// Asks DNS whether the domains of contacts take mail, each once for an import.
///
/// What was found is kept for the next import, so that the domains of a sheet that comes again need not be asked: this is no second cache of
/// records, which the resolver has, but ends with the command. What counts is whether mail can be sent at all; whether a route takes hosts on
/// private addresses is said when something is sent.
package actor MailDomainChecker {
    package enum Finding: Sendable, Equatable {
        case accepts
        /// Why not, for a person.
        case refuses(String)
        /// Why nothing is known, for a person.
        case unknown(String)
    }

    package struct Limits: Sendable {
        /// Domains that are asked for at the same time.
        package var atOnce = 32
        /// After so many in a row without an answer no more are asked.
        package var silences = 100
        /// How long it counts that a domain takes mail.
        package var acceptedFor = Duration.seconds(7 * 86_400)
        /// How long it counts that it takes none: not long, because what was missing may be there soon.
        package var refusedFor = Duration.seconds(3600)

        package init() {}
    }

    private let resolver: any Resolver
    private let store: any MailDomainStore
    private let clock: any MailClock
    private let keeps: Bool
    private let limits: Limits
    private var known: [String: Finding] = [:]
    private var silences = 0

    /// - Parameter keeps: whether what is found is stored.
    package init(
        resolver: any Resolver, store: any MailDomainStore, clock: any MailClock, keeps: Bool = true, limits: Limits = Limits()
    ) {
        self.resolver = resolver
        self.store = store
        self.clock = clock
        self.keeps = keeps
        self.limits = limits
    }

    /// - Parameter domains: in A-labels and lower case, in any order and number.
    /// - Throws: what the store does; that DNS does not answer is a finding.
    package func findings(of domains: [String]) async throws(StoreError) -> [String: Finding] {
        var new: Set<String> = []
        for domain in domains where known[domain] == nil { new.insert(domain) }
        if !new.isEmpty {
            let now = clock.now()
            for one in try await store.mailDomains(new.sorted(), at: now) {
                known[one.domain] = one.refusal.map { .refuses($0) } ?? .accepts
                new.remove(one.domain)
            }
            await ask(new.sorted())
            let found = new.compactMap { kept($0, at: now) }
            if keeps, !found.isEmpty { try await store.keepMailDomains(found, at: now) }
        }
        var findings: [String: Finding] = [:]
        for domain in domains { findings[domain] = known[domain] }
        return findings
    }

    private func ask(_ domains: [String]) async {
        let resolver = resolver
        var waiting = domains[...]
        await withTaskGroup(of: (domain: String, finding: Finding).self) { group in
            var underWay = 0
            while true {
                while underWay < limits.atOnce, silences < limits.silences, let domain = waiting.popFirst() {
                    underWay += 1
                    group.addTask { (domain, await Self.finding(of: domain, via: resolver)) }
                }
                guard underWay > 0, let answer = await group.next() else { break }
                underWay -= 1
                known[answer.domain] = answer.finding
                if case .unknown = answer.finding { silences += 1 } else { silences = 0 }
            }
        }
        for domain in waiting { known[domain] = .unknown("DNS gave no answer for \(limits.silences) domains in a row; no more were asked for") }
    }

    private static func finding(of domain: String, via resolver: any Resolver) async -> Finding {
        var options = MXRoute.Options()
        options.allowPrivate = true
        switch await MXRoute.resolve(domain, via: resolver, options: options, seed: 0) {
        case .hosts: return .accepts
        case .permanent(let problem): return .refuses(problem.description)
        case .temporary(let problem): return .unknown(problem.description)
        }
    }

    /// What is stored of a domain; nil while nothing is known.
    private func kept(_ domain: String, at now: Timestamp) -> MailDomain? {
        switch known[domain] {
        case .accepts: MailDomain(domain: domain, refusal: nil, askedAt: now, expiresAt: now + limits.acceptedFor)
        case .refuses(let why): MailDomain(domain: domain, refusal: why, askedAt: now, expiresAt: now + limits.refusedFor)
        case .unknown, nil: nil
        }
    }
}
