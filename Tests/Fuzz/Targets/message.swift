import InternetMessage

/// A whole message: everything that can be asked of it is asked, once with the usual limits and once with narrow ones.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Fuzz.bytes(start, count)
    var narrow = Limits()
    narrow.bytes = 2000
    narrow.headerBytes = 300
    narrow.headerFields = 5
    narrow.depth = 3
    narrow.parts = 4
    for limits in [Limits.default, narrow] { readAll(Message(parsing: bytes, limits: limits), limits) }
    return 0
}

private func readAll(_ message: Message, _ limits: Limits) {
    Fuzz.expect(message.raw.count <= limits.bytes, "the limit of octets")
    _ = message.from.map(\.address.text)
    _ = (message.to, message.cc, message.replyTo, message.sender)
    _ = (message.subject, message.date, message.messageID, message.inReplyTo, message.references)
    _ = (message.text, message.html, message.report, message.allDefects())
    for attachment in message.attachments { Fuzz.expect(attachment.bytes.count <= limits.decodedBytes, "the limit of decoded octets") }
    var parts = 0
    var stack = [(part: message.root, depth: 1)]
    while let (part, depth) = stack.popLast() {
        parts += 1
        Fuzz.expect(depth <= limits.depth + 1, "the limit of depth")
        Fuzz.expect(part.header.count <= limits.headerFields, "the limit of fields")
        for field in part.header.fields { _ = (field.name, field.text, field.value) }
        _ = (part.filename, part.contentID, part.disposition, part.mediaType.essence)
        stack += part.children.map { ($0, depth + 1) }
    }
    Fuzz.expect(parts <= limits.parts + 1, "the limit of parts")
}
