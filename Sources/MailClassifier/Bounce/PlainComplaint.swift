import InternetMessage

/// A complaint that is told without a part for machines: by Microsoft's junk mail reporting, SpamCop, X-ARF, and desks that pass on what their
/// users complained about.
///
/// The header says so, or the subject does and the message complained about is inside.
struct PlainComplaint {
    let complaint: Classification.Complaint
    let evidence: Classification.Evidence

    /// Nil when the message is no such complaint.
    init?(_ message: Message, subject: Tally, text: String, book: PhraseBook) {
        let header = message.header
        let copy = ReturnedCopy.header(of: message)
        let field = ["X-XARF", "X-ARF", "X-SpamCop-sourceip", "X-SpamCop-id"].first { header.first($0) != nil }
        if let field {
            evidence = .init(rule: "header:\(field.utf8.count < 7 ? "x-arf" : "x-spamcop")", place: "header", text: field)
        } else if copy != nil, let find = subject.finds(of: [.complaintSubject]).first {
            evidence = .init(rule: find.rule, place: "subject", text: find.text)
        } else if let find = Self.opening(message, text, book) {
            // What a desk writes in front of a report for machines, when that did not come along.
            evidence = .init(rule: find.rule, place: "body", text: find.text)
        } else {
            return nil
        }
        // Microsoft names the user in the copy, since our own field may name a list.
        let user = copy?.first("X-HmXmrOriginalRecipient").flatMap { AddressList(parsing: $0.rawValue).mailboxes.first?.address }
        complaint = .init(
            feedbackType: "abuse", originalRecipients: [user ?? copy.flatMap(ReturnedCopy.addressee)].compactMap { $0 },
            originalMessageID: copy?.messageID?.text)
    }

    /// The first sentence when it says that this is a report of abuse and names the computer that the message came from; answers quote.
    private static func opening(_ message: Message, _ text: String, _ book: PhraseBook) -> Tally.Find? {
        guard !SubjectShape.isAnswer(message.subject ?? ""),
            let first = Folding.sentences(String(text.unicodeScalars.prefix(400)), limits: .init(scalars: 400, sentences: 1)).first?
                .original
        else { return nil }
        let line = text.utf8.drop { $0 <= 0x20 }.prefix { $0 != 0x0A }
        guard namesHost(Array(line)) else { return nil }
        return Tally(first, book: book).finds(of: [.complaintSubject]).first
    }

    /// Four numbers with dots, or an IPv6 address: two colons at least within one word.
    private static func namesHost(_ line: [UInt8]) -> Bool {
        line.split(whereSeparator: { $0 <= 0x20 || [0x5B, 0x5D, 0x28, 0x29, 0x2C].contains($0) }).contains { word in
            let parts = word.split(separator: 0x2E)
            if parts.count >= 4, parts.prefix(4).allSatisfy({ $0.count <= 3 && $0.allSatisfy(\.isDigit) }) { return true }
            return word.count(where: { $0 == 0x3A }) >= 3 && word.allSatisfy { $0 == 0x3A || $0.isDigit || ($0 | 0x20) &- 0x61 < 6 }
        }
    }
}
