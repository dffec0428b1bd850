/// The Content-Transfer-Encoding of a body part (RFC 2045 §6), with the one that older programs add.
package enum TransferEncoding: Hashable, Sendable {
    /// 7bit, 8bit and binary: the content as it stands.
    case identity
    case quotedPrintable
    case base64
    case uuencode
    /// A name nobody knows; the content is left as it stands.
    case unknown

    init(parsing value: ArraySlice<UInt8>) {
        // Quirk(decorated names): quotes, comments, a trailing semicolon and inner spaces are seen in real mail.
        let word = value.prefix { $0 != ASCII.openParen && $0 != ASCII.semicolon }
            .filter { !$0.isWhitespace && $0 != ASCII.quote && $0 != ASCII.hyphen }
        if word.isEmpty || word.matches("7bit") || word.matches("8bit") || word.matches("binary") {
            self = .identity
        } else if word.matches("quotedprintable") || word.matches("qp") {
            self = .quotedPrintable
        } else if word.matches("base64") {
            self = .base64
        } else if word.matches("xuuencode") || word.matches("uuencode") || word.matches("xuue") {
            self = .uuencode
        } else {
            self = .unknown
        }
    }
}
