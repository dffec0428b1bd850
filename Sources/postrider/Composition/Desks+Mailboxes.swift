import Glibc
import IMAP
import MailTransport
import Settings

/// The IMAP accounts that a conf names.
extension Desks {
    /// - Parameter readsNothing: a login and nothing else.
    static func account(_ section: MailboxSettings, _ logins: Logins, readsNothing: Bool = false) throws -> MailboxAccount {
        MailboxAccount(
            name: section.name, host: section.host.description, port: section.effectivePort, tls: Route.TLSMode(section.tls),
            trust: try logins.trust(section.tlsCAFile), credentials: try logins.credentials(section.auth, isLocal: section.host.isLocal),
            mailboxes: readsNothing ? [] : section.folders.map(Self.selector), access: access(section.access),
            pollInterval: section.pollInterval,
            idleReissue: section.idleRefresh,
            messageSizeLimit: section.fetchLimit.bytes, lookback: section.lookback)
    }

    /// What a mailbox is logged in to with: no secret, and another when the password file was written anew.
    static func login(_ section: MailboxSettings, _ settings: Settings) -> String {
        var status = stat()
        let file = section.auth.passwordFile.flatMap { stat($0.path, &status) == 0 ? $0.path : nil }
        let secret = file.map { "\($0) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)" } ?? section.auth.oauth ?? "ticket"
        return "\(settings.user(of: section.auth) ?? "") \(section.host):\(section.effectivePort) \(secret)"
    }

    /// Where servers do not mark the folder: what mail programs and providers call it.
    private static let commonNames: [MailboxFolder.Use: [String]] = [
        .junk: ["Junk", "Junk Email", "Junk E-mail", "Spam", "Bulk Mail", "INBOX.Junk", "INBOX.Spam", "INBOX/Junk", "INBOX/Spam"],
        .sent: ["Sent", "Sent Items", "Sent Messages", "INBOX.Sent", "INBOX/Sent"],
        .trash: ["Trash", "Deleted Items", "Deleted Messages", "INBOX.Trash", "INBOX/Trash"],
        .archive: ["Archive", "INBOX.Archive", "INBOX/Archive"],
        .drafts: ["Drafts", "INBOX.Drafts", "INBOX/Drafts"],
    ]

    private static func selector(_ folder: MailboxFolder) -> ClientSession.Configuration.MailboxSelector {
        switch folder {
        case .named(let name): return .named(MailboxName(name))
        case .marked(let use):
            let mark: SpecialUse =
                switch use {
                case .all: .all
                case .archive: .archive
                case .drafts: .drafts
                case .flagged: .flagged
                case .junk: .junk
                case .sent: .sent
                case .trash: .trash
                }
            return .specialUse(mark, orNamed: (commonNames[use] ?? []).map { MailboxName($0) })
        }
    }

    private static func access(_ access: MailboxAccess) -> ClientSession.Configuration.Access {
        switch access {
        case .examine: .examine
        case .seen: .seen
        case .move(let folder): .move(MailboxName(folder))
        }
    }
}
