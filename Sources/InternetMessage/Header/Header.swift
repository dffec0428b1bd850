/// The fields of one header in their order, each with its exact bytes.
package struct Header: Sendable {
    struct Position: Sendable {
        var start: Int
        var nameEnd: Int
        var valueStart: Int
        var end: Int
    }

    let bytes: ArraySlice<UInt8>
    let positions: [Position]
    /// The charset that raw 8-bit bytes in the fields are probably in: that of the text of the message. Nil when nothing is known.
    var charsetHint: String?

    init(bytes: ArraySlice<UInt8>, positions: [Position]) {
        self.bytes = bytes
        self.positions = positions
    }

    /// Reads a header that stands alone, such as a text/rfc822-headers part; it ends at the first empty line.
    package init(parsing bytes: ArraySlice<UInt8>, limits: Limits = .default) {
        var reader = HeaderReader(bytes, newline: LineEnds.newline(of: bytes), limits: limits)
        self = reader.read(from: bytes.startIndex, boundaries: []).header
    }

    /// The exact bytes of the header, without the empty line that ends it.
    package var raw: ArraySlice<UInt8> { bytes }

    /// All fields in order.
    package var fields: [HeaderField] { positions.map { field($0) } }

    /// The number of fields.
    package var count: Int { positions.count }

    /// The first field of this name, case ignored; nil when there is none.
    package func first(_ name: String) -> HeaderField? {
        for position in positions where isNamed(name, position) { return field(position) }
        return nil
    }

    /// The last field of this name, case ignored; nil when there is none.
    package func last(_ name: String) -> HeaderField? {
        for position in positions.reversed() where isNamed(name, position) { return field(position) }
        return nil
    }

    /// All fields of this name in order, case ignored.
    package func all(_ name: String) -> [HeaderField] {
        positions.filter { isNamed(name, $0) }.map { field($0) }
    }

    /// The identifier in the Message-ID field, nil when there is none that can be read.
    package var messageID: MessageID? {
        first("Message-ID").flatMap { field in
            MessageID.list(parsing: field.rawValue).first ?? MessageID(lenient: field.rawValue.trimmed)
        }
    }

    private func field(_ position: Position) -> HeaderField {
        HeaderField(
            raw: bytes[position.start..<position.end], nameEnd: position.nameEnd, valueStart: position.valueStart,
            charsetHint: charsetHint)
    }

    private func isNamed(_ name: String, _ position: Position) -> Bool {
        position.nameEnd - position.start == name.utf8.count && bytes[position.start..<position.nameEnd].matches(name)
    }
}

extension Header: Hashable {
    package static func == (left: Header, right: Header) -> Bool { left.bytes == right.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
