import struct NIOCore.ByteBuffer

/// Finds where one response ends and the next begins, before anybody reads what it says.
///
/// ## Overview
/// A response is a line, or several joined by literals: a line that ends in `{n}` is followed by n octets and then goes on
/// (RFC 9051 §4.3). The reader looks at nothing else, so a response that makes no sense costs that response alone.
///
/// ## Bounds
/// A line beyond its limit and a literal beyond its limit are read past without being held, and the frame says so. Only
/// a literal whose size cannot be followed (`{-1}`, `{18446744073709551616}`, more than `Limits.skipped`) is fatal:
/// nobody knows where the next response begins.
struct FrameReader: Sendable {
    struct Limits: Equatable, Sendable {
        /// Octets of one response outside its literals. RFC 9051 sets no limit; a FETCH of ours needs some hundred.
        var line = 64 * 1024
        /// The same for `SEARCH`, whose one line grows with the mailbox: two million UIDs.
        var searchLine = 32 * 1024 * 1024
        /// Octets of all the literals of one response that are held in memory.
        var literal = 25 * 1024 * 1024
        /// Octets of one literal that are read past.
        var skipped: UInt64 = 4 * 1024 * 1024 * 1024
        /// Literals in one response.
        var literalCount = 1000
    }

    enum Outcome: Equatable {
        case incomplete
        case frame(Frame)
        /// The connection cannot be followed any further; every later call gives the same.
        case fatal(Fault)
    }

    enum Fault: Equatable {
        case literalSizeUnreadable
        case literalTooLong(UInt64)
        case tooManyLiterals
    }

    private enum Stage: Sendable {
        case line
        case holding([UInt8], remaining: Int)
        case skipping(size: UInt64, remaining: UInt64)
        case failed(Fault)
    }

    private let limits: Limits
    private let toleratesBareLineFeed: Bool
    private var input = ByteBuffer()
    /// How much of the input has been searched for a line end in vain.
    private var searched = 0
    private var stage = Stage.line
    private var frame = Frame()
    /// Octets of the lines in `frame`, the markers of literals included.
    private var lineLength = 0
    /// Octets of the literals in `frame`.
    private var heldLength = 0

    init(limits: Limits = Limits(), quirks: Quirks = Quirks()) {
        self.limits = limits
        toleratesBareLineFeed = quirks.bareLineFeed
    }

    /// Whether nothing stands in the reader but whole frames already given out.
    var isEmpty: Bool {
        guard case .line = stage else { return false }
        return input.readableBytes == 0 && lineLength == 0 && frame.literals.isEmpty && !frame.isOverlong
    }

    /// Takes what came over the wire.
    mutating func append(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        }
    }

    /// The next complete response, if there is one.
    mutating func next() -> Outcome {
        while true {
            switch stage {
            case .failed(let fault):
                return .fatal(fault)
            case .line:
                guard let line = nextLine() else { return .incomplete }
                if let outcome = finishLine(line) { return outcome }
            case .holding(var bytes, let remaining):
                stage = .line
                guard let part = input.readBytes(length: min(remaining, input.readableBytes)) else { return .incomplete }
                if bytes.isEmpty { bytes = part } else { bytes += part }
                guard part.count == remaining else {
                    stage = .holding(bytes, remaining: remaining - part.count)
                    return .incomplete
                }
                frame.literals.append(Frame.Literal(offset: frame.text.count, content: .bytes(bytes)))
            case .skipping(let size, let remaining):
                let step = Int(min(remaining, UInt64(input.readableBytes)))
                input.moveReaderIndex(forwardBy: step)
                guard UInt64(step) == remaining else {
                    stage = .skipping(size: size, remaining: remaining - UInt64(step))
                    return .incomplete
                }
                stage = .line
                if !frame.isOverlong {
                    frame.literals.append(Frame.Literal(offset: frame.text.count, content: .oversized(size: size)))
                }
            }
        }
    }

    /// The next line of the input without its end; of an overlong line, what may be kept of it.
    private mutating func nextLine() -> [UInt8]? {
        let view = input.readableBytesView
        var from = view.startIndex + searched
        while let end = view[from...].firstIndex(of: ASCII.lf) {
            let hasReturn = end > view.startIndex && view[end - 1] == ASCII.cr
            from = end + 1
            // Quirk(home-grown servers, line-end rewriting proxies): LF alone ends a line; QuirksTests "bare line feed".
            guard hasReturn || toleratesBareLineFeed else { continue }
            let length = end - view.startIndex
            noteLength(length)
            let line = input.readBytes(length: length).map { hasReturn ? $0.dropLast() : $0[...] } ?? []
            input.moveReaderIndex(forwardBy: 1)
            searched = 0
            lineLength += length + 1
            return Array(line)
        }
        searched = input.readableBytes
        noteLength(searched)
        if frame.isOverlong, searched > Self.markerRoom {
            // Only the end of an overlong line still matters: it may announce a literal.
            input.moveReaderIndex(forwardBy: searched - Self.markerRoom)
            lineLength += searched - Self.markerRoom
            searched = Self.markerRoom
        }
        return nil
    }

    /// More than the longest marker that can be followed, `~{18446744073709551615+}` and CR.
    private static let markerRoom = 32

    /// Marks the frame as overlong when the line in progress has grown too far, keeping the beginning of the response.
    private mutating func noteLength(_ length: Int) {
        guard !frame.isOverlong, lineLength + length > limits.line, lineLength + length > limit() else { return }
        frame.isOverlong = true
        if frame.text.isEmpty { frame.text = Array(input.readableBytesView.prefix(min(1024, length))) }
        frame.literals = []
    }

    /// The line limit that holds for the response in progress.
    private func limit() -> Int {
        let beginning = frame.text.isEmpty ? Array(input.readableBytesView.prefix(16)) : Array(frame.text.prefix(16))
        let words = beginning.split(separator: ASCII.space, maxSplits: 2)
        guard words.count > 1, words[0] == [UInt8(ascii: "*")], ASCII.equalFolded(words[1], ASCII.bytes("SEARCH")[...])
        else { return limits.line }
        return limits.searchLine
    }

    /// Adds a line to the frame; gives the outcome when that completes or ruins it.
    private mutating func finishLine(_ line: [UInt8]) -> Outcome? {
        let isFirst = frame.text.isEmpty && frame.literals.isEmpty
        let beginning = frame.isOverlong ? frame.text[...] : line[...]
        if frame.isOverlong || isFirst, Frame.endsInFreeText(beginning) { return complete(with: line) }
        switch LiteralMarker(endOf: line) {
        case .none:
            return complete(with: line)
        case .unreadable:
            return fail(.literalSizeUnreadable)
        case .size(let size, let start):
            guard size <= limits.skipped else { return fail(.literalTooLong(size)) }
            if frame.isOverlong {
                stage = .skipping(size: size, remaining: size)
                return nil
            }
            guard frame.literals.count < limits.literalCount else { return fail(.tooManyLiterals) }
            frame.text += line[..<start]
            if size > UInt64(limits.literal - heldLength) {
                stage = .skipping(size: size, remaining: size)
            } else if size == 0 {
                frame.literals.append(Frame.Literal(offset: frame.text.count, content: .bytes([])))
            } else {
                heldLength += Int(size)
                stage = .holding([], remaining: Int(size))
            }
            return nil
        }
    }

    private mutating func complete(with line: [UInt8]) -> Outcome {
        if frame.isOverlong { return give() }
        if frame.text.isEmpty { frame.text = line } else { frame.text += line }
        return give()
    }

    private mutating func give() -> Outcome {
        defer {
            frame = Frame()
            lineLength = 0
            heldLength = 0
        }
        return .frame(frame)
    }

    private mutating func fail(_ fault: Fault) -> Outcome {
        stage = .failed(fault)
        input = ByteBuffer()
        return .fatal(fault)
    }
}

/// What the end of a line says about a literal: `{n}`, `{n+}`, `~{n}` or `~{n+}` (RFC 9051 `literal`, `literal8`).
private enum LiteralMarker {
    case none
    case unreadable
    case size(UInt64, start: Int)

    init(endOf line: [UInt8]) {
        self = .none
        guard line.last == UInt8(ascii: "}"), let open = line.suffix(40).lastIndex(of: UInt8(ascii: "{")) else { return }
        var inside = line[(open + 1)..<(line.count - 1)]
        if inside.last == UInt8(ascii: "+") { inside.removeLast() }
        let isNegative = inside.first == UInt8(ascii: "-")
        let digits = isNegative ? inside.dropFirst() : inside
        guard !digits.isEmpty, digits.allSatisfy({ ASCII.digit($0) != nil }) else { return }
        guard !isNegative, let size = ASCII.uint64(digits) else {
            self = .unreadable
            return
        }
        let hasTilde = open > 0 && line[open - 1] == UInt8(ascii: "~")
        self = .size(size, start: hasTilde ? open - 1 : open)
    }
}
