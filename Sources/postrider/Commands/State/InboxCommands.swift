import ArgumentParser
import InternetMessage
import Mailroom
import Outreach

struct Inbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox",
        abstract: "Read the replies and reports that came in, and correct what was made of them.",
        subcommands: [InboxList.self, InboxShow.self, InboxLabel.self, InboxConfirm.self])
}

struct InboxList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List replies and reports, newest first.",
        discussion: "Of all workspaces together, and what answers nothing of ours; with --workspace what answers mail of that one.")

    @OptionGroup var conf: StateOption
    @Option(help: "Only from this contact (an email address).") var contact: String?
    @Option(help: "Only from contacts that this one looks after (their field 'owner').") var owner: String?
    @Option(help: "At most so many.") var limit: Int?
    @Flag(help: "Only those that wait for an answer of ours.") var open = false
    @Flag(help: "Copies of a reply that came in before, too, which do nothing.") var all = false
    @Flag(help: "One JSON object per reply, copies too.") var json = false

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            var only: Contact.ID?
            if let contact { only = try await state.contact(contact).id }
            var table = Table(
                [.init("ID")] + state.workspaceColumn + [
                    .init("SORTED"), .init("CLASS"), .init("SURE", number: true), .init("MATCH"), .init("FROM", limit: 40),
                    .init("SUBJECT", limit: 60),
                ])
            let replies = try await state.store.replies(
                workspace: state.asked?.id, contact: only, owner: owner, waiting: open, copies: json || all, limit: limit ?? .max)
            for reply in replies {
                if json {
                    JSONLine.write(.object(try await state.facts(reply)))
                } else {
                    let workspace = state.namesWorkspaces ? try await state.workspace(of: reply) : nil
                    table.add(
                        [reply.intake.description] + state.workspaceCell(workspace) + [
                            reply.sortedAt.iso8601, reply.shownClass.rawValue,
                            reply.label == nil ? "\(Int((reply.reading.confidence * 100).rounded())) %" : "label",
                            reply.duplicateOf.map { "copy of \($0)" } ?? reply.certainty?.rawValue ?? "none", reply.from, reply.subject,
                        ])
                }
            }
            if !json { table.isEmpty ? Console.out("nothing came in") : table.write() }
        }
    }
}

struct InboxShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one reply: what it says, what it was taken for and why, and what followed.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Id of the reply.") var id: String
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let reply = try await state.reply(id)
            let forwards = try await state.store.forwards(of: reply.intake)
            var timeline: [TimelineEvent] = []
            var owner: String?
            if let contact = reply.contact {
                timeline = try await state.store.timeline(contact: contact)
                owner = try await state.store.contact(id: contact)?.fields[SequencePlan.Action.ownerField]
            }
            if json {
                let facts = try await state.facts(reply)
                let sentOn = forwards.map { forward -> JSONValue in
                    [
                        "message": .id(forward.id), "to": .string(forward.recipient.text), "state": .string(forward.state.rawValue),
                        "reason": .string(forward.reason), "came_back": .text(forward.returned(timeline)),
                    ]
                }
                return JSONLine.write(
                    .object(
                        facts + [
                            (key: "forwards", value: .array(sentOn)),
                            (key: "timeline", value: .array(try await state.dialogues(of: timeline))),
                        ]))
            }
            let reading = reply.reading
            FactSheet.write([
                ("id", reply.intake.description), ("from", reply.from), ("subject", reply.subject), ("sorted", reply.sortedAt.iso8601),
                ("owner", owner),
                ("class", reply.replyClass == reading.replyClass ? nil : "\(reply.replyClass.rawValue), by the address it was sent to"),
                (
                    reply.replyClass == reading.replyClass ? "class" : "read as",
                    "\(reading.replyClass.rawValue), \(Int((reading.confidence * 100).rounded())) % sure"
                ),
                ("label", reply.label?.rawValue), ("intent", reading.intent), ("return date", reading.returnDate?.iso8601),
                ("match", reply.certainty.map { "\($0.rawValue) certainty" } ?? "answers nothing of ours"),
                ("duplicate of", reply.duplicateOf?.description), ("authentication", reply.authentication),
                ("From domain", reply.domainProof == .fail ? "not borne out (DMARC fails): may be forged" : nil),
            ])
            for forward in forwards { Console.out("sent on: \(TerminalText.line(forward.fate(timeline)))") }
            for proof in reply.proofs { Console.out("proof: \(TerminalText.line(proof))") }
            for evidence in reading.evidence { Console.out("evidence: \(TerminalText.line(evidence))") }
            for bounce in reading.bounces {
                Console.out(
                    "bounce: \(TerminalText.line("\(bounce.recipient?.text ?? "?"): \(bounce.failureClass): \(bounce.diagnostic)"))")
            }
            Console.out("")
            Console.out(TerminalText.lines(reading.text))
            if reply.contact != nil { state.writeTimeline(timeline) }
        }
    }
}

struct InboxLabel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Say what a reply means; it wins over the reading, and takes its effect.",
        discussion: """
            Classes: \(ReplyClass.allCases.map(\.rawValue).joined(separator: " ")).
            What the class means for the sequence happens now (an 'unsubscribe' suppresses the address, a 'positive' ends the sequence); what \
            happened before is not undone: 'postrider suppress remove' and 'postrider enroll' do that.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Id of the reply.") var id: String
    @Argument(help: "What it means.") var replyClass: String

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            guard let replyClass = ReplyClass(rawValue: replyClass) else {
                let known = ReplyClass.allCases.map(\.rawValue).joined(separator: " ")
                throw Failure(.badInput, "'\(TerminalText.line(self.replyClass))' is no class; there are: \(known)")
            }
            let reply = try await state.reply(id)
            let event = TimelineEvent(
                id: state.ids.next(), at: state.now(), kind: .classified, contact: reply.contact, enrollment: reply.enrollment,
                outbox: reply.outbox, intake: reply.intake, summary: "\(replyClass.rawValue), says \(OpenState.person)",
                facts: ["class": replyClass.rawValue, "by": OpenState.person])
            let takesEffect = reply.duplicateOf == nil && reply.certainty != .low
            let after = try await state.takeEffect(reply, as: replyClass, said: event, happens: takesEffect) { store, consequence in
                try await store.label(reply.intake, as: replyClass, consequence: consequence) ?? .committed
            }
            Console.out("\(reply.intake): labelled \(replyClass.rawValue)")
            if reply.duplicateOf == nil, reply.certainty == .low {
                Console.out("the match is of low certainty, so nothing follows yet; 'postrider inbox confirm \(reply.intake)' confirms it")
            }
            if let after { Console.out("the sequence is \(after.rawValue) now") }
        }
    }
}

struct InboxConfirm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Confirm that a reply of low certainty answers what it seems to answer; it takes its effect.")

    @OptionGroup var conf: StateOption
    @Argument(help: "Id of the reply.") var id: String

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let reply = try await state.reply(id)
            guard let certainty = reply.certainty else {
                throw Failure(.badInput, "\(reply.intake) answers nothing of ours that is known, so there is nothing to confirm")
            }
            guard certainty == .low else { return Console.out("\(reply.intake) is matched with \(certainty.rawValue) certainty already") }
            if let first = reply.duplicateOf {
                throw Failure(.badInput, "\(reply.intake) is the same message as \(first); confirm that")
            }
            let event = TimelineEvent(
                id: state.ids.next(), at: state.now(), kind: .correlated, contact: reply.contact, enrollment: reply.enrollment,
                outbox: reply.outbox, intake: reply.intake, summary: "confirmed by \(OpenState.person)",
                facts: ["certainty": Correlation.Certainty.high.rawValue, "by": OpenState.person])
            let after = try await state.takeEffect(reply, as: reply.shownClass, said: event) { store, consequence in
                try await store.confirm(reply.intake, consequence: consequence)
            }
            Console.out("\(reply.intake): confirmed" + (after.map { "; the sequence is \($0.rawValue) now" } ?? ""))
        }
    }
}

extension OutboxMessage {
    /// What a report said of it after it had left, as the timeline of whoever wrote the reply has it; nil: it did not come back.
    fileprivate func returned(_ timeline: [TimelineEvent]) -> String? {
        timeline.last { $0.kind == .bounced && $0.outbox == id }.map { $0.facts["diagnostic"] ?? $0.summary }
    }

    /// What became of a reply that was sent on by it, for a person.
    fileprivate func fate(_ timeline: [TimelineEvent]) -> String {
        if let returned = returned(timeline) { return "to \(recipient.text), and it came back: \(returned)" }
        switch state {
        case .sent: return "to \(recipient.text)"
        case .incoming, .active, .deferred: return "to \(recipient.text), still waiting" + (reason.utf8.isEmpty ? "" : ": \(reason)")
        case .hold, .bounced, .expired, .cancelled: return "not to \(recipient.text) (\(state.rawValue)): \(reason)"
        }
    }
}

extension ReplyRecord {
    /// The class that counts: a person's before ours.
    var shownClass: ReplyClass { label ?? replyClass }
}

extension OpenState {
    func reply(_ text: String) async throws -> ReplyRecord {
        let id: IncomingMessage.ID = try Self.id(text, of: "reply")
        if let reply = try await store.reply(id) {
            if let workspace = try await workspace(of: reply) { try requireMeant(workspace, "reply \(id)") }
            return reply
        }
        guard let incoming = try await store.incoming(id: id) else { throw Failure(.badInput, "there is no reply \(id)") }
        throw Failure(.badInput, "\(id) is \(incoming.state.rawValue) and not sorted yet; 'postrider intake list' shows what waits")
    }

    /// The workspace whose mail it answers; nil when it answers none of ours.
    func workspace(of reply: ReplyRecord) async throws -> WorkspaceID? {
        guard let outbox = reply.outbox else { return nil }
        return try await store.sentMessage(id: outbox)?.workspace
    }

    /// Everything that is known of a reply but the contact's timeline.
    func facts(_ reply: ReplyRecord) async throws -> [(key: String, value: JSONValue)] {
        let reading = reply.reading
        var contact: JSONValue = .null
        if let id = reply.contact, let found = try await store.contact(id: id) { contact = json(found, try await ties(of: id)) }
        var enrollment: JSONValue = .null
        if let id = reply.enrollment, let found = try await store.enrollment(id: id) {
            enrollment = json(found, of: try await store.sequence(id: found.sequence))
        }
        let incoming = try await store.incoming(id: reply.intake)
        let all: JSONValue = [
            "id": .id(reply.intake), "workspace": .text(try await workspace(of: reply).map(name)), "way": .text(incoming?.way.rawValue),
            "received_at": .moment(incoming?.receivedAt),
            "sorted_at": .moment(reply.sortedAt), "from": .string(reply.from), "subject": .string(reply.subject),
            "message_id": .text(reply.messageID?.text), "class": .string(reply.shownClass.rawValue), "label": .text(reply.label?.rawValue),
            "read_class": .string(reading.replyClass.rawValue), "intent": .text(reading.intent), "confidence": .number(reading.confidence),
            "evidence": .texts(reading.evidence), "text": .string(reading.text), "return_date": .text(reading.returnDate?.iso8601),
            "bounces": .array(reading.bounces.map(json)), "certainty": .text(reply.certainty?.rawValue), "proofs": .texts(reply.proofs),
            "duplicate_of": .id(reply.duplicateOf), "own": .bool(reply.isOwn), "participants": .texts(try await participants(of: reply)),
            "requires_response": .bool(reply.requiresResponse),
            "authentication": .string(reply.authentication), "dmarc": .text(reply.domainProof?.rawValue),
            "contact": contact, "enrollment": enrollment,
            "message": .id(reply.outbox),
        ]
        if case .object(let members) = all { return members }
        return []
    }

    /// The events, each outcome of an attempt with the dialogue that led to it.
    func dialogues(of timeline: [TimelineEvent]) async throws -> [JSONValue] {
        var attempts: [OutboxMessage.ID: ArraySlice<DeliveryAttempt>] = [:]
        var events: [JSONValue] = []
        for event in timeline {
            guard let id = event.outbox, [.delivered, .deferred, .rejected, .ambiguous].contains(event.kind),
                case .object(let facts) = json(event)
            else {
                events.append(json(event))
                continue
            }
            if attempts[id] == nil { attempts[id] = try await store.attempts(of: id)[...] }
            // What a crash left open is an outcome without an attempt: it ended before none of them.
            let isTold = attempts[id]?.first.map { $0.outcome.rawValue.utf8.elementsEqual(event.kind.rawValue.utf8) } ?? false
            let attempt = isTold ? attempts[id]?.popFirst() : nil
            events.append(.object(facts + [(key: "dialogue", value: .text(attempt?.transcript))]))
        }
        return events
    }

    /// Who wrote in the conversation, the first one first: its correspondent and those who joined.
    private func participants(of reply: ReplyRecord) async throws -> [String] {
        guard let contact = reply.contact else { return [] }
        var senders: [String] = []
        for other in try await store.replies(contact: contact, limit: .max).reversed()
        where other.enrollment == reply.enrollment && other.duplicateOf == nil && !other.replyClass.isReport
            && other.certainty != .low
        {
            if !senders.contains(where: { $0.utf8.elementsEqual(other.from.utf8) }) { senders.append(other.from) }
        }
        return senders
    }

    private func json(_ bounce: Reading.Bounce) -> JSONValue {
        [
            "recipient": .text(bounce.recipient?.text), "status": .text(bounce.status?.text), "permanent": .bool(bounce.permanent),
            "class": .string(bounce.failureClass), "diagnostic": .string(bounce.diagnostic),
        ]
    }

    /// Lets a reply do what its class means, as if it had just come in with a certain match; the enrollment's state after it, nil when
    /// nothing moved.
    ///
    /// - Parameters:
    ///   - event: of what a person said, stored with the effect.
    ///   - happens: false: only what the person said is kept.
    ///   - commit: stores it all in one transaction; asked again when it was stale.
    func takeEffect(
        _ reply: ReplyRecord, as replyClass: ReplyClass, said event: TimelineEvent, happens: Bool = true,
        commit: (any IntakeStore, Consequence) async throws -> CommitResult
    ) async throws -> Enrollment.State? {
        let identities = try Desks.identities(settings, in: installation.workspaces)
        let companies = try Desks.companies(settings)
        while true {
            var consequence = Consequence()
            if happens, let outbox = reply.outbox, let message = try await store.sentMessage(id: outbox) {
                var contact: Contact?
                if let id = reply.contact { contact = try await store.contact(id: id) }
                let machine = try await store.machine(of: reply.enrollment, identities: identities)
                consequence = ReplyDecider(ids: ids).decide(
                    reply, saidToBe: replyClass, answering: message, machine: machine, contact: contact,
                    company: companies.company(of: message.recipient), at: now())
            }
            consequence.timeline.insert(event, at: 0)
            if try await commit(store, consequence) == .committed { return consequence.transition?.state }
        }
    }
}
