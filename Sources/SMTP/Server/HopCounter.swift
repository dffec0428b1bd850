import struct NIOCore.ByteBuffer

/// Counts the Received fields in the header of content as it comes, wherever it is split.
struct HopCounter: Sendable {
    private static let name = Array("RECEIVED".utf8)

    private enum State: Sendable {
        /// So much of the line is the name of the field so far.
        case name(Int)
        case inLine
        /// The header is over.
        case body
    }

    private var state = State.name(0)
    private var lineIsEmpty = true
    private(set) var count = 0

    mutating func read(_ content: ByteBuffer) {
        if case .body = state { return }
        for byte in content.readableBytesView {
            if byte == ASCII.lineFeed {
                if lineIsEmpty {
                    state = .body
                    return
                }
                lineIsEmpty = true
                state = .name(0)
                continue
            }
            if byte == ASCII.carriageReturn { continue }
            lineIsEmpty = false
            guard case .name(let matched) = state else { continue }
            if matched == Self.name.count {
                // RFC 5322 §4.5.8: white space may stand before the colon.
                if byte == ASCII.space || byte == 0x09 { continue }
                if byte == ASCII.colon { count += 1 }
                state = .inLine
            } else {
                state = ASCII.uppercased(byte) == Self.name[matched] ? .name(matched + 1) : .inLine
            }
        }
    }
}
