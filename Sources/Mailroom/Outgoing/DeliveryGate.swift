import InternetMessage
package import MailTransport
package import Outreach
import Synchronization

/// What conf says of the second gate; part of the deliverer's desk.
package struct DeliveryPolicy: Sendable {
    package var safety = SendingSafety()
    package var limits = DeliveryLimits()
    package var providers = ProviderBook()
    /// Asks which domains are one site; nil: each domain is its own.
    package var finder: MailSiteFinder?
    /// Routes that lead to the recipient's own hosts.
    package var exchangerRoutes: Set<String> = []
    /// Routes that lead to one host, over connections that are kept: messages stand ready for the connection that becomes free.
    package var relayRoutes: Set<String> = []
    /// Routes that lead nowhere.
    package var sinkRoutes: Set<String> = []
    /// A source whose daily limit grows.
    package struct Ramp: Sendable {
        package let source: String
        /// Those whose mail leaves from it.
        package let identities: [String]
        package let warmUp: WarmUp

        package init(source: String, identities: [String], warmUp: WarmUp) {
            self.source = source
            self.identities = identities
            self.warmUp = warmUp
        }
    }

    package var ramps: [Ramp] = []
    /// Which route stands in for another.
    package var fallbacks = RouteFallbacks()
    /// Routes whose next host writes a Message-ID of its own, with what it is known to write behind the `@`; nil: that is not known.
    package var renamingRoutes: [String: String?] = [:]
    /// How long a site that does not answer rests after each probe.
    package var rests: [Duration] = [.seconds(300)]

    package init() {}

    /// How many messages may be claimed beside those that a route has connections for, so that none of these waits for a claim.
    func ahead(of route: String, limit: Int) -> Int { relayRoutes.contains(route) ? limit : 0 }
}

/// Turns candidates into bids: finds each one's site, asks it for room, and names the limits that count.
struct DeliveryGate: Sendable {
    /// A candidate with the site it goes to and what is wanted for it.
    struct Ticket: Sendable {
        let candidate: OutboxCandidate
        /// nil for a route that leads nowhere.
        let site: MailSite?
        let bid: ClaimBid
        /// Whether the site's room is taken and must be told `ended`.
        let hasRoom: Bool
        /// Whether it tries for its identity whether that works again, and must be told `hasTried`.
        var tries = false
    }

    /// Longer than DNS takes to answer from its cache.
    private static let patience = Duration.milliseconds(250)
    private static let comeBackForDNS = Duration.seconds(5)
    private static let comeBackForRoom = Duration.seconds(5)
    private static let comeBackForTry = Duration.seconds(60)

    let board: SiteBoard
    let lookups: SiteLookups
    /// What is paused, and what a message may try.
    var pauses: [SendingPause.Subject: SendingPause] = [:]
    /// What sequences the candidates belong to, as long as one of those or all are paused.
    var sequences: [OutboxMessage.ID: String] = [:]

    /// The pause under which nothing leaves now; nil: something may.
    func holding(_ subject: SendingPause.Subject, at now: Timestamp) -> SendingPause? {
        pauses[subject].flatMap { $0.holds(at: now) ? $0 : nil }
    }

    /// - Parameters:
    ///   - room: how many of each route may leave; the rest is left as it is. Of a paused route: how many are looked at.
    ///   - ask: runs a lookup beside everything else.
    ///   - tries: whether a message of that identity, whose pause is over, may try it now.
    func tickets(
        for candidates: [OutboxCandidate], room: [String: Int], policy: DeliveryPolicy, ceilings: [String: Int],
        identities: [String: SenderIdentity], at now: Timestamp, ask: (@escaping @Sendable () async -> Void) -> Void,
        tries: (String) -> Bool = { _ in true }
    ) async -> [Ticket] {
        let domains = Set(candidates.filter { policy.exchangerRoutes.contains($0.route) }.map(\.domain))
        let exchangers = await lookups.exchangers(of: domains, finder: policy.finder, patience: Self.patience, ask: ask)
        var room = room
        var tickets: [Ticket] = []
        for candidate in candidates {
            guard room[candidate.route, default: .max] > 0 else { continue }
            // A try that comes to nothing here must be given up like one that left.
            var isTrying = false
            func waiting(until: Timestamp, awaiting: String, because: String, isOurs: Bool = false, site: MailSite? = nil) -> Ticket {
                let wish = ClaimBid.Wish.wait(until: until, awaiting: awaiting, because: because, isOurs: isOurs)
                return Ticket(
                    candidate: candidate, site: site, bid: ClaimBid(id: candidate.id, wish: wish), hasRoom: false, tries: isTrying)
            }
            if let refusal = policy.safety.refusal(of: candidate.recipient) {
                tickets.append(
                    waiting(
                        until: now + .seconds(3600), awaiting: OutboxMessage.awaitingPermission, because: refusal, isOurs: true))
                continue
            }
            if let known = identities[candidate.identity], known.workspace != candidate.workspace {
                tickets.append(
                    waiting(
                        until: now + .seconds(3600), awaiting: OutboxMessage.awaitingPermission,
                        because: "identity \(candidate.identity) belongs to another workspace by now", isOurs: true))
                continue
            }
            let identity = SendingPause.Subject.identity(candidate.identity)
            let ofSequence =
                sequences[candidate.id].map { [SendingPause.Subject.instance, .sequence($0, in: candidate.workspace)] } ?? []
            if let pause = (ofSequence + [identity]).lazy.compactMap({ holding($0, at: now) }).first {
                // A guardrail's pause may be over and not ended yet.
                let until = max(pause.until, now + Self.comeBackForTry)
                tickets.append(
                    waiting(until: until, awaiting: OutboxMessage.awaiting(pause.subject), because: pause.words, isOurs: true))
                continue
            }
            // Another route takes the mail of one that fails; while it has no room, the mail is left as it is.
            let open = policy.fallbacks.chain(behind: candidate.route).first { isOpen($0, policy, at: now) }
            let stand = open.flatMap { room[$0, default: 0] > 0 ? $0 : nil }
            // Where none does, it goes back to the route that it was made for, once that works again.
            let home = candidate.firstRoute.flatMap { first in
                open == nil && isOpen(first, policy, at: now) && room[first, default: 0] > 0 ? first : nil
            }
            func moving(to other: String, because: String) -> Ticket {
                if let left = room[other] { room[other] = left - 1 }
                return Ticket(
                    candidate: candidate, site: nil,
                    bid: ClaimBid(id: candidate.id, wish: .move(to: other, because: "\(because); goes on by route \(other)")),
                    hasRoom: false, tries: isTrying)
            }
            if let pause = holding(.route(candidate.route), at: now) {
                if let other = stand ?? home {
                    tickets.append(moving(to: other, because: pause.words))
                } else if open == nil {
                    // Of its route and of those that it could go by instead, the one that is free first.
                    let ways = policy.fallbacks.chain(behind: candidate.route) + (candidate.firstRoute.map { [$0] } ?? [])
                    let first = ways.compactMap { holding(.route($0), at: now) }.reduce(pause) { $1.until < $0.until ? $1 : $0 }
                    tickets.append(
                        waiting(
                            until: first.until, awaiting: OutboxMessage.awaiting(first.subject), because: first.words, isOurs: true
                        ))
                }
                continue
            }
            let isOver = pauses[identity] != nil
            if isOver, !tries(candidate.identity) {
                tickets.append(
                    waiting(
                        until: now + Self.comeBackForTry, awaiting: OutboxMessage.awaiting(identity),
                        because: "another message tries whether identity \(candidate.identity) works again", isOurs: true))
                continue
            }
            isTrying = isOver
            var site: MailSite?
            if policy.exchangerRoutes.contains(candidate.route) {
                guard let hosts = exchangers[candidate.domain] else {
                    let why = "the mail exchangers of \(candidate.domain) are being looked up"
                    tickets.append(
                        waiting(
                            until: now + Self.comeBackForDNS, awaiting: OutboxMessage.awaiting(dns: candidate.domain), because: why))
                    continue
                }
                site = policy.providers.site(domain: candidate.domain, exchangers: hosts)
            } else if !policy.sinkRoutes.contains(candidate.route) {
                site = Self.site(ofRoute: candidate.route)
            }
            var rates = site?.profile.rates ?? []
            if let site {
                if let flushed = candidate.flushedAt { board.wake(site.name, at: flushed, now: now) }
                let isRoute = !policy.exchangerRoutes.contains(candidate.route)
                // Half of a route is the most that one site gets of it: the others must not wait for its backlog.
                let all = ceilings[candidate.route] ?? 1
                let ceiling = isRoute ? all : min(site.profile.connections, max(1, all / 2))
                let feedback = SiteFeedback.Policy(
                    ceiling: ceiling, ahead: policy.ahead(of: candidate.route, limit: all), rests: policy.rests)
                if open ?? home != nil, board.isResting(site.name, at: now) {
                    let why = "site \(site.name) does not answer"
                    if let other = stand ?? home {
                        tickets.append(moving(to: other, because: why))
                    } else {
                        // It keeps nobody behind it waiting.
                        tickets.append(
                            waiting(
                                until: now + Self.comeBackForRoom, awaiting: OutboxMessage.awaiting(answerOf: site.name),
                                because: "\(why), and the route that stands in has no room"))
                    }
                    continue
                }
                if case .wait(let until, let because) = board.begin(site, policy: feedback, at: now) {
                    tickets.append(
                        waiting(until: until, awaiting: OutboxMessage.awaiting(site: site.name), because: because, site: site))
                    continue
                }
                rates += board.rates(site, at: now)
            }
            let limits = policy.limits.limits(
                for: candidate, site: site.map { ($0.name, rates) }, window: identities[candidate.identity]?.pacing.window, at: now)
            tickets.append(
                Ticket(
                    candidate: candidate, site: site, bid: ClaimBid(id: candidate.id, wish: .leave(limits)), hasRoom: site != nil,
                    tries: isTrying))
            if let left = room[candidate.route] { room[candidate.route] = left - 1 }
        }
        return tickets
    }

    /// Whether mail may be moved to a route: it is not paused, and the host behind it does not rest.
    func isOpen(_ route: String, _ policy: DeliveryPolicy, at now: Timestamp) -> Bool {
        holding(.route(route), at: now) == nil
            && (policy.exchangerRoutes.contains(route) || !board.isResting(Self.site(ofRoute: route).name, at: now))
    }

    /// The one host behind a route that takes mail for everybody.
    static func site(ofRoute route: String) -> MailSite {
        MailSite(name: "route-\(route)", profile: ProviderProfile(name: "default"))
    }
}

extension SendingPause.Subject {
    /// Whether mail that belongs to no sequence is not concerned.
    var isOfSequences: Bool {
        switch self {
        case .sequence, .instance: true
        case .route, .identity: false
        }
    }
}

/// Lookups that go on beside the claims: a domain that DNS is slow about keeps nobody else waiting.
final class SiteLookups: Sendable {
    private enum State {
        case asking
        /// Came too late for those who asked; handed to the next one who does.
        case answered([String])
    }

    private let states = Mutex<[String: State]>([:])
    private let bell = Bell()

    /// The exchangers of those domains that DNS answered about in time.
    func exchangers(
        of domains: Set<String>, finder: MailSiteFinder?, patience: Duration, ask: (@escaping @Sendable () async -> Void) -> Void
    ) async -> [String: [String]] {
        guard let finder else { return Dictionary(domains.map { ($0, []) }, uniquingKeysWith: { $1 }) }
        var found = collect(domains)
        for domain in domains.subtracting(found.keys) where begin(domain) {
            ask {
                let hosts = await finder.exchangers(of: domain)
                self.states.withLock { states in
                    // Answers that nobody came for any more.
                    if states.count > 10_000 { states = states.filter { if case .asking = $0.value { true } else { false } } }
                    states[domain] = .answered(hosts)
                }
                self.bell.ring()
            }
        }
        let clock = SystemClock()
        let deadline = clock.now() + patience
        while found.count < domains.count, clock.now() < deadline, !Task.isCancelled {
            await bell.wait(until: deadline, clock: clock)
            found.merge(collect(domains.subtracting(found.keys))) { $1 }
        }
        return found
    }

    private func collect(_ domains: Set<String>) -> [String: [String]] {
        states.withLock { states in
            var found: [String: [String]] = [:]
            for domain in domains {
                guard case .answered(let hosts)? = states[domain] else { continue }
                states[domain] = nil
                found[domain] = hosts
            }
            return found
        }
    }

    private func begin(_ domain: String) -> Bool {
        states.withLock { states in
            guard states[domain] == nil else { return false }
            states[domain] = .asking
            return true
        }
    }
}
