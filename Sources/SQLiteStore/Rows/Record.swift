import Foundation
import InternetMessage
import Outreach

/// One row, read without trusting it: a value that cannot be is an error of the file, never a trap.
struct Record {
    let columns: [String]
    let values: [StoredValue]

    func integer(_ column: String) throws -> Int64 { try value(integerOrNil(column), column) }
    func integerOrNil(_ column: String) -> Int64? { if case .integer(let value) = self[column] { value } else { nil } }

    func count(_ column: String) throws -> Int { try value(Int(exactly: integer(column)), column) }

    func real(_ column: String) throws -> Double {
        if case .real(let value) = self[column] { return value }
        return try value(Double(exactly: integer(column)), column)
    }

    func text(_ column: String) throws -> String { try value(textOrNil(column), column) }
    func textOrNil(_ column: String) -> String? { if case .text(let value) = self[column] { value } else { nil } }

    func bytes(_ column: String) throws -> [UInt8] { try value(bytesOrNil(column), column) }
    func bytesOrNil(_ column: String) -> [UInt8]? { if case .bytes(let value) = self[column] { value } else { nil } }

    func moment(_ column: String) throws -> Timestamp { Timestamp(milliseconds: try integer(column)) }
    func momentOrNil(_ column: String) -> Timestamp? { integerOrNil(column).map(Timestamp.init(milliseconds:)) }

    func day(_ column: String) throws -> CivilDate { CivilDate(daysSinceEpoch: try count(column)) }
    func dayOrNil(_ column: String) -> CivilDate? { integerOrNil(column).flatMap(Int.init(exactly:)).map(CivilDate.init(daysSinceEpoch:)) }

    func id<Subject>(_ column: String) throws -> RecordID<Subject> { RecordID(rawValue: try integer(column)) }
    func idOrNil<Subject>(_ column: String) -> RecordID<Subject>? { integerOrNil(column).map(RecordID.init(rawValue:)) }

    func word<Word: RawRepresentable<String>>(_ column: String) throws -> Word { try value(Word(rawValue: text(column)), column) }

    func wordOrNil<Word: RawRepresentable<String>>(_ column: String) throws -> Word? {
        guard let text = textOrNil(column) else { return nil }
        return try value(Word(rawValue: text), column)
    }

    func json<Value: Decodable>(_ column: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text(column).utf8))
    }

    /// A JSON object whose values are all texts.
    func words(_ column: String) throws -> [String: String] {
        let text = try text(column)
        return try WordReader.read(text) ?? JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    }

    func address(_ column: String) throws -> EmailAddress { try value(EmailAddress(stored: text(column)), column) }

    /// null as well when there is no such column.
    private subscript(column: String) -> StoredValue { columns.firstIndex(of: column).map { values[$0] } ?? .null }

    func value<Value>(_ value: Value?, _ column: String) throws -> Value {
        guard let value else {
            throw StoreError(code: .unusable, message: "column '\(column)' holds what it cannot; run 'postrider db check'")
        }
        return value
    }
}

extension EmailAddress {
    /// Reads what `stored` wrote.
    init?(stored text: String) {
        // A report may name a recipient that only the tolerant parser takes.
        guard let address = EmailAddress(rewritten: text.utf8) ?? AddressList(parsing: Array(text.utf8)[...]).mailboxes.first?.address
        else { return nil }
        self = address
    }

    /// The form that is stored.
    ///
    /// - Throws: `constraint` when it could not be read back as it is.
    func stored() throws -> String {
        let text = text
        guard EmailAddress(stored: text) == self else {
            throw StoreError(code: .constraint, message: "an address cannot be stored: \(self)")
        }
        return text
    }

    /// The domain as it is looked up: lower case with A-labels.
    var domainKey: String { Self.domain(ofKey: suppressionKey) }

    /// The domain in a suppression key.
    static func domain(ofKey key: String) -> String {
        let key = Array(key.utf8)
        let at = key.lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? 0
        return String(decoding: key[at...], as: UTF8.self)
    }
}

extension ReversePath {
    init?(stored text: String) {
        if text.utf8.isEmpty {
            self = .null
        } else {
            guard let address = EmailAddress(stored: text) else { return nil }
            self = .address(address)
        }
    }

    func stored() throws -> String {
        switch self {
        case .null: ""
        case .address(let address): try address.stored()
        }
    }
}

extension String {
    /// The text with each NUL replaced by U+FFFD: SQLite's own functions end a text there.
    var storable: String {
        var text = self
        let hasNUL = text.withUTF8 { bytes in bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false }
        return hasNUL ? String(decoding: utf8.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }, as: UTF8.self) : self
    }
}

/// The JSON form of facts, keys in order. Written for each event of the timeline, many times a second.
func jsonText(_ facts: [String: String]) -> String {
    var json: [UInt8] = []
    json.reserveCapacity(32 + facts.count * 32)
    json.append(UInt8(ascii: "{"))
    for (name, value) in facts.sorted(by: { $0.key < $1.key }) {
        if json.count > 1 { json.append(UInt8(ascii: ",")) }
        appendQuoted(name, to: &json)
        json.append(UInt8(ascii: ":"))
        appendQuoted(value, to: &json)
    }
    json.append(UInt8(ascii: "}"))
    return String(decoding: json, as: UTF8.self)
}

/// Reads what `jsonText` writes of texts by name, many times faster than what reads any JSON: every contact that is decided on is read so.
private enum WordReader {
    /// nil for what is written in another way.
    static func read(_ text: String) -> [String: String]? {
        var bytes = Array(text.utf8)[...]
        guard bytes.popFirst() == UInt8(ascii: "{") else { return nil }
        var words: [String: String] = [:]
        if bytes.first == UInt8(ascii: "}") { return bytes.count == 1 ? words : nil }
        while true {
            guard let name = word(&bytes), bytes.popFirst() == UInt8(ascii: ":"), let value = word(&bytes),
                words.updateValue(value, forKey: name) == nil
            else { return nil }
            switch bytes.popFirst() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return bytes.isEmpty ? words : nil
            default: return nil
            }
        }
    }

    /// A JSON string without escapes.
    private static func word(_ bytes: inout ArraySlice<UInt8>) -> String? {
        guard bytes.popFirst() == UInt8(ascii: "\""),
            let end = bytes.firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }),
            bytes[end] == UInt8(ascii: "\"")
        else { return nil }
        defer { bytes = bytes[(end + 1)...] }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}

/// The JSON form of a list of words.
func jsonText(_ words: [String]) -> String { "[\(words.map(quoted).joined(separator: ","))]" }

/// The JSON form of a list of numbers.
func jsonText(_ numbers: [Int64]) -> String { "[\(numbers.map { "\($0)" }.joined(separator: ","))]" }

/// A JSON string.
func quoted(_ text: String) -> String {
    var json: [UInt8] = []
    json.reserveCapacity(text.utf8.count + 2)
    appendQuoted(text, to: &json)
    return String(decoding: json, as: UTF8.self)
}

private func appendQuoted(_ text: String, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
        case 10: json += "\\n".utf8
        case 13: json += "\\r".utf8
        case 9: json += "\\t".utf8
        case 0..<32:
            let digits = String(byte, radix: 16)
            json += (byte < 16 ? "\\u000" : "\\u00").utf8
            json += digits.utf8
        default: json.append(byte)
        }
    }
    json.append(UInt8(ascii: "\""))
}

/// The JSON form of a value, keys in order so that equal values are equal text.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
