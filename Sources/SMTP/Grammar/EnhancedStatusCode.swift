/// An enhanced mail system status code, RFC 3463 §2: `class.subject.detail`.
package struct EnhancedStatusCode: Sendable, Hashable, CustomStringConvertible {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    package let statusClass: Int
    /// 0 to 999.
    package let subject: Int
    /// 0 to 999.
    package let detail: Int

    /// Makes a code; nil when a part is outside what RFC 3463 §2 allows.
    package init?(_ statusClass: Int, _ subject: Int, _ detail: Int) {
        guard statusClass == 2 || statusClass == 4 || statusClass == 5, (0...999).contains(subject), (0...999).contains(detail) else {
            return nil
        }
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }

    /// Reads the code that opens the text of a reply line; nil when the text does not begin with one followed by a space or the end.
    package init?(opening text: some Collection<UInt8>) {
        // The longest code is "5.999.999".
        let word = text.prefix(10).prefix { $0 != ASCII.space }
        guard word.count <= 9 else { return nil }
        let parts = word.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 1, parts[1].count <= 3, parts[2].count <= 3,
            let statusClass = ASCII.number(parts[0], as: Int.self),
            let subject = ASCII.number(parts[1], as: Int.self),
            let detail = ASCII.number(parts[2], as: Int.self)
        else { return nil }
        self.init(statusClass, subject, detail)
    }

    /// The code as it is written on the wire.
    package var description: String { "\(statusClass).\(subject).\(detail)" }
}
