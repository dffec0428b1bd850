import Toml

/// A value of a sequence file, whatever the file is written in; tables keep their order.
indirect enum PlanValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    /// A number as it is written.
    case number(String)
    case string(String)
    case array([PlanValue])
    case table([Member])
    /// A date or a time of TOML, by what it is.
    case other(String)

    struct Member: Sendable, Equatable {
        let key: String
        let value: PlanValue
    }

    /// The value of a key, compared by its bytes; nil when it is absent.
    subscript(_ key: String) -> PlanValue? {
        guard case .table(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// In the words of a person, with its article.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .table: "a table"
        case .other(let kind): kind
        }
    }
}

extension PlanValue {
    init(_ value: TomlValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .integer(number)
        case .float(let number): self = .number(number.description)
        case .bool(let flag): self = .bool(flag)
        case .array(let values): self = .array(values.map { PlanValue($0) })
        case .table(let table): self = .init(table)
        case .date, .time, .dateTime: self = .other(value.kind)
        }
    }

    init(_ table: TomlTable) { self = .table(table.entries.map { Member(key: $0.key, value: PlanValue($0.value)) }) }
}

extension PlanValue {
    /// JSON over several lines, two blanks for each level (RFC 8259).
    func json(indent: Int = 0) -> String {
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch self {
        case .null, .other: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return number.description
        case .number(let text): return text
        case .string(let text): return Self.quoted(text)
        case .array(let values) where values.isEmpty: return "[]"
        case .array(let values):
            return "[\n" + values.map { inner + $0.json(indent: indent + 1) }.joined(separator: ",\n") + "\n\(outer)]"
        case .table(let members) where members.isEmpty: return "{}"
        case .table(let members):
            return "{\n"
                + members.map { "\(inner)\(Self.quoted($0.key)): \($0.value.json(indent: indent + 1))" }.joined(separator: ",\n")
                + "\n\(outer)}"
        }
    }

    /// JSON on one line.
    var jsonLine: String {
        switch self {
        case .array(let values): "[\(values.map(\.jsonLine).joined(separator: ","))]"
        case .table(let members): "{\(members.map { "\(Self.quoted($0.key)):\($0.value.jsonLine)" }.joined(separator: ","))}"
        default: json()
        }
    }

    /// A JSON string, which is a basic string of TOML, too.
    static func quoted(_ text: String) -> String {
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): out += "\\\"".utf8
            case UInt8(ascii: "\\"): out += "\\\\".utf8
            case 10: out += "\\n".utf8
            case 13: out += "\\r".utf8
            case 9: out += "\\t".utf8
            case 0..<32, 127: out += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
        return String(decoding: out, as: UTF8.self)
    }
}
