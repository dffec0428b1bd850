import InternetMessage
package import Logging
package import MailTransport
package import Outreach
package import SMTP

/// What a listener may take and how it is kept: mail to token addresses and role addresses, raw, durable, before anything is made of it.
package struct TokenDesk: InboundDesk {
    /// What conf decides; swapped as one.
    package struct Policy: Sendable {
        /// Domains that are ours, lower-case A-labels; everything else is refused as relaying.
        package let domains: Set<String>
        /// Local parts that are taken besides token addresses (`postmaster`, `abuse`), lower case.
        package let roles: Set<String>
        package let addresses: [TokenAddresses]

        package init(domains: Set<String>, roles: Set<String>, addresses: [TokenAddresses]) {
            self.domains = domains
            self.roles = roles
            self.addresses = addresses
        }
    }

    private let way: IncomingMessage.Way
    private let store: any IntakeStore
    private let policy: Swappable<Policy>
    private let ids: RecordIDs
    private let clock: any MailClock
    private let bell: Bell
    private let pressure: StoragePressure
    private let onFatal: @Sendable (StoreError) -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - bell: rung when something was taken in.
    ///   - pressure: shared by all listeners.
    ///   - onFatal: told of an error after which the process must not go on.
    package init(
        way: IncomingMessage.Way, store: any IntakeStore, policy: Swappable<Policy>, ids: RecordIDs, clock: any MailClock, bell: Bell,
        pressure: StoragePressure = StoragePressure(minimumFree: 0, free: { nil }), onFatal: @escaping @Sendable (StoreError) -> Void,
        logger: Logger
    ) {
        self.way = way
        self.store = store
        self.policy = policy
        self.ids = ids
        self.clock = clock
        self.bell = bell
        self.pressure = pressure
        self.onFatal = onFatal
        self.logger = logger
    }

    package var isUnderPressure: Bool { pressure.isHigh }

    package func verdict(forwardPath: [UInt8]) -> RecipientVerdict {
        let policy = policy.current
        if let at = forwardPath.lastIndex(of: UInt8(ascii: "@")) {
            guard let address = EmailAddress(rewritten: forwardPath) else { return .unknownMailbox }
            guard let domain = address.asciiDomain, policy.domains.contains(domain) else { return .relayDenied }
            if policy.roles.contains(Self.lowercased(forwardPath[..<at])) { return .accepted }
            for addresses in policy.addresses {
                switch addresses.read(address, at: clock.now()) {
                case .valid, .expired: return .accepted
                case .unknown: continue
                }
            }
            return .unknownMailbox
        }
        // RFC 5321 §4.5.1: postmaster without a domain.
        return Self.lowercased(forwardPath[...]).utf8.elementsEqual("postmaster".utf8) ? .accepted : .unknownMailbox
    }

    package func accept(_ mail: InboundMail) async -> DeliveryVerdict {
        let envelope = mail.envelope
        let reversePath = EmailAddress(rewritten: envelope.reversePath).map(ReversePath.address) ?? .null
        let message = IncomingMessage(
            id: ids.next(), way: way, receivedAt: clock.now(), reversePath: reversePath,
            forwardPaths: envelope.recipients.map { String(decoding: $0, as: UTF8.self) },
            origin: "\(mail.peer) (\(String(decoding: envelope.helloName, as: UTF8.self))) with \(envelope.transmissionType)",
            bytes: mail.content, client: .init(address: mail.peer, name: String(decoding: envelope.helloName, as: UTF8.self)))
        do throws(StoreError) {
            try await pressure.watch { () async throws(StoreError) in try await store.accept(message) }
        } catch {
            if error.code == .full { pressure.noteFull() }
            logger.error("message not stored", metadata: ["remote.address": "\(mail.peer)", "error": "\(error)"])
            if error.code == .io || error.code == .unusable { onFatal(error) }
            return error.code == .full ? .insufficientStorage : .unavailable
        }
        bell.ring()
        return .stored(id: message.id.description)
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
