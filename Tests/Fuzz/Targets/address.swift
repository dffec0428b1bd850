import InternetMessage

/// The value of an address field, and the other small grammars of a header, read from the same octets.
///
/// An address that was read can be written, and what was written is read as the same address.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzAddress(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Fuzz.bytes(start, count)
    let list = AddressList(parsing: bytes)
    for mailbox in list.mailboxes {
        let address = mailbox.address
        _ = (address.suppressionKey, address.unicodeDomain, address.needsSMTPUTF8, address.description)
        Fuzz.expect(!address.wireBytes.contains { $0 < 0x20 || $0 == 0x7F }, "no control character on the wire")
        let again = AddressList(parsing: "<\(address.text)>").mailboxes
        Fuzz.expect(again.count == 1 && again[0].address == address, "an address is read as it was written")
    }
    if let address = EmailAddress(parsing: bytes) {
        Fuzz.expect(EmailAddress(parsing: Array(address.text.utf8)) == address, "a strict address is read as it was written")
    }
    for id in MessageID.list(parsing: bytes[...]) { Fuzz.expect(!id.bytes.isEmpty, "an identifier says something") }
    Fuzz.expect(!EncodedWord.decode(bytes).utf8.contains { $0 < 0x20 }, "decoded text is one line")
    _ = MediaType(parsing: bytes[...]).map { ($0.charset, $0.parameters["name"]) }
    _ = ContentDisposition(parsing: bytes[...])?.parameters["filename"]
    _ = MessageDate(parsing: bytes[...])
    return 0
}
