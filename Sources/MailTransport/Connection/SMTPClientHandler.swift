import NIOCore
import OpenSSL
import SMTP

/// The shell around `ClientSession` on one channel: does what the machine says and asks the deliverer what only it can know.
///
/// Lives on its channel's event loop alone.
final class SMTPClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the deliverer is told or asked.
    enum News: Sendable {
        case ready
        case startAuthentication(offered: [String])
        case challenge([UInt8])
        case confirmAuthentication
        case announceFinalDot
        case finished(DeliveryOutcome)
        case failed(DeliveryFailure)
        case closed
    }

    /// What is known of the connection at its end.
    struct Facts: Sendable {
        var tls: String?
        var transcript: String
        var note: String?
        var isPeerRefused: Bool
        /// What the transaction or, where there was none, the session came to; nil as long as it is open.
        var outcome: DeliveryOutcome?
    }

    private static let block = 65_536

    private var session: ClientSession
    private let route: Route
    private let peer: TLSPeer
    private let content: ByteBuffer
    private let news: AsyncStream<News>.Continuation
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var deadline: Scheduled<Void>?
    private var transcript = Transcript()
    private var tls: String?
    private var note: String?
    private var handshaking = false
    private var isPeerRefused = false
    private var outcome: DeliveryOutcome?

    /// - Parameters:
    ///   - content: dot-stuffed, without the final dot.
    init(route: Route, peer: TLSPeer, content: ByteBuffer, news: AsyncStream<News>.Continuation) {
        session = ClientSession(configuration: route.sessionConfiguration)
        self.route = route
        self.peer = peer
        self.content = content
        self.news = news
    }

    var facts: Facts { Facts(tls: tls, transcript: transcript.text, note: note, isPeerRefused: isPeerRefused, outcome: outcome) }

    // MARK: Answers of the deliverer

    func start(_ envelope: Envelope) { perform(session.startTransaction(envelope)) }
    func authenticate(mechanism: String, initial: [UInt8]?) {
        perform(session.authenticationResponse(mechanism: mechanism, initial: initial))
    }
    func answer(_ response: [UInt8]) { perform(session.saslStep(response)) }
    func confirm(_ complete: Bool) { perform(session.authenticationConfirmed(complete)) }

    func cancelAuthentication(because why: String) {
        note = why
        perform(session.cancelAuthentication())
    }

    func finalDotDurable() { perform(session.finalDotDurable()) }
    func abandon() { perform(session.abandon()) }
    func quit() { perform(session.quit()) }

    func closeNow() { context?.close(promise: nil) }

    // MARK: Channel

    /// The channel is connected when the handler comes into it.
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        perform(route.tls == .implicit ? session.handshakeBegun() : session.connected())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        transcript.received(buffer)
        perform(session.received(buffer))
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        deadline?.cancel()
        perform(session.connectionClosed())
        self.context = nil
        news.yield(.closed)
        news.finish()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let handshake = event as? TLSHandshakeCompleted else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        let facts = handshake.facts
        let proof = facts.proof.map { $0 == .authority ? "verified" : "\($0.rawValue) verified" } ?? "unverified"
        tls = "\(facts.protocolVersion) \(facts.cipher) \(proof)"
        transcript.note("TLS: \(tls ?? "")")
        if let error = facts.verifyError { transcript.note("certificate not verified: \(error)") }
        handshaking = false
        perform(
            route.tls == .implicit
                ? session.connected(over: .tls(verified: facts.verified)) : session.tlsEstablished(verified: facts.verified))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        transcript.note("\(error)")
        note = note ?? "\(error)"
        if handshaking || (route.tls == .implicit && tls == nil) {
            handshaking = false
            if let error = error as? TLSError { isPeerRefused = error.refusesPeer && route.level != .may }
            perform(session.tlsFailed())
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: Actions

    private func perform(_ actions: [ClientAction]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: ClientAction) {
        switch action {
        case .send(let buffer):
            transcript.sent(buffer)
            context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .sendSecret(let buffer):
            transcript.note("credentials")
            context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .startTLS: startTLS()
        case .startAuthentication(let offered): news.yield(.startAuthentication(offered: offered))
        case .saslChallenge(let challenge): news.yield(.challenge(challenge))
        case .confirmAuthentication: news.yield(.confirmAuthentication)
        case .ready:
            // One transaction is all this session is for; who waited for its outcome is gone by now.
            if outcome == nil { news.yield(.ready) } else { quit() }
        case .sendContent:
            transcript.note("\(content.readableBytes) octets of content")
            send(content)
        case .announceFinalDot: news.yield(.announceFinalDot)
        case .startTimer(let stage): startTimer(stage)
        case .cancelTimer:
            timer?.cancel()
            timer = nil
        case .startDeadline: startDeadline()
        case .cancelDeadline:
            deadline?.cancel()
            deadline = nil
        case .transactionFinished(let outcomes):
            guard let reached = outcomes.first?.outcome else { return }
            outcome = outcome ?? reached
            news.yield(.finished(reached))
        case .sessionFailed(let failure):
            outcome = outcome ?? .deferred(failure)
            news.yield(.failed(failure))
        case .close: context?.close(promise: nil)
        }
    }

    private func startTLS() {
        guard let context else { return }
        handshaking = true
        do {
            try context.pipeline.syncOperations.addHandler(TLSChannelHandler(client: route.trust, peer: peer), position: .first)
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    /// Writes the content block by block, each when the one before has left.
    private func send(_ rest: ByteBuffer) {
        var rest = rest
        guard let context else { return }
        guard let block = rest.readSlice(length: min(Self.block, rest.readableBytes)), block.readableBytes > 0 else {
            perform(session.contentSent())
            return
        }
        let remaining = rest
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(block), promise: written)
        written.futureResult.assumeIsolated().whenSuccess {
            self.perform(self.session.contentProgressed())
            self.send(remaining)
        }
    }

    private func startTimer(_ stage: Stage) {
        timer?.cancel()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(route.timeouts[stage])) {
            self.transcript.note("timed out: \(stage)")
            self.perform(self.session.timedOut(stage))
        }
    }

    private func startDeadline() {
        deadline?.cancel()
        deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(route.timeouts.deadline)) {
            self.transcript.note("the transaction took too long")
            self.perform(self.session.deadlineExpired())
        }
    }
}
