/// One complete reply of a server, RFC 5321 §4.2: it was ended by CRLF and all its lines carried the same code.
package struct Reply: Sendable, Hashable {
    /// The reply code, 200 to 599.
    package let code: Int
    /// The enhanced status code that opens the first line; nil when there is none or its class contradicts the reply code.
    package let enhancedStatusCode: EnhancedStatusCode?
    /// The text of each line behind the code and its separator, as raw octets, never empty. An enhanced status code is still in it.
    package let lines: [[UInt8]]

    /// Makes a reply from its code and lines; an empty list of lines becomes one empty line.
    package init(code: Int, lines: [[UInt8]]) {
        self.code = code
        self.lines = lines.isEmpty ? [[]] : lines
        if let enhanced = EnhancedStatusCode(opening: self.lines[0]), enhanced.statusClass == code / 100 {
            enhancedStatusCode = enhanced
        } else {
            enhancedStatusCode = nil
        }
    }

    /// Code 2xx.
    package var isPositive: Bool { code / 100 == 2 }
    /// Code 4xx.
    package var isTransientFailure: Bool { code / 100 == 4 }
    /// Code 5xx.
    package var isPermanentFailure: Bool { code / 100 == 5 }

    /// The lines joined by a space for logs and screens, cut after 500 characters: control, format and unassigned characters and broken
    /// UTF-8 cannot come through. It is not for comparison, and it may hold addresses.
    package var text: String {
        var shown = String.UnicodeScalarView()
        var count = 0
        for (index, line) in lines.enumerated() {
            if index > 0 { shown.append(" ") }
            for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
                guard count < 500 else {
                    shown.append("\u{2026}")
                    return String(shown)
                }
                count += 1
                if scalar == "\t" {
                    shown.append(" ")
                } else if scalar.isASCII ? ASCII.isControl(UInt8(truncatingIfNeeded: scalar.value)) : !Reply.isShowable(scalar) {
                    shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
                } else {
                    shown.append(scalar)
                }
            }
        }
        return String(shown)
    }

    private static func isShowable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .nonspacingMark, .enclosingMark:
            false
        default: true
        }
    }
}
