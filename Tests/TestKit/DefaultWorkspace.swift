package import InternetMessage
package import Outreach

// Most tests are of one workspace; the product always says which it means.

extension Contact {
    package init(
        id: ID, address: EmailAddress, displayName: String? = nil, fields: [String: String] = [:], timeZone: String? = nil,
        consent: Consent = Consent(), createdAt: Timestamp
    ) {
        self.init(
            id: id, workspace: .default, address: address, displayName: displayName, fields: fields, timeZone: timeZone, consent: consent,
            createdAt: createdAt)
    }
}

extension ContactGroup {
    package init(name: Name, description: String = "", createdAt: Timestamp) {
        self.init(workspace: .default, name: name, description: description, createdAt: createdAt)
    }
}

extension SenderIdentity {
    package init(
        name: String, from: Mailbox, route: String, replyTo: ReplyTo, returnPath: ReturnPath, pacing: PacingGate.Policy,
        signature: String? = nil, optOut: MessageTemplate? = nil, postalAddress: String? = nil, law: String? = nil,
        forwarding: ReplyForwarding? = nil
    ) {
        self.init(
            name: name, workspace: .default, workspaceName: "default", from: from, route: route, replyTo: replyTo, returnPath: returnPath,
            pacing: pacing, signature: signature, optOut: optOut, postalAddress: postalAddress, law: law, forwarding: forwarding)
    }
}

extension SendingPause.Subject {
    package static func sequence(_ name: String) -> Self { .sequence(name, in: .default) }

    package init?(_ text: String) { self.init(text, workspace: .default) }
}

extension SentMessage {
    package init(
        outbox: OutboxMessage.ID, enrollment: Enrollment.ID?, contact: Contact.ID?, messageID: MessageID, recipient: EmailAddress,
        providerID: String? = nil
    ) {
        self.init(
            outbox: outbox, workspace: .default, enrollment: enrollment, contact: contact, messageID: messageID, recipient: recipient,
            providerID: providerID)
    }
}
