import InternetMessage

/// A notice of Amazon SES about one message, as SNS mails it: JSON in the text, often as a string within JSON and broken over lines.
struct SESNotice {
    enum Kind { case bounce, complaint, delivery }

    struct Recipient {
        var address: EmailAddress
        var action: String?
        var status: EnhancedStatusCode?
        var diagnostic: String
    }

    let kind: Kind
    let recipients: [Recipient]
    /// `abuse`, `fraud`, ... of a complaint; nil when it says nothing.
    let feedbackType: String?

    /// Nil when the text is no such notice. At most 64 KB of it are read.
    init?(_ text: String) {
        guard text.utf8.contains(0x7B) else { return nil }
        // Quotes within a string within JSON stand behind backslashes; without these both forms are one.
        let bytes = text.utf8.prefix(65_536).filter { $0 != 0x5C && $0 != 0x0A && $0 != 0x0D }
        switch Self.string("notificationType", in: bytes[...]) ?? Self.string("eventType", in: bytes[...]) {
        case "Bounce"?: kind = .bounce
        case "Complaint"?: kind = .complaint
        case "Delivery"?: kind = .delivery
        default: return nil
        }
        feedbackType = Self.string("complaintFeedbackType", in: bytes[...])
        var recipients: [Recipient] = []
        if let list = Self.list("bouncedRecipients", in: bytes) ?? Self.list("complainedRecipients", in: bytes) {
            for entry in list.split(separator: UInt8(ascii: "}")) {
                guard let written = Self.string("emailAddress", in: entry), let address = EmailAddress(written) else { continue }
                let diagnostic = Self.string("diagnosticCode", in: entry) ?? ""
                let status = Self.string("status", in: entry).flatMap { EnhancedStatusCode($0) }
                recipients.append(
                    Recipient(
                        address: address, action: Self.string("action", in: entry), status: status, diagnostic: Self.withoutType(diagnostic)
                    ))
            }
        }
        self.recipients = recipients
    }

    private static func withoutType(_ diagnostic: String) -> String {
        let parts = diagnostic.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 1)
        guard parts.count == 2, parts[0].elementsEqual("smtp".utf8) else { return diagnostic }
        return String(decoding: Array(parts[1].drop { $0 == 0x20 }), as: UTF8.self)
    }

    private static func end(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        var i = bytes.startIndex
        while i + pattern.count <= bytes.endIndex {
            if bytes[i] == pattern[0], bytes[i..<(i + pattern.count)].elementsEqual(pattern) { return i + pattern.count }
            i += 1
        }
        return nil
    }

    /// The string behind `"key":`, up to the next quote.
    private static func string(_ key: String, in bytes: ArraySlice<UInt8>) -> String? {
        guard var i = end(of: Array("\"\(key)\"".utf8), in: bytes) else { return nil }
        while i < bytes.endIndex, bytes[i] == 0x20 || bytes[i] == 0x3A { i += 1 }
        guard i < bytes.endIndex, bytes[i] == 0x22 else { return nil }
        return String(decoding: Array(bytes[(i + 1)...].prefix { $0 != 0x22 }), as: UTF8.self)
    }

    private static func list(_ key: String, in bytes: [UInt8]) -> ArraySlice<UInt8>? {
        guard var i = end(of: Array("\"\(key)\"".utf8), in: bytes[...]) else { return nil }
        while i < bytes.endIndex, bytes[i] == 0x20 || bytes[i] == 0x3A { i += 1 }
        guard i < bytes.endIndex, bytes[i] == 0x5B else { return nil }
        return bytes[(i + 1)...].prefix { $0 != 0x5D }
    }
}
