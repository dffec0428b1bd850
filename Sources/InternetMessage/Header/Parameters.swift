/// The parameters of a Content-Type or Content-Disposition, with continuations and charsets of RFC 2231 put together.
package struct Parameters: Hashable, Sendable {
    struct Parameter: Hashable, Sendable {
        var name: [UInt8]
        var value: [UInt8]
        /// The charset declared by RFC 2231, nil when the value is plain.
        var charset: [UInt8]?
    }

    let list: [Parameter]

    /// Reads `; name=value` pairs; anything unreadable up to the next semicolon is passed over.
    package init(parsing bytes: ArraySlice<UInt8>, limit: Int = Limits.default.parameters) {
        var parser = ParameterParser(bytes, limit: limit)
        list = parser.parse()
    }

    /// The value of a parameter as text, name compared without case; nil when it is absent.
    ///
    /// RFC 2231 charsets are honoured, and so are the encoded words that many programs put there against the rules.
    package subscript(_ name: String) -> String? {
        guard let parameter = list.first(where: { $0.name.matches(name) }) else { return nil }
        if let charset = parameter.charset {
            return Charset.decode(parameter.value[...], label: charset.isEmpty ? nil : charset.utf8Text)
        }
        return EncodedWord.decode(parameter.value)
    }

    /// The value of a parameter as bytes, undecoded; nil when it is absent.
    package func bytes(_ name: String) -> [UInt8]? { list.first { $0.name.matches(name) }?.value }
}
