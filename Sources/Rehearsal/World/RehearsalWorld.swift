package import DNS
package import InternetMessage
package import Logging
import MailTransport
package import NIOCore
import OpenSSL
import SMTP
import Synchronization

/// The world outside of Postrider: the recipients' mail exchanger, and the people and servers behind it with their scripts.
package final class RehearsalWorld: Sendable {
    /// Name of the mail exchanger, as its certificate has it.
    package static let exchangerName = "mx.rehearsal.example.com"

    /// Where Postrider listens on loopback.
    package struct Ports: Sendable {
        package let listener: Int
        package let web: Int

        package init(listener: Int, web: Int) {
            self.listener = listener
            self.web = web
        }
    }

    package let cast: [ScriptedRecipient]
    package let sink: SinkMX
    private let clock: RehearsalClock
    private let journal: Journal
    private let trust: TLSClientContext
    private let eventLoops: any EventLoopGroup
    private let logger: Logger
    private let agenda = Mutex((entries: [Entry](), serial: 0))

    /// One deed that waits for its time.
    private struct Entry: Sendable {
        let at: Timestamp
        let recipient: ScriptedRecipient
        let original: DeliveredMessage
        let deed: ScriptedRecipient.Deed
        let serial: Int
    }

    private init(
        cast: [ScriptedRecipient], sink: SinkMX, clock: RehearsalClock, journal: Journal, trust: TLSClientContext,
        eventLoops: any EventLoopGroup, logger: Logger
    ) {
        self.cast = cast
        self.sink = sink
        self.clock = clock
        self.journal = journal
        self.trust = trust
        self.eventLoops = eventLoops
        self.logger = logger
    }

    /// Opens the world; its mail exchanger listens on a free port of loopback.
    package static func open(
        cast: [ScriptedRecipient], expectation: SinkMX.Expectation, clock: RehearsalClock, eventLoops: any EventLoopGroup, logger: Logger
    ) async throws -> RehearsalWorld {
        let journal = Journal(clock: clock)
        let tls = try TLSServerContext(certificateChainPEM: try Cast.file("demo/server.pem"), keyPEM: try Cast.file("demo/server.key"))
        let sink = try await SinkMX.bind(
            cast: cast, expectation: expectation, tls: tls, clock: clock, journal: journal, eventLoops: eventLoops, logger: logger)
        return RehearsalWorld(
            cast: cast, sink: sink, clock: clock, journal: journal,
            trust: try TLSClientContext(trust: .caPEM(try Cast.file("demo/ca.pem"))),
            eventLoops: eventLoops, logger: logger)
    }

    /// The zone in which every recipient's domain leads to the sink.
    package var resolver: StaticResolver {
        var zone: [String: [StaticResolver.Record]] = [Self.exchangerName: [.a("127.0.0.1")]]
        for recipient in cast { zone[recipient.address.domain] = [.mx(10, Self.exchangerName)] }
        return StaticResolver(zone)
    }

    /// What the world did, from the event number `first` on.
    package func events(from first: Int) -> [WorldEvent] { journal.events(from: first) }

    /// What must not have happened.
    package var faults: [WorldEvent] { journal.faults }

    /// How many messages that recipient's mailbox holds.
    package func mailboxCount(of recipient: ScriptedRecipient) -> Int { sink.desk.delivered(to: recipient.address.text).count }

    /// When the messages in that recipient's mailbox arrived.
    package func arrivals(of recipient: ScriptedRecipient) -> [Timestamp] {
        sink.desk.delivered(to: recipient.address.text).map(\.arrivedAt)
    }

    // MARK: Acting

    /// The moment of the next deed; nil when nobody plans anything.
    package func nextDeed() -> Timestamp? {
        agenda.withLock { agenda in
            for (recipient, number) in sink.desk.takeArrivals() {
                let messages = sink.desk.delivered(to: recipient.address.text)
                guard messages.indices.contains(number) else { continue }
                for reaction in recipient.reactions where reaction.message == number {
                    agenda.serial += 1
                    agenda.entries.append(
                        Entry(
                            at: messages[number].arrivedAt + reaction.after, recipient: recipient, original: messages[number],
                            deed: reaction.deed, serial: agenda.serial))
                }
            }
            return agenda.entries.map(\.at).min()
        }
    }

    /// Does everything that is due and returns when the receiving side has taken it.
    ///
    package func act(ports: Ports) async {
        let now = clock.now()
        let due = agenda.withLock { agenda in
            defer { agenda.entries.removeAll { $0.at <= now } }
            return agenda.entries.filter { $0.at <= now }.sorted { $0.at < $1.at }
        }
        for entry in due { await act(entry, ports: ports) }
    }

    private func act(_ entry: Entry, ports: Ports) async {
        let contact = entry.recipient.address.text
        let writer = LetterWriter(
            author: Mailbox(displayName: entry.original.message.to.first?.displayName, address: entry.recipient.address),
            original: entry.original, now: clock.now(), serial: entry.serial)
        switch entry.deed {
        case .letter(let letter):
            journal.note(.wrote, contact, letter.description)
            await send(writer.write(letter), of: contact, port: ports.listener)
        case .report:
            journal.note(.wrote, contact, "a delivery status notification of their server")
            await send(writer.report(), of: contact, port: ports.listener)
        case .oneClick:
            journal.note(.pressed, contact, "one-click unsubscribe")
            await press(entry, port: ports.web)
        }
    }

    private func send(_ letter: LetterWriter.Sealed?, of contact: String, port: Int) async {
        guard let letter else { return journal.note(.fault, contact, "the message has no address to answer to") }
        let route = Route(
            name: "postrider", kind: .submission(host: "127.0.0.1", port: port), level: .verify, trust: trust,
            helloName: Self.exchangerName)
        let courier = Courier(routes: [route], resolver: StaticResolver([:]), eventLoops: eventLoops, seed: 0, logger: logger)
        let message = OutboundMessage(
            reversePath: letter.reversePath, recipient: letter.recipient, content: letter.content, envelopeID: "rehearsal")
        let report = await courier.deliver(message, route: route.name, checks: DeliveryChecks(mayLeave: { true }, finalDot: { true }))
        if case .outcome(.accepted) = report.result { return }
        journal.note(.fault, contact, "the answer was not taken: \(report.result) \(report.note ?? "")")
        logger.error("letter not taken", metadata: ["contact": "\(contact)", "transcript": "\(report.transcript)"])
    }

    private func press(_ entry: Entry, port: Int) async {
        let contact = entry.recipient.address.text
        guard let field = entry.original.message.header.first("List-Unsubscribe"), let post = OneClickPost(listUnsubscribe: field) else {
            return journal.note(.fault, contact, "no link to press in List-Unsubscribe")
        }
        do {
            let status = try await post.send(port: port, on: eventLoops)
            if !status.utf8.starts(with: "HTTP/1.1 200".utf8) { journal.note(.fault, contact, "the one-click POST got \(status)") }
        } catch {
            journal.note(.fault, contact, "the one-click POST failed: \(error)")
        }
    }
}
