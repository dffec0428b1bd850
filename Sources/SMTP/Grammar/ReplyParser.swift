package import struct NIOCore.ByteBuffer

/// Finds complete replies in what a server sends.
///
/// A reply is complete only with the CRLF of its last line; what stands there without it is `incomplete`, however much it looks like a
/// success. After a fault the parser stays at that fault: the stream cannot be trusted any more.
package struct ReplyParser: Sendable {
    /// The bounds on what a server may make us hold.
    package struct Limits: Sendable, Hashable {
        /// Octets of one line without its CRLF. RFC 5321 §4.5.3.1.5 says 512 with CRLF; servers exceed it.
        package var line = 4096
        /// Lines of one reply.
        package var lines = 512
        /// Octets of one reply.
        package var reply = 64 * 1024

        package init() {}
    }

    /// Why a stream of replies cannot be read on.
    package enum Fault: Sendable, Hashable {
        /// A line does not begin with a three digit code, 200 to 599, and a space, a hyphen or the end of the line.
        case malformedLine
        /// The lines of one reply carry different codes.
        case mixedCodes
        /// A line feed without a carriage return, or the reverse.
        case bareLineEnding
        /// More octets in a line than the limit.
        case lineTooLong
        /// More lines or octets in one reply than the limit.
        case replyTooLong
    }

    /// What `next()` found.
    package enum Step: Sendable, Hashable {
        case reply(Reply)
        case incomplete
        case fault(Fault)
    }

    private let limits: Limits
    private var input = ByteBuffer()
    /// Octets from the reader index that are known to hold no line feed.
    private var searched = 0
    private var code: Int?
    private var lines: [[UInt8]] = []
    private var size = 0
    private var fault: Fault?

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether nothing at all is held: no octet unread, no reply half read.
    package var isEmpty: Bool { input.readableBytes == 0 && code == nil && fault == nil }

    /// Takes in what came from the peer.
    package mutating func append(_ bytes: ByteBuffer) {
        guard fault == nil else { return }
        var bytes = bytes
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeBuffer(&bytes)
        }
    }

    /// The next complete reply, `incomplete` when more octets are needed, or the fault that ended the stream.
    package mutating func next() -> Step {
        if let fault { return .fault(fault) }
        do throws(FoundFault) {
            while let line = try nextLine() {
                if let reply = try take(line) { return .reply(reply) }
            }
            return .incomplete
        } catch {
            fault = error.fault
            return .fault(error.fault)
        }
    }

    private struct FoundFault: Error { let fault: Fault }

    private mutating func nextLine() throws(FoundFault) -> [UInt8]? {
        let view = input.readableBytesView
        guard let end = view.dropFirst(searched).firstIndex(of: ASCII.lineFeed) else {
            searched = view.count
            // One octet more for the carriage return that may stand before the awaited line feed.
            if view.count > limits.line + 1 { throw FoundFault(fault: .lineTooLong) }
            return nil
        }
        let length = end - view.startIndex
        guard length <= limits.line + 1 else { throw FoundFault(fault: .lineTooLong) }
        let line = view[view.startIndex..<end]
        guard let firstReturn = line.firstIndex(of: ASCII.carriageReturn), firstReturn == line.endIndex - 1 else {
            throw FoundFault(fault: .bareLineEnding)
        }
        let text = Array(line.dropLast())
        input.moveReaderIndex(forwardBy: length + 1)
        searched = 0
        if input.readableBytes == 0 { input.clear() }
        return text
    }

    private mutating func take(_ line: [UInt8]) throws(FoundFault) -> Reply? {
        guard line.count >= 3, (0x32...0x35).contains(line[0]), ASCII.isDigit(line[1]), ASCII.isDigit(line[2]) else {
            throw FoundFault(fault: .malformedLine)
        }
        let lineCode = Int(line[0] - 0x30) * 100 + Int(line[1] - 0x30) * 10 + Int(line[2] - 0x30)
        let isLast: Bool
        if line.count == 3 {
            isLast = true
        } else {
            switch line[3] {
            case ASCII.space: isLast = true
            case ASCII.hyphen: isLast = false
            default: throw FoundFault(fault: .malformedLine)
            }
        }
        if let code, code != lineCode { throw FoundFault(fault: .mixedCodes) }
        code = lineCode
        size += line.count + 2
        guard lines.count < limits.lines, size <= limits.reply else { throw FoundFault(fault: .replyTooLong) }
        lines.append(Array(line.dropFirst(4)))
        guard isLast else { return nil }
        let reply = Reply(code: lineCode, lines: lines)
        code = nil
        lines = []
        size = 0
        return reply
    }
}
