import ArgumentParser
import Foundation
import IMAP
import InternetMessage
import Logging
import MailTransport
import Mailroom
import NIOPosix
import Outreach
import SQLiteStore
import Settings

struct ProbeIMAP: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imap", abstract: "Poll a mailbox once with the real watcher into a store of its own.",
        discussion: """
            Prints 'SEEN uidvalidity uid message-id' for each message newly taken in, once it is stored: each exactly once over any number of calls
            with the same --state. Nothing in the mailbox is touched. Of a message without a readable Message-ID the last word is '-'.
            Exit status: 0 poll complete; 75 try again, or a message was passed over because the server does not give it though it gives others; 69 login refused, or the mailbox cannot be opened; 77 refused for our own safety
            (certificate, missing STARTTLS or AUTH, a password that would travel in clear).
            """)

    enum TLS: String, ExpressibleByArgument, CaseIterable {
        case none, starttls, implicit
    }

    /// Of one poll; what is still in trouble then is the next one's.
    private static let sessionsAtMost = 12

    @OptionGroup var target: ProbeTarget
    @Option(help: "starttls and implicit go on only with a certificate that verifies; none takes a password to this machine only.")
    var tls: TLS = .implicit
    @Option(help: "Log in as this user.")
    var user: String
    @Option(help: ArgumentHelp("A file with the password.", valueName: "file"))
    var passwordFile: String
    @Option(help: ArgumentHelp("The folder of the store; made when it is not there.", valueName: "dir"))
    var state: String
    @Option(help: "The mailbox to read.")
    var mailbox = "INBOX"

    func run() async throws {
        try await reportingFailures {
            let account = try account()
            let clock = SystemClock()
            let ids = RecordIDs(now: { clock.now() }, random: { UInt8.random(in: .min ... .max) })
            let store = try open(ids)
            let desk = WatermarkDesk(store: store, ids: ids, clock: clock, bell: Bell()) { message in
                let id = Message(parsing: message.bytes).messageID?.text ?? "-"
                Console.out("SEEN \(message.uidValidity) \(message.uid) \(TerminalText.line(id))")
            }
            let logger = Logger(label: "probe") { LineLog(label: $0, format: .postfix, logLevel: .warning) }
            let watcher = MailboxWatcher(account: account, desk: desk, eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger)
            let deadline = target.deadline
            var ending = try await deadline.bound { try await watcher.session(watches: false, now: clock.now()) }
            var skipped = ending.skipped
            // A message that cannot be had while others can costs sessions of its own before it is passed over.
            var sessions = 1
            while ending.hadSetback, sessions < Self.sessionsAtMost, !deadline.isOver {
                sessions += 1
                ending = try await deadline.bound { try await watcher.session(watches: false, now: clock.now()) }
                skipped += ending.skipped
            }
            try store.close()
            for (message, reason) in skipped {
                Console.error(
                    TerminalText.line("\(message.mailbox) \(message.uidValidity) \(message.uid): passed over and recorded: \(reason)"))
            }
            if deadline.isOver, !ending.pollFinished { throw Failure(.tryAgain, deadline.words(for: "the poll")) }
            try judge(ending)
            if !skipped.isEmpty { throw Failure(.tryAgain, "\(skipped.count) messages could not be read") }
        }
    }

    private func open(_ ids: RecordIDs) throws(Failure) -> SQLiteStore {
        do {
            try FileManager.default.createDirectory(
                atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.noPermission, "\(state) cannot be made")
        }
        var seed: [UInt8] = []
        for _ in 0..<32 { seed.append(UInt8.random(in: .min ... .max)) }
        do throws(StoreError) {
            return try SQLiteStore.open(path: "\(state)/postrider.sqlite", mode: .createIfMissing(seed: seed), ids: ids)
        } catch {
            throw Failure(error)
        }
    }

    private func account() throws(Failure) -> MailboxAccount {
        let mode: Route.TLSMode =
            switch tls {
            case .none: .none
            case .starttls: .starttls
            case .implicit: .implicit
            }
        // A server that moved to another port or name still has the same messages, so the store knows the user alone.
        return MailboxAccount(
            name: user, host: target.host, port: target.port, tls: mode, trust: try target.trust(),
            credentials: try target.credentials(user: user, passwordFile: passwordFile), certificateName: target.name,
            mailboxes: [.named(MailboxName(mailbox))], messageSizeLimit: 64 << 20,
            // Before the first year that a search may name: all of the mailbox is read.
            lookback: .seconds(4000 * 31_557_600), connectTimeout: min(.seconds(30), target.limit ?? .seconds(30)))
    }

    private func judge(_ ending: MailboxWatcher.Ending) throws(Failure) {
        if ending.pollFinished {
            let closed = ending.alerts.first { [.mailboxRefused, .mailboxNotFound].contains($0.kind) }
            guard let closed else { return }
            throw Failure(.unavailable, "the mailbox '\(mailbox)' cannot be read: \(Self.shown(closed.text))")
        }
        let words = TerminalText.line(ending.words)
        switch ending.reason {
        case .loginRefused: throw Failure(.unavailable, words)
        case .loginUnavailable, .safety: throw Failure(.noPermission, words)
        case .throttled, .unavailable, .fetchRefused, .bye, .protocolError, .bodyWithheld: throw Failure(.tryAgain, words)
        case .timedOut, .connectionLost, .loggedOut, nil: throw Failure(.tryAgain, "the poll did not come to its end: \(words)")
        }
    }

    private static func shown(_ text: [UInt8]) -> String { TerminalText.line(String(decoding: text, as: UTF8.self)) }
}
