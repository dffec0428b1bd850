package import DNS
import InternetMessage
package import Logging
package import NIOCore
import NIOPosix
import OpenSSL
package import SMTP

/// Brings one message to one recipient over a route: finds the hosts, connects, speaks SMTP or LMTP, and reports what came of it.
///
/// A host that is out of order is passed over for the next one; a reply about the message or the recipient is final for the attempt.
package struct Courier: Sendable {
    private let routes: [String: Route]
    private let resolver: any DNS.Resolver
    private let security: TransportSecurity
    private let eventLoops: any EventLoopGroup
    private let seed: UInt64
    private let logger: Logger
    private let network: @Sendable (Route) -> MachineNetwork
    /// Hosts with which TLS did not come about though they offer it.
    private let brokenTLS: ExpiringSet<String>
    /// Recipients whose domain did not exist at the last attempt.
    private let missingDomains = ExpiringSet<[UInt8]>(lifetime: .seconds(3 * 86_400))
    private let pool = ConnectionPool()

    /// - Parameters:
    ///   - resolver: for `mx` routes.
    ///   - seed: mixes hosts of equal preference, for each message and attempt in another way.
    ///   - security: what TLS must show, beyond what the routes say.
    package init(
        routes: [Route], resolver: any DNS.Resolver, security: TransportSecurity = TransportSecurity(), eventLoops: any EventLoopGroup,
        seed: UInt64, logger: Logger
    ) {
        self.init(routes: routes, resolver: resolver, security: security, eventLoops: eventLoops, seed: seed, logger: logger) { .now }
    }

    /// - Parameters:
    ///   - network: what a route can send from.
    ///   - now: the clock of what is remembered of hosts.
    init(
        routes: [Route], resolver: any DNS.Resolver, security: TransportSecurity = TransportSecurity(), eventLoops: any EventLoopGroup,
        seed: UInt64, logger: Logger,
        network: @escaping @Sendable (Route) -> MachineNetwork = { .current(sendingFrom: $0.sourceAddress) },
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        brokenTLS = ExpiringSet(lifetime: .seconds(6 * 3600), now: now)
        self.network = network
        self.routes = Dictionary(routes.map { ($0.name, $0) }) { first, _ in first }
        self.resolver = resolver
        self.security = security
        self.eventLoops = eventLoops
        self.seed = seed
        self.logger = logger
    }

    /// One attempt. Never throws: whatever happens is an outcome. Cancelling ends it at once, as a lost connection would.
    package func deliver(_ message: OutboundMessage, route name: String, checks: DeliveryChecks) async -> DeliveryReport {
        guard let route = routes[name] else {
            return .deferred(.connect, note: "route '\(name)' is not in the conf")
        }
        let content: ByteBuffer
        do throws(DotStuffing.Fault) {
            content = try DotStuffing.encoded(message.content)
        } catch {
            let failure = DeliveryFailure(stage: .content, scope: .message, cause: .refusedForSafety(.unsafeCommand))
            return DeliveryReport(result: .outcome(.rejected(failure)), note: "the content is no legal mail: \(error.words)")
        }
        switch route.kind {
        case .sink: return await swallow(checks)
        case .maildir(let path): return await MaildirFolder(path: path).deliver(message, checks: checks)
        case .submission, .mx, .lmtp: break
        }
        let hosts: [Destination]
        switch await Destination.find(
            for: message.recipient, on: route, resolver: resolver, security: security, search: search(for: message, on: route))
        {
        case .hosts(let found):
            missingDomains.remove(message.recipient.wireBytes)
            hosts = found
        case .none(let report):
            if report.isDomainMissing {
                missingDomains.insert(message.recipient.wireBytes)
            } else {
                missingDomains.remove(message.recipient.wireBytes)
            }
            return report
        }
        var tried: [DeliveryReport] = []
        for host in hosts.prefix(route.addressLimit) {
            if Task.isCancelled || tried.count(where: \.isSession) >= route.sessionLimit { break }
            let report = await attempt(message, content: content, at: host, route: route, checks: checks)
            // Once its dot was announced, the outbox lets the message leave no more before this outcome is stored.
            guard case .outcome(.deferred(let failure)) = report.result, failure.scope == .session, !report.isDotAnnounced else {
                return report.behind(tried)
            }
            tried.append(report)
        }
        return DeliveryReport.mostTelling(tried) ?? .deferred(.connect, note: "no host to connect to")
    }

    /// Ends the connections that wait for another message, and from now on each one with its message: another courier takes over.
    package func retire() { pool.retire() }

    /// Retires, and returns when every connection is closed; what is still open after `time` is closed without a farewell.
    package func drain(within time: Duration) async {
        retire()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pool.emptied() }
            group.addTask {
                try? await Task.sleep(for: time)
                pool.closeAll()
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func search(for message: OutboundMessage, on route: Route) -> Destination.Search {
        // FNV-1a: the same message and attempt give the same order anywhere.
        var mixed = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in message.recipient.wireBytes + Array(message.envelopeID.utf8) + [UInt8(truncatingIfNeeded: message.earlierAttempts)] {
            mixed = (mixed ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        let wasMissing = message.earlierAttempts > 0 && missingDomains.contains(message.recipient.wireBytes)
        // To ask the machine costs something, and matters to `mx` alone.
        var reachable = MachineNetwork(hasVersion4: true, hasVersion6: true)
        if case .mx = route.kind { reachable = network(route) }
        return Destination.Search(seed: mixed, domainWasMissing: message.domainWasMissing || wasMissing, network: reachable)
    }

    private func swallow(_ checks: DeliveryChecks) async -> DeliveryReport {
        guard await checks.mayLeave(), await checks.finalDot() else { return DeliveryReport(result: .withdrawn) }
        return DeliveryReport(
            result: .outcome(.accepted(Reply(code: 250, lines: [Array("2.0.0 taken by the sink, nothing left".utf8)]))), remoteMTA: "sink")
    }

    private func attempt(_ message: OutboundMessage, content: ByteBuffer, at host: Destination, route: Route, checks: DeliveryChecks) async
        -> DeliveryReport
    {
        let route = route.demanding(host.demand)
        let isClear = route.mayGoWithoutTLS && brokenTLS.contains(host.description)
        let report = await attemptOnce(message, content: content, at: host, route: isClear ? route.inClear : route, checks: checks)
        if route.mayGoWithoutTLS, case .outcome(.deferred(let failure)) = report.result, failure.isOfTLS {
            brokenTLS.insert(host.description)
        }
        if let failure = host.demand.failureUnderTest(report) {
            logger.notice(
                "a policy of MTA-STS that is being tested would have failed",
                metadata: ["domain": "\(message.recipient.domain)", "relay": "\(host)", "reason": "\(failure)"])
        }
        return report
    }

    private func attemptOnce(
        _ message: OutboundMessage, content: ByteBuffer, at host: Destination, route: Route, checks: DeliveryChecks
    ) async -> DeliveryReport {
        let route = route.taking(atMost: message.messagesPerConnection)
        let peer = host.demand.peer
        let key = ConnectionKey(to: host, over: route, peer: peer)
        var mustBeNew = false
        var isRenewed = false
        while true {
            let order = DeliveryOrder(content: content)
            let conversation = Conversation(message: message, host: host, route: route, checks: checks, order: order)
            switch await pool.take(key, limits: route.connections, mustBeNew: mustBeNew) {
            case nil:
                return .unasked(nil, note: "given up while all connections were in use")
            case .kept(let connection):
                if let report = await conversation.resume(connection) { return report }
                // The peer had ended it, which is its right and nobody's failure.
                mustBeNew = true
            case .open(let number):
                do {
                    let connection = try await ClientConnection.open(
                        to: host, route: route, peer: peer, order: order, pool: pool, number: number, on: eventLoops)
                    pool.opened(number, connection)
                    let report = await conversation.hold(over: connection)
                    // An access token can end before its time; a fresh one is tried once, on another connection.
                    if !isRenewed, let login = report.refusedLogin, await route.credentials?.source.renewed(after: login) == true {
                        isRenewed = true
                        mustBeNew = true
                        continue
                    }
                    return report
                } catch {
                    pool.closed(number)
                    return .deferred(.connect, note: "cannot connect to \(host): \(ConnectTrouble.words(error))")
                }
            }
        }
    }
}

extension DeliveryReport {
    /// Of the hosts that were tried one after the other without an end, what the one says that answered, with the dialogues of all; of several
    /// alike the last. nil when none was tried.
    fileprivate static func mostTelling(_ tried: [DeliveryReport]) -> DeliveryReport? {
        guard let best = tried.indices.max(by: { tried[$0].weight < tried[$1].weight || tried[$0].weight == tried[$1].weight && $0 < $1 })
        else {
            return nil
        }
        var report = tried[best]
        report.transcript = tried.map(\.told).joined(separator: "\n")
        return report
    }

    /// The same with the dialogues of the hosts that were tried before it.
    fileprivate func behind(_ tried: [DeliveryReport]) -> DeliveryReport {
        guard !tried.isEmpty else { return self }
        var report = self
        report.transcript = (tried.map(\.told) + [transcript]).joined(separator: "\n")
        return report
    }

    /// A host that said something outweighs one that only greeted, and that one a host to which no connection stood.
    private var weight: Int {
        guard case .outcome(let outcome) = result else { return 3 }
        return (isSession ? 1 : 0) + (isSession && outcome.failure?.reply != nil ? 1 : 0)
    }

    /// Its dialogue, or why there is none.
    private var told: String { transcript.utf8.isEmpty ? "* \(note ?? "no dialogue")" : transcript }

    /// No connection came of it, for a reason of our own.
    package static func deferred(_ stage: Stage, note: String) -> DeliveryReport {
        DeliveryReport(result: .outcome(.deferred(DeliveryFailure(stage: stage, scope: .session, cause: .connectionLost))), note: note)
    }

    /// An attempt that came to no server, for reasons that are not the hosts'.
    ///
    /// - Parameter status: a code of ours (RFC 3463).
    static func unasked(_ status: SMTP.EnhancedStatusCode?, note: String) -> DeliveryReport {
        DeliveryReport(result: .outcome(.deferred(DeliveryFailure(stage: .connect, scope: .session, cause: .unasked(status)))), note: note)
    }
}

extension DeliveryFailure {
    /// Whether the server's TLS does not work: the handshake failed, or its offer ends the session when it is taken up.
    fileprivate var isOfTLS: Bool { stage == .tls || stage == .startTLS && (cause == .connectionLost || reply?.code == 421) }
}
