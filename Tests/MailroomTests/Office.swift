import DNS
import Foundation
import InternetMessage
import Logging
import MailAuthentication
import MailClassifier
import MailTransport
import NIOPosix
import OpenSSL
import Outreach
import SASL
import SMTP
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// A clock that only moves when the test winds it.
final class HandClock: MailClock {
    private struct Sleeper {
        let until: Timestamp
        let continuation: CheckedContinuation<Void, any Error>
    }

    private let state: Mutex<(now: Timestamp, next: UInt64, sleepers: [UInt64: Sleeper], cancelled: Set<UInt64>)>

    init(_ start: Timestamp) { state = Mutex((start, 0, [:], [])) }

    func now() -> Timestamp { state.withLock { $0.now } }

    func wind(_ duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now + duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    func sleep(until moment: Timestamp) async throws {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return .failure(CancellationError()) }
                    if moment <= state.now { return .success(()) }
                    state.sleepers[ticket] = Sleeper(until: moment, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: ticket)
                if sleeper == nil { state.cancelled.insert(ticket) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}

/// Hands each line to a test as `message key=value`, keys in order.
struct NotedLog: LogHandler {
    let note: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        note("\(event.message)" + facts.joined())
    }
}

/// The services over a store in a temporary file, a sink on loopback, and a clock that is wound by hand.
final class Office: Sendable {
    /// What DNS says of those who write.
    static let zone: [String: [StaticResolver.Record]] = [
        "customers.example.net": [.txt("v=spf1 ip4:192.0.2.1 -all")], "_dmarc.example.net": [.txt("v=DMARC1; p=reject")],
    ]

    /// A Monday, 09:00 UTC.
    static let start = Timestamp(seconds: 1_790_586_000)

    let clock = HandClock(start)
    let sink: SinkSMTP
    /// Where the route `dead` leads to.
    let slow: SinkSMTP
    /// Where the route `gone` leads to: nobody listens there.
    let gonePort: Int
    let store: SQLiteStore
    let dispatcher: StepDispatcher
    /// What the dispatcher goes by.
    let stepDesk: Swappable<StepDispatcher.Desk>
    let sorter: IntakeSorter
    let deliverer: OutboxDeliverer
    let desk: TokenDesk
    let ids: RecordIDs
    let addresses: TokenAddresses
    let outboxBell = Bell()
    let forwards = ForwardBoard()
    private let folder: TemporaryFolder
    private let hash = Mutex(0)

    /// - Parameters:
    ///   - notes: hears what the services log.
    ///   - extensions: what the sink says in its EHLO reply; nil: as it does.
    init(
        dailyLimit: Int? = nil, gap: Duration = .zero, notes: (@Sendable (String) -> Void)? = nil,
        resolver: any DNS.Resolver = StaticResolver(Office.zone), policy: DeliveryPolicy = DeliveryPolicy(),
        mailZone: [String: [StaticResolver.Record]] = [:], forwarding: ReplyForwarding? = nil,
        frequency: FrequencyPolicy = FrequencyPolicy(), dailyStarts: Int? = nil, batchLimit: Int = 100, tracking: TrackingPolicy = .off,
        extensions: [String]? = nil, onUncertain: DeliveryDecider.OnUncertain = .hold
    ) throws {
        folder = try TemporaryFolder()
        sink = try extensions.map { try SinkSMTP(extensions: $0) } ?? SinkSMTP()
        slow = try SinkSMTP()
        gonePort = try FreePort.next()
        let clock = clock
        ids = RecordIDs(now: { clock.now() }, random: { UInt8.random(in: .min ... .max) })
        let seed = [UInt8](repeating: 7, count: 32)
        let chance = Chance(seed: seed)
        store = try SQLiteStore.open(path: folder("postrider.sqlite"), mode: .createIfMissing(seed: seed), ids: ids)

        let zone = try #require(LocalZone("UTC"))
        let window = try #require(SendingWindow(days: Set(Weekday.allCases), opens: 0, closes: 1440, zone: zone))
        let identity = SenderIdentity(
            name: "anna", from: Mailbox(address: try #require(EmailAddress("anna@example.com"))), route: "sink", replyTo: .token,
            returnPath: .token,
            pacing: .init(dailyLimit: dailyLimit, dailyStarts: dailyStarts, minimumGap: gap, gapJitter: .zero, window: window),
            forwarding: forwarding)
        let key = try #require(TokenCodec.Key(secret: Array("a key of the tests, 32 bytes long".utf8)))
        let codec = try #require(TokenCodec(keys: [key]))
        addresses = try #require(TokenAddresses(domain: "r.example.com", codec: codec))
        let addresses = addresses
        let identities = ["anna": identity]
        let composer = StepComposer(
            hostname: "out.example.com", addresses: addresses, unsubscribe: .init(mailto: false, oneClickBase: nil),
            tracking: tracking, chance: chance, ids: ids)
        let logger = Logger(label: "tests") { _ in NotedLog(note: notes ?? { _ in }) }
        let sequenceBell = Bell()
        let intakeBell = Bell()
        stepDesk = Swappable(
            .init(
                identities: identities, composer: composer, chance: chance, safety: SendingSafety(batchLimit: batchLimit),
                frequency: frequency))
        dispatcher = StepDispatcher(
            store: store, desk: stepDesk, ids: ids, clock: clock, bell: sequenceBell, outboxBell: outboxBell, owner: "tests", logger: logger
        )
        let rules = try BounceRules.builtin()
        let route = Route(
            name: "sink", kind: .submission(host: "127.0.0.1", port: sink.port), tls: .none, level: .none,
            trust: try TLSClientContext(trust: .system), helloName: "out.example.com")
        let dead = Route(
            name: "dead", kind: .submission(host: "127.0.0.1", port: slow.port), tls: .none, level: .none,
            trust: try TLSClientContext(trust: .system), helloName: "out.example.com")
        let direct = Route(
            name: "direct", kind: .mx(port: sink.port), tls: .none, level: .none, trust: try TLSClientContext(trust: .system),
            helloName: "out.example.com", allowsPrivateDestinations: true)
        let gone = Route(
            name: "gone", kind: .submission(host: "127.0.0.1", port: gonePort), tls: .none, level: .none,
            trust: try TLSClientContext(trust: .system), helloName: "out.example.com")
        // It asks for a login that the sink does not offer.
        let login = Route(
            name: "login", kind: .submission(host: "127.0.0.1", port: sink.port), tls: .none, level: .none,
            trust: try TLSClientContext(trust: .system),
            credentials: .init(sasl: .password(Array("secret".utf8), user: "anna"), isLocal: true), helloName: "out.example.com")
        let courier = Courier(
            routes: [route, dead, direct, gone, login], resolver: StaticResolver(mailZone),
            eventLoops: MultiThreadedEventLoopGroup.singleton, seed: 1, logger: logger
        )
        let retry = try #require(RetrySchedule(waits: [.seconds(300)], jitter: 0, lifetime: .seconds(5 * 86_400)))
        var policy = policy
        policy.relayRoutes = ["sink", "dead", "gone", "login"]
        let forwarder = ReplyForwarder(hostname: "out.example.com", addresses: addresses, chance: chance, ids: ids)
        deliverer = OutboxDeliverer(
            store: store,
            desk: Swappable(
                .init(
                    courier: courier, signer: AttemptSigner(keys: []),
                    decider: DeliveryDecider(retry: retry, onUncertain: onUncertain, chance: chance, ids: ids),
                    judge: FailureJudge(rules: rules),
                    identities: identities, lifetime: .seconds(5 * 86_400),
                    limits: ["sink": 2, "dead": 2, "direct": 4, "gone": 2, "login": 2],
                    forwarder: forwarder, policy: policy)), clock: clock,
            bell: outboxBell,
            sequenceBell: sequenceBell, forwards: forwards, owner: "tests", logger: logger)
        sorter = IntakeSorter(
            store: store,
            desk: Swappable(
                .init(
                    correlator: Correlator(addresses: [addresses]), classifier: try Classifier(bounceRules: rules),
                    authenticator: MessageAuthenticator(resolver: resolver, authservID: "mx.example.com"),
                    trust: .init(general: "mx.mail.example", networks: try #require(PeerNetworks(["10.9.0.0/16"]))),
                    identities: identities, companies: frequency.companies,
                    forwarder: forwarder,
                    authenticationBudget: .milliseconds(200))), ids: ids,
            clock: clock, bell: intakeBell,
            sequenceBell: sequenceBell, forwards: forwards, owner: "tests", logger: logger)
        desk = TokenDesk(
            way: .smtp, store: store, policy: Swappable(.init(domains: ["r.example.com"], roles: [], addresses: [addresses])), ids: ids,
            clock: clock, bell: intakeBell, onFatal: { _ in }, logger: logger)
    }

    /// A dispatcher whose steps may call other systems.
    func dispatcher(webhooks: WebhookBook, callBell: Bell) -> StepDispatcher {
        let usual = stepDesk.current
        let desk = StepDispatcher.Desk(
            identities: usual.identities, composer: usual.composer, chance: usual.chance, safety: usual.safety, frequency: usual.frequency,
            webhooks: webhooks)
        return StepDispatcher(
            store: store, desk: Swappable(desk), ids: ids, clock: clock, bell: Bell(), outboxBell: outboxBell, callBell: callBell,
            owner: "tests", logger: Logger(label: "tests") { _ in NotedLog(note: { _ in }) })
    }

    /// Runs the deliverer while `body` runs.
    func delivering<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let deliverer = deliverer
        let running = Task { try await deliverer.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        running.cancel()
        try? await running.value
        return try result.get()
    }

    func wind(_ duration: Duration) {
        clock.wind(duration)
        outboxBell.ring()
    }

    // MARK: People

    static func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    func contact(_ text: String, fields: [String: String] = ["company": "Example GmbH"]) async throws -> Contact {
        let contact = Contact(id: ids.next(), address: try Self.address(text), fields: fields, createdAt: clock.now())
        _ = try await store.save([contact])
        // Whoever is known already keeps the first id.
        return try #require(try await store.contact(workspace: .default, address: contact.address))
    }

    /// Puts a message of no sequence into the outbox, due at once.
    func queue(_ text: String, route: String, identity: String = "anna") async throws {
        let id: OutboxMessage.ID = ids.next()
        let now = clock.now()
        let message = OutboxMessage(
            id: id, workspace: .default, enrollment: nil, contact: nil, step: 0, occurrence: 0, identity: identity, route: route,
            reversePath: .null, recipient: try Self.address(text), messageID: try #require(MessageID("\(id)@out.example.com")),
            subject: "Hi",
            bytes: Array("Subject: Hi\r\n\r\nHi\r\n".utf8), createdAt: now, budgetDate: CivilDate(daysSinceEpoch: 20_000),
            nextAttemptAt: now)
        #expect(try await store.dispatch(message, with: Consequence()) == .committed)
    }

    /// Enrolls a new contact in a sequence of these many steps, a day apart.
    func enroll(_ text: String, steps: Int = 2, fields: [String: String] = ["company": "Example GmbH"]) async throws -> Enrollment {
        let contact = try await contact(text, fields: fields)
        let now = try #require(ISODuration("PT0S"))
        let day = try #require(ISODuration("P1D"))
        let plan = SequencePlan(
            name: "\(steps) steps", description: "",
            steps: (0..<steps).map {
                .init(name: "step \($0)", delay: $0 == 0 ? now : day, subject: $0 == 0 ? "About {{company}}" : nil, text: "Text \($0)")
            }, stopOn: [.reply, .hardBounce])
        let version = try await store.load(SequenceVersion(id: ids.next(), workspace: .default, plan: plan, hash: "\(steps)"))
        let enrollment = Enrollment(
            id: ids.next(), workspace: .default, contact: contact.id, sequence: version.id, identity: "anna", state: .active, cause: nil,
            reason: "", nextStep: 0, dueAt: clock.now(), heldBy: nil, version: 0, createdAt: clock.now())
        #expect(try await store.enroll([enrollment], timeline: []) == [.enrolled(enrollment.id)])
        return enrollment
    }

    /// Takes a sequence file in.
    func load(_ source: String) async throws -> SequenceVersion {
        let file = try SequenceFile(parsing: Array(source.utf8), file: "plan.toml")
        return try await store.load(SequenceVersion(id: ids.next(), workspace: .default, plan: file.plan, hash: file.hash))
    }

    /// Enrolls a new contact in the sequence of a file.
    func enroll(_ text: String, in source: String, fields: [String: String] = ["company": "Example GmbH"]) async throws -> Enrollment {
        let contact = try await contact(text, fields: fields)
        let version = try await load(source)
        let entry = version.plan.entry(at: clock.now(), in: try #require(LocalZone("UTC")))
        let enrollment = Enrollment(
            id: ids.next(), workspace: .default, contact: contact.id, sequence: version.id, identity: "anna", state: .active, cause: nil,
            reason: "", nextStep: entry.step, dueAt: entry.dueAt, heldBy: nil, version: 0, createdAt: clock.now(), doneAt: entry.doneAt)
        #expect(try await store.enroll([enrollment], timeline: []) == [.enrolled(enrollment.id)])
        return enrollment
    }

    func current(_ enrollment: Enrollment) async throws -> Enrollment { try #require(try await store.enrollment(id: enrollment.id)) }

    /// Waits until every message of an enrollment is in one of `states`, in the order of its steps.
    @discardableResult
    func settled(_ enrollment: Enrollment, as states: [OutboxMessage.State]) async throws -> [OutboxMessage] {
        try await eventually("\(states)") {
            let messages = try await self.store.messages(enrollment: enrollment.id)
            return messages.map(\.state) == states ? messages : nil
        }
    }

    /// Lets a reply come in to the address that a message asked for, and sorts it.
    func reply(
        to message: SinkSMTP.Message, _ text: String, header: String = "", way: IncomingMessage.Way = .smtp, from client: String? = nil
    ) async throws {
        let line = try #require(message.text.components(separatedBy: "\r\n").first { $0.hasPrefix("Reply-To: ") })
        let token = String(line.dropFirst("Reply-To: ".count)).filter { $0 != "<" && $0 != ">" }
        #expect(desk.verdict(forwardPath: Array(token.utf8)) == .accepted)
        let letter =
            "From: <\(message.recipients[0])>\r\nTo: <\(token)>\r\nSubject: Re: yours\r\nMessage-ID: <\(ids.next() as IncomingMessage.ID)@w.example>\r\n"
            + "\r\n\(text)\r\n"
        try await store.accept(
            IncomingMessage(
                id: ids.next(), way: way, receivedAt: clock.now(), reversePath: .address(try Self.address(message.recipients[0])),
                forwardPaths: [token], origin: "tests", bytes: Array((header + letter).utf8),
                client: client.map { .init(address: $0, name: "out.example.net") }))
        #expect(try await sorter.sortReceived() == 1)
    }
}
