import Foundation
import InternetMessage

/// Replies such as people send, about 7 KB each: plain with a quote below, plain and HTML, now and then with a file or an inline image.
enum Replies {
    /// A sequence of numbers that is the same on every machine.
    struct Dice {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % sides
        }

        mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(roll(256)) } }

        mutating func hex(_ count: Int) -> String {
            String(decoding: bytes(count).map { "0123456789abcdef".utf8.map { $0 }[Int($0 & 15)] }, as: UTF8.self)
        }
    }

    static func write(count: Int, to folder: String) throws {
        for i in 0..<count {
            var dice = Dice(seed: UInt64(i) &* 977 &+ 13)
            let bytes = Array(message(i, &dice).utf8)
            try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + String(format: "%06d.eml", i)))
        }
    }

    private static let sentences = [
        "Thank you for your message, that sounds good to us.", "Could you send me the prices for forty seats?",
        "We looked at it with the team last Thursday and have two questions.", "Grüße aus München, wir melden uns nächste Woche.",
        "Merci, je vous réponds dès que possible après la réunion.", "Please call me on Monday; I am in the office from nine.",
        "The contract with our present supplier ends in March.", "Who else have you done this for in our trade?",
        "I have put my colleague in copy, she decides on the budget.", "No objections from our side = we can begin on the 1st.",
    ]

    private static func prose(_ bytes: Int, _ dice: inout Dice) -> String {
        var text = ""
        while text.utf8.count < bytes {
            text += sentences[dice.roll(sentences.count)]
            text += dice.roll(3) == 0 ? "\r\n\r\n" : " "
        }
        return text + "\r\n"
    }

    private static func wrapped(_ text: String, width: Int = 74) -> String {
        var output = ""
        for line in text.split(separator: "\r\n", omittingEmptySubsequences: false) {
            var column = 0
            for word in line.split(separator: " ") {
                if column + word.count > width {
                    output += "\r\n"
                    column = 0
                }
                output += (column > 0 ? " " : "") + word
                column += word.count + 1
            }
            output += "\r\n"
        }
        return output
    }

    private static func quoted(_ text: String) -> String {
        wrapped(text).split(separator: "\r\n", omittingEmptySubsequences: false).map { "> " + $0 }.joined(separator: "\r\n") + "\r\n"
    }

    private static func html(_ text: String, quote: String) -> String {
        let paragraphs = text.split(separator: "\r\n\r\n").map {
            "<p class=\"MsoNormal\" style=\"margin:0cm;font-size:11pt\">\($0)</p>\r\n"
        }
        return "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body lang=\"en\">\r\n"
            + paragraphs.joined() + "<blockquote type=\"cite\" style=\"border-left:1px solid #ccc\">"
            + quote.split(separator: "\r\n").map { "<div>\($0)</div>\r\n" }.joined()
            + "</blockquote></body></html>\r\n"
    }

    private static func base64Lines(_ bytes: [UInt8]) -> String {
        let text = Base64.encode(bytes)
        return stride(from: 0, to: text.count, by: 76).map { String(decoding: text[$0..<min($0 + 76, text.count)], as: UTF8.self) + "\r\n" }
            .joined()
    }

    private static func quotedPrintable(_ text: String) -> String {
        String(decoding: QuotedPrintable.encode(Array(text.utf8)[...]), as: UTF8.self)
    }

    private static func header(_ i: Int, _ dice: inout Dice) -> String {
        var text = "Return-Path: <ann.\(i)@example.net>\r\nDelivered-To: bea+\(dice.hex(36))@r.example.com\r\n"
        for hop in 0..<(2 + dice.roll(4)) {
            text +=
                "Received: from mx\(hop).example.net (mx\(hop).example.net [192.0.2.\(dice.roll(250))])\r\n\tby relay\(hop).example.com (Postfix) with ESMTPS id \(dice.hex(12))\r\n\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n\tMon, 16 Nov 2026 10:\(10 + dice.roll(50)):07 +0100 (CET)\r\n"
        }
        text +=
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s1;\r\n\th=from:to:subject:date:message-id:in-reply-to:references:mime-version;\r\n\tbh=\(dice.hex(43))=;\r\n\tb=\(dice.hex(72))\r\n\t \(dice.hex(72))\r\n\t \(dice.hex(72))\r\n\t \(dice.hex(72))\r\n\t \(dice.hex(54))==\r\n"
        text +=
            "Authentication-Results: mx.example.com; dkim=pass header.d=example.net;\r\n\tspf=pass smtp.mailfrom=ann.\(i)@example.net; dmarc=pass\r\n"
        text +=
            dice.roll(2) == 0
            ? "From: Ann Example <ann.\(i)@example.net>\r\n" : "From: =?utf-8?Q?Ann_M=C3=BCller=2C_Einkauf?= <ann.\(i)@example.net>\r\n"
        text +=
            "To: \"Bea, Sales\" <bea@example.com>" + (dice.roll(3) == 0 ? ",\r\n\tCarl <carl@example.com>, dora@example.com" : "") + "\r\n"
        if dice.roll(4) == 0 { text += "Cc: =?iso-8859-1?Q?J=F6rg?= <joerg@example.net>, sales@example.com\r\n" }
        text +=
            dice.roll(2) == 0
            ? "Subject: Re: the set-up that we talked about\r\n"
            : "Subject: =?utf-8?B?UmU6IEdyw7zDn2UgYXVzIE3DvG5jaGVuLCBuw6RjaHN0ZSBXb2NoZQ==?=\r\n =?utf-8?Q?_und_dann?=\r\n"
        text += "Date: Mon, 16 Nov 2026 10:\(10 + dice.roll(50)):00 +0100\r\nMessage-ID: <\(dice.hex(24))@mail.example.net>\r\n"
        text +=
            "In-Reply-To: <\(dice.hex(24))@example.com>\r\nReferences: <\(dice.hex(24))@example.com>\r\n <\(dice.hex(24))@mail.example.net> <\(dice.hex(24))@example.com>\r\n"
        return text + "X-Mailer: Mail \(dice.roll(20)).\(dice.roll(10))\r\nMIME-Version: 1.0\r\n"
    }

    private static func message(_ i: Int, _ dice: inout Dice) -> String {
        let head = header(i, &dice)
        let answer = prose(300 + dice.roll(700), &dice)
        let quote = prose(500 + dice.roll(900), &dice)
        let plain = wrapped(answer) + "\r\nOn 15 Nov 2026, Bea wrote:\r\n" + quoted(quote)
        switch dice.roll(10) {
        case 0, 1:
            return head + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + plain + plain
        case 2:
            return head
                + "Content-Type: text/plain; charset=\"utf-8\"; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                + quotedPrintable(plain + plain)
        default:
            break
        }
        let boundary = "----=_Part_\(dice.hex(16))"
        let page = html(answer, quote: quote)
        let useBase64 = dice.roll(3) == 0
        var body =
            "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\(quotedPrintable(plain))\r\n"
            + "--\(boundary)\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
        body += useBase64 ? "base64\r\n\r\n" + base64Lines(Array(page.utf8)) : "quoted-printable\r\n\r\n" + quotedPrintable(page)
        body += "\r\n--\(boundary)--\r\n"
        let alternative = "Content-Type: multipart/alternative;\r\n\tboundary=\"\(boundary)\"\r\n\r\n"
        guard dice.roll(4) == 0 else { return head + alternative + "This is a multi-part message in MIME format.\r\n\r\n" + body }
        let outer = "----=_Mixed_\(dice.hex(16))"
        let file = base64Lines(dice.bytes(1000 + dice.roll(2500)))
        let part =
            dice.roll(2) == 0
            ? "Content-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo@example.net>\r\nContent-Disposition: inline; filename=\"logo.png\"\r\n"
            : "Content-Type: application/pdf\r\nContent-Disposition: attachment;\r\n\tfilename*=utf-8''Angebot%20M%C3%BCnchen.pdf\r\n"
        return head
            + "Content-Type: multipart/mixed; boundary=\"\(outer)\"\r\n\r\n--\(outer)\r\n\(alternative)\(body)\r\n--\(outer)\r\n\(part)"
            + "Content-Transfer-Encoding: base64\r\n\r\n\(file)\r\n--\(outer)--\r\n"
    }
}
