/// A value as SQLite keeps it.
enum StoredValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
}

/// What can be given to a statement.
protocol Storable: Sendable {
    var storedValue: StoredValue { get }
}

extension Int64: Storable { var storedValue: StoredValue { .integer(self) } }
extension Int: Storable { var storedValue: StoredValue { .integer(Int64(self)) } }
extension Bool: Storable { var storedValue: StoredValue { .integer(self ? 1 : 0) } }
extension Double: Storable { var storedValue: StoredValue { .real(self) } }
extension String: Storable { var storedValue: StoredValue { .text(self) } }
extension [UInt8]: Storable { var storedValue: StoredValue { .bytes(self) } }
extension StoredValue: Storable { var storedValue: StoredValue { self } }

/// The values for the named parameters of a statement; names without their colon.
struct Arguments: ExpressibleByDictionaryLiteral, Sendable {
    // As they were given, under no other names, which would be a cast of each: they are made for every statement, many times a second.
    private(set) var pairs: [(String, (any Storable)?)]

    init(dictionaryLiteral elements: (String, (any Storable)?)...) { pairs = elements }

    init(_ values: [String: (any Storable)?]) { pairs = values.map { ($0.key, $0.value) } }

    init(pairs: [(name: String, value: (any Storable)?)]) { self.pairs = pairs.map { ($0.name, $0.value) } }

    static func + (first: Arguments, second: Arguments) -> Arguments {
        var both = first
        both.pairs += second.pairs
        return both
    }
}
