import InternetMessage

/// How mail is named that goes to people of ours, which tells it apart from all else in the outbox: the last word before the `@` of its
/// Message-ID says what it is, and that of a forward begins with the reply that it sends on.
package enum ForwardName {
    static let alert = "alert"

    /// The last words of all that goes to people of ours.
    package static let all = ForwardForm.allCases.map(\.rawValue) + [alert]

    /// - Parameter drawn: what nobody can guess.
    static func messageID(of reply: IncomingMessage.ID, as form: ForwardForm, drawn: String, hostname: String) -> MessageID? {
        MessageID("\(reply).\(drawn).\(form.rawValue)@\(hostname)")
    }

    /// The reply that a message of ours with such a Message-ID sends on, and in which form; nil: it is no forward.
    static func read(_ messageID: MessageID) -> (reply: IncomingMessage.ID, form: ForwardForm)? {
        let words = words(of: messageID)
        guard words.count == 3, let form = ForwardForm(words[2]),
            let reply = IncomingMessage.ID(String(decoding: Array(words[0]), as: UTF8.self))
        else { return nil }
        return (reply, form)
    }

    static func isOfOurs(_ messageID: MessageID) -> Bool {
        guard let last = words(of: messageID).last else { return false }
        return all.contains { last.elementsEqual($0.utf8) }
    }

    private static func words(of messageID: MessageID) -> [ArraySlice<UInt8>] {
        messageID.bytes.prefix { $0 != UInt8(ascii: "@") }.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }
}

extension OutboxMessage {
    /// Whether it is for somebody of ours, a reply that is sent on or an alert: suppression is for people who are written to, and not for them.
    package var isToOurs: Bool { enrollment == nil && ForwardName.isOfOurs(messageID) }

    /// In which form it sends a reply on; nil: it is no forward.
    package var forwardForm: ForwardForm? { enrollment == nil ? ForwardName.read(messageID)?.form : nil }

    /// The reply that it sends on; nil: it is no forward.
    package var forwardedReply: IncomingMessage.ID? { enrollment == nil ? ForwardName.read(messageID)?.reply : nil }
}

extension ForwardForm {
    fileprivate init?(_ word: ArraySlice<UInt8>) {
        guard let form = Self.allCases.first(where: { word.elementsEqual($0.rawValue.utf8) }) else { return nil }
        self = form
    }
}

extension SentMessage {
    /// See `OutboxMessage.isToOurs`.
    package var isToOurs: Bool { enrollment == nil && ForwardName.isOfOurs(messageID) }

    /// The reply that it sent on; nil: it is no forward.
    package var forwardedReply: IncomingMessage.ID? { enrollment == nil ? ForwardName.read(messageID)?.reply : nil }

    /// What it names when the one whose reply it sent on answers it: the conversation of that reply, under its own Message-ID.
    package func standing(for original: SentMessage) -> SentMessage {
        SentMessage(
            outbox: original.outbox, workspace: original.workspace, enrollment: original.enrollment, contact: original.contact,
            messageID: messageID, recipient: original.recipient)
    }
}
