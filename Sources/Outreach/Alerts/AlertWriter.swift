package import InternetMessage

/// Something of ours that is out of order or stands still.
package struct Trouble: Sendable, Hashable {
    /// The same for as long as it lasts, and no other.
    package let key: String
    /// One line for a person.
    package let words: String

    package init(key: String, words: String) {
        self.key = key
        self.words = words
    }

    /// - Parameter workspace: the name of the one that it is of, where that is to be said.
    package init(_ pause: SendingPause, of workspace: String? = nil) {
        self.init(key: "\(pause.subject.key) \(pause.since.milliseconds)", words: Self.place(workspace) + pause.words)
    }

    /// - Parameter workspace: the name of the one that it is of, where that is to be said.
    package init(_ finding: GuardrailFinding, of workspace: String? = nil) {
        self.init(
            key: "\(finding.subject.key) \(finding.rule.name)",
            words: "\(Self.place(workspace))\(finding.subject.text): \(finding.words)")
    }

    private static func place(_ workspace: String?) -> String { workspace.map { "workspace \($0): " } ?? "" }
}

/// Writes the mail by which somebody is told of troubles.
package struct AlertWriter: Sendable {
    package let recipients: [EmailAddress]
    private let identity: SenderIdentity
    private let hostname: String
    private let routes: RoutePlan
    private let chance: Chance
    private let ids: RecordIDs

    /// - Parameters:
    ///   - recipients: each gets a message of their own.
    ///   - identity: who it comes from.
    ///   - hostname: right side of every Message-ID.
    package init(
        recipients: [EmailAddress], identity: SenderIdentity, hostname: String, routes: RoutePlan, chance: Chance, ids: RecordIDs
    ) {
        self.recipients = recipients
        self.identity = identity
        self.hostname = hostname
        self.routes = routes
        self.chance = chance
        self.ids = ids
    }

    /// One message for each recipient; empty when there is nothing to say.
    ///
    /// - Parameters:
    ///   - new: what was not told yet.
    ///   - others: what was told before and lasts.
    package func letters(about new: [Trouble], beside others: [Trouble], at now: Timestamp) -> [OutboxMessage] {
        guard let first = new.first else { return [] }
        let more = new.count > 1 ? " (and \(new.count - 1) more)" : ""
        let words = String(decoding: first.words.utf8.prefix(100).map { $0 < 32 || $0 == 127 ? 32 : $0 }, as: UTF8.self)
        var lines = new.map { "- \($0.words)" }
        if !others.isEmpty { lines += ["", "Told before, and still so:"] + others.map { "- \($0.words)" } }
        lines += [
            "", "'postrider guardrail list' shows what is paused, and the log what led to it.", "This is written once for each trouble.",
        ]
        return recipients.compactMap { recipient in
            let id: OutboxMessage.ID = ids.next()
            guard let messageID = MessageID("\(id).\(ForwardName.alert)@\(hostname)") else { return nil }
            let zone = identity.pacing.window.zone
            var draft = MessageDraft(
                from: identity.from, to: [Mailbox(address: recipient)], subject: "Postrider on \(hostname): \(words)\(more)",
                date: MessageDate(timestamp: now, offsetMinutes: zone.offset(at: now) / 60), messageID: messageID,
                text: lines.joined(separator: "\n"))
            draft.autoSubmitted = .generated
            guard let bytes = try? draft.compose() else { return nil }
            return OutboxMessage(
                id: id, workspace: identity.workspace, enrollment: nil, contact: nil, step: 0, occurrence: 0, identity: identity.name,
                route: routes.route(for: recipient, as: identity, subject: "alert", chance: chance),
                reversePath: .address(identity.from.address), recipient: recipient, messageID: messageID, subject: draft.subject,
                bytes: bytes, createdAt: now, budgetDate: zone.date(at: now), nextAttemptAt: now)
        }
    }
}
