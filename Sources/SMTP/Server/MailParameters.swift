/// The parameters of MAIL and RCPT that a server session understands.
///
/// RET, ENVID, NOTIFY, ORCPT (RFC 3461) and AUTH (RFC 4954) are read although they are not offered: relays send them unasked.
struct MailParameters: Sendable, Hashable {
    enum Fault: Error, Sendable, Hashable {
        case malformed
        case unknown
    }

    /// SIZE; `UInt64.max` when the number given is larger than that.
    var size: UInt64?
    var body: ReceivedEnvelope.Body?
    var isSMTPUTF8 = false
    var envelopeID: [UInt8]?

    init(ofMail text: ArraySlice<UInt8>) throws(Fault) {
        for (keyword, value) in try MailParameters.pairs(text) {
            if ASCII.matches(keyword, "SIZE") {
                guard let value, (1...20).contains(value.count), value.allSatisfy(ASCII.isDigit) else { throw .malformed }
                size = ASCII.number(value, as: UInt64.self) ?? .max
            } else if ASCII.matches(keyword, "BODY") {
                guard let value else { throw .malformed }
                if ASCII.matches(value, "8BITMIME") {
                    body = .eightBitMIME
                } else if ASCII.matches(value, "7BIT") {
                    body = .sevenBit
                } else {
                    throw .malformed
                }
            } else if ASCII.matches(keyword, "SMTPUTF8") {
                guard value == nil else { throw .malformed }
                isSMTPUTF8 = true
            } else if ASCII.matches(keyword, "RET") {
                guard let value, ASCII.matches(value, "FULL") || ASCII.matches(value, "HDRS") else { throw .malformed }
            } else if ASCII.matches(keyword, "ENVID") {
                guard let value, value.count <= CommandEncoder.longestEnvelopeID, let decoded = XText.decode(value) else {
                    throw .malformed
                }
                envelopeID = decoded
            } else if ASCII.matches(keyword, "AUTH") {
                guard let value, ASCII.matches(value, "<>") || XText.decode(value) != nil else { throw .malformed }
            } else {
                throw .unknown
            }
        }
    }

    /// Checks the parameters of RCPT; nothing of them is kept.
    static func checkRecipient(_ text: ArraySlice<UInt8>) throws(Fault) {
        for (keyword, value) in try pairs(text) {
            if ASCII.matches(keyword, "NOTIFY") {
                guard let value, isNotify(value) else { throw .malformed }
            } else if ASCII.matches(keyword, "ORCPT") {
                guard let value, value.count <= CommandEncoder.longestOriginalRecipient, let semicolon = value.firstIndex(of: 0x3B),
                    semicolon > value.startIndex
                else { throw .malformed }
            } else {
                throw .unknown
            }
        }
    }

    private static func isNotify(_ value: ArraySlice<UInt8>) -> Bool {
        if ASCII.matches(value, "NEVER") { return true }
        return value.split(separator: ASCII.comma, omittingEmptySubsequences: false).allSatisfy {
            ASCII.matches($0, "SUCCESS") || ASCII.matches($0, "FAILURE") || ASCII.matches($0, "DELAY")
        }
    }

    /// Keywords with their values, nil where there is no equals sign; a keyword given twice is malformed.
    private static func pairs(_ text: ArraySlice<UInt8>) throws(Fault) -> [(keyword: [UInt8], value: ArraySlice<UInt8>?)] {
        var pairs: [(keyword: [UInt8], value: ArraySlice<UInt8>?)] = []
        for word in text.split(separator: ASCII.space, omittingEmptySubsequences: true) {
            let parts = word.split(separator: ASCII.equals, maxSplits: 1, omittingEmptySubsequences: false)
            let keyword = ASCII.uppercased(parts[0])
            guard !keyword.isEmpty, keyword.allSatisfy({ ASCII.isLetterOrDigit($0) || $0 == ASCII.hyphen }) else { throw .malformed }
            guard !pairs.contains(where: { $0.keyword == keyword }) else { throw .malformed }
            let value = parts.count == 2 ? parts[1] : nil
            if let value, value.isEmpty { throw .malformed }
            pairs.append((keyword, value))
        }
        return pairs
    }
}
