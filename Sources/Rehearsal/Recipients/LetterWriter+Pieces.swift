import InternetMessage

/// The pieces that letters are put together from.
extension LetterWriter {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    var subject: String { original.message.subject ?? "" }
    var senderName: String { original.message.from.first?.displayName ?? "" }
    var senderAddress: String { original.message.from.first?.address.text ?? "" }
    var originalFrom: String { "\(senderName) <\(original.message.replyTo.first?.address.text ?? senderAddress)>" }
    var originalDate: Timestamp { original.message.date?.timestamp ?? original.arrivedAt }
    var originalID: String { original.message.messageID.map { "<\($0.text)>" } ?? "" }
    var messageID: String { "<\(now.milliseconds).\(serial)@\(author.address.asciiDomain ?? "localhost")>" }

    /// `Mon, 2 Mar 2026 at 08:31`
    var longDate: String {
        let parts = MessageDate(timestamp: originalDate, offsetMinutes: 60).formatted.split(separator: " ")
        return "\(parts[0]) \(parts[1].drop { $0 == "0" }) \(parts[2]) \(parts[3]) at \(parts[4].prefix(5))"
    }

    /// `Mar 2, 2026, at 03:31`
    var phoneDate: String {
        let parts = MessageDate(timestamp: originalDate, offsetMinutes: -300).formatted.split(separator: " ")
        return "\(parts[2]) \(parts[1].drop { $0 == "0" }), \(parts[3]), at \(parts[4].prefix(5))"
    }

    /// `02.03.26 um 09:31`
    var germanDate: String {
        let parts = MessageDate(timestamp: originalDate, offsetMinutes: 60).iso8601.split(whereSeparator: { "-T:+".contains($0) })
        return "\(parts[2]).\(parts[1]).\(parts[0].suffix(2)) um \(parts[3]):\(parts[4])"
    }

    /// From to In-Reply-To, as every program that threads writes them.
    func threadHeader(_ from: Mailbox, dateOffset: Int) -> String {
        let references = original.message.references.map { "<\($0.text)>" } + [originalID]
        let title = subject.utf8.starts(with: "Re: ".utf8) ? subject : "Re: \(subject)"
        return """
            From: \(shown(from))
            To: \(originalFrom)
            Date: \(MessageDate(timestamp: now, offsetMinutes: dateOffset).formatted)
            Message-ID: \(messageID)
            Subject: \(title)
            In-Reply-To: \(originalID)
            References: \(references.joined(separator: "\n "))

            """
    }

    /// The text of the original, each line behind `prefix`.
    func quoted(prefix: String, joiner: String = "\n") -> String {
        (original.message.text ?? "").split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.isEmpty ? String(prefix.prefix(1)) : "\(prefix)\(line)"
        }.joined(separator: joiner)
    }

    func shown(_ mailbox: Mailbox) -> String {
        guard let name = mailbox.displayName else { return mailbox.address.text }
        if name.utf8.allSatisfy({ $0 < 128 }) { return "\(name) <\(mailbox.address.text)>" }
        return "=?utf-8?B?\(String(decoding: Base64.encode(Array(name.utf8)), as: UTF8.self))?= <\(mailbox.address.text)>"
    }

    func base64(_ text: String) -> String {
        let encoded = Base64.encode(Array(text.utf8))
        return stride(from: 0, to: encoded.count, by: 76).map { String(decoding: encoded[$0..<min($0 + 76, encoded.count)], as: UTF8.self) }
            .joined(separator: "\n")
    }

    func quotedPrintable(_ text: String) -> String {
        let encoded = QuotedPrintable.encode(Self.withCRLF(text)[...])
        return String(decoding: encoded.filter { $0 != 13 }, as: UTF8.self)
    }

    /// The text as it goes over the wire.
    func message(_ text: String) -> [UInt8] { Self.withCRLF(text) }

    private static func withCRLF(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == 10 { bytes.append(13) }
            bytes.append(byte)
        }
        return bytes
    }
}
