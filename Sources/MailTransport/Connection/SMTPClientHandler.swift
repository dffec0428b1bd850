import NIOCore
import OpenSSL
import SASL
import SMTP

/// The shell around `ClientSession` on one channel: does what the machine says, asks the attempt what only it can know, and between two
/// attempts waits in the pool.
///
/// Lives on its channel's event loop alone. It works for one order at a time; what an earlier order still asks for does not reach it.
final class SMTPClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Clock {
        case stage(Stage)
        /// Nobody needs the connection now.
        case idle
    }

    private static let block = 65_536

    private var session: ClientSession
    private let route: Route
    private let peer: TLSPeer
    private let pool: ConnectionPool
    private let number: Int
    /// The attempt that uses the connection; nil when none does.
    private var order: DeliveryOrder?
    /// An order that is over and is told so when everything is done that follows from its end.
    private var over: (order: DeliveryOrder, ending: DeliveryOrder.Ending)?
    private var context: ChannelHandlerContext?
    private var clock = Clock.idle
    private var timer: LazyTimer?
    private var deadline: LazyTimer?
    private var openedAt: NIODeadline?
    /// Where the connection ends on this machine, by which it is found in the peer's log.
    private var place = ""
    private var peerAddress: String?
    private var transcript = Transcript()
    private var tls: String?
    private var note: String?
    private var handshaking = false
    private var isPeerRefused = false

    /// - Parameter order: the first one; it is asked for its envelope when the session is ready.
    init(route: Route, peer: TLSPeer, order: DeliveryOrder, pool: ConnectionPool, number: Int) {
        session = ClientSession(configuration: route.sessionConfiguration)
        self.route = route
        self.peer = peer
        self.order = order
        self.pool = pool
        self.number = number
    }

    // MARK: Orders

    /// Whether the connection still works for that order.
    func isAt(_ order: DeliveryOrder) -> Bool { self.order === order }

    /// The connection, which was kept, is used again.
    func begin(_ order: DeliveryOrder, _ envelope: Envelope) {
        self.order = order
        timer?.clear()
        note = nil
        transcript = Transcript(mask: transcript.mask)
        transcript.note(
            "connection \(number)\(place) used again, for message \(session.transactions + 1); \(tls.map { "TLS: \($0)" } ?? "in clear")")
        start(envelope)
    }

    func start(_ envelope: Envelope) { perform(session.startTransaction(envelope)) }
    /// - Parameter login: what no answer may show.
    func authenticate(mechanism: String, initial: [UInt8]?, login: SASLCredentials) {
        transcript.mask = SecretMask(login)
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

    /// The attempt does not want its ready session after all; another one may.
    func decline() {
        end(nil)
        rest()
        tellEnd()
    }

    /// The attempt was cancelled: it comes to what a lost connection means now.
    func closeNow() {
        perform(session.connectionClosed())
        context?.close(promise: nil)
    }

    /// The pool does not keep the connection any longer.
    func endIdle() { if order == nil { perform(session.quit()) } }

    private func end(_ outcome: DeliveryOutcome?) {
        guard let order else { return }
        self.order = nil
        let ending = DeliveryOrder.Ending(
            outcome: outcome?.masked(by: transcript.mask), peerAddress: peerAddress, tls: tls, transcript: transcript.text, note: note,
            isPeerRefused: isPeerRefused, isGreeted: session.isGreeted)
        over = (order, ending)
    }

    private func tellEnd() {
        guard let over else { return }
        self.over = nil
        over.order.tell(.ended(over.ending))
    }

    /// Nobody needs the connection now: it waits in the pool, or says goodbye.
    func rest() {
        guard let context, !session.isClosed else { return }
        let isYoung = openedAt.map { context.eventLoop.now - $0 < TimeAmount(route.connections.age) } ?? false
        // The next order may come at any moment from here on, but not before this event is over.
        guard isYoung, pool.giveBack(number) else { return perform(session.quit()) }
        clock = .idle
        timer?.set(route.connections.idle)
    }

    // MARK: Channel

    /// The channel is connected when the handler comes into it.
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = LazyTimer(on: context.eventLoop) { self.timeIsOver() }
        deadline = LazyTimer(on: context.eventLoop) { self.deadlinePassed() }
        openedAt = context.eventLoop.now
        place = Self.place(of: context.channel)
        peerAddress = context.channel.remoteAddress?.ipAddress
        if route.connections.messages > 1 { transcript.note("connection \(number)\(place)") }
        perform(route.tls == .implicit ? session.handshakeBegun() : session.connected())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        transcript.received(buffer)
        perform(session.received(buffer))
    }

    /// The end of the channel, also of one that ends while it begins, of which NIO tells nothing else.
    func channelUnregistered(context: ChannelHandlerContext) {
        perform(session.connectionClosed())
        self.context = nil
        timer?.end()
        timer = nil
        deadline?.end()
        deadline = nil
        pool.closed(number)
        context.fireChannelUnregistered()
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
        // Whoever hears of the end finds the connection in the pool, or gone.
        tellEnd()
    }

    private func perform(_ action: ClientAction) {
        switch action {
        case .send(let buffer):
            transcript.sent(buffer)
            context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .sendSecret(let buffer):
            transcript.note("credentials")
            transcript.mask.add(line: buffer.readableBytesView)
            context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .startTLS: startTLS()
        case .startAuthentication(let offered): order?.tell(.startAuthentication(offered: offered))
        case .saslChallenge(let challenge): order?.tell(.challenge(challenge))
        case .confirmAuthentication: order?.tell(.confirmAuthentication)
        case .ready: if let order { order.tell(.ready) } else { rest() }
        case .sendContent:
            guard let content = order?.content else { return }
            transcript.note("\(content.readableBytes) octets of content")
            send(content)
        case .announceFinalDot: order?.tell(.announceFinalDot)
        case .startTimer(let stage):
            clock = .stage(stage)
            timer?.set(route.timeouts[stage])
        case .cancelTimer: timer?.clear()
        case .startDeadline: deadline?.set(route.timeouts.deadline)
        case .cancelDeadline: deadline?.clear()
        case .transactionFinished(let outcomes): end(outcomes.first?.outcome)
        case .sessionFailed(let failure): end(.deferred(failure))
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

    private func timeIsOver() {
        switch clock {
        case .stage(let stage):
            transcript.note("timed out: \(stage)")
            perform(session.timedOut(stage))
        case .idle: if pool.expire(number) { perform(session.quit()) }
        }
    }

    private func deadlinePassed() {
        transcript.note("the transaction took too long")
        perform(session.deadlineExpired())
    }

    private static func place(of channel: any Channel) -> String {
        guard let address = channel.localAddress, let ip = address.ipAddress, let port = address.port else { return "" }
        return " from \(address.protocol == .inet6 ? "[\(ip)]" : ip):\(port)"
    }
}

extension DeliveryOutcome {
    /// Without the secrets of the login that the server's answer to it repeats.
    fileprivate func masked(by mask: SecretMask) -> DeliveryOutcome {
        guard !mask.isEmpty, let failure, failure.stage == .authentication, let reply = failure.reply else { return self }
        let masked = DeliveryFailure(
            stage: failure.stage, scope: failure.scope, cause: failure.cause,
            reply: Reply(code: reply.code, lines: reply.lines.map { mask.masked($0) }))
        switch self {
        case .accepted: return self
        case .deferred: return .deferred(masked)
        case .rejected: return .rejected(masked)
        case .ambiguous: return .ambiguous(masked)
        }
    }
}
