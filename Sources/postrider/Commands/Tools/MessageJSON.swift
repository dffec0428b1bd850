import InternetMessage
import OpenSSL

/// A message as data for machines: the contract of `parse --json`.
enum MessageJSON {
    static func value(file: String, _ message: Message) -> JSONValue {
        [
            "file": .string(file),
            "message_id": .text(message.messageID?.text),
            "date": .text(message.date?.iso8601),
            "from": mailboxes(message.from),
            "sender": message.sender.map(mailbox) ?? .null,
            "to": mailboxes(message.to),
            "cc": mailboxes(message.cc),
            "reply_to": mailboxes(message.replyTo),
            "subject": .text(message.subject),
            "in_reply_to": .texts(message.inReplyTo.map(\.text)),
            "references": .texts(message.references.map(\.text)),
            "text": .text(message.text),
            "html": .text(message.html),
            "attachments": .array(message.attachments.map(attachment)),
            "report": message.report.map(report) ?? .null,
            "headers": .array(message.header.fields.map { [.string($0.name), .string($0.text)] }),
            "defects": .texts(message.allDefects().map(\.rawValue)),
        ]
    }

    static func mailboxes(_ mailboxes: [Mailbox]) -> JSONValue { .array(mailboxes.map(mailbox)) }

    private static func mailbox(_ mailbox: Mailbox) -> JSONValue {
        ["name": .text(mailbox.displayName), "address": .string(address(mailbox.address))]
    }

    /// An address with its domain in Unicode.
    static func address(_ address: EmailAddress) -> String {
        let text = Array(address.text.utf8)
        guard let at = text.lastIndex(of: UInt8(ascii: "@")) else { return address.text }
        return String(decoding: text[...at], as: UTF8.self) + address.unicodeDomain
    }

    /// What a report gives as an address: with its domain in Unicode when it is one, else as it stands.
    private static func address(_ text: String?) -> JSONValue {
        .text(text.map { text in EmailAddress(text).map { address($0) } ?? text })
    }

    private static func attachment(_ attachment: Attachment) -> JSONValue {
        [
            "filename": .text(attachment.filename), "type": .string(attachment.type), "size": .count(attachment.bytes.count),
            "sha256": .string(Hex.encode(Digest.sha256(attachment.bytes))), "disposition": .text(attachment.disposition),
            "content_id": .text(attachment.contentID),
        ]
    }

    private static func report(_ report: Report) -> JSONValue {
        switch report {
        case .deliveryStatus(let status):
            [
                "kind": "dsn", "reporting_mta": host(status.reportingMTA), "original_envelope_id": .text(status.originalEnvelopeID),
                "original_message_id": .text(status.returnedMessageID?.text), "recipients": .array(status.recipients.map(recipient)),
            ]
        case .feedback(let feedback):
            [
                "kind": "arf", "type": .string(feedback.type), "original_recipient": address(feedback.originalRecipients.first),
                "original_message_id": .text(feedback.originalMessageID?.text), "source_ip": .text(feedback.sourceIP),
                "reported_domain": host(feedback.reportedDomain),
            ]
        case .disposition(let disposition):
            [
                "kind": "mdn", "disposition": .string(disposition.disposition),
                "original_message_id": .text(disposition.originalMessageID?.text), "final_recipient": address(disposition.finalRecipient),
            ]
        case .aggregate(let report): ReportJSON.value(report)
        case .transportSecurity(let report): ReportJSON.value(report)
        }
    }

    private static func recipient(_ recipient: DeliveryStatusReport.Recipient) -> JSONValue {
        [
            "final_recipient": address(recipient.finalRecipient), "original_recipient": address(recipient.originalRecipient),
            "action": .text(recipient.action), "status": .text(recipient.status?.text), "diagnostic": .text(recipient.diagnosticCode),
            "remote_mta": host(recipient.remoteMTA),
        ]
    }

    static func host(_ name: String?) -> JSONValue { .text(name.map { DomainName.toUnicode($0) }) }
}
