package import InternetMessage

/// What a smarthost that writes a Message-ID of its own calls a message, as its reply to the final dot says.
package struct ProviderName: Sendable, Equatable {
    /// The id as it stands in the reply, without angle brackets: a whole Message-ID, or its part before the `@`.
    package let id: String
    /// The Message-ID that the recipient sees; nil when the reply does not say it and the host is not known to use a certain domain.
    package let messageID: MessageID?

    /// Shorter words are no ids that nobody else could mean.
    private static let shortest = 12
    private static let longest = 200

    /// Finds the id in the text of a 250: in angle brackets, behind `queued as`, `id=` and the like, or at the beginning, where only `Ok`
    /// and what means the same go before it; nil when there is none.
    ///
    /// Hosts name themselves there, too, and the recipient: what stands anywhere else is no id, however much it looks like one.
    ///
    /// - Parameters:
    ///   - text: of the reply, without its code; with or without an enhanced status code.
    ///   - own: the message's own Message-ID; a host that repeats it renames nothing.
    ///   - recipient: of the message, whom some hosts repeat; nil: not known.
    ///   - domain: what the host is known to write behind the `@`; nil: not known.
    package init?(reply text: String, own: MessageID, recipient: EmailAddress? = nil, domain: String?) {
        let bytes = Array(text.utf8)
        let recipient = recipient.map { Array($0.suppressionKey.utf8) }
        func isRecipient(_ word: [UInt8]) -> Bool { recipient == word.map(Self.folded) }
        var rest = bytes[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")), let close = rest[open...].firstIndex(of: UInt8(ascii: ">")) {
            let inside = Array(rest[(open + 1)..<close])
            rest = rest[(close + 1)...]
            guard let found = MessageID(lenient: inside), found.isWritable, found.bytes.contains(UInt8(ascii: "@")),
                found.bytes.count <= Self.longest, !isRecipient(inside)
            else { continue }
            guard found != own else { return nil }
            id = found.text
            messageID = found
            return
        }
        let words = bytes.split { $0 == 0x20 || $0 == 0x09 }.map(Array.init)
        guard let candidate = Self.marked(words) ?? Self.leading(words), candidate != own.bytes, !isRecipient(candidate) else { return nil }
        let name = String(decoding: candidate, as: UTF8.self)
        id = name
        messageID = candidate.contains(UInt8(ascii: "@")) ? MessageID(name) : domain.flatMap { MessageID("\(name)@\($0)") }
    }

    /// Every `id` that a Message-ID can stand for: itself, and its part before the `@`.
    package static func possible(_ messageID: MessageID) -> [String] {
        let bytes = messageID.bytes
        var names = [messageID.text]
        if let at = bytes.lastIndex(of: UInt8(ascii: "@")), at >= shortest { names.append(String(decoding: bytes[..<at], as: UTF8.self)) }
        return names
    }

    /// The first id that the host calls one: `id=x`, `id: x`, `queued as x`.
    private static func marked(_ words: [[UInt8]]) -> [UInt8]? {
        var isQueued = false
        var isAnnounced = false
        for word in words {
            let plain = bare(word).map(folded)
            if isAnnounced, isID(bare(word)) { return bare(word) }
            if let mark = word.firstIndex(where: isSign), isMark(Array(word[..<mark]), isQueued: isQueued), isID(bare(word[(mark + 1)...]))
            {
                return bare(word[(mark + 1)...])
            }
            // A sign may stand by itself, as in `id = x`.
            isAnnounced = isMark(plain, isQueued: isQueued) || isAnnounced && plain.isEmpty
            isQueued = isQueued || plain.elementsEqual("queued".utf8)
        }
        return nil
    }

    /// The id that the reply begins with, behind a status code, `Ok`, and the seconds that Google counts.
    private static func leading(_ words: [[UInt8]]) -> [UInt8]? {
        for word in words {
            let plain = bare(word)
            if isID(plain) { return isHost(plain) ? nil : plain }
            let isNumber = plain.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
            let isAddress = word.first == UInt8(ascii: "<") && word.last == UInt8(ascii: ">")
            guard isNumber || isAddress || assents.contains(where: { plain.map(folded).elementsEqual($0.utf8) }) else { return nil }
        }
        return nil
    }

    private static let assents = ["ok", "okay", "accepted", "success", "queued", "sent"]
    private static let punctuation = Array(".,;:!?=()[]\"'".utf8)
    private static let marks = ["id", "msgid", "msg-id", "message-id", "messageid", "queueid", "queue-id", "queue_id"]

    private static func isMark(_ word: [UInt8], isQueued: Bool) -> Bool {
        let word = bare(word).map(folded)
        return marks.contains { word.elementsEqual($0.utf8) } || isQueued && word.elementsEqual("as".utf8)
    }

    private static func isID(_ word: [UInt8]) -> Bool {
        let parts = word.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        return (shortest...longest).contains(word.count) && (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isIDByte) } && parts[0].contains(where: isDigit)
    }

    /// Whether it can be the name or the address of a host: labels with dots between them, the last one of letters; or numbers only.
    private static func isHost(_ word: [UInt8]) -> Bool {
        let labels = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count > 1, let last = labels.last, !word.contains(UInt8(ascii: "@")) else { return false }
        return last.allSatisfy { isLetter($0) } || labels.allSatisfy { $0.allSatisfy(isDigit) }
    }

    /// The word without the punctuation around it.
    private static func bare(_ word: some BidirectionalCollection<UInt8>) -> [UInt8] {
        func isMeant(_ byte: UInt8) -> Bool { !punctuation.contains(byte) }
        guard let first = word.firstIndex(where: isMeant), let last = word.lastIndex(where: isMeant) else { return [] }
        return Array(word[first...last])
    }

    private static func isSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(folded(byte)) }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        switch byte {
        case _ where isLetter(byte) || isDigit(byte), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"): true
        default: false
        }
    }
}
