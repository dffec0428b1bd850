/// Heads of earlier messages that are neither a header block nor an attribution with a colon: what mail programs write in other shapes, told
/// by dates, addresses and the marks around them alone.
enum QuoteHead {
    /// Lines that a head of GroupWise or Notes may take.
    private static let reach = 12

    /// Whether line `i` opens an unmarked quote that goes on to the end.
    static func begins(_ lines: [ArraySlice<UInt8>], at i: Int) -> Bool {
        isBetweenDashes(lines[i]) || isFlatHeader(lines[i]) || isStackedHeader(lines, at: i)
    }

    /// `>>> Ann Example <ann@example.com> 3/4/2026 9:45 AM >>>`, as GroupWise writes it above a quote without marks; in other programs
    /// marked lines follow.
    static func isBetweenArrows(_ line: ArraySlice<UInt8>) -> Bool {
        let head = line.prefix { $0 == 0x3E }.count
        let tail = line.reversed().prefix { $0 == 0x3E }.count
        guard head >= 2, tail >= 2, head + tail < line.count, line.count < 300 else { return false }
        return LineShape.hasDate(line) || LineShape.hasAddress(line)
    }

    /// `Ann Example ---04.03.2026 09:45:15---Hello Bo`: Notes' head of a reply with the beginning of the message.
    private static func isBetweenDashes(_ line: ArraySlice<UInt8>) -> Bool {
        let mark: [UInt8] = [0x2D, 0x2D, 0x2D]
        guard let open = line.firstRange(of: mark), open.lowerBound > line.startIndex,
            let close = line[open.upperBound...].firstRange(of: mark)
        else { return false }
        let between = line[open.upperBound..<close.lowerBound]
        return between.count < 60 && LineShape.hasClock(between) && LineShape.hasDay(between)
    }

    /// `From: Ann <ann@example.com> Sent: 4 March 2026 09:45 To: Bo Subject: Hello`: a header block whose line ends were lost.
    private static func isFlatHeader(_ line: ArraySlice<UInt8>) -> Bool {
        guard LineShape.label(line) != nil, line.count < 600, LineShape.hasAddress(line), LineShape.hasClock(line), LineShape.hasDay(line)
        else { return false }
        let words = line.split(separator: 0x20)
        return words.count(where: { word in
            word.count > 1 && LineShape.endsWithColon(word) && !word.contains(where: \.isDigit)
                && word.first.map { $0 >= 0x80 || $0 &- 0x41 < 26 } == true
        }) >= 3
    }

    /// The head of Notes in text: name and address, the day with its hour, and bare words of any language on lines of their own, each with
    /// its value below ("To", "cc", "Subject").
    private static func isStackedHeader(_ lines: [ArraySlice<UInt8>], at start: Int) -> Bool {
        guard lines[start].count < 120, LineShape.hasAddress(lines[start]) || LineShape.hasName(lines[start]) else { return false }
        var block: [ArraySlice<UInt8>] = []
        var i = start
        // Up to the first sentence of the message.
        while i < lines.count, block.count < reach, lines[i].count < 120, lines[i].last.map({ !".!?,;".utf8.contains($0) }) ?? true {
            if !lines[i].isEmpty { block.append(lines[i]) }
            i += 1
        }
        guard block.count >= 4, let day = block.prefix(5).firstIndex(where: { isMoment($0) }) else { return false }
        // A name alone is no head: the address, or the moment, stands right below it.
        guard LineShape.hasAddress(block[0]) || day == 1 || isBareAddress(block[1]) else { return false }
        let labels = block.indices.dropFirst().filter { isBareWord(block[$0]) }
        guard labels.count >= 2, labels[0] <= 4 else { return false }
        // Whom it went to stands below one of them, or beside the moment.
        return block[1...].contains { LineShape.hasAddress($0) } || labels.count >= 3
    }

    /// A day with its hour and little else.
    private static func isMoment(_ line: ArraySlice<UInt8>) -> Bool {
        LineShape.hasClock(line) && LineShape.hasDay(line) && line.split(separator: 0x20).count <= 8
    }

    private static func isBareAddress(_ line: ArraySlice<UInt8>) -> Bool {
        LineShape.hasAddress(line) && !line.contains(0x20)
    }

    /// One to three words of letters.
    private static func isBareWord(_ line: ArraySlice<UInt8>) -> Bool {
        line.count >= 2 && line.count <= 30 && line.count(where: { $0 == 0x20 }) <= 2
            && line.allSatisfy { $0.isLetter || $0 >= 0x80 || $0 == 0x20 || $0 == 0x3A }
    }

    // MARK: Marked heads

    /// Whether a run of marked lines that begins at `start` is nothing but a header block, and what follows is unmarked to the end: the body
    /// of the earlier message, as old programs wrote it.
    static func isMarkedHeader(_ lines: [ArraySlice<UInt8>], at start: Int) -> Bool {
        guard start == 0 || !LineShape.isQuoted(lines[start - 1]) else { return false }
        var end = start
        var inner: [ArraySlice<UInt8>] = []
        while end < lines.count, LineShape.isQuoted(lines[end]) {
            inner.append(LineShape.trimmed(lines[end].drop { $0 == 0x3E || $0 == 0x7C || $0 == 0x20 }))
            end += 1
        }
        let filled = inner.filter { !$0.isEmpty }
        return end < lines.count && (3...8).contains(filled.count) && filled.allSatisfy { LineShape.label($0) != nil }
            && ReplyText.isHeaderBlock(filled, at: 0) && !lines[end...].contains { LineShape.isQuoted($0) }
    }

    // MARK: Our own letter

    /// A greeting to the writer, below words of theirs, right below a drawn line or with our name on a line of its own further down: our
    /// letter, quoted without a head and without marks. Nobody greets themselves and signs as us.
    static func echoesUs(_ lines: [ArraySlice<UInt8>], at i: Int, writer: Set<[UInt8]>, ours: [[[UInt8]]]) -> Bool {
        let line = lines[i]
        guard !writer.isEmpty, i > 0, lines[i - 1].isEmpty, line.count < 80,
            let last = line.last, last == 0x2C || last == 0x21 || line.suffix(3).elementsEqual([0xEF, 0xBC, 0x8C])
        else { return false }
        let words = Folding.phrase(String(decoding: line, as: UTF8.self)).split(separator: 0x20).map { Array($0) }
        guard (2...6).contains(words.count), let named = words.last, writer.contains(named), !writer.contains(words[0]) else {
            return false
        }
        if let above = lines[..<i].last(where: { !$0.isEmpty }), LineShape.isOrnament(above), above.count >= 5 { return true }
        return lines[(i + 1)...].prefix(120).contains { line in
            guard !line.isEmpty, line.count < 60 else { return false }
            let signed = Folding.phrase(String(decoding: line, as: UTF8.self)).split(separator: 0x20).map { Array($0) }
            return ours.contains { name in signed == name || signed.count == 1 && signed[0] == name[0] && !writer.contains(signed[0]) }
        }
    }
}
