/// A table read from CSV bytes: RFC 4180 with the delimiter found by itself and faults named by line.
package struct CSVTable: Sendable {
    package struct Row: Sendable, Equatable {
        /// Line of the file on which the row starts, 1 for the first.
        package let line: Int
        package let cells: [String]
    }

    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package let line: Int
        package let message: String

        package var description: String { "\(line): \(message)" }
    }

    package struct Limits: Sendable {
        package var columns = 512
        package var cellBytes = 65_536

        package init() {}
    }

    package let header: [String]
    package let rows: [Row]

    /// Reads UTF-8 (a byte order mark is skipped) with `,`, `;` or tab between cells, whichever the header line has most of.
    ///
    /// - Throws: the first fault: no header, an open quote, a NUL, bytes that are not UTF-8, a limit reached.
    package init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(Fault) {
        var content = bytes[...]
        if content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
        if content.starts(with: [0xFF, 0xFE]) || content.starts(with: [0xFE, 0xFF]) || content.contains(0) {
            throw Fault(line: 1, message: "not a UTF-8 text file; save it as CSV in UTF-8")
        }
        let delimiter = Self.delimiter(of: content)
        var rows: [Row] = []
        var reader = Reader(bytes: content, delimiter: delimiter, limits: limits)
        while let row = try reader.next() {
            if row.cells.allSatisfy({ $0.utf8.isEmpty }) { continue }
            rows.append(row)
        }
        guard let first = rows.first else { throw Fault(line: 1, message: "the file is empty; the first line must name the columns") }
        header = first.cells
        self.rows = Array(rows.dropFirst())
    }

    private static func delimiter(of content: ArraySlice<UInt8>) -> UInt8 {
        let line = content.prefix { $0 != 10 && $0 != 13 }
        let candidates: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), 9]
        let counts = candidates.map { candidate in line.reduce(0) { $0 + ($1 == candidate ? 1 : 0) } }
        let best = counts.indices.max { counts[$0] < counts[$1] || (counts[$0] == counts[$1] && $0 > $1) } ?? 0
        return candidates[best]
    }

    private struct Reader {
        let bytes: ArraySlice<UInt8>
        let delimiter: UInt8
        let limits: Limits
        var position: Int
        var line = 1

        init(bytes: ArraySlice<UInt8>, delimiter: UInt8, limits: Limits) {
            self.bytes = bytes
            self.delimiter = delimiter
            self.limits = limits
            position = bytes.startIndex
        }

        mutating func next() throws(Fault) -> Row? {
            guard position < bytes.endIndex else { return nil }
            let start = line
            var cells: [String] = []
            while true {
                let cell = try self.cell()
                guard let text = String(validating: cell, as: UTF8.self) else {
                    throw Fault(line: line, message: "bytes that are not UTF-8; save the file as UTF-8")
                }
                cells.append(text)
                guard cells.count <= limits.columns else { throw Fault(line: start, message: "more than \(limits.columns) columns") }
                guard position < bytes.endIndex else { break }
                let separator = bytes[position]
                position += 1
                if separator == delimiter { continue }
                if separator == 13, position < bytes.endIndex, bytes[position] == 10 { position += 1 }
                line += 1
                break
            }
            return Row(line: start, cells: cells)
        }

        /// Reads up to a delimiter or line end, which stays unread.
        private mutating func cell() throws(Fault) -> [UInt8] {
            var cell: [UInt8] = []
            var quoted = false
            let start = line
            if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") {
                quoted = true
                position += 1
            }
            while position < bytes.endIndex {
                let byte = bytes[position]
                if quoted {
                    if byte == UInt8(ascii: "\"") {
                        position += 1
                        if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") {
                            cell.append(byte)
                            position += 1
                        } else {
                            quoted = false
                        }
                        continue
                    }
                    if byte == 10 { line += 1 }
                } else if byte == delimiter || byte == 10 || byte == 13 {
                    return cell
                }
                cell.append(byte)
                position += 1
                guard cell.count <= limits.cellBytes else {
                    throw Fault(line: start, message: "a cell is longer than \(limits.cellBytes) bytes")
                }
            }
            guard !quoted else { throw Fault(line: start, message: "a quoted cell is never closed") }
            return cell
        }
    }
}
