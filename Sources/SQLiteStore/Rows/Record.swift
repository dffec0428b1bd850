import Foundation
import GRDB
import InternetMessage
import Outreach

/// One row, read without trusting it: a value that cannot be is an error of the file, never a trap.
struct Record {
    let row: Row

    func integer(_ column: String) throws -> Int64 { try value(integerOrNil(column), column) }
    func integerOrNil(_ column: String) -> Int64? { Int64.fromDatabaseValue(row[column]) }

    func count(_ column: String) throws -> Int { try value(Int(exactly: integer(column)), column) }

    func real(_ column: String) throws -> Double { try value(Double.fromDatabaseValue(row[column]), column) }

    func text(_ column: String) throws -> String { try value(textOrNil(column), column) }
    func textOrNil(_ column: String) -> String? { String.fromDatabaseValue(row[column]) }

    func bytes(_ column: String) throws -> [UInt8] { try value(bytesOrNil(column), column) }
    func bytesOrNil(_ column: String) -> [UInt8]? { Data.fromDatabaseValue(row[column]).map { [UInt8]($0) } }

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

    func address(_ column: String) throws -> EmailAddress { try value(EmailAddress(stored: text(column)), column) }

    private func value<Value>(_ value: Value?, _ column: String) throws -> Value {
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
        guard let address = EmailAddress(text) ?? AddressList(parsing: Array(text.utf8)[...]).mailboxes.first?.address else { return nil }
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
    var domainKey: String {
        let key = Array(suppressionKey.utf8)
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
    /// The text with each NUL replaced by U+FFFD: the driver would end the text there.
    var storable: String {
        utf8.contains(0) ? String(decoding: utf8.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }, as: UTF8.self) : self
    }
}

/// The JSON form of a value, keys in order so that equal values are equal text.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
