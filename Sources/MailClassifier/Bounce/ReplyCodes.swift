import InternetMessage

/// The codes that a line of SMTP reply text carries.
struct ReplyCodes: Sendable, Equatable {
    var code: Int?
    var status: EnhancedStatusCode?

    /// Reads the first reply code of a refusal and the last enhanced status code that says something, as they stand free in `text`.
    ///
    /// Of several status codes the last is the one that the refusing server gave; those before it are the reporter's own.
    /// Addresses such as 192.0.2.25 and version numbers are no status codes; a number inside a word, an address or a path is no reply code.
    init(in text: [UInt8]) {
        var i = 0
        while i < text.count {
            guard text[i] &- 0x34 < 2, i == 0 || Self.isEdge(text[i - 1]) else {
                i += 1
                continue
            }
            if let (found, end) = Self.status(text, at: i) {
                note(found)
                i = end
                continue
            }
            if code == nil, i + 2 < text.count, text[i + 1] &- 0x30 < 6, text[i + 2].isDigit,
                i + 3 == text.count || Self.endsCode(text, at: i + 3)
            {
                code = Int(text[i] - 0x30) * 100 + Int(text[i + 1] - 0x30) * 10 + Int(text[i + 2] - 0x30)
                i += 3
                // "550-5.1.1 ..." of a reply of several lines
                if i + 1 < text.count, text[i] == 0x2D, text[i + 1] &- 0x34 < 2, let (found, end) = Self.status(text, at: i + 1) {
                    note(found)
                    i = end
                }
                continue
            }
            i += 1
        }
    }

    private mutating func note(_ found: EnhancedStatusCode) {
        if status == nil || found.subject != 0 || status?.subject == 0 && found.detail != 0 { status = found }
    }

    private static func isEdge(_ byte: UInt8) -> Bool {
        !byte.isDigit && !byte.isLetter && byte != 0x2E && byte != 0x40 && byte != 0x2F && byte != 0x5F && byte != 0x3D && byte < 0x80
            && byte != 0x2D || byte == 0x3D
    }

    private static func endsCode(_ text: [UInt8], at i: Int) -> Bool {
        let byte = text[i]
        if byte == 0x2D { return i + 1 == text.count || !text[i + 1].isDigit || (i + 2 < text.count && text[i + 2] == 0x2E) }
        return byte <= 0x20 || byte == 0x29 || byte == 0x5D || byte == 0x3A || byte == 0x2C || byte == 0x27 || byte == 0x22 || byte == 0x3B
            || byte == 0x3C || byte == 0x23
    }

    private static func status(_ text: [UInt8], at start: Int) -> (EnhancedStatusCode, Int)? {
        var parts = [Int(text[start] - 0x30)]
        var i = start + 1
        while parts.count < 3 {
            guard i < text.count, text[i] == 0x2E else { return nil }
            i += 1
            var number = 0
            let first = i
            while i < text.count, text[i].isDigit, i - first < 4 {
                number = number * 10 + Int(text[i] - 0x30)
                i += 1
            }
            guard i > first, i - first <= 3 else { return nil }
            parts.append(number)
        }
        if i < text.count, text[i].isLetter || text[i] == 0x2F { return nil }
        if i + 1 < text.count, text[i] == 0x2E, text[i + 1].isDigit { return nil }
        guard let status = EnhancedStatusCode(class: parts[0], subject: parts[1], detail: parts[2]) else { return nil }
        return (status, i)
    }
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
}
