import ArgumentParser
import DNS
import Foundation
import HTTPFetch
import Logging
import MailClassifier
import MailTransport
import Mailroom
import NIOPosix
import OpenSSL
import Outreach
import Settings

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the whole conf; every fault at once. Exit status 1 when there is one.")

    @OptionGroup var conf: ConfOption
    @Flag(help: "Also ask DNS for what the conf says of it: names, addresses, DKIM records, SPF.") var dns = false
    @Flag(help: "Also connect and log in to every smarthost, local delivery agent and mailbox; nothing is sent or read.") var connect =
        false

    func run() async throws {
        try await reportingFailures {
            guard FileManager.default.fileExists(atPath: conf.path) else {
                throw Failure(.configuration, "\(conf.path): there is no such file; name the conf with --conf or $POSTRIDER_CONF")
            }
            let settings: Settings
            switch Settings.load(conf.path) {
            case .success(let loaded): settings = loaded
            case .failure(let error): throw Failure(.faults, error.description)
            }
            // What only shows when keys, certificates and rules are really read.
            var notes: [String] = []
            do {
                if let model = try ToneModelFiles.load(settings), let note = ToneModelFiles.note(model) { notes.append(note) }
                _ = try BounceRuleFiles.load(settings)
                notes += Self.hoursApart(try Desks.identities(settings, in: nil))
                notes += ComplianceGaps.notes(settings) + ConfNotes.all(settings)
                _ = try Desks.webhooks(settings)
                _ = try Desks.addresses(settings)
                _ = try Desks.addressLists(settings)
                try Segments.check(settings)
                _ = try Desks.safety(settings)
                _ = try Desks.providers(settings)
                _ = try Desks.signingKeys(settings)
                let logins = try Self.logins(settings)
                for section in settings.routes { _ = try Desks.route(section, settings, logins) }
                _ = try TransportPolicies.map(settings)
                for section in settings.mailboxes { _ = try Desks.account(section, logins) }
                for listener in [settings.smtpListener as (any ListenerSettings)?, settings.lmtpListener] {
                    if let listener { _ = try Desks.tls(listener) }
                }
            } catch let failure as Failure {
                throw Failure(.faults, failure.message)
            }
            let complaints = try BounceRuleFiles.load(settings).lint()
            // A rule of one's own may well take what a built-in one took: that is told and is no fault.
            let faults = complaints.filter { !$0.file.utf8.starts(with: "builtin:".utf8) }
            for note in complaints where note.file.utf8.starts(with: "builtin:".utf8) { Console.error("note: \(note)") }
            for note in notes { Console.error("note: \(note)") }
            guard faults.isEmpty else { throw Failure(.faults, faults.map(\.description).joined(separator: "\n")) }
            var found: [CheckFinding] = []
            if dns { found += await DNSChecks(settings: settings, resolver: TransportPolicies.resolver(settings)).findings() }
            if connect { found += try await ConnectChecks(settings: settings).findings() }
            // A fault that was found outweighs an answer that was not had.
            if let worst = found.contains(where: { !$0.isUnknown }) ? ExitStatus.faults : found.isEmpty ? nil : .unavailable {
                throw Failure(worst, found.map { TerminalText.lines($0.text) }.joined(separator: "\n"))
            }
            Console.out("\(conf.path): no faults; \(settings.identities.count) identities, \(settings.writtenRoutes.count) routes")
        }
    }

    /// Identities whose own hours and those of the people around them never meet.
    private static func hoursApart(_ identities: [String: SenderIdentity]) -> [String] {
        let now = OpenState.clock.now()
        var names: [String: [String]] = [:]
        for (name, identity) in identities {
            let window = identity.pacing.window.withoutPreferredHour
            guard let own = identity.pacing.recipients?.window(in: window.zone),
                SendingWindow.next(onOrAfter: now, in: [window, own]) == nil
            else { continue }
            names[window.zone.name, default: []].append("'\(name)'")
        }
        return names.sorted { $0.key < $1.key }.map { zone, names in
            "the hours of [window] and [recipients] never meet for people in \(zone), the time zone of \(names.sorted().joined(separator: ", ")): "
                + "nothing would ever leave to them; make one of the two wider"
        }
    }

    /// Every secret of a login read; nobody is asked for a token.
    static func logins(_ settings: Settings) throws(Failure) -> Logins {
        _ = try Logins.sealingKey(settings)
        return try Logins(
            settings, keeper: nil, fetcher: HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton),
            logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
    }
}
