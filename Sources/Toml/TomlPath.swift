/// One step from a table or a list to something inside it.
package enum TomlStep: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    /// Into a table, by key.
    case key(String)
    /// Into a list or an array of tables, counted from 0.
    case index(Int)

    package init(stringLiteral value: String) { self = .key(value) }
    package init(integerLiteral value: Int) { self = .index(value) }
}

/// Where something stands in a source; both count from 1, columns count bytes.
package struct TomlPosition: Sendable, Hashable {
    package var line: Int
    package var column: Int
}

/// A path as bytes, so that keys are told apart exactly as the parser tells them apart.
struct PathBytes: Hashable {
    private(set) var bytes: [UInt8] = []
    private(set) var depth = 0

    // No key contains NUL (the scan refuses it), so NUL ends a step without ambiguity.
    func appending(key: [UInt8]) -> PathBytes {
        var longer = self
        longer.bytes.append(UInt8(ascii: "k"))
        longer.bytes.append(contentsOf: key)
        longer.bytes.append(0)
        longer.depth += 1
        return longer
    }

    func appending(index: Int) -> PathBytes {
        var longer = self
        longer.bytes.append(UInt8(ascii: "i"))
        longer.bytes.append(contentsOf: String(index).utf8)
        longer.bytes.append(0)
        longer.depth += 1
        return longer
    }

    func appending(_ step: TomlStep) -> PathBytes {
        switch step {
        case .key(let key): appending(key: Array(key.utf8))
        case .index(let index): appending(index: index)
        }
    }
}
