/// One value of a TOML document, with types of our own.
///
/// Local dates and times carry no zone; only `dateTime` may, by its offset.
package enum TomlValue: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case float(Double)
    case bool(Bool)
    case date(TomlDate)
    case time(TomlTime)
    case dateTime(TomlDateTime)
    case array([TomlValue])
    case table(TomlTable)

    /// The kind of this value in the words of a person who writes conf files, with its article.
    package var kind: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a number with a fraction"
        case .bool: "true or false"
        case .date: "a date"
        case .time: "a time of day"
        case .dateTime: "a date with a time"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// A calendar date without a zone, as written; the parser has checked the ranges.
package struct TomlDate: Sendable, Hashable {
    package var year: Int
    package var month: Int
    package var day: Int
}

/// A time of day without a zone, as written.
package struct TomlTime: Sendable, Hashable {
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var nanosecond: Int
}

/// A date with a time; `offsetMinutes` is the distance from UTC, nil for a local date-time.
package struct TomlDateTime: Sendable, Hashable {
    package var date: TomlDate
    package var time: TomlTime
    package var offsetMinutes: Int?
}

/// A table whose keys keep the order of the source.
///
/// Keys are compared by their bytes, so two spellings that only look alike are two keys.
package struct TomlTable: Sendable, Equatable {
    /// One key with its value.
    package struct Entry: Sendable, Equatable {
        package var key: String
        package var value: TomlValue
    }

    package internal(set) var entries: [Entry]

    /// The value of a key of this table, nil when it is absent.
    package subscript(_ key: String) -> TomlValue? {
        entries.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }
}
