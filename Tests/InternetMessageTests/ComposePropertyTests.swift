import TestKit
import Testing

@testable import InternetMessage

/// What holds for every message that is composed, met on thousands of drafts.
@Suite("compose: properties of generated drafts")
struct ComposePropertyTests {
    static let draftsPerKind = 120

    @Test("legal, read back to its meaning, and composed again to the same octets", arguments: DraftGenerator.Kind.allCases)
    func generated(kind: DraftGenerator.Kind) throws {
        var generator = DraftGenerator(seed: 20_260_304)
        for number in 0..<Self.draftsPerKind {
            let draft = try generator.draft(kind, number: number)
            let bytes = try draft.compose()
            if let fault = Self.fault(bytes, isASCII: !draft.needsSMTPUTF8 && !draft.allows8bit) {
                Issue.record("\(kind) \(number): \(fault)")
                return
            }
            let message = Message(parsing: bytes)
            let faults = Self.differences(draft, message)
            guard faults.isEmpty else {
                Issue.record("\(kind) \(number): \(faults)")
                return
            }
            guard let again = Self.recovered(message, like: draft) else {
                Issue.record("\(kind) \(number): cannot be made a draft again")
                return
            }
            try #require(try again.compose() == bytes, "\(kind) \(number)")
        }
    }

    /// What is illegal in the octets of a message: nil for nothing. `isFolded`: also what is not folded as it should be.
    static func fault(_ bytes: [UInt8], isASCII: Bool, isFolded: Bool = true) -> String? {
        var column = 0
        var isHeader = true
        var lineStart = 0
        for (i, byte) in bytes.enumerated() {
            switch byte {
            case 0: return "NUL at \(i)"
            case 10 where i == 0 || bytes[i - 1] != 13: return "bare LF at \(i)"
            case 13 where i + 1 == bytes.count || bytes[i + 1] != 10: return "bare CR at \(i)"
            case 0x80... where isASCII: return "8-bit octet at \(i)"
            default: break
            }
            column += 1
            guard byte == 10 else { continue }
            // 998 and the line end.
            if column > 1000 { return "line of \(column) octets at \(i)" }
            if column == 2 { isHeader = false }
            let line = bytes[lineStart..<(i - 1)]
            if isHeader, line.allSatisfy({ $0 == 32 || $0 == 9 }) { return "blank header line at \(i)" }
            if isHeader, isFolded, line[...].index(of: Array("=?utf-8?".utf8), from: line.startIndex) != nil, line.count > 76 {
                return "line of \(line.count) with an encoded word at \(i)"
            }
            // A word that cannot be cut, such as an identifier, may take a line of its own.
            if isHeader, isFolded, line.count > 78, line.dropFirst().filter({ $0 == 32 }).count > 1 {
                return "line of \(line.count) not folded at \(i)"
            }
            column = 0
            lineStart = i + 1
        }
        return bytes.suffix(2) == [13, 10] ? nil : "no line end at the end"
    }

    /// Where the message does not say what the draft says.
    static func differences(_ draft: MessageDraft, _ message: Message) -> [String] {
        var faults: [String] = []
        func compare<T: Equatable>(_ what: String, _ got: T, _ wanted: T) {
            if got != wanted { faults.append("\(what): \(got) is not \(wanted)") }
        }
        func written(_ mailboxes: [Mailbox]) -> [[UInt8]] {
            mailboxes.map { Array(($0.displayName ?? "").withoutOuterSpaces.utf8) + [0] + $0.address.wireBytes }
        }
        compare("defects", message.allDefects(), [])
        compare("From", written(message.from), written([draft.from]))
        compare("To", written(message.to), written(draft.to))
        compare("Cc", written(message.cc), written(draft.cc))
        compare("Sender", written(message.sender.map { [$0] } ?? []), written(draft.sender.map { [$0] } ?? []))
        compare("Reply-To", written(message.replyTo), written(draft.replyTo))
        compare("Subject", message.subject.map { Array($0.utf8) }, Array(draft.subject.withoutOuterSpaces.utf8))
        compare(
            "Date", message.date,
            MessageDate(timestamp: Timestamp(seconds: draft.date.timestamp.seconds), offsetMinutes: draft.date.offsetMinutes))
        compare("Message-ID", message.messageID, draft.messageID)
        compare("In-Reply-To", message.inReplyTo, draft.inReplyTo)
        compare("first reference", message.references.first, draft.references.first)
        compare("last references", message.references.suffix(20), draft.references.suffix(20))
        if draft.references.count < 50 { compare("References", message.references, draft.references) }
        compare("List-Unsubscribe-Post", message.header.first("List-Unsubscribe-Post") != nil, draft.oneClick)
        compare("List-Id", message.header.first("List-Id")?.text, draft.listID.map { "<\($0)>" })
        compare("Feedback-ID", message.header.first("Feedback-ID")?.text, draft.feedbackID)
        compare("Auto-Submitted", message.header.first("Auto-Submitted")?.text, draft.autoSubmitted?.rawValue)
        for field in draft.extraFields { compare(field.name, message.header.all(field.name).map(\.text), [field.text]) }
        compare("tree", tree(message.root), draft.expectedTree)
        let leaves = leaves(message.root)
        compare("leaves", leaves.count, draft.expectedLeaves.count)
        for (got, wanted) in zip(leaves, draft.expectedLeaves) {
            compare("type", got.mediaType.essence, wanted.type)
            compare("filename", got.filename.map { Array($0.utf8) }, wanted.filename.map { Array($0.utf8) })
            compare("Content-ID", got.contentID, wanted.contentID)
            if let content = wanted.content {
                let isText = got.disposition == nil
                compare("content of \(wanted.type)", isText ? Array(got.decodedText().text.utf8) : got.decodedBody().bytes, content)
            }
        }
        return faults
    }

    private static func tree(_ part: BodyPart) -> String {
        part.isContainer ? "\(part.mediaType.essence)(\(part.children.map(tree).joined(separator: ",")))" : part.mediaType.essence
    }

    private static func leaves(_ part: BodyPart) -> [BodyPart] {
        part.isContainer ? part.children.flatMap(leaves) : [part]
    }

    /// The draft that a message says it was made from. What a message does not show (8bit allowed, the typed invitation) is taken from
    /// the first draft; a calendar is the same for the same invitation.
    private static func recovered(_ message: Message, like first: MessageDraft) -> MessageDraft? {
        let leaves = leaves(message.root)
        guard let from = message.from.first, let subject = message.subject, let date = message.date, let id = message.messageID,
            let plain = leaves.first
        else { return nil }
        var draft = MessageDraft(from: from, to: message.to, subject: subject, date: date, messageID: id, text: plain.decodedText().text)
        draft.cc = message.cc
        draft.sender = message.sender
        draft.replyTo = message.replyTo
        draft.inReplyTo = message.inReplyTo
        draft.references = message.references
        let uris = message.header.first("List-Unsubscribe")?.text.utf8.split(separator: UInt8(ascii: ",")) ?? []
        draft.listUnsubscribe = uris.map { uri in
            String(decoding: uri.filter { $0 != 32 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }, as: UTF8.self)
        }
        draft.oneClick = message.header.first("List-Unsubscribe-Post") != nil
        draft.listID = message.header.first("List-Id").map { String(decoding: $0.value.dropFirst().dropLast(), as: UTF8.self) }
        draft.feedbackID = message.header.first("Feedback-ID")?.text
        draft.autoSubmitted = message.header.first("Auto-Submitted").flatMap { MessageDraft.AutoSubmitted(rawValue: $0.text) }
        draft.extraFields = message.header.fields.filter { $0.nameBytes.hasPrefix(ignoringCase: "X-") }
        draft.html = leaves.first { $0.mediaType.isType("text", "html") && $0.disposition == nil }?.decodedText().text
        for leaf in leaves {
            let file = DraftAttachment(
                filename: leaf.filename, mediaType: leaf.mediaType.essence, charset: leaf.mediaType.charset,
                content: .bytes(leaf.decodedBody().bytes), contentID: leaf.contentID.flatMap { MessageID($0) })
            switch leaf.disposition?.kind {
            case "inline": draft.inlineImages.append(file)
            case "attachment" where file.mediaType != "application/ics": draft.attachments.append(file)
            default: break
            }
        }
        draft.allows8bit = first.allows8bit
        draft.invitation = first.invitation
        return draft
    }

    @Test("the kinds use every transfer encoding, and SMTPUTF8 and 8BITMIME are asked for only where needed")
    func coverage() throws {
        var encodings: Set<String> = []
        var generator = DraftGenerator(seed: 7)
        var smtputf8 = 0
        for kind in DraftGenerator.Kind.allCases {
            for number in 0..<20 {
                let draft = try generator.draft(kind, number: number)
                let composed = try draft.composed()
                let bytes = try draft.compose()
                #expect(composed.size == bytes.count)
                let message = Message(parsing: bytes)
                let found = Self.leaves(message.root).compactMap { $0.header.first("Content-Transfer-Encoding")?.text }
                encodings.formUnion(found)
                #expect(composed.needs8BITMIME == found.contains("8bit"))
                #expect(composed.needsSMTPUTF8 == !message.header.raw.isASCII)
                smtputf8 += composed.needsSMTPUTF8 ? 1 : 0
                if composed.needsSMTPUTF8 { #expect(kind == .internationalAddress) }
            }
        }
        #expect(encodings == ["7bit", "8bit", "quoted-printable", "base64"])
        #expect((1..<20).contains(smtputf8))
    }
}
