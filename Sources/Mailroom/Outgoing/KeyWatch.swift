import InternetMessage
package import Logging
package import MailAuthentication
import ServiceLifecycle

/// Compares the records of all signing keys with DNS: a next key signs only after its record was seen, and a key in use whose record does not
/// fit is told of, because receivers refuse what it signs.
///
/// It looks at the start, when the conf is read again, and once an hour; every few minutes while a next key is awaited. What DNS does not
/// answer changes nothing. A next key whose record is gone or other again is put back until it is there.
package struct KeyWatch: Service {
    private static let interval = Duration.seconds(3600)
    private static let impatience = Duration.seconds(300)

    private let keys: Swappable<[SigningKeys]>
    private let published: PublishedKeys
    private let lookUp: @Sendable (String) async -> TextAnswer
    private let clock: any MailClock
    private let bell: Bell
    private let logger: Logger

    /// - Parameters:
    ///   - lookUp: the TXT records of a name.
    ///   - clock: the real one: DNS knows no other.
    ///   - bell: rung when the keys are others.
    package init(
        keys: Swappable<[SigningKeys]>, published: PublishedKeys, lookUp: @escaping @Sendable (String) async -> TextAnswer,
        clock: any MailClock, bell: Bell, logger: Logger
    ) {
        self.keys = keys
        self.published = published
        self.lookUp = lookUp
        self.clock = clock
        self.bell = bell
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // What was told of each record is told again only when it changed.
            var told: [DKIMRecordName: DKIMRecordCheck] = [:]
            while !Task.isCancelled {
                var isAwaiting = false
                for domain in keys.current {
                    for key in domain.current where !Task.isCancelled { await look(at: key, of: domain, isNext: false, told: &told) }
                    if let next = domain.next, !Task.isCancelled {
                        await look(at: next, of: domain, isNext: true, told: &told)
                        if !published.contains(next, named: domain.name(of: next)) { isAwaiting = true }
                    }
                }
                await bell.wait(until: clock.now() + (isAwaiting ? Self.impatience : Self.interval), clock: clock)
            }
        }
    }

    private func look(at key: DKIMSigner.Key, of domain: SigningKeys, isNext: Bool, told: inout [DKIMRecordName: DKIMRecordCheck]) async {
        let name = domain.name(of: key)
        let check = DKIMRecordCheck(await lookUp(name.text), for: key.key, named: name)
        if Task.isCancelled { return }
        if isNext, check != .noAnswer { published.set(key, named: name, isPublished: check == .fits) }
        guard told.updateValue(check, forKey: name) != check else { return }
        let metadata: Logger.Metadata = ["record": "\(name.text)", "domain": "\(domain.domain)"]
        guard let complaint = check.complaint(key.key, named: name) else {
            if isNext {
                logger.notice("the record of the next DKIM key fits; it signs from now on", metadata: metadata)
            } else {
                logger.info("the record of the DKIM key fits", metadata: metadata)
            }
            return
        }
        let problem: Logger.Metadata = metadata.merging(["problem": "\(complaint)"]) { $1 }
        switch (check, isNext) {
        case (.noAnswer, _): logger.warning("the record of a DKIM key cannot be looked up now", metadata: problem)
        case (_, true): logger.warning("the next DKIM key is not used yet: its record does not fit", metadata: problem)
        case (_, false): logger.error("receivers cannot verify what this DKIM key signs: its record does not fit", metadata: problem)
        }
    }
}
