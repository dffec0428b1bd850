import Testing

@testable import InternetMessage

@Suite("Contents")
struct ContentTests {
    static let cat = "begin 644 cat.txt\n#0V%T\n`\nend\n"

    @Test(
        "uuencode in a text is a file, and a sentence is not",
        arguments: [
            ("Look:\n\(cat)\nBye\n", "Look:\n\nBye\n", ["cat.txt 3"]),
            ("\(cat)\(cat)", "", ["cat.txt 3", "cat.txt 3"]),
            ("begin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nBye", "Bye", ["cat.txt 3"]),
            ("begin 644 cut.txt\n#0V%T\n", "", ["cut.txt 3"]),
            ("begin 644 of the week\nwith me\nend\n", "begin 644 of the week\nwith me\nend\n", []),
            ("begin the day\n#0V%T\nend\n", "begin the day\n#0V%T\nend\n", []),
            ("please begin 644 x\n#0V%T\nend\n", "please begin 644 x\n#0V%T\nend\n", []),
        ])
    func uuencode(body: String, text: String, files: [String]) {
        let message = Message(parsing: Array("Subject: x\n\n\(body)".utf8))
        #expect(message.text.map { Array($0.utf8) } == Array(text.utf8))
        #expect(message.attachments.map { "\($0.filename ?? "-") \($0.bytes.count)" } == files)
        #expect(message.allDefects().contains(.uuencodeSyntax) == body.utf8.starts(with: "begin 644 cut".utf8))
    }

    @Test("a multipart that names no boundary is read by its first line")
    func boundaryGuess() {
        let text =
            "Content-Type: multipart/mixed\n\npreamble\n--_x\nContent-Type: text/plain\n\none\n--_x\nContent-Type: text/html\n\ntwo\n--_x--\n"
        let message = Message(parsing: Array(text.utf8))
        #expect(message.root.children.map(\.mediaType.essence) == ["text/plain", "text/html"])
        #expect(message.defects == [.noBoundaryParameter])
        let prose = Message(parsing: Array("Content-Type: multipart/mixed\n\nHi\n-- \nAnn\n--\nnot a header\n".utf8))
        #expect(prose.text == "Hi\n-- \nAnn\n--\nnot a header\n")
    }

    @Test("the first text may have a name; a later one with a name is a file; an attachment is never the text")
    func namedText() {
        func message(_ disposition: String) -> Message {
            let part = { (name: String) in "--b\nContent-Disposition: \(disposition); filename=\(name)\n\n\(name)\n" }
            return Message(parsing: Array("Content-Type: multipart/mixed; boundary=b\n\n\(part("a"))\(part("b"))--b--\n".utf8))
        }
        #expect(message("inline").text == "a")
        #expect(message("inline").attachments.map(\.filename) == ["b"])
        #expect(message("attachment").text == nil)
        #expect(message("attachment").attachments.map(\.filename) == ["a", "b"])
    }

    @Test(
        "line ends that are mixed up do not glue or break lines",
        arguments: [
            "Subject: x\rFrom: a@b\r\rone\rtwo\r\n", "Subject: x\r\r\nFrom: a@b\r\r\n\r\r\none\r\r\ntwo",
            "Subject: x\nFrom: a@b\n\none\r\ntwo\n",
        ])
    func lineEnds(text: String) {
        let message = Message(parsing: Array(text.utf8))
        #expect(message.subject == "x")
        #expect(message.from.map(\.address.text) == ["a@b"])
        #expect(message.text?.split(separator: "\n").map(String.init) == ["one", "two"])
    }

    @Test(
        "mbox files come apart at From lines, not at sentences",
        arguments: [
            ("From a@b Thu Jan  1 00:00:00 1970\nA: 1\n\nx\n\nFrom c Thu Jan  1 00:00:00 1970\nB: 2\n\ny\n", 2),
            ("From a@b Thu Jan  1 00:00:00 1970\nA: 1\n\nx\n\nFrom here we go on\n\nFrom now on\n", 1),
            ("From a@b Thu Jan  1 00:00:00 1970\nA: 1\n\nx\nFrom c Thu Jan  1 00:00:00 1970\nno empty line before\n", 1),
            ("From - \r\nA: 1\r\n\r\nx\r\n\r\nFrom - \r\nB: 2\r\n\r\n", 2), ("\r\rFrom -\rA: 1\r\rx\r\rFrom -\rB: 2\r\r", 2),
            ("A: 1\n\nFrom - \n", 1), ("", 0),
        ])
    func mbox(text: String, count: Int) {
        let bytes = Array(text.utf8)
        let messages = Mbox.messages(in: bytes[...])
        #expect(messages.count == count)
        if text.utf8.first == 0x46 { #expect(messages.flatMap { Array($0) } == bytes) }
        for message in messages { #expect(Message(parsing: message).header.count > 0) }
    }
}
