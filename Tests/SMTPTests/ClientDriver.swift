import NIOCore
import Testing

@testable import SMTP

/// Does what a client session asks, at once, and writes down what it did. It refuses what no driver could do: acting after `close`, starting
/// TLS twice, writing content without having been told to.
struct ClientDriver {
    var session: ClientSession
    /// What was written since the last look, with `<tls>`, `<content>` and `<close>` for acts.
    var written: [UInt8] = []
    var results: [String] = []
    var outcomes: [[RecipientOutcome]] = []
    var sessionFailures: [DeliveryFailure] = []
    var isClosed = false
    var timer: Stage?
    var deadline = false
    var dotWasWritten = false
    /// Stops before these, so that a test can act in between.
    var holdsContent = false
    var holdsDot = false
    private var envelopes: [Envelope]
    private var saslAnswers: [[UInt8]]
    private let tlsSucceeds: Bool?
    private let mechanism: String
    private let initial: [UInt8]?

    init(_ dialogue: Dialogue) {
        self.init(options: dialogue.options)
    }

    init(options: [String: String]) {
        let tls: ClientConfiguration.TLSPolicy =
            switch options["tls"] {
            case "required": .required
            case "opportunistic": .opportunistic
            case "implicit": .implicit
            default: .none
            }
        session = ClientSession(
            configuration: ClientConfiguration(
                dialect: options["dialect"] == "lmtp" ? .lmtp : .smtp, helloName: options["hello"] ?? "client.example", tls: tls,
                requiresVerifiedTLS: options["verify"] != nil, requiresAuthentication: options["auth"] != nil,
                credentialsRequireVerifiedTLS: options["credentials"] != "anywhere", usesPipelining: options["pipelining"] != "off",
                transactionLimit: options["limit"].flatMap { Int($0) }))
        let recipients = (options["to"] ?? "r@example.org").split(separator: ",").map { recipient in
            Envelope.Recipient(
                bytes(String(recipient)), notify: options["dsn"] == nil ? nil : [.failure, .delay],
                originalRecipient: options["dsn"] == nil ? nil : bytes("o+o@example.org"))
        }
        let envelope = Envelope(
            reversePath: bytes(options["from"] ?? "s@example.com").filter { $0 != UInt8(ascii: "-") }, recipients: recipients,
            envelopeID: options["dsn"].map { _ in bytes("id 1") }, returnContent: options["dsn"].map { _ in .headers },
            needsSMTPUTF8: options["utf8"] != nil,
            isEightBit: options["eightbit"] != nil, size: options["size"].flatMap { UInt64($0) })
        envelopes = Array(repeating: envelope, count: options["messages"].flatMap { Int($0) } ?? 1)
        saslAnswers = (options["sasl"] ?? "").split(separator: ",").map { bytes(String($0)) }
        tlsSucceeds = options["handshake"] == "fails" ? nil : options["handshake"] != "unverified"
        mechanism = options["auth"] ?? "PLAIN"
        initial = options["initial"].map { bytes($0 == "empty" ? "" : $0) }
    }

    mutating func connect() {
        if case .implicit = session.configuration.tls {
            perform(session.connected(over: tlsSucceeds.map { .tls(verified: $0) } ?? .plaintext))
        } else {
            perform(session.connected())
        }
    }

    mutating func receive(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        perform(session.received(ByteBuffer(bytes: bytes)))
    }

    mutating func perform(_ actions: [ClientAction]) {
        for (index, action) in actions.enumerated() {
            #expect(!isClosed, "asked to act after close: \(action)")
            switch action {
            case .startTLS, .startAuthentication, .saslChallenge, .confirmAuthentication, .ready, .sendContent, .announceFinalDot:
                #expect(index == actions.count - 1, "an action that wants an answer is not the last: \(actions)")
            default: break
            }
            switch action {
            case .send(let bytes), .sendSecret(let bytes):
                if bytes == ByteBuffer(string: ".\r\n") { dotWasWritten = true }
                written += Array(bytes.readableBytesView)
            case .startTLS:
                written += bytes("<tls>\r\n")
                perform(tlsSucceeds.map { session.tlsEstablished(verified: $0) } ?? session.tlsFailed())
            case .startAuthentication(let offered):
                #expect(!offered.isEmpty)
                perform(session.authenticationResponse(mechanism: mechanism, initial: initial))
            case .saslChallenge(let challenge):
                written += bytes("<challenge \(text(challenge))>\r\n")
                perform(saslAnswers.isEmpty ? session.cancelAuthentication() : session.saslStep(saslAnswers.removeFirst()))
            case .confirmAuthentication: perform(session.authenticationConfirmed(true))
            case .ready: perform(envelopes.isEmpty ? session.quit() : session.startTransaction(envelopes.removeFirst()))
            case .sendContent:
                written += bytes("<content>\r\n")
                if !holdsContent { perform(session.contentSent()) }
            case .announceFinalDot: if !holdsDot { perform(session.finalDotDurable()) }
            case .startTimer(let stage): timer = stage
            case .cancelTimer: timer = nil
            case .startDeadline: deadline = true
            case .cancelDeadline: deadline = false
            case .transactionFinished(let finished):
                outcomes.append(finished)
                results += finished.map { "\(text($0.forwardPath)) \(describe($0.outcome))" }
            case .sessionFailed(let failure):
                sessionFailures.append(failure)
                results.append("session \(describe(failure))")
            case .close:
                isClosed = true
                written += bytes("<close>\r\n")
                #expect(timer == nil, "a timer outlived the session")
                #expect(!deadline, "a deadline outlived the session")
            }
        }
    }

    mutating func lose() { perform(session.connectionClosed()) }
}

func describe(_ outcome: DeliveryOutcome) -> String {
    switch outcome {
    case .accepted(let reply): "accepted \(reply.code)"
    case .deferred(let failure): "deferred \(describe(failure))"
    case .rejected(let failure): "rejected \(describe(failure))"
    case .ambiguous(let failure): "ambiguous \(describe(failure))"
    }
}

func describe(_ failure: DeliveryFailure) -> String {
    let cause =
        switch failure.cause {
        case .protocolError(let fault): "\(fault)"
        case .extensionMissing(let missing): "missing-\(missing)"
        case .refusedForSafety(let refusal): "\(refusal)"
        default: "\(failure.cause)"
        }
    return (["\(failure.stage)", "\(failure.scope)", cause] + (failure.reply.map { ["\($0.code)"] } ?? [])).joined(separator: " ")
}
