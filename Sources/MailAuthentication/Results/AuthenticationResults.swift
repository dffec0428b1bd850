/// The value of an Authentication-Results field (RFC 8601 §2.2).
package struct AuthenticationResults: Sendable, Equatable {
    /// One thing that was looked at: `smtp.mailfrom=ann@example.com`.
    package struct Property: Sendable, Equatable {
        /// `smtp`, `header`, `body`, `policy`; empty for what some write without a type.
        package let type: String
        package let name: String
        /// Without quotes. Foreign text.
        package let value: String

        package init(_ type: String, _ name: String, _ value: String) {
            self.type = type
            self.name = name
            self.value = value
        }
    }

    /// The result of one method.
    package struct Entry: Sendable, Equatable {
        /// Lower case, such as `dkim`.
        package let method: String
        /// Lower case, such as `pass`.
        package let result: String
        package var reason: String?
        package var comment: String?
        package var properties: [Property] = []

        package init(method: String, result: String, reason: String? = nil, comment: String? = nil, properties: [Property] = []) {
            self.method = method
            self.result = result
            self.reason = reason
            self.comment = comment
            self.properties = properties
        }

        /// The value of the first such property; nil when there is none.
        package func property(_ type: String, _ name: String) -> String? {
            properties.first { $0.type.utf8.elementsEqual(type.utf8) && $0.name.utf8.elementsEqual(name.utf8) }?.value
        }
    }

    /// Who checked, as written; empty when the field does not say.
    package let authservID: String
    package let entries: [Entry]

    package init(authservID: String, entries: [Entry]) {
        self.authservID = authservID
        self.entries = entries
    }

    /// The first result of that method; nil when there is none.
    package func entry(_ method: String) -> Entry? { entries.first { $0.method.utf8.elementsEqual(method.utf8) } }

    // MARK: Writing

    /// The value on one line; whatever it holds, there is no control character and nothing but ASCII in it.
    package var value: String {
        Self.text(authservID) + (entries.isEmpty ? "; none" : entries.map { "; \(Self.pieces($0).joined(separator: " "))" }.joined())
    }

    /// The whole field with CRLF: each result on a line of its own, folded where it is long.
    package var field: [UInt8] {
        var field = Array("Authentication-Results: \(Self.text(authservID))".utf8)
        for pieces in entries.isEmpty ? [["none"]] : entries.map(Self.pieces) {
            field += Array(";\r\n\t".utf8)
            var column = 8
            for (index, piece) in pieces.enumerated() {
                if index > 0, column + piece.utf8.count > 76 {
                    field += Array("\r\n\t ".utf8)
                    column = 9
                } else if index > 0 {
                    field.append(32)
                    column += 1
                }
                field += Array(piece.utf8)
                column += piece.utf8.count
            }
        }
        return field + [13, 10]
    }

    /// What stands between two places where a line may be folded.
    private static func pieces(_ entry: Entry) -> [String] {
        var pieces = ["\(token(entry.method))=\(token(entry.result))"]
        if let comment = entry.comment { pieces.append("(\(escaped(comment, "()\\")))") }
        if let reason = entry.reason { pieces.append("reason=\"\(escaped(reason, "\"\\"))\"") }
        for property in entry.properties {
            let name = property.type.utf8.isEmpty ? token(property.name) : "\(token(property.type)).\(token(property.name))"
            pieces.append("\(name)=\(Self.text(property.value))")
        }
        return pieces
    }

    /// Longest value written; a path has at most 256 octets (RFC 5321 §4.5.3.1.3).
    private static let longest = 320

    private static func token(_ text: String) -> String {
        let bytes = text.utf8.filter { $0.isLetterOrDigit || "-_".utf8.contains($0) }
        return bytes.isEmpty ? "x" : bytes.prefix(64).text
    }

    /// A value as it is where it may stand so, else in quotes.
    private static func text(_ value: String) -> String {
        let bytes = value.utf8.prefix(longest)
        let isPlain = !bytes.isEmpty && bytes.allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-./?^_`{|}~@:".utf8.contains($0) }
        // A colon is no token, but names are full of them (IPv6), so it is written in quotes.
        guard isPlain, !bytes.contains(UInt8(ascii: ":")), bytes.count(where: { $0 == UInt8(ascii: "@") }) <= 1 else {
            return "\"\(escaped(bytes.text, "\"\\"))\""
        }
        return bytes.text
    }

    private static func escaped(_ text: String, _ special: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8.prefix(longest) {
            if special.utf8.contains(byte) { output.append(UInt8(ascii: "\\")) }
            output.append(byte >= 32 && byte < 127 ? byte : UInt8(ascii: "?"))
        }
        return output.text
    }

    // MARK: Trust

    /// The topmost field that one of our own names stands in and that this server can have written; nil when there is none.
    ///
    /// Only that one: what stands below may have come with the message, and a sender can write any name into it (RFC 8601 §7.1). The server
    /// writes above all Received fields or beside its own ones, the topmost that name it: what lies below those of others came with the
    /// message. Where it wrote none, one that a sender wrote as the first of all fields is not known from its own: servers take such
    /// fields out (RFC 8601 §5).
    /// - Parameter names: what the receiving server writes as its authserv-id; an empty name means a field without one.
    package static func trusted(in message: [UInt8], from names: [String]) -> AuthenticationResults? {
        let parts = SignedParts(message)
        var isBehindReceived = false
        var isBesideOwn = false
        var isPastOwn = false
        // Found behind the line of another server: it counts when the next Received field is the server's own.
        var doubtful: AuthenticationResults?
        for field in parts.fields {
            if parts.isNamed(field, receivedName) {
                let isOwn = isReceived(parts.value(field), by: names)
                if isOwn, !isPastOwn, let doubtful { return doubtful }
                if !isOwn, isBesideOwn { isPastOwn = true }
                if isPastOwn { return nil }
                doubtful = nil
                isBehindReceived = true
                isBesideOwn = isOwn
            } else if parts.isNamed(field, fieldName), let results = AuthenticationResults(parsing: parts.value(field)), results.isOf(names)
            {
                if !isBehindReceived || isBesideOwn { return results }
                if doubtful == nil { doubtful = results }
            }
        }
        return nil
    }

    /// Whether the `by` of a Received field (RFC 5321 §4.4) is one of the names, or a host beside or below it.
    private static func isReceived(_ value: ArraySlice<UInt8>, by names: [String]) -> Bool {
        let words = value.split { $0 <= 32 || $0 == UInt8(ascii: ";") }
        guard let by = words.firstIndex(where: { $0.equalsIgnoringCase("by".utf8) }), by + 1 < words.count else { return false }
        let host = words[by + 1].map(\.lowercased)
        return names.contains { name in
            let name = name.utf8.map(\.lowercased)
            if host == name { return true }
            let parent = name.firstIndex(of: UInt8(ascii: ".")).map { name[($0 + 1)...] } ?? []
            let domain = parent.contains(UInt8(ascii: ".")) ? parent : name[...]
            return domain.contains(UInt8(ascii: "."))
                && (host[...].elementsEqual(domain) || host.suffix(domain.count + 1).elementsEqual([UInt8(ascii: ".")] + domain))
        }
    }

    /// The message without the fields that claim to be ours; a sender has no business to write them (RFC 8601 §5).
    package static func withoutClaims(of name: String, in message: [UInt8]) -> [UInt8] {
        let parts = SignedParts(message)
        var output: [UInt8] = []
        var kept = 0
        for field in parts.fields where parts.isNamed(field, fieldName) {
            guard let claimed = AuthenticationResults(parsing: parts.value(field)), claimed.isOf([name]) else { continue }
            output += message[kept..<field.start]
            kept = field.end
        }
        return output + message[kept...]
    }

    private func isOf(_ names: [String]) -> Bool { names.contains { $0.utf8.equalsIgnoringCase(authservID.utf8) } }

    private static let fieldName = Array("authentication-results".utf8)
    private static let receivedName = Array("received".utf8)
}
