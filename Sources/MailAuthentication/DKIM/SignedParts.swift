/// A message as signatures see it: each header field with its folding, and the body. Nothing is decoded and nothing copied.
struct SignedParts {
    /// One field by its places in the message.
    struct Field {
        let start: Int
        /// Behind the name, before blanks and the colon.
        let nameEnd: Int
        let colon: Int
        /// Behind the last line end.
        var end: Int
    }

    /// Fields beyond these are not seen; no real header has so many.
    private static let mostFields = 5_000

    let message: [UInt8]
    private(set) var fields: [Field] = []
    private var bodyStart = 0

    var body: ArraySlice<UInt8> { message[bodyStart...] }

    init(_ message: [UInt8]) {
        self.message = message
        fields.reserveCapacity(32)
        let octets = message.span
        var line = 0
        while line < octets.count {
            var end = line
            var colon = -1
            while end < octets.count, octets[end] != 10 {
                if colon < 0, octets[end] == UInt8(ascii: ":") { colon = end }
                end += 1
            }
            end = min(end + 1, octets.count)
            let isEmpty = octets[line] == 10 || (octets[line] == 13 && line + 2 == end && octets[line + 1] == 10)
            if isEmpty {
                bodyStart = end
                return
            }
            if octets[line].isBlank {
                if !fields.isEmpty { fields[fields.count - 1].end = end }
            } else if colon > line, fields.count < Self.mostFields {
                var nameEnd = colon
                while nameEnd > line, octets[nameEnd - 1].isBlank { nameEnd -= 1 }
                fields.append(Field(start: line, nameEnd: nameEnd, colon: colon, end: end))
            }
            line = end
        }
        bodyStart = octets.count
    }

    /// The whole field with its line end.
    func raw(_ field: Field) -> ArraySlice<UInt8> { message[field.start..<field.end] }

    /// What stands behind the colon, folding and all.
    func value(_ field: Field) -> ArraySlice<UInt8> {
        var end = field.end
        if end > field.colon + 1, message[end - 1] == 10 { end -= 1 }
        if end > field.colon + 1, message[end - 1] == 13 { end -= 1 }
        return message[(field.colon + 1)..<end]
    }

    /// Whether the field has that name, given in lower case.
    func isNamed(_ field: Field, _ name: [UInt8]) -> Bool {
        guard field.nameEnd - field.start == name.count else { return false }
        var at = field.start
        for byte in name {
            guard message[at].lowercased == byte else { return false }
            at += 1
        }
        return true
    }

    /// The fields that a list of names chooses: for each name the last one not yet taken (RFC 6376 §5.4.2); a name too many chooses none.
    func chosen(by names: [[UInt8]]) -> [Field] {
        var lowest: [[UInt8]: Int] = [:]
        var chosen: [Field] = []
        for name in names {
            var index = lowest[name] ?? fields.count
            while index > 0 {
                index -= 1
                if isNamed(fields[index], name) {
                    chosen.append(fields[index])
                    break
                }
            }
            lowest[name] = index
        }
        return chosen
    }
}
