package import NIOCore

/// Speaks TLS for everything that stands behind it in the pipeline: plaintext on that side, records on the socket's side.
///
/// Overview: a shell around `TLSConnection`. It feeds the connection, moves what comes out, and keeps the channel's promises.
///
/// Events, inbound:
/// - `TLSHandshakeCompleted` once, before the first plaintext; only from then on is the connection worth anything.
/// - `TLSError` through `errorCaught`: of a failed handshake (the channel is closed then), or `uncleanShutdown` when the
///   connection ends without close_notify. An end after close_notify is `channelInactive` alone (or `inputClosed`, where
///   the channel allows half-closure).
///
/// STARTTLS: add the handler at the head of a running pipeline once the plaintext protocol's buffers are proven empty and its
/// last write is flushed; the handshake begins at once. What is written before the handshake is done waits for it.
/// There is no time limit on the handshake here; that is its user's.
///
/// Order of call-outs: ciphertext is queued first and written afterwards, and every state is entered before anybody is called,
/// so a handler may write or close from any event.
package final class TLSChannelHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum State {
        case idle
        case handshaking
        case open
        /// The peer sends no more; we may.
        case inputEnded
        /// We have said that we send no more; the peer may.
        case outputEnded
        /// Somebody wants the channel closed; we wait for our last octets to leave and for the peer's end, both for a limited time.
        case closing(Closing)
        case closed
    }

    struct Closing {
        var promises: [EventLoopPromise<Void>]
        var timeLimit: Scheduled<Void>?
        var allWritten = false
        var peerEnded: Bool
    }

    struct PendingWrite {
        var plaintext: ByteBuffer
        var promise: EventLoopPromise<Void>?
    }

    /// Plaintext is delivered in pieces of about this many octets.
    static let readLimit = 64 << 10
    /// A long write goes to the socket in pieces of this many octets of plaintext.
    static let writeLimit = 128 << 10

    let connection: TLSConnection
    let closeTimeLimit: TimeAmount
    var state = State.idle
    /// Plaintext not encrypted yet; marked as far as it was flushed.
    var pending = MarkedCircularBuffer<PendingWrite>(initialCapacity: 8)
    /// Ciphertext in the order it must be written.
    var outbound = CircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>(initialCapacity: 8)
    var isAdvancing = false
    var hasNews = false
    var readWanted = false
    var hasDelivered = false

    /// The client side.
    ///
    /// - Parameters:
    ///   - closeTimeLimit: how long `close` waits for the peer to end its side too.
    /// - Throws: `invalidPeerName`.
    package convenience init(client context: TLSClientContext, peer: TLSPeer, closeTimeLimit: TimeAmount = .seconds(2)) throws(TLSError) {
        self.init(try TLSConnection(client: context, peer: peer), closeTimeLimit)
    }

    /// The server side.
    package convenience init(server context: TLSServerContext, closeTimeLimit: TimeAmount = .seconds(2)) throws(TLSError) {
        self.init(try TLSConnection(server: context), closeTimeLimit)
    }

    private init(_ connection: TLSConnection, _ closeTimeLimit: TimeAmount) {
        self.connection = connection
        self.closeTimeLimit = closeTimeLimit
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        let last = state
        state = .closed
        failWrites(ChannelError.ioOnClosedChannel)
        if case .closing(let closing) = last { closing.end { $0.succeed() } }
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    func begin(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        state = .handshaking
        advance(context)
        // Nobody behind us knows that the handshake needs reading.
        context.read()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let last = state
        state = .closed
        switch last {
        case .idle, .inputEnded, .closed: failWrites(ChannelError.ioOnClosedChannel)
        case .handshaking: report(.closedDuringHandshake, context)
        case .open, .outputEnded: report(.uncleanShutdown, context)
        case .closing(let closing):
            failWrites(ChannelError.ioOnClosedChannel)
            closing.end { $0.succeed() }
        }
        context.fireChannelInactive()
    }

    func report(_ code: TLSError.Code, _ context: ChannelHandlerContext) {
        let error = TLSError.end(code)
        failWrites(error)
        context.fireErrorCaught(error)
    }

    // MARK: Reading

    package func read(context: ChannelHandlerContext) {
        readWanted = true
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .idle: begin(context)
        // What follows a close_notify is nothing (RFC 8446 §6.1).
        case .inputEnded, .closed: return
        case .handshaking, .open, .outputEnded, .closing: break
        }
        connection.receive(unwrapInboundIn(data))
        advance(context)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if hasDelivered {
            hasDelivered = false
            readWanted = false
            context.fireChannelReadComplete()
            return
        }
        switch state {
        case .handshaking, .closing: context.read()
        case .open, .outputEnded:
            // Somebody asked, and all that came was half a record.
            if readWanted { context.read() }
        case .idle, .inputEnded, .closed: break
        }
    }

    /// Takes the connection as far as the octets at hand allow. A call from within an own call-out only leaves a note.
    func advance(_ context: ChannelHandlerContext) {
        hasNews = true
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while hasNews {
            hasNews = false
            switch state {
            case .idle, .inputEnded, .closed: return
            case .handshaking: shakeHands(context)
            case .open, .outputEnded: deliver(context)
            case .closing: drain(context)
            }
        }
    }

    func shakeHands(_ context: ChannelHandlerContext) {
        let step = connection.handshake()
        switch step {
        case .needsMore:
            queueCiphertext(context)
            sendOutbound(context)
        case .failed(let error):
            fail(error, context)
        case .complete(let facts):
            state = .open
            hasNews = true
            queueCiphertext(context)
            sendOutbound(context)
            guard case .open = state else { return }
            context.fireUserInboundEventTriggered(TLSHandshakeCompleted(facts: facts))
            encryptAndSend(context)
        }
    }

    func deliver(_ context: ChannelHandlerContext) {
        var plaintext = context.channel.allocator.buffer(capacity: 4 << 10)
        let step = connection.read(into: &plaintext, limit: Self.readLimit)
        queueCiphertext(context)
        sendOutbound(context)
        if plaintext.readableBytes > 0 {
            hasDelivered = true
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
        switch step {
        case .more: hasNews = true
        case .drained: break
        case .closeNotify: peerEnded(context)
        case .failed(let error): fail(error, context)
        }
    }

    /// Nobody wants what comes now; only the peer's end is waited for.
    func drain(_ context: ChannelHandlerContext) {
        var unwanted = context.channel.allocator.buffer(capacity: 4 << 10)
        switch connection.read(into: &unwanted, limit: Self.readLimit) {
        case .more: hasNews = true
        case .drained: break
        case .closeNotify, .failed: peerEnded(context)
        }
    }

    /// The peer said close_notify, or its side of the connection is gone.
    func peerEnded(_ context: ChannelHandlerContext) {
        switch state {
        case .idle, .handshaking, .inputEnded, .closed: return
        case .open where allowsHalfClosure(context):
            state = .inputEnded
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .open, .outputEnded:
            beginClosing(context, peerEnded: true, promise: nil)
        case .closing(var closing):
            closing.peerEnded = true
            state = .closing(closing)
            finishClosing(context)
        }
    }

    func allowsHalfClosure(_ context: ChannelHandlerContext) -> Bool {
        (try? context.channel.syncOptions?.getOption(.allowRemoteHalfClosure)) ?? false
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let end = event as? ChannelEvent, end == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        switch state {
        case .idle, .closed: context.fireUserInboundEventTriggered(event)
        case .handshaking: fail(.end(.closedDuringHandshake), context)
        case .open:
            state = .inputEnded
            context.fireErrorCaught(TLSError.end(.uncleanShutdown))
            context.fireUserInboundEventTriggered(event)
        case .outputEnded:
            context.fireErrorCaught(TLSError.end(.uncleanShutdown))
            peerEnded(context)
        // Told already, with the close_notify.
        case .inputEnded: return
        case .closing: peerEnded(context)
        }
    }
}
