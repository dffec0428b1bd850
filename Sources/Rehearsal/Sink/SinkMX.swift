import InternetMessage
import Logging
import MailAuthentication
import MailTransport
package import Mailroom
import NIOCore
import OpenSSL
import SMTP
import Synchronization

/// A message as it lies in the mailbox of a scripted recipient.
struct DeliveredMessage: Sendable {
    let content: [UInt8]
    let message: Message
    /// MAIL FROM as it was given.
    let reversePath: [UInt8]
    let arrivedAt: Timestamp
}

/// The mail exchanger of all scripted recipients: takes their mail over STARTTLS, refuses as their scripts say, and reads every message as
/// critically as a large provider would.
package struct SinkMX: Sendable {
    /// The port on loopback that it listens on.
    package let port: Int
    let desk: Desk
    private let listener: MailListener

    /// What a message must have for the sink: who signed, and the key record of the domain.
    package struct Expectation: Sendable {
        package let signingDomain: String
        /// The name and the text of the key record.
        package let keyRecordName: String
        package let keyRecord: String

        package init(signingDomain: String, keyRecordName: String, keyRecord: String) {
            self.signingDomain = signingDomain
            self.keyRecordName = keyRecordName
            self.keyRecord = keyRecord
        }
    }

    static func bind(
        cast: [ScriptedRecipient], expectation: Expectation, tls: TLSServerContext, clock: RehearsalClock, journal: Journal,
        eventLoops: any EventLoopGroup, logger: Logger
    ) async throws -> SinkMX {
        let desk = Desk(cast: cast, expectation: expectation, clock: clock, journal: journal)
        let configuration = MailListener.Configuration(
            address: .host("127.0.0.1", port: 0), session: ServerConfiguration(hostname: RehearsalWorld.exchangerName))
        let listener = try await MailListener.bind(configuration, desk: desk, tls: { tls }, eventLoops: eventLoops, logger: logger)
        guard let port = listener.port else { throw RehearsalError("the sink has no port") }
        return SinkMX(port: port, desk: desk, listener: listener)
    }

    /// The sink as a service.
    package var service: ListenerService { ListenerService(listener) }

    /// The desk behind the sink's listener.
    final class Desk: InboundDesk {
        private struct Mailbox {
            var delivered: [DeliveredMessage] = []
            var firstRefusal: Timestamp?
        }

        private let cast: [ScriptedRecipient]
        private let expectation: Expectation
        private let verifier: DKIMVerifier
        private let clock: RehearsalClock
        private let journal: Journal
        private let mailboxes = Mutex<[String: Mailbox]>([:])
        private let arrivals = Mutex<[(recipient: ScriptedRecipient, number: Int)]>([])

        init(cast: [ScriptedRecipient], expectation: Expectation, clock: RehearsalClock, journal: Journal) {
            self.cast = cast
            self.expectation = expectation
            self.clock = clock
            self.journal = journal
            verifier = DKIMVerifier { name in
                name.utf8.elementsEqual(expectation.keyRecordName.utf8) ? .records([Array(expectation.keyRecord.utf8)]) : .none
            }
        }

        /// Messages that lie in that recipient's mailbox.
        func delivered(to address: String) -> [DeliveredMessage] { mailboxes.withLock { $0[address]?.delivered ?? [] } }

        /// What arrived since the last call: whose, and the how-manyth of that mailbox (0 for the first).
        func takeArrivals() -> [(recipient: ScriptedRecipient, number: Int)] {
            arrivals.withLock { arrivals in
                defer { arrivals = [] }
                return arrivals
            }
        }

        func verdict(forwardPath: [UInt8]) -> RecipientVerdict {
            guard let recipient = recipient(of: forwardPath) else {
                journal.note(.fault, String(decoding: forwardPath, as: UTF8.self), "mail to somebody who is not in the script")
                return .unknownMailbox
            }
            let key = recipient.address.text
            switch recipient.door {
            case .open:
                return .accepted
            case .unknown:
                journal.note(.turnedAway, key, "the server of \(recipient.address.domain) says 550 5.1.1 to RCPT TO")
                return .unknownMailbox
            case .greylisted(let patience):
                let now = clock.now()
                let since = mailboxes.withLock { mailboxes in
                    let first = mailboxes[key]?.firstRefusal ?? now
                    mailboxes[key, default: Mailbox()].firstRefusal = first
                    return first
                }
                if now - since >= patience { return .accepted }
                journal.note(.turnedAway, key, "the server of \(recipient.address.domain) says 451 4.7.1 to RCPT TO (greylisting)")
                return .greylisted
            }
        }

        func accept(_ mail: InboundMail) async -> DeliveryVerdict {
            guard let path = mail.envelope.recipients.first, mail.envelope.recipients.count == 1, let recipient = recipient(of: path) else {
                return .unacceptable
            }
            let now = clock.now()
            let delivered = DeliveredMessage(
                content: mail.content, message: Message(parsing: mail.content), reversePath: mail.envelope.reversePath, arrivedAt: now)
            let key = recipient.address.text
            let earlier = self.delivered(to: key)
            let signatures = await verifier.verify(mail.content, at: now)
            var faults =
                signatures.contains { $0.outcome == .pass && $0.domain.utf8.elementsEqual(expectation.signingDomain.utf8) }
                ? [] : ["no valid DKIM signature of \(expectation.signingDomain): \(signatures.map(\.summary))"]
            if !mail.envelope.isEncrypted { faults.append("it came in clear") }
            faults += Self.faults(of: delivered, after: earlier.last)
            for fault in faults { journal.note(.fault, key, fault) }
            let number = mailboxes.withLock { mailboxes in
                mailboxes[key, default: Mailbox()].delivered.append(delivered)
                return (mailboxes[key]?.delivered.count ?? 1) - 1
            }
            let verdict = signatures.first?.summary ?? "unsigned"
            journal.note(.arrived, key, "\"\(delivered.message.subject ?? "")\" (\(verdict), \(mail.envelope.transmissionType))")
            arrivals.withLock { $0.append((recipient, number)) }
            return .stored(id: "\(number + 1)")
        }

        private func recipient(of path: [UInt8]) -> ScriptedRecipient? {
            guard let address = EmailAddress(parsing: path) else { return nil }
            return cast.first { $0.address.suppressionKey.utf8.elementsEqual(address.suppressionKey.utf8) }
        }

        /// What a large provider would hold against the message.
        private static func faults(of delivered: DeliveredMessage, after earlier: DeliveredMessage?) -> [String] {
            var faults: [String] = []
            let message = delivered.message
            let header = message.header
            if header.first("List-Unsubscribe") == nil { faults.append("no List-Unsubscribe") }
            if header.first("List-Unsubscribe-Post") == nil { faults.append("no List-Unsubscribe-Post") }
            if message.messageID == nil { faults.append("no Message-ID") }
            if message.replyTo.isEmpty { faults.append("no Reply-To") }
            if let earlier {
                let ids = earlier.message.references + [earlier.message.messageID].compactMap { $0 }
                if message.references != ids { faults.append("References do not name the whole thread") }
                if message.inReplyTo != ids.suffix(1) { faults.append("In-Reply-To does not name the message before") }
                let subject = earlier.message.subject ?? ""
                let wanted = subject.utf8.starts(with: "Re: ".utf8) ? subject : "Re: \(subject)"
                if !(message.subject ?? "").utf8.elementsEqual(wanted.utf8) { faults.append("the Subject does not continue the thread") }
            }
            return faults
        }
    }
}
