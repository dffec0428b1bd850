/// An enhanced status code such as 5.1.1 (RFC 3463).
package struct EnhancedStatusCode: Hashable, Sendable {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    package let `class`: Int
    /// 0...999: what the status is about, for example 1 for the address.
    package let subject: Int
    /// 0...999.
    package let detail: Int

    /// The code with these numbers, nil when the class is not 2, 4 or 5 or a number is out of 0...999.
    package init?(class statusClass: Int, subject: Int, detail: Int) {
        guard [2, 4, 5].contains(statusClass), (0...999).contains(subject), (0...999).contains(detail) else { return nil }
        self.class = statusClass
        self.subject = subject
        self.detail = detail
    }

    /// Reads a code that stands at the beginning of `bytes`, after white space, and ends there or before something that is no
    /// digit, letter or dot; nil when there is none.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        var numbers: [Int] = []
        var i = bytes.startIndex
        while i < bytes.endIndex, bytes[i].isWhitespace { i += 1 }
        while numbers.count < 3 {
            let start = i
            var value = 0
            while i < bytes.endIndex, bytes[i].isDigit, i - start < 3 {
                value = value * 10 + Int(bytes[i] - 0x30)
                i += 1
            }
            guard i > start else { return nil }
            numbers.append(value)
            if numbers.count < 3 {
                guard i < bytes.endIndex, bytes[i] == ASCII.dot else { return nil }
                i += 1
            }
        }
        if i < bytes.endIndex {
            if bytes[i].isDigit || bytes[i].isLetter { return nil }
            if bytes[i] == ASCII.dot, i + 1 < bytes.endIndex, bytes[i + 1].isDigit { return nil }
        }
        self.init(class: numbers[0], subject: numbers[1], detail: numbers[2])
    }

    /// Reads a code from text; the same rules as for bytes.
    package init?(_ text: String) {
        self.init(parsing: ArraySlice(text.utf8))
    }

    /// The code as it is written, for example `5.1.1`.
    package var text: String { "\(`class`).\(subject).\(detail)" }

    /// Whether the class says that trying again is of no use.
    package var isPermanent: Bool { `class` == 5 }
}
