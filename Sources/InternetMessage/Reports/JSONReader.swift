/// A bounded reader for the JSON of TLS reports (RFC 8259); values over a limit and broken text give nothing.
enum JSONReader {
    indirect enum Value {
        case null
        case bool(Bool)
        /// As written.
        case number(ArraySlice<UInt8>)
        case string([UInt8])
        case array([Value])
        case object([(name: [UInt8], value: Value)])

        /// The value of a member, names compared without regard to case and to `_` for `-`; nil when absent or no object.
        subscript(_ name: String) -> Value? {
            guard case .object(let members) = self else { return nil }
            return members.first { member in
                member.name.count == name.utf8.count
                    && zip(member.name, name.utf8).allSatisfy { $0.lowercased == $1 || ($0 == ASCII.underscore && $1 == ASCII.hyphen) }
            }?.value
        }

        var elements: [Value] {
            if case .array(let values) = self { return values }
            return []
        }

        /// A string; a number as it is written; nil for anything else.
        var text: String? {
            switch self {
            case .string(let bytes): bytes.utf8Text
            case .number(let bytes): bytes.utf8Text
            default: nil
            }
        }

        /// A whole number, also one written as a string; nil for anything else and beyond 15 digits.
        var count: Int? {
            switch self {
            case .number(let bytes): ReportNumber.count(bytes)
            case .string(let bytes): ReportNumber.count(bytes[...])
            default: nil
            }
        }
    }

    static func value(of bytes: ArraySlice<UInt8>, limits: ReportLimits = .default) -> Value? {
        var parser = Parser(bytes: Array(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes), limits: limits)
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        return parser.isAtEnd ? value : nil
    }

    private struct Parser {
        let bytes: [UInt8]
        let limits: ReportLimits
        var i = 0
        var count = 0

        init(bytes: [UInt8], limits: ReportLimits) {
            self.bytes = bytes
            self.limits = limits
        }

        var isAtEnd: Bool { i >= bytes.count }

        mutating func skipSpace() {
            while i < bytes.count, bytes[i].isWhitespace { i += 1 }
        }

        /// The recursion is as deep as `ReportLimits.depth` allows and no deeper.
        mutating func value(depth: Int) -> Value? {
            skipSpace()
            count += 1
            guard i < bytes.count, depth < limits.depth, count <= limits.values else { return nil }
            switch bytes[i] {
            case 0x7B: return object(depth)
            case ASCII.openBracket: return array(depth)
            case ASCII.quote: return string().map(Value.string)
            case 0x74: return literal("true", .bool(true))
            case 0x66: return literal("false", .bool(false))
            case 0x6E: return literal("null", .null)
            default: return number()
            }
        }

        private mutating func object(_ depth: Int) -> Value? {
            var members: [(name: [UInt8], value: Value)] = []
            i += 1
            skipSpace()
            if take(0x7D) { return .object([]) }
            repeat {
                skipSpace()
                guard i < bytes.count, bytes[i] == ASCII.quote, let name = string() else { return nil }
                skipSpace()
                guard take(ASCII.colon), let value = value(depth: depth + 1) else { return nil }
                members.append((name, value))
                skipSpace()
            } while take(ASCII.comma)
            return take(0x7D) ? .object(members) : nil
        }

        private mutating func array(_ depth: Int) -> Value? {
            var values: [Value] = []
            i += 1
            skipSpace()
            if take(ASCII.closeBracket) { return .array([]) }
            repeat {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                skipSpace()
            } while take(ASCII.comma)
            return take(ASCII.closeBracket) ? .array(values) : nil
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard i < bytes.count, bytes[i] == byte else { return false }
            i += 1
            return true
        }

        private mutating func literal(_ text: String, _ value: Value) -> Value? {
            guard bytes[i...].starts(with: text.utf8) else { return nil }
            i += text.utf8.count
            return value
        }

        private mutating func number() -> Value? {
            let start = i
            while i < bytes.count, bytes[i].isDigit || [ASCII.hyphen, ASCII.plus, ASCII.dot, 0x65, 0x45].contains(bytes[i]) { i += 1 }
            return i > start ? .number(bytes[start..<i]) : nil
        }

        private mutating func string() -> [UInt8]? {
            i += 1
            var text: [UInt8] = []
            while i < bytes.count {
                let byte = bytes[i]
                i += 1
                if byte == ASCII.quote { return text }
                guard byte == ASCII.backslash else {
                    text.append(byte)
                    continue
                }
                guard i < bytes.count else { return nil }
                let escape = bytes[i]
                i += 1
                switch escape {
                case 0x6E: text.append(ASCII.lf)
                case 0x72: text.append(ASCII.cr)
                case 0x74: text.append(ASCII.tab)
                case 0x62, 0x66: text.append(ASCII.space)
                case 0x75:
                    guard let scalar = escapedScalar() else { return nil }
                    text += Array(String(scalar).utf8)
                default: text.append(escape)
                }
            }
            return nil
        }

        private mutating func escapedScalar() -> Unicode.Scalar? {
            guard let first = hexQuad() else { return nil }
            if (0xD800...0xDBFF).contains(first), bytes[i...].starts(with: [ASCII.backslash, 0x75]) {
                let mark = i
                i += 2
                if let second = hexQuad(), (0xDC00...0xDFFF).contains(second) {
                    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
                }
                i = mark
            }
            return Unicode.Scalar(first) ?? "\u{FFFD}"
        }

        private mutating func hexQuad() -> UInt32? {
            guard i + 4 <= bytes.count else { return nil }
            var value: UInt32 = 0
            for byte in bytes[i..<(i + 4)] {
                guard let digit = byte.hexValue else { return nil }
                value = value << 4 | UInt32(digit)
            }
            i += 4
            return value
        }
    }
}

/// Numbers in reports.
enum ReportNumber {
    /// A whole number of at most 15 digits, white space around it passed over; nil for anything else.
    static func count(_ bytes: ArraySlice<UInt8>) -> Int? {
        let digits = bytes.trimmed
        guard (1...15).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
