/// Reads a message into its tree of parts in one pass over the lines, with a stack of open containers instead of recursion.
///
/// Every line that begins with two hyphens is held against the boundaries of the open multiparts, innermost first; a boundary of an
/// outer multipart closes the inner ones. What a limit or a missing boundary cuts off stays in the body of the part it is in.
struct PartTreeParser {
    private(set) var defects = DefectSet()

    private let bytes: ArraySlice<UInt8>
    private let newline: UInt8
    private let limits: Limits
    private var open: [Open] = []
    private var boundaries: [[UInt8]] = []
    private var partCount = 0
    private var reader: HeaderReader
    /// How many encoded messages may still be opened inside each other; each costs one more decoding of its content.
    private let encodedMessagesLeft: Int

    /// A part whose end is not yet known.
    private struct Open {
        var header: Header
        var mediaType: MediaType
        var encoding: TransferEncoding
        var bodyStart: Int
        /// The boundary of a multipart; nil for a leaf and for a message.
        var boundary: [UInt8]?
        var isMessage = false
        var isEncodedMessage = false
        var sawBoundary = false
        var isClosed = false
        var children: [BodyPart] = []
    }

    init(_ bytes: ArraySlice<UInt8>, limits: Limits, encodedMessages: Int = 3) {
        self.bytes = bytes
        self.limits = limits
        encodedMessagesLeft = encodedMessages
        newline = LineEnds.newline(of: bytes)
        reader = HeaderReader(bytes, newline: newline, limits: limits)
    }

    mutating func parse() -> BodyPart {
        var i = openPart(at: bytes.startIndex, insideDigest: false)
        while i < bytes.endIndex {
            if isMarked(i), let hit = boundary(at: i) {
                i = crossBoundary(at: i, hit)
            } else {
                i = nextMarkedLine(after: i)
            }
        }
        var root = close(end: bytes.endIndex)
        while !open.isEmpty {
            open[open.count - 1].children.append(root)
            root = close(end: bytes.endIndex)
        }
        defects.insert(contentsOf: reader.defects.list)
        return root
    }

    /// Whether the line at `i` begins as a boundary does.
    private func isMarked(_ i: Int) -> Bool {
        bytes[i] == ASCII.hyphen && i + 1 < bytes.endIndex && bytes[i + 1] == ASCII.hyphen
    }

    /// The start of the next line behind `start` that begins with two hyphens; the end when there is none, or no boundary to find.
    private func nextMarkedLine(after start: Int) -> Int {
        guard !boundaries.isEmpty else { return bytes.endIndex }
        let span = bytes.span
        var i = start - bytes.startIndex
        while true {
            i = span.firstIndex(of: newline, from: i) + 1
            guard i < span.count else { return bytes.endIndex }
            if span[i] == ASCII.hyphen, i + 1 < span.count, span[i + 1] == ASCII.hyphen { return i + bytes.startIndex }
        }
    }

    /// Reads the header at `start`, puts the part on the stack, and goes on into the messages it contains. The index of its body.
    private mutating func openPart(at start: Int, insideDigest: Bool) -> Int {
        var start = start
        var insideDigest = insideDigest
        while true {
            partCount += 1
            let (header, bodyStart) = readHeader(at: start)
            var part = Open(
                header: header, mediaType: insideDigest ? MediaType("message", "rfc822") : .plainText, encoding: .identity,
                bodyStart: bodyStart)
            if let field = header.first("Content-Type") {
                if let type = MediaType(parsing: field.rawValue) { part.mediaType = type } else { defects.insert(.contentTypeSyntax) }
            }
            if let field = header.first("Content-Transfer-Encoding") {
                part.encoding = TransferEncoding(parsing: field.rawValue)
                if part.encoding == .unknown { defects.insert(.unknownTransferEncoding) }
            }
            classify(&part)
            open.append(part)
            if let boundary = part.boundary { boundaries.append(boundary) }
            guard part.isMessage else { return bodyStart }
            guard partCount < limits.parts else {
                defects.insert(.tooManyParts)
                return bodyStart
            }
            start = bodyStart
            insideDigest = false
        }
    }

    private mutating func readHeader(at start: Int) -> (Header, Int) {
        let result = reader.read(from: start, boundaries: boundaries)
        return (result.header, result.bodyStart)
    }

    private mutating func classify(_ part: inout Open) {
        let type = part.mediaType
        let isMessage = type.type == "message" && (type.subtype == "rfc822" || type.subtype == "global" || type.subtype == "news")
        guard type.type == "multipart" || isMessage else { return }
        guard open.count < limits.depth else { return defects.insert(.nestedTooDeep) }
        if part.encoding != .identity, part.encoding != .unknown {
            defects.insert(.encodedContainer)
            // Quirk(encoded messages): a base64 message/rfc822 is parsed from its decoded bytes when it is closed. A multipart
            // that claims an encoding practically never is encoded.
            if isMessage {
                part.isEncodedMessage = encodedMessagesLeft > 0
                return
            }
            part.encoding = .identity
        }
        if isMessage {
            part.isMessage = true
        } else if let boundary = type.parameters.bytes("boundary"), boundary.count <= 500 {
            // White space at the end cannot be part of it: lines lose theirs on the way.
            part.boundary = Array(boundary[...].trimmed)
        } else {
            defects.insert(.noBoundaryParameter)
            part.boundary = BoundaryGuess.boundary(in: bytes[part.bodyStart...], newline: newline, not: boundaries)
        }
    }

    /// Which open multipart the line at `start` belongs to, and whether it closes it.
    private func boundary(at start: Int) -> (level: Int, closes: Bool)? {
        var level = open.count - 1
        while level >= 0 {
            if let boundary = open[level].boundary, !open[level].isClosed {
                let end = start + 2 + boundary.count
                if end <= bytes.endIndex, (boundary.isEmpty || bytes[start + 2] == boundary[0]),
                    bytes[(start + 2)..<end].elementsEqual(boundary)
                {
                    if end == bytes.endIndex { return (level, false) }
                    if bytes[end].isWhitespace, onlySpace(end) { return (level, false) }
                    if bytes[end] == ASCII.hyphen, end + 1 < bytes.endIndex, bytes[end + 1] == ASCII.hyphen { return (level, true) }
                }
            }
            level -= 1
        }
        return nil
    }

    private func onlySpace(_ start: Int) -> Bool {
        var i = start
        while i < bytes.endIndex, bytes[i] != newline {
            if !bytes[i].isWhitespace { return false }
            i += 1
        }
        return true
    }

    /// Closes what the boundary line at `start` ends and opens what it begins. The index to go on from.
    private mutating func crossBoundary(at start: Int, _ hit: (level: Int, closes: Bool)) -> Int {
        let end = endBefore(start)
        while open.count - 1 > hit.level {
            let part = close(end: end)
            open[open.count - 1].children.append(part)
        }
        open[hit.level].sawBoundary = true
        let next = reader.nextLine(start)
        if hit.closes {
            open[hit.level].isClosed = true
            rebuildBoundaries()
            return next
        }
        guard partCount < limits.parts else {
            defects.insert(.tooManyParts)
            return next
        }
        let isDigest = open[hit.level].mediaType.subtype == "digest"
        return openPart(at: next, insideDigest: isDigest)
    }

    /// The line end before a boundary line belongs to the boundary (RFC 2046 §5.1.1).
    private func endBefore(_ start: Int) -> Int {
        var end = start
        let floor = open.last.map(\.bodyStart) ?? bytes.startIndex
        if end > floor, bytes[end - 1] == newline { end -= 1 }
        if end > floor, newline == ASCII.lf, end < start, bytes[end - 1] == ASCII.cr { end -= 1 }
        return end
    }

    private mutating func rebuildBoundaries() {
        boundaries = open.compactMap { $0.isClosed ? nil : $0.boundary }
    }

    private mutating func close(end: Int) -> BodyPart {
        let part = open.removeLast()
        if part.boundary != nil {
            if !part.sawBoundary {
                defects.insert(.boundaryNeverFound)
            } else if !part.isClosed {
                defects.insert(.missingFinalBoundary)
            }
            rebuildBoundaries()
        }
        let body = bytes[part.bodyStart..<max(part.bodyStart, end)]
        var result = BodyPart(
            header: part.header, mediaType: part.mediaType, transferEncoding: part.encoding, body: body, children: part.children)
        if part.isEncodedMessage { openEncodedMessage(&result) }
        return result
    }

    /// Reads the message inside an encoded message/rfc822. Its own limits are what is left of this message's.
    private mutating func openEncodedMessage(_ part: inout BodyPart) {
        var left = limits
        left.depth = max(0, limits.depth - open.count - 1)
        left.parts = max(0, limits.parts - partCount)
        guard left.depth > 0, left.parts > 0 else { return defects.insert(.nestedTooDeep) }
        let decoded = part.decodedBody(limit: limits.decodedBytes)
        defects.insert(contentsOf: decoded.defects)
        var parser = PartTreeParser(decoded.bytes[...], limits: left, encodedMessages: encodedMessagesLeft - 1)
        part.children = [parser.parse()]
        partCount += parser.partCount
        defects.insert(contentsOf: parser.defects.list)
    }
}
