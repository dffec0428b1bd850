package import InternetMessage

/// Makes drafts of every kind that is composed, with values of every sort that a field or a body may hold; the same for the same seed.
package struct DraftGenerator {
    /// What a draft is about.
    package enum Kind: String, CaseIterable, Sendable {
        case plain, alternative, derivedText, related, mixed, mixedRelated, invitation, invitationWithPage, internationalAddress
        case longFields, longThread, sevenBit, eightBit, quotedPrintable, base64, oddNames, everything
    }

    /// A value that should have been legal and is not: a fault of this generator.
    package struct Illegal: Error {
        package let text: String
    }

    private var random: SeededRandom
    private var words: WordSource

    package init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        words = WordSource(random: SeededRandom(seed: seed ^ 0x5DEE_CE66))
    }

    /// Draft `number`, from `ann@example.com` unless the kind needs another address at that domain.
    package mutating func draft(_ kind: Kind, number: Int) throws -> MessageDraft {
        let to = try (0..<Int.random(in: 1...3, using: &random)).map { try mailbox("r\($0)@example.org") }
        let offset = [0, 60, -300, 330, 845, -720][number % 6]
        let seconds = Int64.random(in: 0...4_000_000_000, using: &random)
        var draft = MessageDraft(
            from: try mailbox("ann@example.com"), to: to, subject: words.line(upTo: 6),
            date: MessageDate(timestamp: Timestamp(seconds: seconds), offsetMinutes: offset),
            messageID: try id("m\(number).\(random.next() % 1_000_000)"), text: words.text(upTo: 8))
        try addFields(&draft)
        switch kind {
        case .plain: break
        case .alternative: draft.html = words.page(images: [])
        case .derivedText:
            draft.text = [" ", "", "\r\n", "\t\n "].randomElement(using: &random) ?? ""
            draft.html = words.page(images: [])
        case .related: try addImages(&draft)
        case .mixed: try addFiles(&draft)
        case .mixedRelated, .everything:
            try addImages(&draft)
            try addFiles(&draft)
        case .invitation, .invitationWithPage:
            if kind == .invitationWithPage { draft.html = words.page(images: []) }
            try addInvitation(&draft)
        case .internationalAddress: try addInternationalAddresses(&draft)
        case .longFields: try addLongFields(&draft)
        case .longThread: try addThread(&draft, length: Int.random(in: 20...120, using: &random))
        case .sevenBit: draft.text = words.plainText()
        case .eightBit:
            draft.allows8bit = true
            draft.text = "Grüße aus Zürich\n你好\n" + words.plainText()
            if Bool.random(using: &random) { draft.html = "<p>Grüße</p>\n" }
        case .quotedPrintable:
            draft.text = words.plainText() + "é = =3D \t\nFrom here  \n.\n..\n" + String(repeating: "long ", count: 60) + "\r\rend"
        case .base64: draft.text = String(repeating: "Привет, как дела? 你好 ", count: Int.random(in: 1...60, using: &random))
        case .oddNames:
            draft.from = Mailbox(displayName: words.oddName(), address: draft.from.address)
            draft.to = try (0..<8).map { Mailbox(displayName: words.oddName(), address: try address("o\($0)@example.org")) }
            try addFiles(&draft)
        }
        if kind == .everything {
            try addInvitation(&draft)
            try addLongFields(&draft)
            try addThread(&draft, length: 12)
        }
        return draft
    }

    // MARK: Fields

    private mutating func addFields(_ draft: inout MessageDraft) throws {
        if Bool.random(using: &random) { draft.cc = [try mailbox("c@example.net")] }
        if Bool.random(using: &random) { draft.replyTo = [try mailbox("reply+abc@example.com")] }
        if Int.random(in: 0..<5, using: &random) == 0 { draft.sender = try mailbox("sender@example.com") }
        if Bool.random(using: &random) {
            draft.listUnsubscribe = ["mailto:unsub+abc@example.com?subject=unsubscribe", "https://example.com/u/\(random.next())"]
            draft.oneClick = true
            draft.listID = "spring.example.com"
            draft.feedbackID = "spring:anna:sequence:example-com"
        }
        if Int.random(in: 0..<4, using: &random) == 0 { draft.autoSubmitted = .generated }
        if Bool.random(using: &random) { draft.extraFields = [try HeaderField(name: "X-Campaign", value: words.line(upTo: 5))] }
        if Bool.random(using: &random) { try addThread(&draft, length: Int.random(in: 1...5, using: &random)) }
    }

    private mutating func addThread(_ draft: inout MessageDraft, length: Int) throws {
        draft.references = try (0..<length).map { position in
            try id("t\(position).\(random.next())" + String(repeating: "x", count: Int.random(in: 0...60, using: &random)))
        }
        draft.inReplyTo = draft.references.suffix(1)
    }

    private mutating func addLongFields(_ draft: inout MessageDraft) throws {
        draft.subject = words.line(upTo: 80) + String(repeating: "ü", count: 50) + words.line(upTo: 10)
        draft.to = try (0..<30).map { try mailbox("recipient-number-\($0)@a-rather-long-name-of-a-domain.example.org") }
        draft.extraFields = [
            try HeaderField(name: "X-Long", value: words.line(upTo: 100)),
            try HeaderField(name: "X-Word", value: String(repeating: "w", count: Int.random(in: 60...1500, using: &random))),
        ]
    }

    private mutating func addInternationalAddresses(_ draft: inout MessageDraft) throws {
        let locals = ["пеле", "测试", "jörg.müller", "\"ann б\"", "用户+tag"]
        let domains = ["пример.example", "bücher.example", "例子.example", "example.org"]
        draft.to = try locals.map { local in
            Mailbox(displayName: words.name(), address: try address("\(local)@\(domains.randomElement(using: &random) ?? "example.org")"))
        }
        // A domain beyond ASCII alone needs no SMTPUTF8: it is written in A-labels.
        if Bool.random(using: &random) { draft.to = [try mailbox("ann@bücher.example")] }
        draft.html = words.page(images: [])
    }

    // MARK: Files

    private mutating func addImages(_ draft: inout MessageDraft) throws {
        let count = Int.random(in: 1...3, using: &random)
        draft.inlineImages = try (0..<count).map { position in
            DraftAttachment(
                filename: position == 0 ? nil : words.filename("png"), mediaType: "image/png", content: .bytes(octets()),
                contentID: try id("image\(position).\(random.next() % 1000)"))
        }
        draft.html = words.page(images: draft.inlineImages.compactMap { $0.contentID?.text })
    }

    private mutating func addFiles(_ draft: inout MessageDraft) throws {
        let types = [
            ("pdf", "application/pdf", nil), ("csv", "text/csv", "utf-8"), ("txt", "text/plain", nil),
            ("bin", "application/octet-stream", nil),
        ]
        draft.attachments = (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in
            types.randomElement(using: &random).map { type in
                // What is labelled with a charset is in that charset, and text without one is ASCII.
                let octets =
                    switch type.0 {
                    case "csv": Array(words.text(upTo: 3).utf8)
                    case "txt": Array(words.plainText().utf8)
                    default: octets()
                    }
                return DraftAttachment(filename: words.filename(type.0), mediaType: type.1, charset: type.2, content: .bytes(octets))
            }
        }
    }

    private mutating func octets() -> [UInt8] {
        let count = [0, 1, 2, 3, 56, 57, 58, 114, Int.random(in: 0...800, using: &random)].randomElement(using: &random) ?? 0
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private mutating func addInvitation(_ draft: inout MessageDraft) throws {
        let start = draft.date.timestamp + .seconds(86_400)
        draft.invitation = CalendarInvitation(
            method: Int.random(in: 0..<4, using: &random) == 0 ? .cancel : .request, uid: "meeting-\(random.next())@example.com",
            sequence: Int.random(in: 0...3, using: &random), stamp: draft.date.timestamp, start: start, end: start + .seconds(1800),
            summary: words.line(upTo: 30), details: words.text(upTo: 5), location: Bool.random(using: &random) ? words.line(upTo: 4) : nil,
            organizer: draft.from, attendees: draft.to, reminderMinutes: Bool.random(using: &random) ? 10 : nil)
    }

    // MARK: Values

    private mutating func mailbox(_ text: String) throws -> Mailbox {
        Mailbox(displayName: Int.random(in: 0..<4, using: &random) == 0 ? nil : words.name(), address: try address(text))
    }

    private func address(_ text: String) throws -> EmailAddress {
        guard let address = EmailAddress(text) else { throw Illegal(text: text) }
        return address
    }

    private func id(_ left: String) throws -> MessageID {
        guard let id = MessageID("\(left)@mx.example.com") else { throw Illegal(text: left) }
        return id
    }
}
