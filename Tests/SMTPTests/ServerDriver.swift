import NIOCore
import Testing

@testable import SMTP

/// Does what a server session asks, at once, and writes down what it did: `unknown@`, `relay@`, `temp@`, `full@` and `grey@` are refused as recipients,
/// every other one is accepted; content is stored as Q1, Q2, ... It refuses what no driver could do.
struct ServerDriver {
    var session: ServerSession
    /// What was written, with `<tls>`, `<pause>`, `<deliver ...>`, `<discard>` and `<close ...>` for acts.
    var written: [UInt8] = []
    var stored: [(envelope: ReceivedEnvelope, content: [UInt8])] = []
    var verdict: DeliveryVerdict?
    var isClosed = false
    var closeReason: CloseReason?
    /// Answers are owed until `answer()`.
    var holds = false
    private var owed: ServerAction?
    private var content: [UInt8]?

    init(options: [String: String] = [:], limits: ServerLimits = ServerLimits()) {
        var limits = limits
        if let size = options["size"].flatMap({ UInt64($0) }) { limits.messageSize = size }
        if let recipients = options["recipients"].flatMap({ Int($0) }) { limits.recipients = recipients }
        session = ServerSession(
            configuration: ServerConfiguration(
                dialect: options["dialect"] == "lmtp" ? .lmtp : .smtp, hostname: "mx.example.com", offersTLS: options["tls"] != nil,
                requiresTLS: options["tls"] == "required", offersSMTPUTF8: options["utf8"] != "off", limits: limits))
        if options["store"] == "fails" { verdict = .unavailable }
    }

    mutating func receive(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        perform(session.received(ByteBuffer(bytes: bytes)))
    }

    mutating func receive(_ text: String) { receive(bytes(text)) }

    /// What was written since the last look.
    mutating func look() -> String {
        defer { written = [] }
        return text(written)
    }

    mutating func perform(_ actions: [ServerAction]) {
        for (index, action) in actions.enumerated() {
            #expect(!isClosed, "asked to act after close: \(action)")
            let rest = actions[(index + 1)...]
            let isBeforeClose =
                rest.allSatisfy { if case .send = $0 { true } else if case .close = $0 { true } else { false } } && rest.count == 2
            switch action {
            case .send(let bytes): written += Array(bytes.readableBytesView)
            case .beginMessage:
                #expect(content == nil, "a message begins within a message")
                content = []
            case .messageChunk(let chunk):
                #expect(content != nil, "content without a message")
                content? += Array(chunk.readableBytesView)
            case .discardMessage:
                #expect(content != nil, "nothing to discard")
                content = nil
                written += bytes("<discard>\r\n")
            case .close(let reason):
                isClosed = true
                closeReason = reason
                #expect(content == nil || owed != nil, "closed with a message half read")
                written += bytes("<close \(reason)>\r\n")
            case .startTLS, .pause, .validateRecipient, .deliver:
                #expect(rest.isEmpty || isBeforeClose, "an action that wants an answer is not the last: \(actions)")
                owed = action
                if !holds { answer() }
            }
        }
    }

    mutating func answer() {
        guard let action = owed else { return }
        owed = nil
        switch action {
        case .startTLS:
            written += bytes("<tls>\r\n")
            perform(session.tlsEstablished())
        case .pause:
            written += bytes("<pause>\r\n")
            perform(session.resumed())
        case .validateRecipient(let address, _):
            let verdict: RecipientVerdict =
                switch text(address.prefix { $0 != UInt8(ascii: "@") }) {
                case "unknown": .unknownMailbox
                case "relay": .relayDenied
                case "temp": .unavailable
                case "full": .mailboxFull
                case "grey": .greylisted
                default: .accepted
                }
            perform(session.recipientVerdict(verdict))
        case .deliver(let envelope):
            let message = content ?? []
            content = nil
            let recipients = envelope.recipients.map { text($0) }.joined(separator: ",")
            written += bytes("<deliver \(text(envelope.reversePath))>\(recipients) \(message.count) \(envelope.transmissionType)>\r\n")
            if verdict == nil { stored.append((envelope, message)) }
            perform(session.deliveryVerdict(verdict ?? .stored(id: "Q\(stored.count)")))
        default: break
        }
    }
}
