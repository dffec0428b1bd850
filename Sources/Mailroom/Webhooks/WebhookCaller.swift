import InternetMessage
package import Logging
package import MailTransport
import OpenSSL
package import Outreach
import ServiceLifecycle
import Synchronization

/// Makes the calls to other systems that steps of sequences decided on: claim, sign, POST, and one transaction for what came of it.
///
/// Invariants: a call is in one attempt at a time (lease, and a number for each claim); it is made again until somebody took it or it is given
/// up, with the same id and content each time, so that whoever is called can tell one that comes twice; nothing is called under the global
/// STOP or in a dry run.
package struct WebhookCaller: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        /// One webhook of the conf.
        package struct Webhook: Sendable {
            package let target: WebhookPoster.Target
            /// What calls are signed with.
            package let secret: [UInt8]
            /// Waits after the first, second, ... attempt; behind the last it is given up.
            package let waits: [Duration]

            package init(target: WebhookPoster.Target, secret: [UInt8], waits: [Duration]) {
                self.target = target
                self.secret = secret
                self.waits = waits
            }
        }

        /// By name.
        package let webhooks: [String: Webhook]
        package let safety: SendingSafety

        package init(webhooks: [String: Webhook] = [:], safety: SendingSafety = SendingSafety()) {
            self.webhooks = webhooks
            self.safety = safety
        }
    }

    /// Much longer than any attempt may last.
    static let leaseTime = Duration.seconds(300)
    /// Calls to one webhook at the same time: one that is slow or dead takes nothing from the others.
    private static let atOnce = 4
    /// Sleep when something is due and cannot be claimed; an attempt that ends rings.
    private static let shortestSleep = Duration.milliseconds(500)
    private static let longestSleep = Duration.seconds(30)
    /// What a look-up may take beside the time of the call.
    private static let slack = Duration.seconds(2)
    /// Octets of an answer that a person sees.
    private static let shownOctets = 200

    private let store: any WebhookStore & SequenceStore
    private let poster: WebhookPoster
    private let desk: Swappable<Desk>
    private let clock: any MailClock
    private let bell: Bell
    private let owner: String
    private let logger: Logger
    private let loop: ServiceLoop

    /// - Parameters:
    ///   - bell: rung when a call may have become due.
    ///   - owner: name of this process on its leases.
    package init(
        store: any WebhookStore & SequenceStore, poster: WebhookPoster, desk: Swappable<Desk>, clock: any MailClock, bell: Bell,
        owner: String,
        logger: Logger
    ) {
        self.store = store
        self.poster = poster
        self.desk = desk
        self.clock = clock
        self.bell = bell
        self.owner = owner
        self.logger = logger
        loop = ServiceLoop("webhooks", logger: logger)
    }

    /// Runs until shutdown: then it stops claiming and lets the calls in flight end.
    package func run() async throws {
        let flow = Flow()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                while !flow.isStopping, !Task.isCancelled {
                    let desk = desk.current
                    guard let claimed = try await loop.round({ try await claim(desk, flow) }) else { continue }
                    for call in claimed {
                        group.addTask {
                            defer {
                                flow.ended(call.webhook)
                                self.bell.ring()
                            }
                            try await self.make(call, desk: desk)
                        }
                    }
                    guard claimed.isEmpty, !flow.isStopping else { continue }
                    try await loop.round { try await rest(desk) }
                }
            }
        } onGracefulShutdown: {
            flow.stop()
            bell.ring()
        }
    }

    /// How many calls are in flight, and whether new ones may begin.
    private final class Flow: Sendable {
        private let state = Mutex<(active: [String: Int], isStopping: Bool)>(([:], false))

        var isStopping: Bool { state.withLock { $0.isStopping } }

        func stop() { state.withLock { $0.isStopping = true } }

        func active(_ webhook: String) -> Int { state.withLock { $0.active[webhook] ?? 0 } }

        func began(_ webhook: String, _ count: Int) { state.withLock { $0.active[webhook, default: 0] += count } }

        func ended(_ webhook: String) { state.withLock { $0.active[webhook, default: 1] -= 1 } }
    }

    private func claim(_ desk: Desk, _ flow: Flow) async throws -> [WebhookCall] {
        guard !desk.safety.isDryRun else { return [] }
        var claimed: [WebhookCall] = []
        for webhook in desk.webhooks.keys.sorted() {
            let room = Self.atOnce - flow.active(webhook)
            guard room > 0 else { continue }
            let now = clock.now()
            let calls = try await store.claimCalls(
                webhook: webhook, now: now, limit: room, lease: Lease(owner: owner, until: now + Self.leaseTime))
            flow.began(webhook, calls.count)
            claimed += calls
        }
        return claimed
    }

    private func rest(_ desk: Desk) async throws {
        let now = clock.now()
        let limit = now + Self.longestSleep
        let next = desk.safety.isDryRun ? limit : try await store.nextCall(webhooks: desk.webhooks.keys.sorted()) ?? limit
        await bell.wait(until: min(next > now ? next : now + Self.shortestSleep, limit), clock: clock)
    }

    /// Makes one claimed call and notes what came of it.
    private func make(_ call: WebhookCall, desk: Desk) async throws {
        guard let webhook = desk.webhooks[call.webhook], let body = call.body else { return }
        // The STOP may have come since the claim: the call stays queued, and is looked at again when its lease is over.
        if try await loop.patiently({ try await store.stopReason() }) != nil { return }
        let document = Array(body.utf8)
        let headers = Self.headers(of: call, document, secret: webhook.secret, at: clock.now())
        let poster = poster
        let outcome = await within(webhook.target.time + Self.slack) { await poster.post(document, to: webhook.target, headers: headers) }
        // Cut off by the end of the process: nobody knows, so it is made again when the lease is over.
        if Task.isCancelled { return }
        let now = clock.now()
        let answer = Self.answer(outcome, within: webhook.target.time)
        let verdict = WebhookJudge.verdict(on: answer, of: call, waits: webhook.waits, at: now)
        let isNoted = try await loop.patiently { try await store.settle(call, as: verdict, owner: owner, at: now) }
        note(verdict, of: call, isNoted: isNoted)
    }

    /// What whoever is called reads beside the document.
    static func headers(of call: WebhookCall, _ document: [UInt8], secret: [UInt8], at now: Timestamp) -> [(name: String, value: String)] {
        let stamp = "\(now.milliseconds / 1000)"
        let signature = Hex.encode(HMAC.sha256(key: secret, message: Array("\(stamp).".utf8) + document))
        return [("Postrider-Id", call.id.description), ("Postrider-Timestamp", stamp), ("Postrider-Signature", "v1=\(signature)")]
    }

    private static func answer(_ outcome: WebhookPoster.Outcome?, within time: Duration) -> WebhookAnswer {
        switch outcome {
        case nil: .nothing("no answer within \(time.components.seconds) s")
        case .nothing(let why): .nothing(why)
        case .refused(let why): .refused(why)
        case .answered(let status, let retryAfter, let body): .status(status, retryAfter: retryAfter, text: shown(body))
        }
    }

    /// The beginning of an answer on one line.
    private static func shown(_ body: [UInt8]) -> String {
        var line = String(decoding: body.prefix(shownOctets), as: UTF8.self).unicodeScalars.map {
            $0.value < 0x20 || $0.value == 0x7F ? " " : $0
        }
        while line.last == " " { line.removeLast() }
        return String(String.UnicodeScalarView(line))
    }

    private func note(_ verdict: WebhookJudge.Verdict, of call: WebhookCall, isNoted: Bool) {
        let metadata: Logger.Metadata = [
            "call.id": "\(call.id)", "webhook": "\(call.webhook)", "enrollment.id": "\(call.enrollment)", "attempts": "\(call.attempts)",
            "reason": "\(verdict.reason)",
        ]
        guard isNoted else { return logger.info("webhook call ended otherwise meanwhile", metadata: metadata) }
        switch verdict.state {
        case .delivered: logger.info("webhook delivered", metadata: metadata)
        case .queued: logger.info("webhook deferred", metadata: metadata)
        case .failed: logger.error("webhook failed; 'postrider webhooks retry' makes the call again", metadata: metadata)
        }
    }
}
