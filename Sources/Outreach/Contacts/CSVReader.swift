/// Rows of CSV from UTF-8 that comes piece by piece: RFC 4180, with quotes over lines, any line end, and faults named by line.
///
/// Memory is bounded by `Limits`. A row whose cells are not UTF-8 is marked, not refused: what is wrong with one row is no fault of the file.
package struct CSVReader: Sendable {
    package struct Row: Sendable, Equatable {
        /// Line of the file on which the row starts, 1 for the first.
        package let line: Int
        package let cells: [String]
        /// Whether bytes that are no UTF-8 were replaced by U+FFFD.
        package let isDamaged: Bool

        package init(line: Int, cells: [String], isDamaged: Bool = false) {
            self.line = line
            self.cells = cells
            self.isDamaged = isDamaged
        }
    }

    package struct Limits: Sendable {
        package var columns = 512
        package var cellBytes = 65_536
        package var rowBytes = 1 << 20

        package init() {}
    }

    private enum Place: Sendable {
        case cellStart, plain, quoted
        /// Behind a quote in a quoted cell: its end, or the first of two.
        case afterQuote
        /// Behind a carriage return that ended a row.
        case afterReturn
    }

    /// What stands between cells; nil until the first row is there to be looked at.
    package private(set) var delimiter: UInt8?
    private let limits: Limits
    private var place = Place.cellStart
    private var cell: [UInt8] = []
    private var cells: [String] = []
    private var isDamaged = false
    private var rowBytes = 0
    private var line = 1
    private var rowLine = 1
    /// Where the open quote stands.
    private var quoteLine = 1
    /// The first row, until it is whole and the delimiter is known.
    private var head: [UInt8] = []

    /// - Parameter delimiter: nil: of `,` `;` tab and `|` the one that the first row has most of outside quotes.
    package init(delimiter: UInt8? = nil, limits: Limits = Limits()) {
        self.delimiter = delimiter
        self.limits = limits
    }

    /// Takes the next bytes; the rows that are whole with them. Empty rows are left out.
    package mutating func read(_ bytes: ArraySlice<UInt8>) throws(CSVFault) -> [Row] {
        guard delimiter == nil else { return try scan(bytes) }
        head += bytes
        guard let end = Self.endOfRow(head) else {
            guard head.count <= limits.rowBytes else {
                throw CSVFault(line: 1, message: "the first row does not end within \(limits.rowBytes) bytes")
            }
            return []
        }
        return try begin(endOfFirst: end)
    }

    /// The file ends: the row that has no line end.
    package mutating func finish() throws(CSVFault) -> [Row] {
        var rows: [Row] = []
        if delimiter == nil { rows = try begin(endOfFirst: head.count) }
        guard place != .quoted else { throw CSVFault(line: quoteLine, message: "a quoted cell is never closed") }
        if place != .afterReturn, !(place == .cellStart && cells.isEmpty) { try endRow(into: &rows) }
        return rows
    }

    private mutating func begin(endOfFirst end: Int) throws(CSVFault) -> [Row] {
        let bytes = head
        head = []
        // A first line `sep=;` is for programs, not for people.
        if bytes.starts(with: "sep=".utf8), bytes[..<end].count == 5 {
            delimiter = bytes[4]
            return try scan(bytes[...], skippingFirst: true)
        }
        delimiter = Self.delimiter(of: bytes[..<end])
        return try scan(bytes[...])
    }

    private mutating func scan(_ bytes: ArraySlice<UInt8>, skippingFirst: Bool) throws(CSVFault) -> [Row] {
        let rows = try scan(bytes)
        return skippingFirst && !rows.isEmpty ? Array(rows.dropFirst()) : rows
    }

    private mutating func scan(_ bytes: ArraySlice<UInt8>) throws(CSVFault) -> [Row] {
        var rows: [Row] = []
        let delimiter = delimiter ?? UInt8(ascii: ",")
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            switch place {
            case .quoted:
                if byte == UInt8(ascii: "\"") {
                    place = .afterQuote
                    index += 1
                    continue
                }
                // As far as nothing special comes.
                var end = index
                while end < bytes.endIndex, bytes[end] != UInt8(ascii: "\"") {
                    if bytes[end] == 10 { line += 1 }
                    end += 1
                }
                try append(bytes[index..<end])
                index = end
            case .afterQuote where byte == UInt8(ascii: "\""):
                try append(bytes[index...index])
                place = .quoted
                index += 1
            case .afterReturn where byte == 10:
                place = .cellStart
                index += 1
            case .afterReturn:
                place = .cellStart
            case .cellStart where byte == UInt8(ascii: "\""):
                place = .quoted
                quoteLine = line
                index += 1
            case .cellStart, .plain, .afterQuote:
                if byte == delimiter {
                    try endCell()
                    place = .cellStart
                    index += 1
                } else if byte == 10 || byte == 13 {
                    try endRow(into: &rows)
                    place = byte == 13 ? .afterReturn : .cellStart
                    index += 1
                } else {
                    var end = index
                    while end < bytes.endIndex, bytes[end] != delimiter, bytes[end] != 10, bytes[end] != 13 { end += 1 }
                    try append(bytes[index..<end])
                    place = .plain
                    index = end
                }
            }
        }
        return rows
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(CSVFault) {
        cell += bytes
        guard cell.count <= limits.cellBytes else {
            throw CSVFault(
                line: place == .quoted ? quoteLine : line, message: "a cell is longer than \(limits.cellBytes) bytes; is a quote missing?")
        }
    }

    private mutating func endCell() throws(CSVFault) {
        guard !cell.contains(0) else { throw CSVFault(line: line, message: "a zero byte: not a text file; save it as CSV in UTF-8") }
        if let text = String(validating: cell, as: UTF8.self) {
            cells.append(text)
        } else {
            cells.append(String(decoding: cell, as: UTF8.self))
            isDamaged = true
        }
        rowBytes += cell.count
        cell.removeAll(keepingCapacity: true)
        guard cells.count <= limits.columns else { throw CSVFault(line: rowLine, message: "more than \(limits.columns) columns") }
        guard rowBytes <= limits.rowBytes else { throw CSVFault(line: rowLine, message: "a row is longer than \(limits.rowBytes) bytes") }
    }

    private mutating func endRow(into rows: inout [Row]) throws(CSVFault) {
        try endCell()
        if cells.contains(where: { !$0.utf8.isEmpty }) { rows.append(Row(line: rowLine, cells: cells, isDamaged: isDamaged)) }
        cells.removeAll(keepingCapacity: true)
        isDamaged = false
        rowBytes = 0
        line += 1
        rowLine = line
        place = .cellStart
    }

    /// Where the first row ends; nil when its end is not there yet.
    private static func endOfRow(_ bytes: [UInt8]) -> Int? {
        var quoted = false
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\"") { quoted.toggle() }
            if !quoted, byte == 10 || byte == 13 { return index }
        }
        return nil
    }

    private static func delimiter(of row: ArraySlice<UInt8>) -> UInt8 {
        let candidates: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), 9, UInt8(ascii: "|")]
        var counts = [0, 0, 0, 0]
        var quoted = false
        for byte in row {
            if byte == UInt8(ascii: "\"") { quoted.toggle() }
            if !quoted, let place = candidates.firstIndex(of: byte) { counts[place] += 1 }
        }
        let best = counts.indices.max { counts[$0] < counts[$1] || (counts[$0] == counts[$1] && $0 > $1) } ?? 0
        return candidates[best]
    }
}
