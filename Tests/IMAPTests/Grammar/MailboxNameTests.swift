import Testing

@testable import IMAP

@Suite("mailbox names")
struct MailboxNameTests {
    @Test(
        "modified UTF-7 both ways",
        arguments: [
            ("INBOX", "INBOX"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
            ("迷惑メール", "&j,dg0TDhMPww6w-"),
            ("😀", "&2D3eAA-"),
            ("a&ü&b", "a&-&APw-&-b"),
            ("tab\tCR\r\nNUL\0", "tab&AAk-CR&AA0ACg-NUL&AAA-"),
            ("", ""),
        ])
    func vectors(name: String, wire: String) {
        #expect(String(decoding: ModifiedUTF7.encode(name), as: UTF8.self) == wire)
        #expect(ModifiedUTF7.decode(bytes(wire)).map { Array($0.unicodeScalars) } == Array(name.unicodeScalars))
    }

    @Test(
        "what is not modified UTF-7",
        arguments: ["&", "a&b", "&AP", "&A-", "&APw", "&APz-", "&2D0-", "&3gA-", "&APw/-", "ü", "a\u{7F}", "a\nb", "&AP w-"])
    func broken(wire: String) {
        #expect(ModifiedUTF7.decode(bytes(wire)) == nil)
    }

    @Test("INBOX is the same in any case, nothing else is")
    func equality() {
        #expect(MailboxName("inBox") == .inbox)
        #expect(MailboxName("junk") != MailboxName("Junk"))
        #expect(MailboxName("INBOX/a") != MailboxName("inbox/a"))
        // Canonically equivalent, yet different mailboxes to the server.
        #expect(MailboxName("\u{E9}") != MailboxName("e\u{301}"))
    }

    @Test("a name from the server keeps its bytes and is shown as well as can be")
    func foreign() {
        #expect(MailboxName(wire: bytes("Entw&APw-rfe"))?.description == "Entwürfe")
        #expect(MailboxName(wire: bytes("Entwürfe"))?.wire == bytes("Entwürfe"))
        #expect(MailboxName(wire: bytes("Entwürfe"))?.description == "Entwürfe")
        #expect(MailboxName(wire: [0xFF])?.description == "\u{FFFD}")
        #expect(MailboxName(wire: []) == nil)
        #expect(MailboxName(wire: bytes("a\0b")) == nil)
    }
}
