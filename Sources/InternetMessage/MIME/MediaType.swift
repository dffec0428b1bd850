/// The type of a body part (RFC 2045 §5).
package struct MediaType: Hashable, Sendable {
    /// In lower case, for example `text`.
    package let type: String
    /// In lower case, for example `plain`.
    package let subtype: String
    /// charset, boundary and others.
    package let parameters: Parameters

    /// Reads the value of a Content-Type field; nil when it does not begin with type and subtype.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        let value = bytes.trimmed
        let end = value.firstIndex { $0 == ASCII.semicolon || $0.isWhitespace } ?? value.endIndex
        var words = value[..<end]
        if words.first == ASCII.quote { words = words.dropFirst() }
        if words.last == ASCII.quote { words = words.dropLast() }
        guard let slash = words.firstIndex(of: ASCII.slash) else { return nil }
        let (left, right) = (words[..<slash], words[(slash + 1)...])
        guard !left.isEmpty, !right.isEmpty, left.count + right.count < 200, left.allSatisfy(\.isMIMETokenByte),
            right.allSatisfy({ $0.isMIMETokenByte || $0 == ASCII.slash })
        else { return nil }
        type = left.asciiLowercased.utf8Text
        subtype = right.asciiLowercased.utf8Text
        parameters = Parameters(parsing: value[end...])
    }

    init(_ type: String, _ subtype: String, _ parameters: Parameters = Parameters(parsing: [])) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    /// `type/subtype` in lower case.
    package var essence: String { "\(type)/\(subtype)" }

    /// Whether the type is `type/subtype`; both given in lower case.
    package func isType(_ type: String, _ subtype: String) -> Bool { self.type == type && self.subtype == subtype }

    /// The charset parameter, nil when absent.
    package var charset: String? { parameters["charset"] }

    /// What a part without Content-Type is (RFC 2045 §5.2).
    static let plainText = MediaType("text", "plain")
}

/// How a part is meant to be shown (RFC 2183).
package struct ContentDisposition: Hashable, Sendable {
    /// In lower case: `inline`, `attachment`, or something else, which counts as attachment.
    package let kind: String
    /// filename and others.
    package let parameters: Parameters

    /// Reads the value of a Content-Disposition field; nil when it is empty.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        let value = bytes.trimmed
        let end = value.firstIndex { $0 == ASCII.semicolon || $0.isWhitespace } ?? value.endIndex
        let word = value[..<end]
        guard !word.isEmpty, word.count < 100, word.allSatisfy(\.isMIMETokenByte) else { return nil }
        kind = word.asciiLowercased.utf8Text
        parameters = Parameters(parsing: value[end...])
    }
}
