import DNS
import NIOCore
import OpenSSL
import SMTP

/// The shell around `ServerSession` on one channel: does what the machine says and offers what came to the desk through a stream.
///
/// Lives on its channel's event loop alone.
final class SMTPServerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How a connection ended.
    enum End: Sendable, Equatable {
        /// nil: the client left.
        case closed(CloseReason?)
        /// It came from a proxy's network and had no usable PROXY header; why, for a person.
        case noHeader(String)
    }

    private var session: ServerSession
    /// Address of the client; `unix` for a local socket.
    private var peer: String
    /// As long as the header of a proxy is awaited.
    private var proxyHeader: ProxyHeader?
    private let tls: TLSServerContext?
    private let census: Census
    /// What the connection counts for in the census.
    private var countedFor: String?
    private let budget: ContentBudget
    private let isUnderPressure: @Sendable () -> Bool
    private let verdict: @Sendable ([UInt8]) -> RecipientVerdict
    private let offers: AsyncStream<InboundMail>.Continuation
    private let onEnd: @Sendable (String, End) -> Void
    private var context: ChannelHandlerContext?
    private var content = ByteBuffer()
    /// Octets of content taken from the budget and not given back yet.
    private var charged = 0
    /// There was no room for all of the message that is coming: it is read to its end and refused for now.
    private var isOverBudget = false
    /// What came while replies could not be written or an answer of the desk was awaited.
    private var unread = CircularBuffer<ByteBuffer>()
    /// The client has said all that it will say; it may still read.
    private var isInputClosed = false
    private var isFeeding = false
    private var clock: RepeatedTask?
    private var lastTick = NIODeadline.now()
    private var reason: CloseReason?
    /// What was wrong with the header of a proxy.
    private var headerFault: String?
    private var reading = true
    private var headerTime = Duration.zero
    /// For how long the client was let talk behind the last reply; nil: the session goes on.
    private var farewell: Duration?
    /// Long enough for a large message, and no longer than a slow client is borne with in other ways.
    private static let longestFarewell = Duration.seconds(20)
    /// A proxy sends its header at once.
    private static let longestHeaderTime = Duration.seconds(10)

    init(
        configuration: ServerConfiguration, peer: String?, isProxied: Bool, tls: TLSServerContext?, census: Census, budget: ContentBudget,
        verdict: @escaping @Sendable ([UInt8]) -> RecipientVerdict, isUnderPressure: @escaping @Sendable () -> Bool,
        offers: AsyncStream<InboundMail>.Continuation,
        onEnd: @escaping @Sendable (String, End) -> Void
    ) {
        session = ServerSession(configuration: configuration)
        self.peer = peer ?? "unix"
        proxyHeader = isProxied ? ProxyHeader() : nil
        self.tls = tls
        self.census = census
        self.budget = budget
        self.isUnderPressure = isUnderPressure
        self.verdict = verdict
        self.offers = offers
        self.onEnd = onEnd
    }

    // MARK: Answers of the desk

    func delivered(_ verdict: DeliveryVerdict) {
        discharge()
        perform(session.deliveryVerdict(verdict))
        feed()
    }
    func shutDown() {
        if farewell == nil { perform(session.shutdown()) } else { context?.close(promise: nil) }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard clock == nil else { return }
        lastTick = .now()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        clock = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.tick() }
        let hasRoom = census.enter()
        if proxyHeader == nil || !hasRoom { meet(hasRoom: hasRoom) }
    }

    /// Begins the session: who the client is, is known, or does not matter.
    private func meet(hasRoom: Bool) {
        var hasRoom = hasRoom
        // A local socket has no cap of its own.
        if hasRoom, !peer.utf8.elementsEqual("unix".utf8) {
            countedFor = peer
            hasRoom = census.identify(peer)
        }
        perform(session.connected(hasRoom: hasRoom))
    }

    private func readHeader(_ bytes: ByteBuffer) {
        switch proxyHeader?.read(bytes) {
        case .done(let client, let rest):
            proxyHeader = nil
            if let client { peer = client.description }
            // What stands behind the header was said before the greeting.
            perform(session.received(rest))
            meet(hasRoom: true)
        case .fault:
            proxyHeader = nil
            headerFault = "what it sent first is no PROXY header"
            context?.close(promise: nil)
        case .incomplete, nil: break
        }
    }

    private func tick() {
        let now = NIODeadline.now()
        let elapsed = Duration.nanoseconds((now - lastTick).nanoseconds)
        lastTick = now
        if proxyHeader != nil {
            headerTime += elapsed
            if headerTime >= Self.longestHeaderTime {
                headerFault = "no PROXY header came in \(Self.longestHeaderTime.components.seconds) s"
                context?.close(promise: nil)
            }
            return
        }
        if let time = farewell {
            farewell = time + elapsed
            if time + elapsed >= Self.longestFarewell { context?.close(promise: nil) }
            return
        }
        perform(session.tick(elapsed: elapsed))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if proxyHeader != nil { return readHeader(unwrapInboundIn(data)) }
        if farewell != nil { return }
        unread.append(unwrapInboundIn(data))
        feed()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        feed()
        context.fireChannelWritabilityChanged()
    }

    /// Gives the session what was read for as long as it wants it and its replies find a way out, so that a client that never reads them
    /// cannot fill memory. The session's own clocks end a connection on which nothing moves.
    private func feed() {
        guard !isFeeding else { return }
        isFeeding = true
        while let context, session.wantsInput, context.channel.isWritable, let bytes = unread.popFirst() {
            session.isUnderPressure = isUnderPressure()
            perform(session.received(bytes))
        }
        isFeeding = false
        followReading()
        // Who closed the own side only still hears the answers to all that was said.
        if isInputClosed, session.wantsInput, unread.isEmpty { context?.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        clock?.cancel()
        unread.removeAll()
        perform(session.connectionClosed())
        self.context = nil
        offers.finish()
        census.leave(countedFor)
        onEnd(peer, headerFault.map { .noHeader($0) } ?? .closed(reason))
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is TLSHandshakeCompleted {
            perform(session.tlsEstablished())
        } else if event as? ChannelEvent == .inputClosed {
            isInputClosed = true
            if farewell != nil { return context.close(promise: nil) }
            feed()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError, error.code != .uncleanShutdown { perform(session.tlsFailed()) }
        context.close(promise: nil)
    }

    // MARK: Actions

    private func perform(_ actions: [ServerAction]) {
        for action in actions { perform(action) }
        followReading()
    }

    private func perform(_ action: ServerAction) {
        switch action {
        case .send(let buffer): context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .startTLS: startTLS()
        case .pause(let duration):
            context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
                self.perform(self.session.resumed())
                self.feed()
            }
        case .validateRecipient(let path, _): perform(session.recipientVerdict(verdict(path)))
        case .beginMessage(let envelope):
            drop()
            content.reserveCapacity(Int(clamping: min(envelope.announcedSize ?? 8192, 1 << 16)))
        case .messageChunk(let chunk): keep(chunk)
        case .deliver where isOverBudget:
            drop()
            perform(session.deliveryVerdict(.insufficientStorage))
        case .deliver(let envelope):
            let bytes = Array(content.readableBytesView)
            content = ByteBuffer()
            offers.yield(InboundMail(envelope: envelope, peer: peer, content: bytes))
        case .discardMessage: drop()
        case .close(let why):
            reason = why
            isWorthHearing(why) ? part() : context?.close(promise: nil)
        }
    }

    /// Whether a client that still sends may have missed why it is refused, if the connection were gone at once.
    private func isWorthHearing(_ why: CloseReason) -> Bool {
        switch why {
        case .talkedTooEarly, .strayControl, .commandTooLong, .foreignProtocol, .tooManyErrors, .tooManyIdleCommands, .tooManyMessages,
            .tooMuchInput:
            true
        case .quit, .commandTimeout, .idleTimeout, .sessionTimeout, .tooSlow, .injectedBeforeTLS, .tlsFailed, .unavailable: false
        }
    }

    /// Ends the own side and drops what the client still says until it ends its own: to close while something is unread would reset the
    /// connection, and the client would come again for days instead of reading the reply.
    private func part() {
        guard let context, farewell == nil else { return }
        farewell = .zero
        unread.removeAll()
        drop()
        context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
        guard !isInputClosed else { return context.close(promise: nil) }
        // Behind what was written before.
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.close(mode: .output, promise: nil) }
    }

    private func keep(_ chunk: ByteBuffer) {
        guard !isOverBudget else { return }
        guard budget.take(chunk.readableBytes) else {
            drop()
            isOverBudget = true
            return
        }
        charged += chunk.readableBytes
        var chunk = chunk
        content.writeBuffer(&chunk)
    }

    private func drop() {
        content = ByteBuffer()
        isOverBudget = false
        discharge()
    }

    private func discharge() {
        budget.giveBack(charged)
        charged = 0
    }

    private func startTLS() {
        guard let context, let tls else { return }
        // What was read in clear behind the command would pass for something said under TLS (RFC 3207 §6).
        guard unread.isEmpty else { return context.close(promise: nil) }
        do {
            try context.pipeline.syncOperations.addHandler(TLSChannelHandler(server: tls), position: .first)
        } catch {
            perform(session.tlsFailed())
        }
    }

    /// Stops reading while something waits already, so that a client cannot fill memory. One that keeps silent until it is answered costs
    /// no change.
    private func followReading() {
        guard let context, !isFeeding, !session.isClosed else { return }
        let wanted = unread.isEmpty && context.channel.isWritable
        guard wanted != reading else { return }
        reading = wanted
        context.channel.setOption(.autoRead, value: wanted).whenComplete { _ in }
    }
}
