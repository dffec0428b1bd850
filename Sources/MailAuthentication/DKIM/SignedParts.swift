import InternetMessage

/// A message as signatures see it: each header field with its folding, and the body.
struct SignedParts {
    let fields: [HeaderField]
    let body: ArraySlice<UInt8>

    init(_ message: [UInt8]) {
        let parsed = Message(parsing: message)
        fields = parsed.header.fields
        body = parsed.rawBody
    }

    func count(of name: String) -> Int { fields.count { $0.isNamed(name) } }
}

/// Picks the fields that `h=` names: for each name the last one not yet taken (RFC 6376 §5.4.2).
struct FieldChooser {
    private let fields: [HeaderField]
    private var taken: [[UInt8]: Int] = [:]

    init(_ fields: [HeaderField]) { self.fields = fields }

    /// The bytes of the next field of that name from the bottom; nil when there are no more.
    mutating func next(named name: String) -> ArraySlice<UInt8>? {
        let key = name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        var skip = taken[key, default: 0]
        for field in fields.reversed() where field.isNamed(name) {
            if skip == 0 {
                taken[key, default: 0] += 1
                return field.raw
            }
            skip -= 1
        }
        return nil
    }
}
