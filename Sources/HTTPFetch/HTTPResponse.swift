/// What a server answered, whole.
package struct HTTPResponse: Sendable, Equatable {
    package let status: Int
    /// The content as it came: no content coding is asked for.
    package let body: [UInt8]
    /// The media type without parameters, in lower case; nil when the server named none.
    package let mediaType: String?
    /// How long the server asks to be left alone (RFC 9110 §10.2.3, the form in seconds); nil when it does not. At most a day.
    package let retryAfter: Duration?

    package init(status: Int, body: [UInt8], mediaType: String? = nil, retryAfter: Duration? = nil) {
        self.status = status
        self.body = body
        self.mediaType = mediaType
        self.retryAfter = retryAfter
    }

    /// `text/plain` of `Text/Plain; charset=utf-8`.
    static func mediaType(of field: String) -> String? {
        let type = field.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") && $0 != 9 }
        guard !type.isEmpty else { return nil }
        return String(decoding: type.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    static func retryAfter(of field: String) -> Duration? {
        let digits = Array(field.utf8)
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        let most = 86_400
        return .seconds(digits.reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), most) })
    }
}
