import DNS
import Foundation
import HTTPFetch
import IMAP
import InternetMessage
import Logging
import MailTransport
import Mailroom
import NIOPosix
import SMTP
import Settings

/// Logins to every peer that the conf names; no message is sent and no mailbox is read.
struct ConnectChecks {
    let settings: Settings
    private static let patience = Duration.seconds(60)

    func findings() async throws -> [CheckFinding] {
        let logger = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
        let eventLoops = MultiThreadedEventLoopGroup.singleton
        let http = HTTPFetcher(on: eventLoops)
        let keeper: RefreshTokens?
        if settings.oauths.contains(where: { $0.flow != .clientCredentials }) {
            keeper = try Logins.keeper(try await Installation.open(settings))
        } else {
            keeper = nil
        }
        let logins = try Logins(settings, keeper: keeper, fetcher: http, logger: logger)
        var found: [CheckFinding] = []
        let routes = settings.routes.filter { $0.type == .submission || $0.type == .lmtp }
        let courier = Courier(
            routes: try routes.map { try Desks.route($0, settings, logins) }, resolver: TransportPolicies.resolver(settings),
            security: try TransportPolicies.security(settings), eventLoops: eventLoops, seed: 1, logger: logger)
        for route in routes {
            if let trouble = await trouble(of: route, courier) {
                found.append(CheckFinding(["route", route.name], settings, trouble, isUnknown: trouble.hasSuffix(Self.silence)))
            }
        }
        await courier.drain(within: .seconds(1))
        for section in settings.mailboxes {
            if let trouble = try await trouble(of: section, logins, logger) {
                found.append(CheckFinding(["mailbox", section.name], settings, trouble, isUnknown: trouble.hasSuffix(Self.silence)))
            }
        }
        await http.shutdown()
        return found
    }

    /// A session up to where MAIL FROM would come; nil when it came that far.
    private func trouble(of route: RouteSettings, _ courier: Courier) async -> String? {
        guard let nobody = EmailAddress("postmaster@\(settings.main.myhostname)") else { return nil }
        let probe = OutboundMessage(
            reversePath: .null, recipient: nobody, content: Array("Subject: check\r\n\r\n".utf8), envelopeID: "check")
        let report = await Self.bounded(else: DeliveryReport(result: .withdrawn, note: Self.silence)) {
            await courier.deliver(probe, route: route.name, checks: DeliveryChecks(mayLeave: { false }, finalDot: { false }))
        }
        switch report.result {
        case .withdrawn: return report.note.map { "[route.\(route.name)]: \($0)" }
        case .outcome: return "[route.\(route.name)]: \(report.reason)"
        }
    }

    private static let silence = "no session came about within a minute; see to its host and port"

    /// A login and a logout; nil when the server took it.
    private func trouble(of section: MailboxSettings, _ logins: Logins, _ logger: Logger) async throws -> String? {
        let account = try Desks.account(section, logins, readsNothing: true)
        let watcher = MailboxWatcher(account: account, desk: NoDesk(), eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let ending = await Self.bounded(else: nil) { try? await watcher.session(watches: false, now: SystemClock().now()) }
        guard let ending else { return "[mailbox.\(section.name)]: \(Self.silence)" }
        if ending.loggedIn { return nil }
        if case .loginRefused(let text)? = ending.reason {
            return "[mailbox.\(section.name)]: login refused: \(String(decoding: text.prefix(1000), as: UTF8.self))"
        }
        return
            "[mailbox.\(section.name)]: \(ending.note ?? "no login came about (\(ending.reason.map { "\($0)" } ?? "the connection ended"))")"
    }

    private static func bounded<Value: Sendable>(else late: Value, _ work: @escaping @Sendable () async -> Value) async -> Value {
        await withTaskGroup(of: Value.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await Task.sleep(for: patience)
                return late
            }
            let first = await group.next() ?? late
            group.cancelAll()
            return first
        }
    }

    /// Remembers nothing and takes nothing.
    private struct NoDesk: MailboxDesk {
        func cursors(account: String) async throws -> [MailboxName: MailboxCursor] { [:] }
        func store(_ messages: [FetchedMessage], account: String) async throws { throw CancellationError() }
        func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {
            throw CancellationError()
        }
    }
}
