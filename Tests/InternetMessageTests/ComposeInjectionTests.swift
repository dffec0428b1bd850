import TestKit
import Testing

@testable import InternetMessage

/// Whatever text stands in whatever field: the message is legal and has the fields it should have, or there is none.
@Suite("compose: injection")
struct ComposeInjectionTests {
    typealias Setting = @Sendable (inout MessageDraft, String) -> Void

    static let settings: [(String, Setting)] = [
        ("from", { $0.from = Mailbox(displayName: $1, address: $0.from.address) }),
        ("to", { $0.to = [Mailbox(displayName: $1, address: $0.from.address), $0.from] }),
        ("cc", { $0.cc = [Mailbox(displayName: $1, address: $0.from.address)] }),
        ("sender", { $0.sender = Mailbox(displayName: $1, address: $0.from.address) }),
        ("replyTo", { $0.replyTo = [Mailbox(displayName: $1, address: $0.from.address)] }),
        ("subject", { $0.subject = $1 }),
        ("messageID", { draft, text in MessageID(lenient: text.utf8).map { draft.messageID = $0 } }),
        ("references", { draft, text in draft.references = [MessageID(lenient: text.utf8)].compactMap { $0 } }),
        ("inReplyTo", { draft, text in draft.inReplyTo = MessageID.list(parsing: Array(text.utf8)[...]) }),
        ("listUnsubscribe", { $0.listUnsubscribe = ["https://example.com/\($1)"] }),
        ("listID", { $0.listID = "\($1).example.com" }),
        ("feedbackID", { $0.feedbackID = "a:\($1):sender" }),
        ("extraField name", { draft, text in draft.extraFields = [try? HeaderField(name: text, value: "x")].compactMap { $0 } }),
        ("extraField value", { draft, text in draft.extraFields = [try? HeaderField(name: "X-A", value: text)].compactMap { $0 } }),
        (
            "extraField of another message",
            { draft, text in
                draft.extraFields = Header(parsing: Array("X-A: \(text)\n b\r\nX-B: \(text)".utf8)[...]).fields
            }
        ),
        ("text", { $0.text = $1 }), ("html", { $0.html = $1 }),
        ("filename", { $0.attachments = [DraftAttachment(filename: $1, mediaType: "text/plain", content: .bytes([]))] }),
        ("media type", { $0.attachments = [DraftAttachment(filename: nil, mediaType: "text/\($1)", content: .bytes([]))] }),
        ("charset", { $0.attachments = [DraftAttachment(filename: nil, mediaType: "text/plain", charset: $1, content: .bytes([]))] }),
        ("summary", { $0.invitation?.summary = $1 }), ("details", { $0.invitation?.details = $1 }),
        ("location", { $0.invitation?.location = $1 }), ("uid", { $0.invitation?.uid = $1 }),
        ("organizer", { $0.invitation?.organizer = Mailbox(displayName: $1, address: $0.from.address) }),
    ]

    private static let pieces = [
        "\r\n", "\n", "\r", "\0", "\r\nBcc: x@example.com", "\n\n", "\r\n\r\n", "\r\n ", "\t", "\u{85}", "\u{2028}", "\u{B}", "\u{7F}",
        "\u{1B}",
        "a", "word", " ", "  ", "é", "字", "😀", "e\u{301}", "\u{301}", "\u{200D}", "\u{FEFF}", "=?", "=?utf-8?Q?=0A?=", "?=", "\"", "\\",
        "<",
        ">", ",", ";", ":", "@", "(", ")", "%0D%0A", "%", ".", "--=_", "BEGIN:VEVENT", "\nEND:VCALENDAR\r\n", "From ", "Subject: y",
        String(repeating: "x", count: 80), String(repeating: "y", count: 300),
    ]

    @Test(
        "of thousands of texts in every field none makes a message that is illegal or has a field it should not have",
        arguments: settings.indices)
    func anyText(index: Int) throws {
        var random = SeededRandom(seed: UInt64(index))
        var composed = 0
        for round in 0..<80 {
            var text = ""
            for _ in 0..<Int.random(in: 1...(round % 8 + 1), using: &random) { text += Self.pieces.randomElement(using: &random) ?? "" }
            var draft = try ComposeTests.draft()
            draft.invitation = try ComposeInvitationTests.invitation()
            Self.settings[index].1(&draft, text)
            guard let bytes = try? draft.compose() else { continue }
            composed += 1
            // A field of another message is written as it is folded there.
            let isForeign = Self.settings[index].0 == "extraField of another message"
            try #require(ComposePropertyTests.fault(bytes, isASCII: true, isFolded: !isForeign) == nil, "\(text.debugDescription)")
            let message = Message(parsing: bytes)
            try #require(message.defects == [], "\(text.debugDescription)")
            var names = ["From", "To", "Subject", "Date", "Message-ID"]
            if draft.sender != nil { names.insert("Sender", at: 1) }
            if !draft.replyTo.isEmpty { names.insert("Reply-To", at: 1) }
            if !draft.cc.isEmpty { names.insert("Cc", at: 2) }
            let writable: (MessageID) -> Bool = { $0.isWritable }
            if draft.inReplyTo.contains(where: writable) { names.append("In-Reply-To") }
            if draft.references.contains(where: writable) { names.append("References") }
            if !draft.listUnsubscribe.isEmpty { names.append("List-Unsubscribe") }
            if draft.listID != nil { names.append("List-Id") }
            if draft.feedbackID != nil { names.append("Feedback-ID") }
            names += draft.extraFields.map(\.name) + ["MIME-Version", "Content-Type"]
            try #require(message.header.fields.map(\.name) == names, "\(text.debugDescription)")
            // The calendar too has the properties it should have, whatever its texts say.
            let calendar = try #require(message.attachments.last?.bytes).filter { $0 != 13 }
            let lines = calendar.split(separator: 10)
            try #require(
                lines.count(where: { $0.starts(with: "BEGIN:".utf8) }) == 3 && lines.count(where: { $0.starts(with: "END:".utf8) }) == 3)
        }
        // A field that no text can be put in proves nothing here.
        #expect(composed > 0, "\(Self.settings[index].0)")
    }
}
