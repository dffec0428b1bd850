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
    /// What calls in flight may still take at shutdown, which the deliverers' mail waits for.
    private static let parting = Duration.seconds(3)
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

    /// Runs until shutdown: then it stops claiming and gives the calls in flight a moment to end; one that is cut off is made again with the
    /// same id.
    package func run() async throws {
        let flow = Flow()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                while !flow.isStopping, !Task.isCancelled, !group.isCancelled {
                    let desk = desk.current
                    guard let claimed = try await loop.round({ try await claim(desk, flow) }) else { continue }
                    for call in claimed {
                        group.addTask {
                            defer {
                                flow.ended(call.webhook)
                                self.bell.ring()
                            }
                            do {
                                try await self.make(call, desk: desk)
                            } catch {
                                // One that is cut off is made again: its lease ends with the process.
                                if !Task.isCancelled { throw error }
                            }
                        }
                    }
                    guard claimed.isEmpty, !flow.isStopping else { continue }
                    try await loop.round { try await rest(desk) }
                }
                await part(flow)
                group.cancelAll()
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

        var isIdle: Bool { state.withLock { $0.active.values.allSatisfy { $0 == 0 } } }

        func active(_ webhook: String) -> Int { state.withLock { $0.active[webhook] ?? 0 } }

        func began(_ webhook: String, _ count: Int) { state.withLock { $0.active[webhook, default: 0] += count } }

        func ended(_ webhook: String) { state.withLock { $0.active[webhook, default: 1] -= 1 } }
    }

    /// Until nothing is in flight, or the time for it is over.
    private func part(_ flow: Flow) async {
        let end = ContinuousClock.now + Self.parting
        while !flow.isIdle, !Task.isCancelled, ContinuousClock.now < end {
            // Each call that ends rings.
            _ = await within(end - ContinuousClock.now) { await bell.wait() }
        }
    }

    private func claim(_ desk: Desk, _ flow: Flow) async throws -> [WebhookCall] {
        guard !desk.safety.isDryRun else { return [] }
        return try await Self.gathered(desk.webhooks.keys.sorted()) { webhook in
            let room = Self.atOnce - flow.active(webhook)
            guard room > 0 else { return [] }
            let now = clock.now()
            let calls = try await store.claimCalls(
                webhook: webhook, now: now, limit: room, lease: Lease(owner: owner, until: now + Self.leaseTime))
            flow.began(webhook, calls.count)
            return calls
        }
    }

    /// What `claim` gives for each webhook, up to the first that fails: what is claimed by then must be made.
    ///
    /// - Throws: what `claim` throws, when nothing is claimed.
    static func gathered(_ webhooks: [String], _ claim: (String) async throws -> [WebhookCall]) async throws -> [WebhookCall] {
        var claimed: [WebhookCall] = []
        for webhook in webhooks {
            do {
                claimed += try await claim(webhook)
            } catch {
                if claimed.isEmpty { throw error }
                // It fails again in the next round, when there is nothing to be lost.
                break
            }
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
        // The STOP may have come since the claim: the call waits as if it had not been claimed.
        if try await loop.patiently({ try await store.stopReason() }) != nil {
            _ = try await loop.patiently { try await store.putBack(call, owner: owner) }
            return
        }
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

    /// The beginning of an answer on one line, with nothing that turns or breaks the line of whoever reads it.
    static func shown(_ body: [UInt8]) -> String {
        var line = String(decoding: body.prefix(shownOctets), as: UTF8.self).unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: " "
            default: scalar
            }
        }
        while line.last == " " { line.removeLast() }
        return String(String.UnicodeScalarView(line))
    }

    private func note(_ verdict: WebhookJudge.Verdict, of call: WebhookCall, isNoted: Bool) {
        let metadata: Logger.Metadata = [
            "call.id": "\(call.id)", "webhook": "\(call.webhook)", "enrollment.id": "\(call.enrollment)", "attempts": "\(call.attempts)",
            "reason": "\(verdict.words)",
        ]
        guard isNoted else { return logger.info("webhook call ended otherwise meanwhile", metadata: metadata) }
        switch verdict.state {
        case .delivered: logger.info("webhook delivered", metadata: metadata)
        case .queued: logger.info("webhook deferred", metadata: metadata)
        case .failed: logger.error("webhook failed; 'postrider webhooks retry' makes the call again", metadata: metadata)
        case .cancelled: logger.info("webhook call cancelled", metadata: metadata)
        }
    }
}
