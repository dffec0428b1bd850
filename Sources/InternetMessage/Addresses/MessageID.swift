/// A message identifier without its angle brackets (RFC 5322 §3.6.4); equality goes by bytes.
package struct MessageID: Hashable, Sendable {
    /// The identifier: no white space, no control characters, no angle brackets.
    package let bytes: [UInt8]

    /// A legal identifier to be written into a message: dot-atom `@` dot-atom or domain literal, ASCII, at most 900 octets.
    /// Angle brackets around it are not accepted. Nil for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard MessageID.isLegal(bytes) else { return nil }
        self.bytes = bytes
    }

    /// An identifier as it was found in somebody else's message; nil when it is empty or holds white space, control
    /// characters or angle brackets, or is longer than 998 octets.
    package init?(lenient bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard !bytes.isEmpty, bytes.count <= 998,
            bytes.allSatisfy({ $0 > ASCII.space && $0 != ASCII.delete && $0 != ASCII.less && $0 != ASCII.greater })
        else { return nil }
        self.bytes = bytes
    }

    /// The identifier as text, bytes beyond UTF-8 replaced.
    package var text: String { bytes.utf8Text }

    /// Whether the identifier may be written into a message of ours as it is; foreign ones may hold 8-bit bytes.
    package var isWritable: Bool { bytes.count <= 900 && bytes.allSatisfy { $0 > ASCII.space && $0 < ASCII.delete } }

    /// The identifiers of an In-Reply-To or References field, in order and without repetitions.
    ///
    /// Whatever stands in angle brackets counts; white space inside them (from careless folding) is dropped. Without any
    /// brackets, words with an `@` count.
    package static func list(parsing value: ArraySlice<UInt8>, limit: Int = Limits.default.references) -> [MessageID] {
        var found: [MessageID] = []
        var seen: Set<MessageID> = []
        func add(_ bytes: some Collection<UInt8>) {
            guard let id = MessageID(lenient: bytes) else { return }
            // A short list is searched faster than hashed.
            if found.count < 16 {
                guard !found.contains(id) else { return }
            } else {
                if seen.isEmpty { seen = Set(found) }
                guard seen.insert(id).inserted else { return }
            }
            found.append(id)
        }
        var i = value.startIndex
        var sawBracket = false
        while found.count < limit, let open = value.index(of: ASCII.less, from: i) {
            sawBracket = true
            guard let close = value.index(of: ASCII.greater, from: open) else {
                add(value[(open + 1)...].filter { !$0.isWhitespace })
                break
            }
            // Quirk(lost bracket): "<a@x <b@x>" holds two identifiers.
            for piece in value[(open + 1)..<close].split(separator: ASCII.less) where found.count < limit {
                add(piece.filter { !$0.isWhitespace })
            }
            i = close + 1
        }
        guard !sawBracket else { return found }
        for word in value.split(whereSeparator: { $0.isWhitespace || $0 == ASCII.comma || $0 == ASCII.semicolon })
        where found.count < limit && word.contains(ASCII.at) {
            add(word)
        }
        return found
    }

    private static func isLegal(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= 900, bytes.isASCII, let at = bytes.firstIndex(of: ASCII.at), AddressSyntax.isDotAtom(bytes[..<at]) else {
            return false
        }
        let right = Array(bytes[(at + 1)...])
        return AddressSyntax.isDotAtom(right) || (right.first == ASCII.openBracket && AddressSyntax.isHarmless(domain: right))
    }
}
