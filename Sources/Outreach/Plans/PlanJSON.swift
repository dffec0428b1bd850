import Toml

/// A JSON text (RFC 8259) that knows on which line each of its members and elements stands.
struct PlanJSON {
    struct Fault: Error, Equatable {
        let line: Int
        let message: String
    }

    static let largest = 1 << 20
    static let deepest = 32

    let root: PlanValue
    private let lines: [[UInt8]: Int]

    init(parsing bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.largest else { throw Fault(line: 1, message: "larger than \(Self.largest) bytes") }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Fault(line: 1, message: "not UTF-8; save the file as UTF-8") }
        var parser = Parser(bytes: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes)
        root = try parser.whole()
        lines = parser.lines
    }

    /// The line of what is there, or of the nearest thing around it.
    func line(near path: [TomlStep]) -> Int {
        var rest = path[...]
        while !rest.isEmpty {
            if let line = lines[Self.key(rest)] { return line }
            rest.removeLast()
        }
        return 1
    }

    private static func key(_ path: ArraySlice<TomlStep>) -> [UInt8] {
        path.reduce(into: []) { key, step in
            switch step {
            case .key(let name): key += Array("k\(name)".utf8) + [0]
            case .index(let index): key += Array("i\(index)".utf8) + [0]
            }
        }
    }

    private struct Parser {
        let bytes: [UInt8]
        var at = 0
        var line = 1
        var lines: [[UInt8]: Int] = [:]

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func whole() throws(Fault) -> PlanValue {
            let value = try value(path: [])
            skipBlanks()
            guard at == bytes.count else { throw fault("something follows the end of the plan") }
            return value
        }

        private mutating func value(path: [TomlStep]) throws(Fault) -> PlanValue {
            skipBlanks()
            if !path.isEmpty { lines[PlanJSON.key(path[...])] = line }
            guard path.count <= PlanJSON.deepest else { throw fault("nested deeper than \(PlanJSON.deepest)") }
            guard at < bytes.count else { throw fault("a value is missing at the end") }
            switch bytes[at] {
            case UInt8(ascii: "{"): return try object(path: path)
            case UInt8(ascii: "["): return try array(path: path)
            case UInt8(ascii: "\""): return .string(try string())
            default: return try word()
            }
        }

        private mutating func object(path: [TomlStep]) throws(Fault) -> PlanValue {
            at += 1
            var members: [PlanValue.Member] = []
            var known: Set<[UInt8]> = []
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .table([]) }
            repeat {
                skipBlanks()
                guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw fault("a key in quotes is expected") }
                let key = try string()
                guard known.insert(Array(key.utf8)).inserted else { throw fault("'\(key)' is set twice") }
                skipBlanks()
                guard take(UInt8(ascii: ":")) else { throw fault("':' is missing after '\(key)'") }
                members.append(.init(key: key, value: try value(path: path + [.key(key)])))
                skipBlanks()
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw fault("',' or '}' is expected") }
            return .table(members)
        }

        private mutating func array(path: [TomlStep]) throws(Fault) -> PlanValue {
            at += 1
            var values: [PlanValue] = []
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array([]) }
            repeat {
                values.append(try value(path: path + [.index(values.count)]))
                skipBlanks()
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw fault("',' or ']' is expected") }
            return .array(values)
        }

        private mutating func word() throws(Fault) -> PlanValue {
            let start = at
            while at < bytes.count, Self.isWord(bytes[at]) { at += 1 }
            let text = String(decoding: bytes[start..<at], as: UTF8.self)
            switch text {
            case "null": return .null
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: break
            }
            let digits = Array(text.utf8.drop { $0 == UInt8(ascii: "-") })
            let isPlain = digits.allSatisfy { ($0 >= 43 && $0 <= 57 && $0 != 44 && $0 != 47) || $0 | 0x20 == UInt8(ascii: "e") }
            let isPadded = digits.count > 1 && digits[0] == 48 && digits[1] >= 48 && digits[1] <= 57
            guard let first = digits.first, first >= 48, first <= 57, isPlain, !isPadded, Double(text) != nil else {
                throw fault("'\(text)' is no value; text stands in quotes")
            }
            // -0 is a number of its own.
            return Int(text).flatMap { $0.description.utf8.elementsEqual(text.utf8) ? .integer($0) : nil } ?? .number(text)
        }

        private static func isWord(_ byte: UInt8) -> Bool {
            (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: ".")
        }

        private mutating func string() throws(Fault) -> String {
            let start = line
            at += 1
            var out: [UInt8] = []
            while at < bytes.count {
                let byte = bytes[at]
                at += 1
                switch byte {
                case UInt8(ascii: "\""):
                    return String(decoding: out, as: UTF8.self)
                case UInt8(ascii: "\\"): try escape(into: &out)
                case 0..<32: throw fault("a text holds a control character; write it as an escape")
                default: out.append(byte)
                }
            }
            throw Fault(line: start, message: "this text has no end")
        }

        private mutating func escape(into out: inout [UInt8]) throws(Fault) {
            guard at < bytes.count else { return }
            let letter = bytes[at]
            at += 1
            switch letter {
            case UInt8(ascii: "n"): out.append(10)
            case UInt8(ascii: "r"): out.append(13)
            case UInt8(ascii: "t"): out.append(9)
            case UInt8(ascii: "b"): out.append(8)
            case UInt8(ascii: "f"): out.append(12)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
            case UInt8(ascii: "u"):
                var scalar = try unit()
                if scalar >= 0xD800, scalar < 0xDC00 {
                    guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
                        throw fault("half a character: \\u\(String(scalar, radix: 16)) stands alone")
                    }
                    at += 2
                    let low = try unit()
                    guard low >= 0xDC00, low < 0xE000 else { throw fault("half a character: \\u\(String(scalar, radix: 16)) stands alone") }
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let unicode = Unicode.Scalar(scalar), scalar != 0 else {
                    throw fault("an escape is no character that mail can carry")
                }
                out += Array(String(unicode).utf8)
            default: throw fault("'\\\(String(decoding: [letter], as: UTF8.self))' is no escape")
            }
        }

        private mutating func unit() throws(Fault) -> UInt32 {
            guard at + 4 <= bytes.count, let value = UInt32(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16) else {
                throw fault("four hexadecimal digits are expected after \\u")
            }
            at += 4
            return value
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard at < bytes.count, bytes[at] == byte else { return false }
            at += 1
            return true
        }

        private mutating func skipBlanks() {
            while at < bytes.count, bytes[at] == 32 || bytes[at] == 9 || bytes[at] == 10 || bytes[at] == 13 {
                if bytes[at] == 10 { line += 1 }
                at += 1
            }
        }

        private func fault(_ message: String) -> Fault { Fault(line: line, message: message) }
    }
}
