import InternetMessage

/// A complaint that is told without a part for machines: by Microsoft's junk mail reporting, SpamCop, X-ARF, and desks that pass on what their
/// users complained about.
///
/// The header says so, or the subject does and the message complained about is inside.
struct PlainComplaint {
    let complaint: Classification.Complaint
    let evidence: Classification.Evidence

    /// Nil when the message is no such complaint.
    init?(_ message: Message, subject: Tally) {
        let header = message.header
        let copy = ReturnedCopy.header(of: message)
        let field = ["X-XARF", "X-ARF", "X-SpamCop-sourceip", "X-SpamCop-id"].first { header.first($0) != nil }
        if let field {
            evidence = .init(rule: "header:\(field.utf8.count < 7 ? "x-arf" : "x-spamcop")", place: "header", text: field)
        } else if copy != nil, let find = subject.finds(of: [.complaintSubject]).first {
            evidence = .init(rule: find.rule, place: "subject", text: find.text)
        } else {
            return nil
        }
        // Microsoft names the user in the copy, since our own field may name a list.
        let user = copy?.first("X-HmXmrOriginalRecipient").flatMap { AddressList(parsing: $0.rawValue).mailboxes.first?.address }
        complaint = .init(
            feedbackType: "abuse", originalRecipients: [user ?? copy.flatMap(ReturnedCopy.addressee)].compactMap { $0 },
            originalMessageID: copy?.messageID?.text)
    }
}
