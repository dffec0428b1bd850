import ArgumentParser
import InternetMessage

struct Parse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse",
        abstract:
            "Show messages as data: one JSON object per line and file with --json, else a summary. Exit status 65 when one cannot be read.")

    @Flag(help: "One JSON object per line.")
    var json = false
    @Flag(help: "Files are mbox files: one line or summary per message, named FILE#NUMBER.")
    var mbox = false
    @OptionGroup var input: MessageFiles

    func run() async throws {
        try input.each { file, bytes in
            guard mbox else { return show(file, Message(parsing: bytes)) }
            for (index, message) in Mbox.messages(in: bytes[...]).enumerated() {
                show("\(file)#\(index + 1)", Message(parsing: message))
            }
        }
    }

    private func show(_ file: String, _ message: Message) {
        if json {
            JSONLine.write(MessageJSON.value(file: file, message))
        } else {
            summarise(file, message)
        }
    }

    private func summarise(_ file: String, _ message: Message) {
        func people(_ mailboxes: [Mailbox]) -> String? { mailboxes.isEmpty ? nil : mailboxes.map(Self.shown).joined(separator: ", ") }
        var facts: [(String, String?)] = [
            ("file", file), ("from", people(message.from)), ("to", people(message.to)), ("cc", people(message.cc)),
            ("reply to", people(message.replyTo)), ("subject", message.subject), ("date", message.date?.formatted),
            ("message id", message.messageID?.text),
        ]
        for attachment in message.attachments {
            facts.append(("attachment", "\(attachment.filename ?? "unnamed"), \(attachment.type), \(attachment.bytes.count) bytes"))
        }
        switch message.report {
        case .deliveryStatus(let status):
            for recipient in status.recipients {
                let words = [recipient.finalRecipient, recipient.action, recipient.status?.text, recipient.diagnosticCode]
                facts.append(("delivery report", words.compactMap(\.self).joined(separator: ", ")))
            }
        case .feedback(let feedback): facts.append(("feedback report", feedback.type))
        case .disposition(let disposition): facts.append(("disposition report", disposition.disposition))
        case .aggregate(let report):
            let words = [report.organization, report.policy.domain, report.reportID, "\(report.messageCount) messages"]
            facts.append(("DMARC report", words.compactMap(\.self).joined(separator: ", ")))
        case .transportSecurity(let report):
            facts.append(("TLS report", [report.organization, report.reportID].compactMap(\.self).joined(separator: ", ")))
        case nil: break
        }
        if let reply = message.calendarReply {
            let words = [reply.participation.rawValue, reply.attendee?.text, reply.summary]
            facts.append(("calendar reply", words.compactMap(\.self).joined(separator: ", ")))
        }
        for defect in message.allDefects() { facts.append(("defect", defect.rawValue)) }
        FactSheet.write(facts)
        Console.out("")
        if let text = message.text { Console.out(TerminalText.lines(text)) }
    }

    static func shown(_ mailbox: Mailbox) -> String {
        let address = MessageJSON.address(mailbox.address)
        return mailbox.displayName.map { "\($0) <\(address)>" } ?? address
    }
}
