import struct NIOCore.ByteBuffer

/// The closed list of what a server session says. The texts are fixed and tell a stranger nothing; the log has the cause.
struct ServerReply: Sendable {
    let code: Int
    let enhancedStatusCode: StaticString?
    let text: String

    private init(_ code: Int, _ enhancedStatusCode: StaticString?, _ text: String) {
        self.code = code
        self.enhancedStatusCode = enhancedStatusCode
        self.text = text
    }

    var isFailure: Bool { code >= 400 }

    var encoded: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("\(code) ")
        if let enhancedStatusCode {
            buffer.writeStaticString(enhancedStatusCode)
            buffer.writeInteger(ASCII.space)
        }
        buffer.writeString(text)
        buffer.writeBytes([ASCII.carriageReturn, ASCII.lineFeed])
        return buffer
    }

    /// A multi-line 250 as EHLO and LHLO want it.
    static func capabilities(_ lines: [String]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (index, line) in lines.enumerated() {
            buffer.writeString("250\(index == lines.count - 1 ? " " : "-")\(line)\r\n")
        }
        return buffer
    }

    static func greeting(_ hostname: String, _ dialect: Dialect) -> ServerReply {
        ServerReply(220, nil, "\(hostname) \(dialect == .lmtp ? "LMTP" : "ESMTP")")
    }
    static func hello(_ hostname: String) -> ServerReply { ServerReply(250, nil, hostname) }
    static func goodbye(_ hostname: String) -> ServerReply { ServerReply(221, "2.0.0", "\(hostname) closing connection") }
    static let senderOk = ServerReply(250, "2.1.0", "Ok")
    static let recipientOk = ServerReply(250, "2.1.5", "Ok")
    static let ok = ServerReply(250, "2.0.0", "Ok")
    static let startTLS = ServerReply(220, "2.0.0", "Ready to start TLS")
    static let startContent = ServerReply(354, nil, "End data with <CR><LF>.<CR><LF>")
    static let cannotVerify = ServerReply(252, "2.5.2", "Cannot verify, send some mail")
    static let help = ServerReply(214, "2.0.0", "See RFC 5321")

    static func stored(_ id: String) -> ServerReply {
        let safe = Array(id.utf8.filter { ASCII.isVisible($0) }.prefix(64))
        return ServerReply(250, "2.0.0", "Ok: queued as \(String(decoding: safe, as: UTF8.self))")
    }

    static let unknownCommand = ServerReply(500, "5.5.2", "Command not recognized")
    static let strayControlInCommand = ServerReply(500, "5.5.2", "Commands end with <CR><LF> only")
    static let commandTooLong = ServerReply(500, "5.5.2", "Line too long")
    static let malformedCommand = ServerReply(501, "5.5.4", "Syntax error in parameters")
    static let malformedSender = ServerReply(501, "5.1.7", "Bad sender address syntax")
    static let malformedRecipient = ServerReply(501, "5.1.3", "Bad recipient address syntax")
    static let addressNeedsSMTPUTF8 = ServerReply(553, "5.6.7", "Address needs SMTPUTF8")
    static let unknownParameter = ServerReply(555, "5.5.4", "Parameter not recognized")
    static let notImplemented = ServerReply(502, "5.5.1", "Command not implemented")
    static let helloFirst = ServerReply(503, "5.5.1", "Say hello first")
    static let wrongDialect = ServerReply(500, "5.5.1", "Wrong greeting for this protocol")
    static let nestedMail = ServerReply(503, "5.5.1", "Nested MAIL command")
    static let mailFirst = ServerReply(503, "5.5.1", "Need MAIL command")
    static let recipientFirst = ServerReply(503, "5.5.1", "Need RCPT command")
    static let noValidRecipients = ServerReply(554, "5.5.1", "No valid recipients")
    static let alreadyEncrypted = ServerReply(503, "5.5.1", "TLS is active already")
    static let needsTLS = ServerReply(530, "5.7.0", "Must issue a STARTTLS command first")
    static let messageTooBig = ServerReply(552, "5.3.4", "Message size exceeds fixed limit")
    static let tooManyRecipients = ServerReply(452, "4.5.3", "Too many recipients")
    static let mailLoop = ServerReply(554, "5.4.6", "Mail loop detected")
    static let noStorageNow = ServerReply(452, "4.3.1", "Insufficient system storage")

    static let talkedTooEarly = ServerReply(554, "5.5.0", "Protocol error: input before its turn")
    static let strayControlInContent = ServerReply(550, "5.6.11", "Bare <CR>, bare <LF> or NUL in message")
    static let foreignProtocol = ServerReply(521, "5.5.1", "Protocol error")
    static let tooManyErrors = ServerReply(421, "4.7.0", "Too many errors")
    static let tooManyIdleCommands = ServerReply(421, "4.7.0", "Too many commands without mail")
    static let tooManyMessages = ServerReply(421, "4.7.0", "Too many messages in this session")
    static let tooMuchInput = ServerReply(421, "4.7.0", "Too much input")
    static let timeout = ServerReply(421, "4.4.2", "Timeout")
    static let unavailable = ServerReply(421, "4.3.2", "Service not available, try again later")

    static func answer(to verdict: RecipientVerdict) -> ServerReply {
        switch verdict {
        case .accepted: recipientOk
        case .unknownMailbox: ServerReply(550, "5.1.1", "No such mailbox here")
        case .relayDenied: ServerReply(550, "5.7.1", "Relaying denied")
        case .unavailable: ServerReply(451, "4.3.0", "Recipient cannot be checked now")
        case .mailboxFull: ServerReply(452, "4.2.2", "Mailbox full")
        case .greylisted: ServerReply(451, "4.7.1", "Greylisted, please try again later")
        }
    }

    static func answer(to verdict: DeliveryVerdict) -> ServerReply {
        switch verdict {
        case .stored(let id): stored(id)
        case .unavailable: ServerReply(451, "4.3.0", "Message not stored, try again later")
        case .insufficientStorage: noStorageNow
        case .unacceptable: ServerReply(554, "5.6.0", "Message content not acceptable")
        case .refusedByPolicy: ServerReply(550, "5.7.1", "Message refused")
        }
    }
}
