/// Something wrong in a message that was read; the raw value is its wording for people.
package enum Defect: String, Hashable, Sendable, CaseIterable {
    case missingFinalBoundary = "missing final boundary"
    case boundaryNeverFound = "multipart without any boundary line"
    case noBoundaryParameter = "multipart without boundary parameter"
    case headerLineSyntax = "line in the header that is no field"
    case noHeaderEnd = "header not closed by an empty line"
    case noHeader = "no header"
    case mboxFromLine = "mbox line before the header"
    case nulByte = "NUL byte"
    case contentTypeSyntax = "unreadable Content-Type"
    case unknownTransferEncoding = "unknown Content-Transfer-Encoding"
    case encodedContainer = "encoded multipart or message"
    case base64Syntax = "broken base64"
    case quotedPrintableSyntax = "broken quoted-printable"
    case uuencodeSyntax = "broken uuencode"
    case tnefSyntax = "broken winmail.dat"
    case unknownCharset = "unknown charset"
    case charsetMismatch = "text not in its declared charset"
    case unclosedQuote = "unclosed quoted string"
    case unclosedComment = "unclosed comment"
    case addressSyntax = "unreadable address"
    case dateSyntax = "unreadable date"
    case messageIDSyntax = "unreadable Message-ID"
    case duplicateField = "field repeated that may stand once"
    case tooLong = "message longer than the limit"
    case headerTooLong = "header longer than the limit"
    case tooManyFields = "more header fields than the limit"
    case tooManyAddresses = "more addresses than the limit"
    case tooManyParts = "more body parts than the limit"
    case nestedTooDeep = "body parts nested deeper than the limit"
    case decodedTooLong = "decoded content longer than the limit"
}

/// Defects in the order they were met, each kind once, so that their number is bounded whatever the message.
struct DefectSet: Sendable {
    private(set) var list: [Defect] = []

    mutating func insert(_ defect: Defect) {
        if !list.contains(defect) { list.append(defect) }
    }

    mutating func insert(contentsOf defects: [Defect]) {
        for defect in defects { insert(defect) }
    }
}
