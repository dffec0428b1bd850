package import struct NIOCore.ByteBuffer

/// The server side of SMTP (RFC 5321) and LMTP (RFC 2033) as a value: what happens goes in, what to do comes out.
///
/// The session takes messages in for the recipients that the driver vouches for, one by one; it has no way to hand mail on to anybody else.
///
/// Invariants:
/// - 250 is said for a message only in answer to the driver's `stored` verdict.
/// - Content ends with exactly CRLF.CRLF. After a bare CR, a bare LF or NUL the session is closed and nothing behind it is read.
/// - The input is empty when TLS begins, and nothing said in clear is remembered behind it.
/// - What waits unread while an answer of the driver is owed is bounded.
///
/// Time comes in through `tick(elapsed:)`. Each phase has its own file: Hello, Envelope, Content, Clock, Ending.
package struct ServerSession: Sendable {
    struct Hello: Sendable {
        let name: [UInt8]
        let isExtended: Bool
    }

    struct Reception: Sendable {
        var framer = DataFramer()
        /// Octets that came, with stuffing and terminator.
        var received: UInt64 = 0
        var elapsed: Duration = .zero
        /// Why the content is not kept: the rest is read and dropped, so that the session stays in step, and this is the answer to it.
        var refusal: ServerReply?
        var hops = HopCounter()
    }

    enum State: Sendable {
        case unconnected
        case greetingPause
        /// Between transactions; nil before HELO, EHLO or LHLO.
        case idle(Hello?)
        case envelope(Hello, ReceivedEnvelope)
        /// The driver looks at a recipient.
        case recipientVerdict(Hello, ReceivedEnvelope, candidate: [UInt8])
        case content(Hello, ReceivedEnvelope, Reception)
        /// The driver makes the message durable.
        case deliveryVerdict(Hello, ReceivedEnvelope)
        case handshake
        case closed
    }

    package let configuration: ServerConfiguration
    /// Whether the channel is TLS.
    package internal(set) var isEncrypted = false
    /// While true, MAIL is answered with 452 4.3.1.
    package var isUnderPressure = false

    let hostname: String
    var state = State.unconnected
    var framer: LineFramer
    /// An error reply that is held back during a pause.
    var heldReply: ByteBuffer?
    var errors = 0
    /// Commands since the last message that brought none nearer.
    var idleCommands = 0
    var messages = 0
    var isShuttingDown = false
    var idleTime: Duration = .zero
    var commandTime: Duration = .zero
    var sessionTime: Duration = .zero

    package init(configuration: ServerConfiguration) {
        self.configuration = configuration
        let name = configuration.hostname.utf8.filter {
            ASCII.isLetterOrDigit($0) || [ASCII.dot, ASCII.hyphen, ASCII.colon, ASCII.openBracket, ASCII.closeBracket].contains($0)
        }
        hostname = name.isEmpty ? "localhost" : String(decoding: name.prefix(255), as: UTF8.self)
        framer = LineFramer(limit: configuration.limits.commandLine)
    }

    /// Whether the session is over.
    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Whether the session waits for the driver; it may then stop reading from the client.
    package var isWaitingForDriver: Bool {
        if heldReply != nil { return true }
        return switch state {
        case .recipientVerdict, .deliveryVerdict, .greetingPause: true
        default: false
        }
    }

    /// Whether octets of the client are to be read now. During the pause before the greeting they are: whoever talks then is found out.
    package var wantsInput: Bool {
        if case .greetingPause = state { true } else { !isWaitingForDriver }
    }

    /// Octets came from the client.
    package mutating func received(_ bytes: ByteBuffer) -> [ServerAction] {
        guard bytes.readableBytes > 0 else { return [] }
        var actions: [ServerAction] = []
        switch state {
        case .closed: return []
        case .handshake: close(.injectedBeforeTLS, into: &actions)
        case .greetingPause: close(.talkedTooEarly, saying: .talkedTooEarly, into: &actions)
        default:
            idleTime = .zero
            framer.append(bytes)
            drain(into: &actions)
            if isWaitingForDriver, framer.unread > configuration.limits.waitingInput {
                close(.tooMuchInput, saying: .tooMuchInput, into: &actions)
            }
        }
        return actions
    }

    /// The pause asked for is over.
    package mutating func resumed() -> [ServerAction] {
        var actions: [ServerAction] = []
        if case .greetingPause = state {
            greet(into: &actions)
        } else if let reply = heldReply {
            heldReply = nil
            actions.append(.send(reply))
            drain(into: &actions)
        }
        return actions
    }

    /// Reads on for as long as nothing is owed.
    mutating func drain(into actions: inout [ServerAction]) {
        while heldReply == nil {
            switch state {
            case .idle, .envelope:
                if isShuttingDown { return close(.unavailable, saying: .unavailable, into: &actions) }
                switch framer.next() {
                case .line(let line):
                    commandTime = .zero
                    perform(ClientCommand(line), into: &actions)
                case .incomplete: return
                case .fault(.strayControl): return close(.strayControl, saying: .strayControlInCommand, into: &actions)
                case .fault(.lineTooLong): return close(.commandTooLong, saying: .commandTooLong, into: &actions)
                }
            case .content(let hello, let envelope, let reception):
                guard framer.unread > 0 else { return }
                readContent(framer.takeAll(), hello, envelope, reception, into: &actions)
            case .unconnected, .greetingPause, .recipientVerdict, .deliveryVerdict, .handshake, .closed: return
            }
        }
    }

    private mutating func perform(_ command: ClientCommand, into actions: inout [ServerAction]) {
        if command == .foreign { return close(.foreignProtocol, saying: .foreignProtocol, into: &actions) }
        // STARTTLS sees to its own: what stands behind it is an attack of another name.
        if framer.unread > 0, command != .startTLS, !mayBeFollowed(command) {
            return close(.talkedTooEarly, saying: .talkedTooEarly, into: &actions)
        }
        if leadsNowhere(command), isOneTooMany(into: &actions) { return }
        switch command {
        case .hello(let verb, let name): hello(verb, name, into: &actions)
        case .mail(let argument): mail(argument, into: &actions)
        case .recipient(let argument): recipient(argument, into: &actions)
        case .data: data(into: &actions)
        case .reset:
            // Whoever goes on with a connection that it kept begins so, and takes a new one where a refused MAIL would defer its message.
            if messages >= configuration.limits.messages { return close(.tooManyMessages, saying: .tooManyMessages, into: &actions) }
            if let hello { state = .idle(hello) }
            say(.ok, into: &actions)
        case .noop: say(.ok, into: &actions)
        case .quit: close(.quit, saying: .goodbye(hostname), into: &actions)
        case .startTLS: startTLS(into: &actions)
        case .verify: say(.cannotVerify, into: &actions)
        case .help: say(.help, into: &actions)
        case .notImplemented: say(.notImplemented, into: &actions)
        case .malformed: say(.malformedCommand, into: &actions)
        case .foreign, .unknown: say(.unknownCommand, into: &actions)
        }
    }

    private func leadsNowhere(_ command: ClientCommand) -> Bool {
        switch command {
        case .noop, .reset, .verify, .help: true
        case .hello: hello != nil
        default: false
        }
    }

    /// Counts a command that leads to no message; true when the session ends with it.
    mutating func isOneTooMany(into actions: inout [ServerAction]) -> Bool {
        idleCommands += 1
        guard idleCommands > configuration.limits.idleCommands else { return false }
        close(.tooManyIdleCommands, saying: .tooManyIdleCommands, into: &actions)
        return true
    }

    /// RFC 2920 §3.2: a client may run ahead only when PIPELINING was offered to it, and never past EHLO or DATA.
    private func mayBeFollowed(_ command: ClientCommand) -> Bool {
        switch command {
        case .hello, .data: false
        default: hello?.isExtended == true
        }
    }

    /// The greeting of the client, in the states in which it can give commands.
    var hello: Hello? {
        switch state {
        case .idle(let hello): hello
        case .envelope(let hello, _): hello
        default: nil
        }
    }
}
