package import struct NIOCore.ByteBuffer

/// The client side of SMTP (RFC 5321) and LMTP (RFC 2033) as a value: what happens goes in, what to do comes out.
///
/// The session holds no channel, clock, promise or credential. One session carries any number of transactions, one after the other: after
/// `ready`, call `startTransaction(_:)`; after `transactionFinished`, either `ready` follows or `close`.
///
/// Invariants:
/// - A recipient is `accepted` only on a complete 2xx reply to the final dot, and `ambiguous` only once `finalDotDurable()` was called.
/// - No command is written while input is unread: octets nobody asked for end the session.
/// - Nothing but EHLO and STARTTLS is written before TLS where TLS is required.
/// - A session is reused only after a transaction that was accepted, or that ended by the refusal of its sender or its recipients: after the
///   latter RSET is said, and its 250 awaited, before the next. Any other end closes the connection.
///
/// Each phase of the dialogue has its own file: Greeting, Authentication, Envelope, Data, Ending.
package struct ClientSession: Sendable {
    enum State: Sendable {
        case unconnected
        case greeting
        /// EHLO or LHLO, or HELO as the fallback, awaits its reply.
        case hello(isFallback: Bool)
        case startTLS
        case handshake
        /// The driver chooses a mechanism.
        case mechanismChoice
        /// The server's turn in the AUTH exchange.
        case authentication(AuthenticationExchange)
        /// The driver's turn in the AUTH exchange.
        case saslResponse(AuthenticationExchange)
        case authenticationCancelled
        case authenticationConfirmation
        case ready
        case envelope(EnvelopeExchange)
        case content(Transaction)
        /// The driver makes durable that the final dot is about to be written.
        case durability(Transaction)
        /// The final dot may have been written.
        case finalDot(Transaction)
        /// A lone dot ends a DATA that no recipient wanted (RFC 2920 §3.1); its transaction is already over.
        case loneDot
        case reset
        case quit
        case closed
    }

    package let configuration: ClientConfiguration
    /// What the server offered in its last EHLO or LHLO reply.
    package internal(set) var capabilities = Capabilities()
    /// What the channel is now.
    package internal(set) var security = ChannelSecurity.plaintext
    /// Whether the server greeted with 220: it is one that can be spoken to, whatever came later.
    package internal(set) var isGreeted = false
    /// Transactions that were begun, the one under way among them.
    package internal(set) var transactions = 0

    var state = State.unconnected
    var parser = ReplyParser()
    /// The stage timer that is running.
    var timer: Stage?
    var deadlineIsRunning = false

    package init(configuration: ClientConfiguration) {
        self.configuration = configuration
    }

    /// Whether the session is over.
    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Octets came from the server.
    package mutating func received(_ bytes: ByteBuffer) -> [ClientAction] {
        guard !isClosed else { return [] }
        parser.append(bytes)
        var actions: [ClientAction] = []
        while !isClosed, !parser.isEmpty {
            if case .unconnected = state { break }
            if case .handshake = state {
                end(.protocolError(.unsolicitedInput), into: &actions)
                break
            }
            switch parser.next() {
            case .incomplete: return actions
            case .fault(let fault): end(.protocolError(.unreadable(fault)), into: &actions)
            case .reply(let reply): replied(reply, into: &actions)
            }
        }
        return actions
    }

    private mutating func replied(_ reply: Reply, into actions: inout [ClientAction]) {
        switch state {
        case .greeting: greetingReplied(reply, into: &actions)
        case .hello(let isFallback): helloReplied(reply, isFallback: isFallback, into: &actions)
        case .startTLS: startTLSReplied(reply, into: &actions)
        case .authentication(let exchange): authenticationReplied(reply, exchange, into: &actions)
        case .authenticationCancelled: end(.authenticationFailed, reply: reply, orderly: true, into: &actions)
        case .envelope(let exchange): envelopeReplied(reply, exchange, into: &actions)
        case .finalDot(let transaction): finalDotReplied(reply, transaction, into: &actions)
        case .loneDot: leave(into: &actions)
        case .reset: resetReplied(reply, into: &actions)
        case .quit: close(into: &actions)
        case .mechanismChoice, .saslResponse, .authenticationConfirmation, .ready, .content, .durability:
            end(OutcomePolicy.cause(ofUnsolicited: reply), reply: reply, into: &actions)
        case .unconnected, .handshake, .closed: break
        }
    }

    /// Writes a command and starts its timer, unless the server spoke out of turn.
    ///
    /// The state must already be the one that awaits the reply, so that a refusal is ascribed to the right stage.
    mutating func command(_ line: ByteBuffer, _ stage: Stage, isSecret: Bool = false, into actions: inout [ClientAction]) {
        guard parser.isEmpty else { return refuseInput(into: &actions) }
        actions.append(isSecret ? .sendSecret(line) : .send(line))
        start(stage, into: &actions)
    }

    /// Ends the session because input is waiting where none is due.
    mutating func refuseInput(into actions: inout [ClientAction]) {
        switch parser.next() {
        case .reply(let reply): end(OutcomePolicy.cause(ofUnsolicited: reply), reply: reply, into: &actions)
        case .incomplete: end(.protocolError(.unsolicitedInput), into: &actions)
        case .fault(let fault): end(.protocolError(.unreadable(fault)), into: &actions)
        }
    }

    mutating func start(_ stage: Stage, into actions: inout [ClientAction]) {
        timer = stage
        actions.append(.startTimer(stage))
    }

    mutating func cancelTimer(into actions: inout [ClientAction]) {
        guard timer != nil else { return }
        timer = nil
        actions.append(.cancelTimer)
    }

    mutating func cancelDeadline(into actions: inout [ClientAction]) {
        guard deadlineIsRunning else { return }
        deadlineIsRunning = false
        actions.append(.cancelDeadline)
    }
}
