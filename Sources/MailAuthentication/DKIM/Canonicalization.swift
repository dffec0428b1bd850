/// One of the two canonicalization algorithms of RFC 6376 §3.4.
///
/// What is canonical already is handed on in runs as long as they come, so that a body is digested without a copy.
package enum Canonicalization: String, Sendable, CaseIterable {
    case simple
    case relaxed

    private static let cr = UInt8(ascii: "\r")
    private static let lf = UInt8(ascii: "\n")
    private static let lineEnd: ArraySlice<UInt8> = [13, 10]
    private static let space: ArraySlice<UInt8> = [32]

    // MARK: Header fields

    /// A header field without its last CRLF, in canonical form and without a CRLF of its own.
    package func header(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        appendHeader(field, to: &output)
        return output
    }

    func appendHeader(_ field: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var end = field.endIndex
        if end > field.startIndex, field[end - 1] == Self.lf { end -= 1 }
        if end > field.startIndex, field[end - 1] == Self.cr { end -= 1 }
        guard self == .relaxed, let colon = field.firstIndex(of: UInt8(ascii: ":")) else {
            output += field[..<end]
            return
        }
        let octets = field.span
        let base = field.startIndex
        for index in 0..<(colon - base) where !octets[index].isBlank { output.append(octets[index].lowercased) }
        output.append(UInt8(ascii: ":"))
        var gap = false
        var started = false
        for index in (colon - base + 1)..<max(colon - base + 1, end - base) {
            let byte = octets[index]
            if byte > 32 {
                if gap, started { output.append(32) }
                gap = false
                started = true
                output.append(byte)
            } else if byte.isBlank {
                gap = true
            } else if byte != Self.cr, byte != Self.lf {
                if gap, started { output.append(32) }
                gap = false
                started = true
                output.append(byte)
            }
        }
    }

    // MARK: Bodies

    /// The body in canonical form; lines end with CRLF in what comes in.
    package func body(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var output = OctetCollector()
        writeBody(body, into: &output)
        return output.octets
    }

    func writeBody<Sink: OctetSink>(_ body: ArraySlice<UInt8>, into sink: inout Sink) {
        switch self {
        case .simple: Self.writeSimple(body, into: &sink)
        case .relaxed: Self.writeRelaxed(body, into: &sink)
        }
    }

    private static func writeSimple<Sink: OctetSink>(_ body: ArraySlice<UInt8>, into sink: inout Sink) {
        var end = body.endIndex
        while end - 2 >= body.startIndex, body[end - 1] == lf, body[end - 2] == cr { end -= 2 }
        if end > body.startIndex { sink.append(body[..<end]) }
        sink.append(lineEnd)
    }

    private static func writeRelaxed<Sink: OctetSink>(_ body: ArraySlice<UInt8>, into sink: inout Sink) {
        let octets = body.span
        let base = body.startIndex
        let count = octets.count
        var runStart = 0
        var index = 0
        var hasContent = false
        while true {
            // `index` is behind the last octet that counts; what follows is blanks and line ends up to the next one that does.
            let gapStart = index
            let gap = Self.gap(octets, from: index)
            index = gap.end
            guard index < count else {
                guard hasContent || gap.hasBlank else { return }
                if gapStart > runStart { sink.append(body[(base + runStart)..<(base + gapStart)]) }
                if gap.hasBlank {
                    // Blanks that no line end follows are a line of their own.
                    for _ in 0..<gap.lines { sink.append(lineEnd) }
                    sink.append(space)
                }
                return sink.append(lineEnd)
            }
            if !gap.isCanonical {
                if gapStart > runStart { sink.append(body[(base + runStart)..<(base + gapStart)]) }
                for _ in 0..<gap.lines { sink.append(lineEnd) }
                if gap.hasBlank { sink.append(space) }
                runStart = index
            }
            hasContent = true
            index = Self.wordEnd(octets, from: index)
        }
    }

    /// Blanks and line ends between two octets that count.
    private struct Gap {
        var end: Int
        var lines = 0
        /// Whether a blank stands right before what follows.
        var hasBlank = false
        var isCanonical = true
    }

    private static func gap(_ octets: borrowing Span<UInt8>, from start: Int) -> Gap {
        var gap = Gap(end: start)
        while gap.end < octets.count {
            let byte = octets[gap.end]
            if byte.isBlank {
                if byte != 32 || gap.hasBlank { gap.isCanonical = false }
                gap.hasBlank = true
                gap.end += 1
            } else if byte == cr, gap.end + 1 < octets.count, octets[gap.end + 1] == lf {
                if gap.hasBlank { gap.isCanonical = false }
                gap.hasBlank = false
                gap.lines += 1
                gap.end += 2
            } else if byte == lf {
                gap.isCanonical = false
                gap.hasBlank = false
                gap.lines += 1
                gap.end += 1
            } else {
                break
            }
        }
        return gap
    }

    /// The end of what counts, single spaces between words passed over.
    private static func wordEnd(_ octets: borrowing Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < octets.count {
            let byte = octets[index]
            if byte > 32 {
                index += 1
            } else if byte == 32 {
                guard index + 1 < octets.count, octets[index + 1] > 32 else { return index }
                index += 2
            } else if byte == 9 || byte == lf {
                return index
            } else if byte == cr {
                if index + 1 < octets.count, octets[index + 1] == lf { return index }
                index += 1
            } else {
                index += 1
            }
        }
        return index
    }
}
