import ArgumentParser
import DNS
import Foundation
import HTTPFetch
import InternetMessage
import Logging
import MailAuthentication
import MailTransport
import Mailroom
import NIOPosix
import OpenSSL
import Outreach
import SQLiteStore
import Settings

struct SendTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send-test", abstract: "Send one real message over an identity's real route and show the dialogue.",
        discussion: """
            The message is signed and carries the addresses that campaign mail of the identity carries. It belongs to no sequence and is not queued; a
            suppressed recipient and the global STOP are respected. Exit status as 'probe smtp'.
            """)

    @OptionGroup var conf: ConfOption
    @Option(help: ArgumentHelp("Who gets it.", valueName: "address"))
    var to: String
    @Option(help: "As whom; may be left out when there is one identity only.")
    var identity: String?

    func run() async throws {
        try await reportingFailures {
            let settings = try conf.load()
            guard let recipient = EmailAddress(to) else { throw Failure(.badInput, "'\(TerminalText.line(to))' is not an email address") }
            _ = try choose(try Desks.identities(settings, in: nil))
            let installation = try await Installation.open(settings)
            let identity = try choose(try Desks.identities(settings, in: installation.workspaces))
            try await refuse(recipient, for: identity, installation)
            let sent = try await send(to: recipient, as: identity, installation)
            try installation.store.close()
            for line in sent.report.transcript.split(whereSeparator: \.isNewline) { Console.error(String(line)) }
            if let note = sent.report.note { Console.error(TerminalText.line("* \(note)")) }
            Console.out("from \(identity.from.address.text) to \(recipient.text), Message-ID \(sent.messageID.text), \(sent.signed)")
            let outcome = ProbeOutcome(sent.report)
            Console.out(outcome.line)
            guard outcome.status == .ok else { throw Failure(outcome.status, "") }
        }
    }

    private func choose(_ identities: [String: SenderIdentity]) throws(Failure) -> SenderIdentity {
        let names = identities.keys.sorted().joined(separator: ", ")
        if let identity {
            guard let found = identities[identity] else {
                throw Failure(.badInput, "there is no [identity.\(TerminalText.line(identity))]; there are \(names)")
            }
            return found
        }
        guard identities.count == 1, let only = identities.values.first else {
            throw Failure(.usage, identities.isEmpty ? "the conf has no identity" : "which one? --identity \(names)")
        }
        return only
    }

    private func refuse(_ recipient: EmailAddress, for identity: SenderIdentity, _ installation: Installation) async throws {
        let now = installation.clock.now()
        if let found = try await installation.store.suppression(workspace: identity.workspace, address: recipient, now: now) {
            throw Failure(
                .noPermission, "\(recipient.text) is suppressed (\(found.reason.rawValue) since \(found.at.iso8601)); nothing was sent")
        }
        if let reason = try await installation.store.stopReason() {
            throw Failure(.noPermission, "everything is stopped (\(TerminalText.line(reason))); nothing was sent")
        }
        if let reason = try Desks.safety(installation.settings).refusal(of: recipient) {
            throw Failure(.noPermission, "\(recipient.text): \(reason); nothing was sent")
        }
    }

    private struct Sent {
        let report: DeliveryReport
        let messageID: MessageID
        let signed: String
    }

    private func send(to recipient: EmailAddress, as identity: SenderIdentity, _ installation: Installation) async throws -> Sent {
        let settings = installation.settings
        let now = installation.clock.now()
        let id: OutboxMessage.ID = installation.ids.next()
        let addresses = try Desks.addresses(settings)
        func address(_ kind: MailToken.Kind) throws(Failure) -> EmailAddress {
            guard let address = addresses?.address(kind, for: id, at: now) else {
                throw Failure(.configuration, "[identity.\(identity.name)] wants token addresses, and [tokens] has no key_files")
            }
            return address
        }
        guard let messageID = MessageID("\(id).test@\(settings.main.myhostname)") else {
            throw Failure(.configuration, "[main] myhostname '\(settings.main.myhostname)' cannot stand in a Message-ID")
        }
        let route = Desks.routePlan(settings).route(
            for: recipient, as: identity, subject: id.description, chance: installation.chance)
        let offset = identity.pacing.window.zone.offset(at: now) / 60
        var draft = MessageDraft(
            from: identity.from, to: [Mailbox(address: recipient)], subject: "Test from \(settings.main.myhostname)",
            date: MessageDate(timestamp: now, offsetMinutes: offset), messageID: messageID,
            text: "This message was sent by 'postrider send-test' as the identity '\(identity.name)' over the route '\(route)'.\n")
        // Sent by a program to try a route: no responder is to answer it (RFC 3834 §5).
        draft.autoSubmitted = .generated
        if identity.replyTo == .token { draft.replyTo = [Mailbox(displayName: identity.from.displayName, address: try address(.reply))] }
        let reversePath = ReversePath.address(identity.returnPath == .token ? try address(.bounce) : identity.from.address)
        var content: [UInt8]
        do throws(ComposeError) {
            content = try draft.compose()
        } catch {
            throw Failure(.configuration, "the message cannot be written: \(error)")
        }
        let domain = identity.from.address.asciiDomain ?? identity.from.address.domain
        var signed = "not signed: no [dkim.key.\"\(domain)\"]"
        if let signer = try Desks.signingKeys(settings).first(where: { $0.domain.utf8.elementsEqual(domain.utf8) })?.signer {
            do throws(KeyError) {
                content = try signer.sign(content, at: now)
            } catch {
                throw Failure(.configuration, "the DKIM key of \(domain) does not sign: \(error)")
            }
            signed = "signed for \(domain)"
        }
        let resolver = TransportPolicies.resolver(settings)
        let logger = Logger(label: "send-test") { _ in SwiftLogNoOpLogHandler() }
        try await TransportPolicies.requireValidation(settings, of: resolver, logger: logger)
        let eventLoops = MultiThreadedEventLoopGroup.singleton
        let http = HTTPFetcher(on: eventLoops)
        let logins = try Logins(installation, fetcher: http, logger: logger)
        let fetcher = TransportPolicies.fetcher(settings, http: http, resolver: resolver)
        let policies = STSPolicyKeeper(
            store: installation.store, resolver: resolver, fetch: { await fetcher.fetch($0) }, clock: SystemClock(), logger: logger)
        let courier = Courier(
            routes: try settings.routes.map { try Desks.route($0, settings, logins) }, resolver: resolver,
            security: try TransportPolicies.security(settings, sts: policies), eventLoops: eventLoops,
            seed: installation.chance.bits("mx order", []), logger: logger)
        let parcel = OutboundMessage(reversePath: reversePath, recipient: recipient, content: content, envelopeID: id.description)
        let store = installation.store
        let workspace = identity.workspace
        let clock = installation.clock
        let checks = DeliveryChecks(
            mayLeave: {
                // A store that does not answer cannot say that the recipient may be written to.
                do {
                    if try await store.stopReason() != nil { return false }
                    return try await store.suppression(workspace: workspace, address: recipient, now: clock.now()) == nil
                } catch {
                    return false
                }
            },
            finalDot: { true })
        let report = await courier.deliver(parcel, route: route, checks: checks)
        await courier.drain(within: .seconds(1))
        await http.shutdown()
        return Sent(report: report, messageID: messageID, signed: signed)
    }
}
