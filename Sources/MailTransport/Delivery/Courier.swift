package import DNS
import InternetMessage
package import Logging
package import NIOCore
import NIOPosix
import OpenSSL
import SASL
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
        if case .sink = route.kind { return await swallow(checks) }
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
        var last = DeliveryReport.deferred(.connect, note: "no host to connect to")
        for host in hosts.prefix(route.addressLimit) {
            if Task.isCancelled { return last }
            let report = await attempt(message, content: content, at: host, route: route, checks: checks)
            last = report
            guard case .outcome(.deferred(let failure)) = report.result, failure.scope == .session else { return report }
        }
        return last
    }

    private func search(for message: OutboundMessage, on route: Route) -> Destination.Search {
        // FNV-1a: the same message and attempt give the same order anywhere.
        var mixed = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in message.recipient.wireBytes + Array(message.envelopeID.utf8) + [UInt8(truncatingIfNeeded: message.earlierAttempts)] {
            mixed = (mixed ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        let wasMissing = message.earlierAttempts > 0 && missingDomains.contains(message.recipient.wireBytes)
        return Destination.Search(seed: mixed, domainWasMissing: message.domainWasMissing || wasMissing, network: network(route))
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
        if route.mayGoWithoutTLS, case .outcome(.deferred(let failure)) = report.result, failure.stage == .tls {
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
        let (news, continuation) = AsyncStream.makeStream(of: SMTPClientHandler.News.self)
        let connection: ClientConnection
        do {
            connection = try await ClientConnection.open(
                to: host, route: route, peer: host.demand.peer, content: content, news: continuation, on: eventLoops)
        } catch {
            return .deferred(.connect, note: "cannot connect to \(host): \(ConnectTrouble.words(error))")
        }
        return await withTaskCancellationHandler {
            await converse(message, over: connection, news: news, at: host, route: route, checks: checks)
        } onCancel: {
            connection.tell { $0.closeNow() }
        }
    }

    /// Answers the machine's questions until the transaction has its outcome.
    private func converse(
        _ message: OutboundMessage, over connection: ClientConnection, news: AsyncStream<SMTPClientHandler.News>, at host: Destination,
        route: Route,
        checks: DeliveryChecks
    ) async -> DeliveryReport {
        var result: DeliveryReport.Result?
        var exchange: SASLClient?
        var withdrawn = false
        // The outcome is told as soon as it is known. QUIT and the close are the handler's, and its timers bound them.
        listening: for await event in news {
            switch event {
            case .ready:
                if await checks.mayLeave() {
                    connection.tell { $0.start(message.envelope) }
                } else {
                    result = .withdrawn
                    connection.tell { $0.quit() }
                    break listening
                }
            case .startAuthentication(let offered):
                exchange = await authenticate(offered, host: host, route: route, connection: connection)
            case .challenge(let challenge):
                answer(challenge, with: &exchange, connection: connection)
            case .confirmAuthentication:
                let complete = (try? exchange?.finish()) != nil
                connection.tell { $0.confirm(complete) }
            case .announceFinalDot:
                if await checks.finalDot() {
                    connection.tell { $0.finalDotDurable() }
                } else {
                    withdrawn = true
                    connection.tell { $0.abandon() }
                }
            case .finished(let outcome):
                result = withdrawn ? .withdrawn : .outcome(outcome)
                break listening
            case .failed(let failure):
                result = .outcome(.deferred(failure))
                break listening
            case .closed:
                break listening
            }
        }
        // A cancelled task hears no more news. Only the machine knows then whether the final dot was out.
        if result == nil { await connection.closed() }
        let facts = await connection.facts()
        if result == nil, let outcome = facts?.outcome { result = withdrawn ? .withdrawn : .outcome(outcome) }
        return DeliveryReport(
            result: result ?? .outcome(.deferred(DeliveryFailure(stage: .connect, scope: .session, cause: .connectionLost))),
            remoteMTA: host.description, tls: facts?.tls, transcript: facts?.transcript ?? "", note: facts?.note,
            isPeerRefused: facts?.isPeerRefused ?? false)
    }

    private func authenticate(_ offered: [String], host: Destination, route: Route, connection: ClientConnection) async -> SASLClient? {
        guard let credentials = route.credentials else {
            connection.tell { $0.cancelAuthentication(because: "no credentials") }
            return nil
        }
        let login: Login
        do throws(LoginTrouble) {
            login = try await credentials.source.login()
        } catch {
            let why = error.message
            connection.tell { $0.cancelAuthentication(because: why) }
            return nil
        }
        let client = SASLClient(
            service: "smtp", host: host.name, credentials: login.credentials, mechanisms: credentials.mechanisms, channelIsProtected: true)
        do throws(SASLError) {
            let start = try await client.begin(offered: offered)
            connection.tell { $0.authenticate(mechanism: start.mechanism.rawValue, initial: start.initialResponse) }
            return client
        } catch {
            let why = "\(error)"
            connection.tell { $0.cancelAuthentication(because: why) }
            return nil
        }
    }

    private func answer(_ challenge: [UInt8], with exchange: inout SASLClient?, connection: ClientConnection) {
        do {
            let response = try exchange?.step(challenge) ?? []
            connection.tell { $0.answer(response) }
        } catch {
            let why = "\(error)"
            connection.tell { $0.cancelAuthentication(because: why) }
        }
    }
}

extension DeliveryReport {
    /// No connection came of it, for a reason of our own.
    package static func deferred(_ stage: Stage, note: String) -> DeliveryReport {
        DeliveryReport(result: .outcome(.deferred(DeliveryFailure(stage: stage, scope: .session, cause: .connectionLost))), note: note)
    }
}
