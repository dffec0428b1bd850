import struct NIOCore.ByteBuffer

/// Finds command lines: ended by exactly CRLF, bounded, without NUL or a stray CR or LF.
struct LineFramer: Sendable {
    enum Fault: Sendable, Hashable {
        case lineTooLong
        /// A carriage return or a line feed that is not part of CRLF, or NUL.
        case strayControl
    }

    enum Step: Sendable, Hashable {
        case line([UInt8])
        case incomplete
        case fault(Fault)
    }

    /// Octets of a line without its CRLF.
    let limit: Int
    private(set) var input = ByteBuffer()

    init(limit: Int) {
        self.limit = limit
    }

    var unread: Int { input.readableBytes }

    mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
    }

    mutating func next() -> Step {
        let view = input.readableBytesView
        var length = 0
        for byte in view {
            switch byte {
            case ASCII.nul: return .fault(.strayControl)
            case ASCII.carriageReturn:
                let behind = view.startIndex + length + 1
                guard behind < view.endIndex else { return .incomplete }
                guard view[behind] == ASCII.lineFeed else { return .fault(.strayControl) }
                let line = Array(view.prefix(length))
                input.moveReaderIndex(forwardBy: length + 2)
                if input.readableBytes == 0 { input.clear() }
                return .line(line)
            case ASCII.lineFeed: return .fault(.strayControl)
            default:
                length += 1
                if length > limit { return .fault(.lineTooLong) }
            }
        }
        return .incomplete
    }

    /// Hands over all that is unread, as the first octets of content.
    mutating func takeAll() -> ByteBuffer {
        let all = input
        input = ByteBuffer()
        return all
    }
}
