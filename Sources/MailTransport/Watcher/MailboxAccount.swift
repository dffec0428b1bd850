package import IMAP
package import OpenSSL

/// One account that is read over IMAP, as conf names it.
package struct MailboxAccount: Sendable {
    package let name: String
    package let host: String
    package let port: Int
    package let tls: Route.TLSMode
    package let trust: TLSClientContext
    package let credentials: Route.Credentials
    /// The name that the certificate must bear; nil: that of the host.
    package let certificateName: String?
    package let mailboxes: [ClientSession.Configuration.MailboxSelector]
    package let access: ClientSession.Configuration.Access
    package let pollInterval: Duration
    package let idleReissue: Duration
    /// Messages above this are taken with their header and the beginning of their text only. Octets.
    package let messageSizeLimit: Int
    /// How far back a mailbox is read at first sight.
    package let lookback: Duration
    package let connectTimeout: Duration

    package init(
        name: String, host: String, port: Int, tls: Route.TLSMode, trust: TLSClientContext, credentials: Route.Credentials,
        certificateName: String? = nil,
        mailboxes: [ClientSession.Configuration.MailboxSelector], access: ClientSession.Configuration.Access = .examine,
        pollInterval: Duration = .seconds(300), idleReissue: Duration = .seconds(540), messageSizeLimit: Int = 5 << 20,
        lookback: Duration = .seconds(14 * 86_400), connectTimeout: Duration = .seconds(30)
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.tls = tls
        self.trust = trust
        self.credentials = credentials
        self.certificateName = certificateName
        self.mailboxes = mailboxes
        self.access = access
        self.pollInterval = pollInterval
        self.idleReissue = idleReissue
        self.messageSizeLimit = messageSizeLimit
        self.lookback = lookback
        self.connectTimeout = connectTimeout
    }
}

/// Who keeps what a watcher reads.
package protocol MailboxDesk: Sendable {
    /// What is remembered of each mailbox of the account.
    func cursors(account: String) async throws -> [MailboxName: MailboxCursor]

    /// Keeps messages in their order and moves the mailbox's mark to the UID of each, both or neither; all are durable when it returns.
    func store(_ messages: [FetchedMessage], account: String) async throws

    /// Everything up to the UID is done.
    func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws

    /// The UIDs of a mailbox mean other messages from now on, under the same UIDVALIDITY: what was kept by them is of an earlier numbering, and
    /// there is no mark any more.
    func numberedAnew(_ mailbox: MailboxName, uidValidity: UIDValidity, account: String) async throws

    /// Keeps a record, for a person to see, of a message that the server has and that could not be had, and moves the mailbox's mark to its
    /// UID, both or neither. Everything before it is stored.
    ///
    /// - Parameter reason: for a person.
    func skipped(_ message: MessageKey, account: String, reason: String) async throws

    /// The messages over which sessions ended and that are neither stored nor passed over.
    func troubles(account: String) async throws -> [MessageKey: MessageTrouble]

    /// Keeps what is known of a message over which sessions ended; nil: it was stored after all.
    func keep(_ trouble: MessageTrouble?, of message: MessageKey, account: String) async throws

    /// Messages passed over that are to be asked for anew now, with how often that was in vain.
    func wanted(account: String) async throws -> [MessageKey: Int]

    /// A message asked for anew was not given.
    ///
    /// - Parameter tries: how often it had been in vain before.
    func refetched(_ message: MessageKey, account: String, _ outcome: Refetch, tries: Int) async throws

    /// What was stored with ``FetchedMessage/awaitsDisposal`` and of which ``disposed(_:account:)`` was not said.
    func undisposed(account: String) async throws -> Set<MessageKey>

    /// These are marked or moved now, or are not to be any more.
    func disposed(_ messages: [MessageKey], account: String) async throws
}

/// For desks that keep nothing but messages; the watcher logs the rest and remembers it.
extension MailboxDesk {
    package func numberedAnew(_ mailbox: MailboxName, uidValidity: UIDValidity, account: String) async throws {}
    package func skipped(_ message: MessageKey, account: String, reason: String) async throws {}
    package func troubles(account: String) async throws -> [MessageKey: MessageTrouble] { [:] }
    package func keep(_ trouble: MessageTrouble?, of message: MessageKey, account: String) async throws {}
    package func wanted(account: String) async throws -> [MessageKey: Int] { [:] }
    package func refetched(_ message: MessageKey, account: String, _ outcome: Refetch, tries: Int) async throws {}
    package func undisposed(account: String) async throws -> Set<MessageKey> { [] }
    package func disposed(_ messages: [MessageKey], account: String) async throws {}
}
