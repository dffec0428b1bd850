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

    /// Finds the id in the text of a 250: in angle brackets, or behind `Ok`, `queued as`, `id=` and the like; nil when there is none.
    ///
    /// - Parameters:
    ///   - text: of the reply, without its code; with or without an enhanced status code.
    ///   - own: the message's own Message-ID; a host that repeats it renames nothing.
    ///   - domain: what the host is known to write behind the `@`; nil: not known.
    package init?(reply text: String, own: MessageID, domain: String?) {
        let bytes = Array(text.utf8)
        if let open = bytes.firstIndex(of: UInt8(ascii: "<")),
            let close = bytes[open...].firstIndex(of: UInt8(ascii: ">")),
            let found = MessageID(lenient: Array(bytes[(open + 1)..<close])), found.isWritable,
            found.bytes.contains(UInt8(ascii: "@")), found.bytes.count <= Self.longest
        {
            guard found != own else { return nil }
            id = found.text
            messageID = found
            return
        }
        let words = bytes.split { $0 <= 0x20 }.map { word in
            // `id=x` and `as:x` name the id behind their mark.
            word.lastIndex { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }.map { Array(word[($0 + 1)...]) } ?? Array(word)
        }
        let candidate = words.first { word in
            (Self.shortest...Self.longest).contains(word.count) && word.allSatisfy(Self.isIDByte)
                && word.contains { (0x30...0x39).contains($0) }
        }
        guard let candidate, !candidate.elementsEqual(own.bytes) else { return nil }
        id = String(decoding: candidate, as: UTF8.self)
        messageID = domain.flatMap { MessageID("\(String(decoding: candidate, as: UTF8.self))@\($0)") }
    }

    /// Every `id` that a Message-ID can stand for: itself, and its part before the `@`.
    package static func possible(_ messageID: MessageID) -> [String] {
        let bytes = messageID.bytes
        var names = [messageID.text]
        if let at = bytes.lastIndex(of: UInt8(ascii: "@")), at >= shortest { names.append(String(decoding: bytes[..<at], as: UTF8.self)) }
        return names
    }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"): true
        default: false
        }
    }
}
