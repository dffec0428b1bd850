import struct NIOCore.ByteBuffer

/// Finds the end of content and undoes dot-stuffing, RFC 5321 §4.5.2.
///
/// The end is exactly CRLF.CRLF, wherever the input is split; the CRLF of the DATA command counts as the first. A bare CR, a bare LF or NUL
/// is a fault, and the framer never returns to commands after a fault: nothing behind it can be told apart from content.
struct DataFramer: Sendable {
    enum Step: Sendable, Hashable {
        /// All input was content so far.
        case incomplete
        /// The end was found; `rest` stands behind it.
        case end(rest: ByteBuffer)
        /// A bare CR, a bare LF or NUL.
        case fault
    }

    private enum State: Sendable {
        case lineStart
        case inLine
        case afterReturn
        /// A dot that opens a line, held back.
        case afterDot
        /// A dot that opens a line and a carriage return, both held back.
        case afterDotReturn
        case faulty
    }

    private var state = State.lineStart
    /// Octets of content so far, without the dots of stuffing and without the end.
    private(set) var size: UInt64 = 0

    /// Reads `input` and writes the content found in it to `content`.
    mutating func read(_ input: ByteBuffer, into content: inout ByteBuffer) -> Step {
        var input = input
        guard let bytes = input.readBytes(length: input.readableBytes) else { return .incomplete }
        let before = content.readableBytes
        let step = read(bytes, into: &content)
        size += UInt64(content.readableBytes - before)
        return step
    }

    private mutating func read(_ bytes: [UInt8], into content: inout ByteBuffer) -> Step {
        // Where the octets begin that belong to the content and are not written yet.
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch state {
            case .inLine:
                switch byte {
                case ASCII.carriageReturn: state = .afterReturn
                case ASCII.lineFeed, ASCII.nul: return fault()
                default: index = Self.endOfRun(in: bytes.span, from: index) - 1
                }
            case .afterReturn:
                guard byte == ASCII.lineFeed else { return fault() }
                state = .lineStart
            case .lineStart:
                switch byte {
                case ASCII.dot:
                    content.writeBytes(bytes[start..<index])
                    start = index + 1
                    state = .afterDot
                case ASCII.carriageReturn: state = .afterReturn
                case ASCII.lineFeed, ASCII.nul: return fault()
                default: state = .inLine
                }
            case .afterDot:
                switch byte {
                case ASCII.carriageReturn:
                    start = index + 1
                    state = .afterDotReturn
                case ASCII.lineFeed, ASCII.nul: return fault()
                default: state = .inLine
                }
            case .afterDotReturn:
                guard byte == ASCII.lineFeed else { return fault() }
                return .end(rest: ByteBuffer(bytes: bytes[(index + 1)...]))
            case .faulty: return .fault
            }
            index += 1
        }
        if start < bytes.count { content.writeBytes(bytes[start...]) }
        return .incomplete
    }

    /// Where the octets end that stand within a line and mean nothing to the framer.
    private static func endOfRun(in bytes: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte <= ASCII.carriageReturn, byte == ASCII.carriageReturn || byte == ASCII.lineFeed || byte == ASCII.nul { return end }
            end += 1
        }
        return end
    }

    private mutating func fault() -> Step {
        state = .faulty
        return .fault
    }
}
