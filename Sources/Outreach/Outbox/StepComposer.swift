package import InternetMessage

/// Turns a due step into the message that leaves: values, thread, addresses, legal bytes.
package struct StepComposer: Sendable {
    /// What became of a step.
    package enum Result: Sendable {
        case message(OutboxMessage)
        /// Fields without value and without fallback; the enrollment waits for a person.
        case missing([String])
        /// The message cannot be built or would show left-over marks: what and where, for a person.
        case impossible(String)
    }

    /// Everything that one message is made of.
    package struct Order: Sendable {
        package let due: DueEnrollment
        package let templates: StepTemplates
        package let identity: SenderIdentity
        /// Messages of the enrollment that were queued before, by step, cancelled ones included.
        package let earlier: [OutboxMessage]
        package let now: Timestamp

        package init(due: DueEnrollment, templates: StepTemplates, identity: SenderIdentity, earlier: [OutboxMessage], now: Timestamp) {
            self.due = due
            self.templates = templates
            self.identity = identity
            self.earlier = earlier
            self.now = now
        }
    }

    private let hostname: String
    private let addresses: TokenAddresses?
    private let unsubscribe: UnsubscribePolicy
    private let tracking: TrackingPolicy
    private let routes: RoutePlan
    private let chance: Chance
    private let ids: RecordIDs

    /// - Parameters:
    ///   - hostname: right side of every Message-ID.
    ///   - addresses: nil when no token addresses are configured; identities that ask for them cannot compose then.
    ///   - tracking: what of the messages is counted; nothing when there are no token addresses.
    ///   - routes: settles which route each message takes.
    package init(
        hostname: String, addresses: TokenAddresses?, unsubscribe: UnsubscribePolicy, tracking: TrackingPolicy = .off,
        routes: RoutePlan = RoutePlan(), chance: Chance, ids: RecordIDs
    ) {
        self.hostname = hostname
        self.addresses = addresses
        self.unsubscribe = unsubscribe
        self.tracking = tracking
        self.routes = routes
        self.chance = chance
        self.ids = ids
    }

    package func compose(_ order: Order) -> Result {
        let step = order.due.enrollment.nextStep
        guard order.templates.steps.indices.contains(step), let letter = letter(of: order, step: step) else {
            return .impossible("the sequence has no message as step \(step + 1)")
        }
        let id: OutboxMessage.ID = ids.next()
        let rendered: Rendered
        switch render(order, letter, step: step, message: id) {
        case .rendered(let value): rendered = value
        case .failed(let result): return result
        }
        return build(order, step: step, id: id, rendered: rendered, variant: letter.variant)
    }

    /// The text that the contact gets of a step: always the same one.
    private func letter(of order: Order, step: Int) -> StepTemplates.Letter? {
        let letters = order.templates.steps[step]
        guard letters.count > 1 else { return letters.first }
        let plan = order.due.sequence.plan
        let place = chance.fraction("variant", [plan.name, plan.steps[step].name, order.due.contact.address.suppressionKey])
        return Weighted.pick(letters, at: place, weight: \.weight)
    }

    // MARK: Rendering

    private struct Rendered {
        let subject: String
        let text: String
        let html: String?
        /// Where its tracked links lead.
        let links: [LinkTarget]
        /// Messages of the thread that this one goes on in, oldest first.
        let thread: [OutboxMessage]
    }

    private enum RenderOutcome {
        case rendered(Rendered)
        case failed(Result)
    }

    private func render(_ order: Order, _ templates: StepTemplates.Letter, step: Int, message: OutboxMessage.ID) -> RenderOutcome {
        let values = values(of: order, message: message)
        var missing: [String] = []
        // The same wording whenever the step is written again.
        let plan = order.due.sequence.plan
        let own = OwnLetter(of: order.due.contact.fields, sequence: plan.name, step: plan.steps[step].name)
        let subjects = [plan.name, plan.steps[step].name, order.due.contact.address.suppressionKey]
        // Fields of the contact that the message shows.
        var shown: Set<String> = []
        func text(_ template: MessageTemplate) -> String {
            func choose(_ choice: Int, _ count: Int) -> Int {
                Int(chance.fraction("wording", subjects + [choice.description]) * Double(count))
            }
            shown.formUnion(template.shown(values, choosing: choose))
            switch template.render(values, choosing: choose) {
            case .text(let text): return text
            case .missing(let names):
                missing += names.filter { !missing.contains($0) }
                return ""
            }
        }
        // In a plan that branches, what came before need not stand before.
        let sent = order.earlier.filter { $0.finalDotAt != nil && $0.step != step }.sorted { a, b in
            a.createdAt == b.createdAt ? a.id < b.id : a.createdAt < b.createdAt
        }
        let thread = templates.subject == nil ? Self.currentThread(sent, order.templates) : []
        let subject: String
        if let template = templates.subject {
            subject = own.subject ?? text(template)
        } else if let first = thread.first {
            subject = Self.reply(to: first.subject)
        } else {
            // The first step always has a subject; it never left (skipped by a person), so its subject starts the thread here.
            let known = order.templates.steps.map { $0.first?.subject }
            subject = (known.prefix(step).compactMap { $0 }.last ?? known.compactMap { $0 }.first).map(text) ?? ""
        }
        var body = own.text ?? text(templates.text)
        var html = own.replaces("html") ? own.html : templates.html.map(text)
        for part in OwnLetter.parts where own.replaces(part) && (!Self.same(part, "subject") || templates.subject != nil) {
            shown.insert(OwnLetter.field(part, sequence: plan.name, step: plan.steps[step].name))
        }
        guard missing.isEmpty else { return .failed(.missing(missing)) }
        if Self.isBlank(subject) { return .failed(.impossible("the subject is empty")) }
        if Self.isBlank(body), let page = html {
            body = HTMLText.plainText(page)
            if Self.isBlank(body) { return .failed(.impossible("the text is empty, and the HTML has no words to make one of")) }
        }
        if Self.isBlank(body) { return .failed(.impossible("the text is empty")) }
        let footer = [order.identity.signature, order.identity.optOut.map(text), order.identity.postalAddress].compactMap {
            $0.map(Self.trimmed)
        }
        guard missing.isEmpty else { return .failed(.missing(missing)) }
        if let why = Self.unfilled(shown, of: order.due.contact) { return .failed(.impossible(why)) }
        body = ([Self.trimmed(body)] + footer).joined(separator: "\n\n")
        html = html.map { Self.adding(footer, toHTML: $0) }
        // With all that is added to it: whatever put a tag there, nobody may get it.
        for (part, content) in [("subject", subject), ("text", body), ("html", html ?? "")] where Self.hasOpenTag(content) {
            let marked = [("signature", order.identity.signature), ("postal address", order.identity.postalAddress)].first { _, text in
                text.map(Self.hasOpenTag) ?? false
            }
            let place = marked.map { "in the \($0.0) of identity \(order.identity.name)" } ?? "among the words of the step"
            return .failed(.impossible("the \(part) still shows {{ after rendering; it stands \(place), take it out there"))
        }
        if let law = order.identity.lawOnTexts, let part = Self.partWithoutWayOut(body, html, values["unsubscribe_url"]) {
            return .failed(
                .impossible(
                    "the law '\(law)' of identity \(order.identity.name) wants each message to show how to get no more, and the \(part) does not"
                ))
        }
        let letter = tracked(LetterTracker.Letter(text: body, html: html), order, step: step, message: message)
        return .rendered(Rendered(subject: subject, text: letter.text, html: letter.html, links: letter.links, thread: thread))
    }

    /// What a contact is said to be called, or to have, that is only the mark of a field in some program; nil: all of it was filled in.
    ///
    /// - Parameter shown: its fields that the message shows.
    private static func unfilled(_ shown: Set<String>, of contact: Contact) -> String? {
        let remedy = "a mark that nothing was put in for; correct it with 'postrider contacts set', then 'sequence resume'"
        for name in shown.sorted() {
            if let found = contact.fields[name].flatMap(FieldMark.first) { return "the field '\(name)' holds '\(found)', \(remedy)" }
        }
        // It stands in To, whatever the message says.
        if let found = contact.displayName.flatMap(FieldMark.first) {
            return "the name of the contact holds '\(found)', a mark that nothing was put in for; import it again with its name, "
                + "then 'sequence resume'"
        }
        return nil
    }

    private static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    /// The part that does not show the link that ends all mail; nil: each does.
    private static func partWithoutWayOut(_ text: String, _ html: String?, _ link: String?) -> String? {
        func shows(_ content: String, _ link: String) -> Bool { TemplateScanner.find(link, in: Array(content.utf8), from: 0) != nil }
        guard let link, shows(text, link) else { return "text" }
        guard let html, !shows(html, HTMLEscape.escape(link)) else { return nil }
        return "html"
    }

    /// The letter with what is counted of it in it.
    private func tracked(_ letter: LetterTracker.Letter, _ order: Order, step: Int, message: OutboxMessage.ID) -> LetterTracker.Letter {
        guard letter.html != nil, let base = tracking.base, let addresses else { return letter.unmarked }
        let plan = order.due.sequence.plan
        let written = plan.steps[step].letter
        let variants = written?.variants.flatMap { [$0.text, $0.html] } ?? []
        let sources = [written?.text, written?.html, order.identity.signature, order.identity.postalAddress] + variants
        return LetterTracker(base: base, codec: addresses.codec, wayOut: unsubscribe.oneClickBase).track(
            letter,
            .init(
                message: message, contact: order.due.contact.id, opens: tracking.countsOpens(of: plan),
                clicks: tracking.countsClicks(of: plan), sources: sources.compactMap { $0 } + plan.snippets.values))
    }

    private func values(of order: Order, message: OutboxMessage.ID) -> [String: String] {
        var values = order.due.contact.fields
        values["email"] = order.due.contact.address.text
        if let name = order.due.contact.displayName { values["name"] = name }
        values["sender_email"] = order.identity.from.address.text
        if let name = order.identity.from.displayName { values["sender_name"] = name }
        if let base = unsubscribe.oneClickBase, let addresses {
            values["unsubscribe_url"] = base + addresses.linkToken(for: message, at: order.now)
        }
        return values
    }

    /// The messages since the last step that has a subject of its own.
    private static func currentThread(_ sent: [OutboxMessage], _ templates: StepTemplates) -> [OutboxMessage] {
        let start = sent.lastIndex { templates.letter(step: $0.step, variant: $0.variant)?.subject != nil } ?? 0
        return Array(sent[start...])
    }

    private static func reply(to subject: String) -> String {
        let start = Array(subject.utf8.prefix(3)).map { $0 | 0x20 }
        return start == Array("re:".utf8) ? subject : "Re: \(subject)"
    }

    /// Without line ends and blanks at its end.
    private static func trimmed(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let end = bytes.lastIndex { $0 > 32 }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// Puts a paragraph for each text at the end of the page: before its last `</body>`, or behind everything.
    private static func adding(_ footer: [String], toHTML html: String) -> String {
        let bytes = Array(html.utf8)
        let mark = Array("</body".utf8)
        let place = bytes.indices.last { index in
            bytes[index...].count >= mark.count && bytes[index..<(index + mark.count)].map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } == mark
        }
        let end = place ?? bytes.endIndex
        let paragraphs = footer.map { text in
            let lines = HTMLEscape.escape(text).utf8.split(separator: 10).map { String(decoding: Array($0), as: UTF8.self) }
            return "<p>\(lines.joined(separator: "<br>\n"))</p>\n"
        }
        return String(decoding: bytes[..<end], as: UTF8.self) + paragraphs.joined() + String(decoding: bytes[end...], as: UTF8.self)
    }

    private static func isBlank(_ text: String) -> Bool { text.utf8.allSatisfy { $0 <= 32 } }

    /// Closing braces alone are no left-over: style sheets end in them.
    private static func hasOpenTag(_ text: String) -> Bool { TemplateScanner.find("{{", in: Array(text.utf8), from: 0) != nil }

    // MARK: Building

    private func build(_ order: Order, step: Int, id: OutboxMessage.ID, rendered: Rendered, variant: String?) -> Result {
        let contact = order.due.contact
        let identity = order.identity
        var replyTo: Mailbox?
        if identity.replyTo == .token {
            guard let address = addresses?.address(.reply, for: id, at: order.now) else {
                return .impossible("no token addresses for Reply-To")
            }
            replyTo = Mailbox(displayName: identity.from.displayName, address: address)
        }
        var reversePath = ReversePath.address(identity.from.address)
        if identity.returnPath == .token {
            guard let address = addresses?.address(.bounce, for: id, at: order.now) else {
                return .impossible("no token addresses for bounces")
            }
            reversePath = .address(address)
        }
        let nonce = RecordID<OutboxMessage>(rawValue: Int64(chance.bits("Message-ID", [id.description]) >> 16)).description
        guard let messageID = MessageID("\(id).\(nonce)@\(hostname)") else { return .impossible("no Message-ID with \(hostname)") }
        var draft = MessageDraft(
            from: identity.from, to: [Mailbox(displayName: contact.displayName, address: contact.address)], subject: rendered.subject,
            date: MessageDate(timestamp: order.now, offsetMinutes: identity.pacing.window.zone.offset(at: order.now) / 60),
            messageID: messageID,
            text: rendered.text)
        draft.replyTo = replyTo.map { [$0] } ?? []
        draft.html = rendered.html
        // A host that wrote a Message-ID of its own let the recipient see that one alone.
        draft.inReplyTo = rendered.thread.last.map { [$0.sentMessageID ?? $0.messageID] } ?? []
        draft.references = rendered.thread.flatMap(\.knownAs)
        if let address = unsubscribe.mailto ? addresses?.address(.unsubscribe, for: id, at: order.now) : nil {
            draft.listUnsubscribe.append("mailto:\(address.text)?subject=unsubscribe")
        }
        if let base = unsubscribe.oneClickBase, let addresses {
            draft.listUnsubscribe.append(base + addresses.linkToken(for: id, at: order.now))
            draft.oneClick = true
        }
        let marks = CampaignMarks(sequence: order.due.sequence.plan.name, identity: identity)
        draft.feedbackID = marks.feedbackID
        if !draft.listUnsubscribe.isEmpty { draft.listID = marks.listID }
        let bytes: [UInt8]
        do throws(ComposeError) {
            bytes = try draft.compose()
        } catch {
            return .impossible(Self.reason(error, step: order.due.sequence.plan.steps[step].name))
        }
        let route = routes.route(
            for: contact.address, as: identity,
            // Not by ids, which a rehearsal cannot know.
            subject: "\(order.due.sequence.plan.name) \(contact.address.suppressionKey)", chance: chance)
        return .message(
            OutboxMessage(
                id: id, workspace: contact.workspace, enrollment: order.due.enrollment.id, contact: contact.id, step: step,
                occurrence: order.earlier.count { $0.step == step }, identity: identity.name, route: route,
                reversePath: reversePath,
                recipient: contact.address, messageID: messageID, subject: rendered.subject, bytes: bytes, createdAt: order.now,
                budgetDate: identity.pacing.window.zone.date(at: order.now), nextAttemptAt: order.now, variant: variant,
                sequence: order.due.sequence.id, links: rendered.links))
    }

    /// What a person reads on a step that cannot be written: which step, what in it and where that comes from, and what to do.
    private static func reason(_ error: ComposeError, step: String) -> String {
        let origin =
            switch error.field {
            case "To": "the contact's name or address"
            case "From", "Reply-To": "the identity's name or address"
            case "Subject", "text", "html": "the template or a field of the contact"
            case "List-Unsubscribe": "one_click_url in [unsubscribe]"
            default: "the conf"
            }
        return "step \(step) cannot be written: \(error) (it comes from \(origin))"
    }
}
