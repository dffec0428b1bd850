internal import TOMLKit

/// A parsed TOML 1.0 document that knows where each of its keys and list elements stands.
///
/// - TOMLKit parses; a small scan of our own finds the positions and keeps the parser from anything large or deep.
/// - Strings never contain NUL (the C strings beneath could not carry it): such a document is refused.
package struct TomlDocument: Sendable {
    /// What a document may cost.
    package struct Limits: Sendable {
        /// The size of the source in bytes.
        package var bytes = 1 << 20
        /// Keys, lists and list elements from the root to the deepest value.
        package var depth = 32
        /// Keys and list elements in all.
        package var marks = 100_000

        package init() {}
    }

    /// The name of the source, as faults print it.
    package let file: String
    package let root: TomlTable
    private let positions: [PathBytes: TomlPosition]

    /// Parses the bytes of a source; `file` only names it in errors.
    package init(parsing source: [UInt8], file: String, limits: Limits = Limits()) throws(TomlError) {
        func fault(_ code: TomlError.Code, _ line: Int, _ message: String) -> TomlError {
            TomlError(code: code, file: file, line: line, message: message)
        }
        guard source.count <= limits.bytes else { throw fault(.limit, 1, "larger than \(limits.bytes) bytes") }
        if let line = Self.lineOfBadByte(source) {
            throw fault(.encoding, line, "this line is not UTF-8 or holds a NUL; save the file as UTF-8")
        }
        var scan = SourceScan(source, limits: limits)
        do {
            try scan.run()
        } catch {
            if error.code == .syntax, let better = Self.verdict(on: source, upTo: error.offset, file: file) { throw better }
            throw fault(error.code, error.line, error.message)
        }
        let parsed = try Self.parse(source, file: file)
        self.file = file
        self.root = Self.table(parsed, at: PathBytes(), order: scan.marks)
        self.positions = scan.marks.mapValues(\.position)
    }

    /// Parses a text; see ``init(parsing:file:limits:)``.
    package init(parsing source: String, file: String, limits: Limits = Limits()) throws(TomlError) {
        try self.init(parsing: Array(source.utf8), file: file, limits: limits)
    }

    /// Where a key or a list element was set (a table: where its header stands), nil when there is none such.
    package func position(of path: [TomlStep]) -> TomlPosition? {
        positions[path.reduce(PathBytes()) { $0.appending($1) }]
    }

    /// The line of a key, or of the nearest thing around it that has one, for faults about what is missing.
    package func line(near path: [TomlStep]) -> Int {
        var rest = path[...]
        while !rest.isEmpty {
            if let position = position(of: Array(rest)) { return position.line }
            rest.removeLast()
        }
        return 1
    }

    // MARK: Reading what the parser made

    private static func parse(_ source: [UInt8], file: String) throws(TomlError) -> TOMLTable {
        do {
            return try TOMLTable(string: String(decoding: source, as: UTF8.self))
        } catch {
            let fault = error as? TOMLParseError
            throw TomlError(
                code: .syntax, file: file, line: max(1, fault?.source.begin.line ?? 1), message: fault?.description ?? "\(error)")
        }
    }

    /// What the parser says about a source that the scan did not get through.
    ///
    /// It sees the source to a little beyond the place of trouble only: what follows has not been measured for depth.
    private static func verdict(on source: [UInt8], upTo offset: Int, file: String) -> TomlError? {
        let tail = source[offset...].prefix(64)
        let cut = tail.firstIndex(of: 0x0A) ?? tail.endIndex
        do {
            _ = try parse(Array(source[..<cut]), file: file)
            return nil
        } catch {
            return error
        }
    }

    private static func lineOfBadByte(_ source: [UInt8]) -> Int? {
        if !source.contains(0), String(validating: source, as: UTF8.self) != nil { return nil }
        var decoder = UTF8()
        var bytes = source.makeIterator()
        var line = 1
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue("\n"): line += 1
            case .scalarValue("\0"), .error: return line
            case .scalarValue: continue
            case .emptyInput: return nil
            }
        }
    }

    private static func table(_ table: TOMLTable, at path: PathBytes, order: [PathBytes: SourceScan.Mark]) -> TomlTable {
        let entries = table.keys.compactMap { key -> (order: Int, entry: TomlTable.Entry)? in
            guard let value = table[key] else { return nil }
            let inner = path.appending(key: Array(key.utf8))
            return (order[inner]?.order ?? .max, TomlTable.Entry(key: key, value: Self.value(value, at: inner, order: order)))
        }
        return TomlTable(entries: entries.sorted { $0.order < $1.order }.map(\.entry))
    }

    // The scan has bounded the depth.
    private static func value(_ value: any TOMLValueConvertible, at path: PathBytes, order: [PathBytes: SourceScan.Mark]) -> TomlValue {
        switch value.type {
        case .string: return .string(value.string ?? "")
        case .int: return .integer(value.int ?? 0)
        case .double: return .float(value.double ?? 0)
        case .bool: return .bool(value.bool ?? false)
        case .date:
            return value.date.map { .date(TomlDate($0)) } ?? .string("")
        case .time:
            return value.time.map { .time(TomlTime($0)) } ?? .string("")
        case .dateTime:
            return value.dateTime.map {
                .dateTime(TomlDateTime(date: TomlDate($0.date), time: TomlTime($0.time), offsetMinutes: $0.offset?.offset))
            } ?? .string("")
        case .array:
            return .array(
                (value.array.map(Array.init) ?? []).enumerated().map { Self.value($1, at: path.appending(index: $0), order: order) })
        case .table:
            return .table(value.table.map { Self.table($0, at: path, order: order) } ?? TomlTable(entries: []))
        }
    }
}

extension TomlDate {
    fileprivate init(_ date: TOMLDate) { self.init(year: date.year, month: date.month, day: date.day) }
}

extension TomlTime {
    fileprivate init(_ time: TOMLTime) {
        self.init(hour: time.hour, minute: time.minute, second: time.second, nanosecond: time.nanoSecond)
    }
}
