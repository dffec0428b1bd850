package import DNS
import InternetMessage
package import Logging
package import MailTransport
package import Outreach
import ServiceLifecycle
import Synchronization

/// Knows which MTA-STS policy of a recipient domain is in force: keeps what was fetched, asks DNS whether it changed, and renews it
/// before it ends (RFC 8461 §3.3 and §5.1).
///
/// Rules: a policy that is kept counts until its end, whatever becomes of DNS and of the web server meanwhile; a new id in DNS fetches
/// anew; a fetch that fails changes nothing and is tried again after a while.
package final class STSPolicyKeeper: STSPolicySource, Service {
    /// A policy older than this is fetched anew when it is used, half its life at most.
    private static let freshFor = Duration.seconds(86_400)
    /// After a fetch that failed.
    private static let pause = Duration.seconds(300)
    /// Domains that mail has gone to within this time have their policies renewed before they end.
    private static let usedWithin = Duration.seconds(30 * 86_400)
    private static let round = Duration.seconds(3600)
    private static let failureLimit = 10_000

    private struct State {
        /// Fetches under way, with who waits for them.
        var underWay: [String: [CheckedContinuation<Void, Never>]] = [:]
        /// When a fetch that failed may be tried again.
        var paused: [String: Timestamp] = [:]
    }

    private let store: any PolicyStore
    private let resolver: any Resolver
    private let fetch: @Sendable (String) async -> Result<[UInt8], STSFetcher.Failure>
    private let clock: any MailClock
    private let bell = Bell()
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - fetch: gets the document of a domain.
    ///   - clock: the real one: web servers know no other.
    package init(
        store: any PolicyStore, resolver: any Resolver, fetch: @escaping @Sendable (String) async -> Result<[UInt8], STSFetcher.Failure>,
        clock: any MailClock, logger: Logger
    ) {
        self.store = store
        self.resolver = resolver
        self.fetch = fetch
        self.clock = clock
        self.logger = logger
    }

    /// Renews what ends soon, every hour until shutdown.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await renewThoseEnding()
                await bell.wait(until: clock.now() + Self.round, clock: clock)
            }
        }
    }

    package func policy(for domain: String) async -> STSPolicy? {
        let kept = await kept(domain)
        let record = STSRecord(texts: await resolver.lookup("_mta-sts.\(domain)", .txt).texts)
        guard let record else { return kept?.policy }
        if let kept, isCurrent(kept, id: record.id) { return kept.policy }
        return await renewed(domain, id: record.id, usedAt: clock.now()) ?? kept?.policy
    }

    /// One round of the service.
    package func renewThoseEnding() async {
        let now = clock.now()
        do {
            _ = try await store.dropPolicies(endedBefore: now)
            let ending = try await store.policiesEnding(
                after: now, before: now + Self.freshFor + Self.round, usedSince: now - Self.usedWithin, limit: 1000)
            for facts in ending where !Task.isCancelled {
                let record = STSRecord(texts: await resolver.lookup("_mta-sts.\(facts.domain)", .txt).texts)
                _ = await renewed(facts.domain, id: record?.id ?? facts.recordID, usedAt: facts.usedAt)
            }
        } catch {
            logger.warning("MTA-STS policies cannot be renewed now", metadata: ["reason": "\(error.message)"])
        }
    }

    // MARK: What is kept

    private typealias Kept = (facts: KeptPolicy, policy: STSPolicy)

    private func kept(_ domain: String) async -> Kept? {
        let now = clock.now()
        do {
            guard let facts = try await store.keptPolicy(domain: domain), facts.expiresAt > now,
                let policy = try? STSPolicy(parsing: facts.document)
            else { return nil }
            if now - facts.usedAt >= .seconds(86_400) { try await store.markPolicyUsed(domain: domain, at: now) }
            return (facts, policy)
        } catch {
            logger.warning(
                "the MTA-STS policy of a domain cannot be read", metadata: ["domain": "\(domain)", "reason": "\(error.message)"])
            return nil
        }
    }

    /// Whether it is the one that DNS names, and not old enough to be fetched again all the same.
    private func isCurrent(_ kept: Kept, id: String) -> Bool {
        kept.facts.recordID.utf8.elementsEqual(id.utf8)
            && clock.now() - kept.facts.fetchedAt < min(Self.freshFor, kept.policy.maxAge / 2)
    }

    /// The kept policy where it need not be fetched.
    private func current(_ domain: String, id: String) async -> STSPolicy? {
        await kept(domain).flatMap { isCurrent($0, id: id) ? $0.policy : nil }
    }

    // MARK: Fetching

    /// The policy after a fetch of our own, or of somebody who was at it already; nil when there is none to be had now.
    private func renewed(_ domain: String, id: String, usedAt: Timestamp) async -> STSPolicy? {
        while true {
            let now = clock.now()
            let isLeader = state.withLock { state -> Bool? in
                if let until = state.paused[domain], until > now { return nil }
                if state.underWay[domain] != nil { return false }
                state.underWay[domain] = []
                return true
            }
            switch isLeader {
            case nil: return nil
            case true?:
                // Somebody may have fetched it since it was looked for.
                var policy = await current(domain, id: id)
                if policy == nil { policy = await fetched(domain, id: id, usedAt: usedAt) }
                let waiting = state.withLock { $0.underWay.removeValue(forKey: domain) } ?? []
                for continuation in waiting { continuation.resume() }
                return policy
            case false?:
                await withCheckedContinuation { continuation in
                    let isOver = state.withLock { state in
                        state.underWay[domain]?.append(continuation)
                        return state.underWay[domain] == nil
                    }
                    if isOver { continuation.resume() }
                }
                if let policy = await current(domain, id: id) { return policy }
            }
        }
    }

    private func fetched(_ domain: String, id: String, usedAt: Timestamp) async -> STSPolicy? {
        let reason: String
        switch await fetch(domain) {
        case .success(let document):
            do throws(STSPolicy.Fault) {
                let policy = try STSPolicy(parsing: document)
                let now = clock.now()
                await keep(
                    KeptPolicy(
                        domain: domain, recordID: id, document: document, fetchedAt: now, expiresAt: now + policy.maxAge, usedAt: usedAt))
                return policy
            } catch {
                reason = "what came is no policy (\(error))"
            }
        case .failure(let failure):
            // Nobody's fault: whoever comes next may try at once.
            if Task.isCancelled { return nil }
            reason = failure.description
        }
        logger.notice("the MTA-STS policy of a domain cannot be had", metadata: ["domain": "\(domain)", "reason": "\(reason)"])
        let now = clock.now()
        state.withLock { state in
            if state.paused.count >= Self.failureLimit { state.paused = state.paused.filter { $0.value > now } }
            if state.paused.count < Self.failureLimit { state.paused[domain] = now + Self.pause }
        }
        return nil
    }

    private func keep(_ policy: KeptPolicy) async {
        do {
            try await store.keep(policy)
        } catch {
            logger.warning(
                "the MTA-STS policy of a domain cannot be kept", metadata: ["domain": "\(policy.domain)", "reason": "\(error.message)"])
        }
    }
}
