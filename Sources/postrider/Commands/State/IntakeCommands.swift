import ArgumentParser
import InternetMessage
import Outreach
import Settings

struct Intake: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intake",
        abstract: "Look at what came in and could not be sorted or matched.", subcommands: [IntakeList.self, IntakeRetry.self])
}

struct IntakeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what waits to be sorted, is quarantined, or answers nothing of ours.",
        discussion: """
            A message of a mailbox that its server has and did not give is quarantined without content: 'intake retry' has it fetched anew.
            """)

    @OptionGroup var conf: ConfOption
    @Flag(help: "One JSON object per message.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([
                .init("ID"), .init("RECEIVED"), .init("STATE"), .init("WAY"), .init("FROM", limit: 40), .init("TO", limit: 60),
                .init("ORIGIN", limit: 60), .init("WHY", limit: 60),
            ])
            let passedOver = Dictionary(
                uniqueKeysWithValues: try await state.store.passedOver(account: nil).map { ($0.intake, $0.wantedFrom) })
            func show(_ message: IncomingMessage, state word: String, from: String) {
                let wantedFrom = passedOver[message.id] ?? nil
                if json {
                    return JSONLine.write([
                        "id": .id(message.id), "state": .string(word), "way": .string(message.way.rawValue),
                        "received_at": .moment(message.receivedAt), "reverse_path": .text(message.reversePath?.shown),
                        "from": .string(from),
                        "forward_paths": .texts(message.forwardPaths), "origin": .string(message.origin),
                        "size": .count(message.bytes.count),
                        "attempts": .count(message.attempts), "reason": .text(message.reason),
                        "can_be_fetched": .bool(passedOver[message.id] != nil), "fetched_from": .moment(wantedFrom),
                    ])
                }
                table.add([
                    message.id.description, message.receivedAt.iso8601, word, message.way.rawValue, from,
                    message.forwardPaths.joined(separator: " "), message.origin,
                    (wantedFrom == nil ? "" : "waits to be fetched anew; ") + (message.reason ?? ""),
                ])
            }
            for kind in [IncomingMessage.State.quarantined, .received] {
                var after: IncomingMessage.ID?
                while true {
                    let page = try await state.store.incoming(state: kind, after: after, limit: 100)
                    for message in page { show(message, state: kind.rawValue, from: message.reversePath?.shown ?? "") }
                    guard let last = page.last else { break }
                    after = last.id
                }
            }
            for reply in try await state.store.replies(contact: nil, limit: .max)
            where reply.outbox == nil && reply.duplicateOf == nil {
                if let message = try await state.store.incoming(id: reply.intake) { show(message, state: "unmatched", from: reply.from) }
            }
            if !json { table.isEmpty ? Console.out("nothing is quarantined, waiting or unmatched") : table.write() }
        }
    }
}

struct IntakeRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Let quarantined messages be sorted again: all, or those named.",
        discussion: """
            One that was passed over because its server did not give it is fetched anew by 'postrider serve', when its mailbox is next read
            (poll_interval), three times at most; 'intake list' tells what came of it.
            """)

    @OptionGroup var conf: ConfOption
    @Argument(help: "Ids of quarantined messages; none: all.") var ids: [String] = []

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let passedOver = try await state.store.passedOver(account: nil)
            let fetchable = Set(passedOver.map(\.intake))
            var named: [IncomingMessage.ID] = []
            for text in ids {
                let id: IncomingMessage.ID = try OpenState.id(text, of: "message that came in")
                guard let message = try await state.store.incoming(id: id) else { throw Failure(.badInput, "no message \(id) came in") }
                guard message.state == .quarantined else {
                    throw Failure(.badInput, "\(id) is \(message.state.rawValue) and not quarantined; nothing was done")
                }
                guard !message.bytes.isEmpty || fetchable.contains(id) else {
                    throw Failure(
                        .badInput,
                        TerminalText.line(
                            "\(id) has no content that could be sorted: \(message.reason ?? "none was kept"); look for it at \(message.origin)"
                        ))
                }
                named.append(id)
            }
            let tally = try await state.store.retryQuarantined(ids.isEmpty ? nil : named, at: state.now())
            var words = ["\(tally.sorted) will be sorted again"]
            if tally.fetched > 0 { words.append("\(tally.fetched) will be fetched anew when their mailbox is next read") }
            if tally.hopeless > 0 { words.append("\(tally.hopeless) without content cannot be tried again; 'intake list' says why") }
            Console.out(words.joined(separator: "; "))
            let known = Set(state.settings.mailboxes.map { Array($0.name.utf8) })
            let orphans = Set(
                passedOver.filter { (ids.isEmpty || named.contains($0.intake)) && !known.contains(Array($0.place.account.utf8)) }
                    .map(\.place.account))
            for account in orphans.sorted() {
                Console.error(
                    TerminalText.line(
                        "no [mailbox.\(account)] is in the conf, so nothing of it is fetched; put it back, or leave it at that"))
            }
        }
    }
}
