extension ClientSession {
    /// How one account is read; everything the session may not decide for itself.
    package struct Configuration: Equatable, Sendable {
        /// Where encryption begins.
        package enum Encryption: Equatable, Sendable {
            /// TLS from the first byte, as on port 993.
            case implicit
            /// `STARTTLS` before anything else; a server that does not offer it is left.
            case startTLS
            /// None. Credentials are then sent only under ``CredentialPolicy/anywhere``.
            case none
        }

        /// How to log in.
        package enum Authentication: Equatable, Sendable {
            /// The driver runs a SASL mechanism of its choice (``ClientSession/Action/startAuthentication(offered:initialResponse:)``).
            case sasl
            /// The LOGIN command.
            case login(Credentials)
        }

        /// On which connections credentials may be sent.
        package enum CredentialPolicy: Equatable, Sendable {
            /// Only when the peer's certificate has been verified.
            case verifiedTLS
            /// On any TLS connection.
            case anyTLS
            /// Also in the clear.
            case anywhere
        }

        /// A mailbox to read.
        package enum MailboxSelector: Hashable, Sendable {
            case named(MailboxName)
            /// The mailbox that carries the special use (RFC 6154); without one, the first of the names that exists.
            case specialUse(SpecialUse, orNamed: [MailboxName])
        }

        /// What becomes of a message once it is stored.
        package enum Access: Equatable, Sendable {
            /// Nothing is touched: the mailbox is opened with EXAMINE.
            case examine
            /// It is marked `\Seen`.
            case seen
            /// It is moved there.
            case move(MailboxName)

            /// Whether messages of that mailbox are marked or moved.
            package func touches(_ mailbox: MailboxName) -> Bool {
                switch self {
                case .examine: false
                case .seen: true
                case .move(let target): mailbox != target
                }
            }
        }

        package var encryption: Encryption = .implicit
        package var authentication: Authentication
        /// For `sasl`: what the LOGIN command is given when the server offers no mechanism at all; nil: such a server is left.
        package var loginFallback: Credentials?
        package var credentialPolicy: CredentialPolicy = .verifiedTLS
        /// Polled in turn, the first one last, so that IDLE can follow on it.
        package var mailboxes: [MailboxSelector]
        package var access: Access = .examine
        /// Where reading begins in a mailbox that was never read, or whose UIDVALIDITY changed; nil reads all of it.
        package var since: SearchDate?
        /// Whether to stay and watch (IDLE, else polling) after the first poll; otherwise the session rests until told.
        package var watches = true
        /// Messages larger than this are delivered truncated. Octets.
        package var messageSizeLimit = 25 * 1024 * 1024
        /// How much of a message beyond the limit is read. Octets.
        package var truncationLength = 1024 * 1024
        /// How many messages one FETCH may ask for.
        package var batchCount = 50
        /// How much one FETCH may ask for by the sizes the server claims, and how much may wait to be stored. Octets.
        package var batchSize = 4 * 1024 * 1024
        /// How long IDLE stands before it is issued anew; RFC 2177 allows 29 minutes, Exchange Online stops pushing earlier.
        package var idleReissue: Duration = .seconds(9 * 60)
        /// The time between polls of all mailboxes.
        package var pollInterval: Duration = .seconds(5 * 60)
        /// The longest silence of the server while something is asked of it.
        package var responseTimeout: Duration = .seconds(2 * 60)
        /// The longest silence of the server when leave is taken.
        package var logoutTimeout: Duration = .seconds(5)
        /// The longest time one command may take, however busily the server talks.
        package var commandTimeout: Duration = .seconds(15 * 60)
        package var quirks = Quirks()

        package init(authentication: Authentication, mailboxes: [MailboxSelector] = [.named(.inbox)]) {
            self.authentication = authentication
            self.mailboxes = mailboxes
        }
    }
}
