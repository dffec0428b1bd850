/// Finds the introductions of earlier messages among the lines of an HTML message, by their shape alone.
enum HTMLReplyStructure {
    /// Sets the part of each line: a header block and everything behind it, and the line that introduces a quote.
    static func mark(_ lines: inout [HTMLLayout.Line], _ text: [UInt8], restStart: Int?) {
        markIntroductions(&lines, text)
        var start = restStart.map { min($0, lines.count) }
        for i in lines.indices where i < start ?? .max && lines[i].part != .earlier && lines[i].quoteDepth == 0 {
            guard lines[i].mayBeginHeader || lines[i].isBold, lines[i].kind != .rule else { continue }
            if headerEnd(lines, text, from: i) != nil {
                start = i
                break
            }
        }
        guard let start, start < lines.count else { return }
        let end = headerEnd(lines, text, from: start) ?? start
        for i in start..<lines.count { lines[i].part = i < end ? .attribution : .earlier }
        // The rule or the drawn title above belongs to the header block.
        var before = start - 1
        while before >= 0, lines[before].end == lines[before].start { before -= 1 }
        if before >= 0, lines[before].kind == .rule || isDrawn(text[lines[before].start..<lines[before].end]) {
            lines[before].part = .attribution
        }
    }

    /// A line that ends with a colon right before a quote and bears a date or an address, with the lines it is folded over.
    private static func markIntroductions(_ lines: inout [HTMLLayout.Line], _ text: [UInt8]) {
        guard lines.count > 1 else { return }
        for i in 1..<lines.count where lines[i].quoteDepth > lines[i - 1].quoteDepth && lines[i - 1].part == .own {
            var last = i - 1
            while last > 0, lines[last].end == lines[last].start { last -= 1 }
            let bytes = text[lines[last].start..<lines[last].end]
            guard bytes.last == ASCII.colon || bytes.suffix(3).elementsEqual([0xEF, 0xBC, 0x9A]), lines[last].part == .own else { continue }
            var first = last
            // Folded, the date stands a line or two above the address.
            while first > 0, last - first < 2, lines[first].gap == 0, lines[first - 1].part == .own,
                lines[first - 1].end > lines[first - 1].start, !text[lines[first].start..<lines[last].end].contains(where: \.isDigit)
            {
                first -= 1
            }
            let introduction = text[lines[first].start..<lines[last].end]
            guard introduction.count < 400, introduction.contains(where: { $0.isDigit || $0 == ASCII.at }) else { continue }
            for j in first...last { lines[j].part = .attribution }
        }
    }

    private static func isDrawn(_ bytes: ArraySlice<UInt8>) -> Bool {
        let dashes = bytes.trimmed.prefix { $0 == ASCII.hyphen || $0 == ASCII.underscore || $0 == ASCII.equals }.count
        return dashes >= 3
    }

    /// The line behind a header block that begins at `start`: three labels at least, one value with a digit; nil when there is none.
    private static func headerEnd(_ lines: [HTMLLayout.Line], _ text: [UInt8], from start: Int) -> Int? {
        var labels = 0
        var hasNumber = false
        var end = start
        var others = 0
        var i = start
        while i < min(lines.count, start + HTMLLimits.headerLines) {
            let line = text[lines[i].start..<lines[i].end]
            defer { i += 1 }
            if line.isEmpty || lines[i].kind == .rule { continue }
            if let value = labelled(line) {
                labels += 1
                others = 0
                end = i + 1
                if value.contains(where: \.isDigit) { hasNumber = true }
            } else {
                // A long list of recipients goes on over lines.
                others += 1
                if labels == 0 || others > 1 || (i > 0 && lines[i].gap > 0) { break }
            }
        }
        return labels >= 3 && hasNumber ? end : nil
    }

    /// What stands behind "Label:"; nil when the line does not begin with a word or three and a colon.
    private static func labelled(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let head = line.prefix(40)
        let colon: Int
        let behind: Int
        if let at = head.firstIndex(of: ASCII.colon) {
            (colon, behind) = (at, at + 1)
        } else if let at = head.index(of: [0xEF, 0xBC, 0x9A], from: head.startIndex) {
            (colon, behind) = (at, at + 3)
        } else {
            return nil
        }
        let label = line[..<colon].trimmed
        guard let first = label.first, first.isLetter || first >= 0x80, label.count(where: { $0 == ASCII.space }) <= 3,
            !label.contains(where: { $0.isDigit || $0 == ASCII.at || $0 == ASCII.slash || $0 == ASCII.less || $0 == ASCII.comma })
        else { return nil }
        let value = line[behind...].trimmed
        return value.starts(with: [ASCII.slash, ASCII.slash]) ? nil : value
    }
}
