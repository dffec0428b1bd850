/// Finds the fields of a header and where it ends; shared by messages, body parts and returned headers.
struct HeaderReader {
    struct Result {
        var header: Header
        /// Where the body begins; equal to the end of the header when no empty line closes it.
        var bodyStart: Int
    }

    let bytes: ArraySlice<UInt8>
    let newline: UInt8
    let limits: Limits
    private(set) var defects = DefectSet()

    init(_ bytes: ArraySlice<UInt8>, newline: UInt8, limits: Limits) {
        self.bytes = bytes
        self.newline = newline
        self.limits = limits
    }

    /// Reads from `start` up to the empty line, or to a line that opens with one of `boundaries`.
    mutating func read(from start: Int, boundaries: [[UInt8]]) -> Result {
        var positions: [Header.Position] = []
        var i = start
        var end = start
        var closed = false
        let hardEnd = min(bytes.endIndex, start + limits.headerBytes)
        while i < bytes.endIndex {
            let lineEnd = nextLine(i)
            if isEmptyLine(i, lineEnd) {
                closed = true
                end = i
                i = lineEnd
                break
            }
            if bytes[i] == ASCII.hyphen, isBoundary(i, boundaries) {
                end = i
                break
            }
            if i >= hardEnd {
                // The rest of an endless header is passed over, not kept.
                defects.insert(.headerTooLong)
            } else if bytes[i].isBlank, !positions.isEmpty {
                positions[positions.count - 1].end = lineEnd
            } else if let position = field(i, lineEnd) {
                if positions.count < limits.headerFields { positions.append(position) } else { defects.insert(.tooManyFields) }
            } else if !positions.isEmpty || i > start, !looksLikeHeader(lineEnd) {
                // The body begins without an empty line before it.
                defects.insert(.noHeaderEnd)
                return Result(header: Header(bytes: bytes[start..<i], positions: positions), bodyStart: i)
            } else if positions.isEmpty, !looksLikeHeader(lineEnd) {
                defects.insert(.noHeader)
                return Result(header: Header(bytes: bytes[start..<start], positions: []), bodyStart: start)
            } else {
                defects.insert(.headerLineSyntax)
            }
            i = lineEnd
            end = i
        }
        if !closed { defects.insert(.noHeaderEnd) }
        return Result(header: Header(bytes: bytes[start..<end], positions: positions), bodyStart: i)
    }

    /// The index behind the line that begins at `start`.
    func nextLine(_ start: Int) -> Int {
        let span = bytes.span
        return min(span.firstIndex(of: newline, from: start - bytes.startIndex) + 1, span.count) + bytes.startIndex
    }

    private func isEmptyLine(_ start: Int, _ end: Int) -> Bool {
        if bytes[start] == newline { return true }
        // Quirk(doubled line ends): programs that add a CR to CRLF make CR CR LF of it.
        guard bytes[start] == ASCII.cr, end - start <= 3, bytes[end - 1] == newline else { return false }
        return bytes[start + 1] == newline || (end - start == 3 && bytes[start + 1] == ASCII.cr)
    }

    private func isBoundary(_ start: Int, _ boundaries: [[UInt8]]) -> Bool {
        guard start + 1 < bytes.endIndex, bytes[start + 1] == ASCII.hyphen else { return false }
        return boundaries.contains { bytes[(start + 2)...].starts(with: $0) }
    }

    private func field(_ start: Int, _ end: Int) -> Header.Position? {
        var i = start
        while i < end, bytes[i].isFieldNameByte { i += 1 }
        guard i > start else { return nil }
        let nameEnd = i
        while i < end, bytes[i].isBlank { i += 1 }
        guard i < end, bytes[i] == ASCII.colon else { return nil }
        return Header.Position(start: start, nameEnd: nameEnd, valueStart: i + 1, end: end)
    }

    /// Whether the line at `start` is a field, or the empty line that ends a header.
    private func looksLikeHeader(_ start: Int) -> Bool {
        guard start < bytes.endIndex else { return false }
        let end = nextLine(start)
        return isEmptyLine(start, end) || field(start, end) != nil
    }
}
