package import struct NIOCore.ByteBuffer

/// Encodes message content for the DATA phase, RFC 5321 §4.5.2: a dot that opens a line is doubled, and the content ends with CRLF.
///
/// Content that holds a bare CR, a bare LF or NUL, or a line beyond 998 octets is refused, never repaired: repair would break a signature
/// and is how smuggling begins. The final dot is not written here; the session writes it.
package struct DotStuffing: Sendable {
    /// Why content cannot be sent.
    package enum Fault: Error, Sendable, Hashable {
        case bareCarriageReturn
        case bareLineFeed
        case nul
        /// More than 998 octets before CRLF, RFC 5321 §4.5.3.1.6.
        case lineTooLong

        /// For a person.
        package var words: String {
            switch self {
            case .bareCarriageReturn: "a carriage return without a line feed"
            case .bareLineFeed: "a line feed without a carriage return"
            case .nul: "a NUL octet"
            case .lineTooLong: "a line of more than 998 octets"
            }
        }
    }

    private static let longestLine = 998

    private var atLineStart = true
    private var afterReturn = false
    private var lineLength = 0

    package init() {}

    /// Writes the encoded form of the next piece of content to `output`.
    ///
    /// After a fault the content must be abandoned; `output` then holds what came before the faulty octet.
    package mutating func encode(_ content: ArraySlice<UInt8>, into output: inout ByteBuffer) throws(Fault) {
        var runStart = content.startIndex
        var index = content.startIndex
        while index != content.endIndex {
            let byte = content[index]
            if afterReturn {
                guard byte == ASCII.lineFeed else { throw .bareCarriageReturn }
                afterReturn = false
                atLineStart = true
                lineLength = 0
                index += 1
                continue
            }
            switch byte {
            case ASCII.carriageReturn: afterReturn = true
            case ASCII.lineFeed: throw .bareLineFeed
            case ASCII.nul: throw .nul
            default:
                guard lineLength < DotStuffing.longestLine else { throw .lineTooLong }
                lineLength += 1
                if atLineStart, byte == ASCII.dot {
                    output.writeBytes(content[runStart..<index])
                    output.writeInteger(ASCII.dot)
                    runStart = index
                }
            }
            atLineStart = false
            index += 1
        }
        output.writeBytes(content[runStart..<index])
    }

    /// Ends the content: adds the missing CRLF of its last line.
    package mutating func finish(into output: inout ByteBuffer) throws(Fault) {
        guard !afterReturn else { throw .bareCarriageReturn }
        guard !atLineStart else { return }
        output.writeBytes([ASCII.carriageReturn, ASCII.lineFeed])
        atLineStart = true
        lineLength = 0
    }

    /// The whole of a message, encoded and ended with CRLF.
    package static func encoded(_ message: [UInt8]) throws(Fault) -> ByteBuffer {
        var output = ByteBuffer()
        output.reserveCapacity(message.count + message.count / 64 + 2)
        var encoder = DotStuffing()
        try encoder.encode(message[...], into: &output)
        try encoder.finish(into: &output)
        return output
    }
}
