import DNS
import InternetMessage
import Logging
import MailTransport
import NIOPosix
import OpenSSL
import SASL
import SMTP
import Synchronization
import TestKit
import Testing

/// Our own drivers with what these tests give them.
enum Peers {
    static let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
    static let eventLoops = MultiThreadedEventLoopGroup.singleton

    static func trust(_ certificate: CertificateFiles) throws -> TLSClientContext {
        try TLSClientContext(trust: .caFile(certificate.certificate))
    }

    static func credentials(_ mechanism: SASLMechanism, password: String = "secret") -> Route.Credentials {
        Route.Credentials(sasl: .password(Array(password.utf8), user: "ann@example.com"), mechanisms: [mechanism])
    }

    static func message(to recipient: String, from reversePath: String? = "ann@example.com", id: String = "one@example.com") throws
        -> OutboundMessage
    {
        let text =
            "From: ann@example.com\r\nTo: \(recipient)\r\nSubject: One\r\nMessage-ID: <\(id)>\r\n\r\n.A line that starts with a dot\r\nend\r\n"
        return OutboundMessage(
            reversePath: try reversePath.map { .address(try #require(EmailAddress($0))) } ?? .null,
            recipient: try #require(EmailAddress(recipient)), content: Array(text.utf8), envelopeID: "envelope-1")
    }

    static func deliver(_ message: OutboundMessage, over route: Route, resolver: any DNS.Resolver = StaticResolver([:])) async
        -> DeliveryReport
    {
        let courier = Courier(routes: [route], resolver: resolver, eventLoops: eventLoops, seed: 1, logger: logger)
        return await courier.deliver(message, route: route.name, checks: DeliveryChecks(mayLeave: { true }, finalDot: { true }))
    }
}

extension DeliveryReport {
    /// The outcome in one word.
    var word: String {
        switch result {
        case .withdrawn: "withdrawn"
        case .outcome(.accepted): "accepted"
        case .outcome(.deferred): "deferred"
        case .outcome(.rejected): "rejected"
        case .outcome(.ambiguous): "ambiguous"
        }
    }
}

/// A desk that takes addresses of one domain and keeps what it is given.
final class KeepingDesk: InboundDesk {
    private let state = Mutex([InboundMail]())

    var mail: [InboundMail] { state.withLock { $0 } }

    func verdict(forwardPath: [UInt8]) -> RecipientVerdict {
        let text = String(decoding: forwardPath, as: UTF8.self)
        if text.hasPrefix("nobody@") { return .unknownMailbox }
        return text.hasSuffix("@r.example.com") ? .accepted : .relayDenied
    }

    func accept(_ mail: InboundMail) async -> DeliveryVerdict {
        state.withLock {
            $0.append(mail)
            return .stored(id: "\($0.count)")
        }
    }
}

extension InboundMail {
    var text: String { String(decoding: content, as: UTF8.self) }
    var recipients: [String] { envelope.recipients.map { String(decoding: $0, as: UTF8.self) } }
}

/// What came instead of what a test goes on with.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
}
