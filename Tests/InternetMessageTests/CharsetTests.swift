import Testing

@testable import InternetMessage

@Suite("Charsets")
struct CharsetTests {
    // What was written, in base64; the label it came with; the text; what is reported.
    static let texts: [(String, String?, String, Defect?)] = [
        (
            "5M/C0tnKIMTFztgsIO3B0snOwS4g7dkg08/HzMHTz9fBzMkg09TPyc3P09TYINXTzNXHINMg0tXLz9fPxNPU18/NLg==", nil,
            "Добрый день, Марина. Мы согласовали стоимость услуг с руководством.", .charsetMismatch
        ),
        (
            "xO7h8PvpIOTl7fwsIMzg8Ojt4C4gzPsg8e7j6+Dx7uLg6+gg8fLu6Ozu8fL8IPPx6/PjIPEg8PPq7uLu5PHy4u7sLg==", nil,
            "Добрый день, Марина. Мы согласовали стоимость услуг с руководством.", .charsetMismatch
        ),
        (
            "xO7h8PvpIOTl7fwsIMzg8Ojt4C4gzPsg8e7j6+Dx7uLg6+gg8fLu6Ozu8fL8IPPx6/PjIPEg8PPq7uLu5PHy4u7sLg==", "utf-8",
            "Добрый день, Марина. Мы согласовали стоимость услуг с руководством.", .charsetMismatch
        ),
        (
            "0JTQvtCx0YDRi9C5INC00LXQvdGMLCDQnNCw0YDQuNC90LAuINCc0Ysg0YHQvtCz0LvQsNGB0L7QstCw0LvQuCDRgdGC0L7QuNC80L7RgdGC0Ywg0YPRgdC70YPQsyDRgSDRgNGD0LrQvtCy0L7QtNGB0YLQstC+0Lwu",
            "windows-1251", "Добрый день, Марина. Мы согласовали стоимость услуг с руководством.", .charsetMismatch
        ),
        (
            "5M/C0tnKIMTFztgsIO3B0snOwS4g7dkg08/HzMHTz9fBzMkg09TPyc3P09TYINXTzNXHINMg0tXLz9fPxNPU18/NLg==", "x-no-such",
            "Добрый день, Марина. Мы согласовали стоимость услуг с руководством.", .unknownCharset
        ),
        (
            "vsiz58fPvLy/5C4gwMy/677gsPwgudcgvK268b26ILvzx7C+4LD8ILqvsOYgvsizuyC15biztM+02S4=", nil, "안녕하세요. 이용약관 및 서비스 상품약관 변경 안내 드립니다.",
            .charsetMismatch
        ),
        (
            "xPq6w6Os08q8/rSryuTKp7Dco6y21Le9t/7O8cb3zt63qL3TytzV4rfi08q8/qOsx+vT687Sw8fBqs+1oaM=", nil, "您好，邮件传输失败，对方服务器无法接受这封邮件，请与我们联系。",
            .charsetMismatch
        ),
        (
            "sXqmbqFBtmyl87bHv+mlorHRoUG576TopviqQb65tUyqa7G1qPyzb6vKtmyl86FBvdC7UKfarczBcLW4oUM=", nil, "您好，郵件傳輸失敗，對方伺服器無法接受這封郵件，請與我們聯絡。",
            .charsetMismatch
        ),
        (
            "kZeQTZDmgsyDgYFbg4uDe4Nig06DWIKqiOqUdILMgr2C34FBkZeQTYLFgquC3IK5gvGCxYK1gr2BQg==", nil, "送信先のメールボックスが一杯のため、送信できませんでした。",
            .charsetMismatch
        ),
        (
            "wfe/rsDopM6l4aG8peul3KXDpa+luaSssOzH1aTOpL+k4aGiwfe/rqTHpK2k3qS7pPOkx6S3pL+how==", nil, "送信先のメールボックスが一杯のため、送信できませんでした。",
            .charsetMismatch
        ),
        (
            "GyRCQXc/LkBoJE4lYSE8JWslXCVDJS8lOSQsMGxHVSROJD8kYSEiQXc/LiRHJC0kXiQ7JHMkRyQ3JD8hIxsoQg==", nil,
            "送信先のメールボックスが一杯のため、送信できませんでした。", .charsetMismatch
        ),
        (
            "GyRCQXc/LkBoJE4lYSE8JWslXCVDJS8lOSQsMGxHVSROJD8kYSEiQXc/LiRHJC0kXiQ7JHMkRyQ3JD8hIxsoQg==", "us-ascii",
            "送信先のメールボックスが一杯のため、送信できませんでした。", .charsetMismatch
        ),
        (
            "kZeQTZDmgsyDgYFbg4uDe4Nig06DWIKqiOqUdILMgr2C34FBkZeQTYLFgquC3IK5gvGCxYK1gr2BQg==", "utf-8", "送信先のメールボックスが一杯のため、送信できませんでした。",
            .charsetMismatch
        ),
        (
            "5oKo5aW977yM6YKu5Lu25Lyg6L6T5aSx6LSl77yM5a+55pa55pyN5Yqh5Zmo5peg5rOV5o6l5Y+X6L+Z5bCB6YKu5Lu277yM6K+35LiO5oiR5Lus6IGU57O744CC",
            "gb2312", "您好，邮件传输失败，对方服务器无法接受这封邮件，请与我们联系。", .charsetMismatch
        ),
        (
            "xPq6w6Os08q8/rSryuTKp7Dco6y21Le9t/7O8cb3zt63qL3TytzV4rfi08q8/qOsx+vT687Sw8fBqs+1oaM=", "gb2312",
            "您好，邮件传输失败，对方服务器无法接受这封邮件，请与我们联系。", nil
        ),
        (
            "6YCB5L+h5YWI44Gu44Oh44O844Or44Oc44OD44Kv44K544GM5LiA5p2v44Gu44Gf44KB44CB6YCB5L+h44Gn44GN44G+44Gb44KT44Gn44GX44Gf44CC",
            "iso-2022-jp", "送信先のメールボックスが一杯のため、送信できませんでした。", .charsetMismatch
        ),
        (
            "yuHr5+zd8eEg8+HyLCDz4fIg5fX34fHp8/T+IPDv6/0g4+nhIPTvIOze7fXs4SDq4ekg9OftIPDx/PTh8+cu", nil,
            "Καλημέρα σας, σας ευχαριστώ πολύ για το μήνυμα και την πρόταση.", .charsetMismatch
        ),
        (
            "+ezl7SD44Swg+uXj5CDy7CDk5OXj8uQg5fLsIOTk9vLkIPn57Of6IODs6fDlIOTp5e0g4eHl9/gu", nil,
            "שלום רב, תודה על ההודעה ועל ההצעה ששלחת אלינו היום בבוקר.", .charsetMismatch
        ),
        (
            "QnUgbWVzYWr9biBh/mHw/WRha2kgYWRyZXNpIP51IGv9c/1tbGFy/W4gYWx0/W5kYWT9ciwgZGXwaWwgbWk=", nil,
            "Bu mesajın aşağıdaki adresi şu kısımların altındadır, değil mi", .charsetMismatch
        ),
        ("ysfRyrTVpMPRuiCizbqk2LPK08vD0bqi6c2kx9LBos2npNiz", nil, "สวัสดีครับ ขอบคุณสำหรับข้อความของคุณ", .charsetMismatch),
        ("U2No9m5lIEdy/N9lIGF1cyBN/G5jaGVuLCBL5HRoZQ==", nil, "Schöne Grüße aus München, Käthe", .charsetMismatch),
        ("U2No9m5lIEdy/N9lIGF1cyBN/G5jaGVuLCBL5HRoZQ==", "utf-8", "Schöne Grüße aus München, Käthe", .charsetMismatch),
        ("U2Now7ZuZSBHcsO8w59lIGF1cyBNw7xuY2hlbiwgS8OkdGhl", "iso-8859-1", "Schöne Grüße aus München, Käthe", .charsetMismatch),
        (
            "kAFP4VFIMG4w4TD8MOsw3DDDMK8wuTBMTgBnbzBuMF8wgTABkAFP4TBnME0wfjBbMJMwZzBXMF8wAg==", "utf-16be", "送信先のメールボックスが一杯のため、送信できませんでした。",
            nil
        ),
        (
            "K2tBRlA0VkZJTUc0dzRURDhNT3N3M0RERE1LOHd1VEJNVGdCbmJ6QnVNRjh3Z1RBQmtBRlA0VEJuTUUwd2ZqQmJNSk13WnpCWE1GOHdBZy0=", "utf-7",
            "送信先のメールボックスが一杯のため、送信できませんでした。", nil
        ),
        (
            "fntEejpDIyxTSjx+NCtKZEonMFwjLDZUNz03fk5xRndOXjcoPVNKXFViN2JTSjx+IyxHa1NrTlJDR0EqTzUhI359", "hz-gb-2312",
            "您好，邮件传输失败，对方服务器无法接受这封邮件，请与我们联系。", nil
        ),
        (
            "GyQpQw4+SDNnR088PD9kDy4gDkBMP2s+YDB8DyAOOVcPIA48LTpxPToPIA47c0cwPmAwfA8gDjovMGYPIA4+SDM7DyAONWU4MzRPNFkPLg==", "iso-2022-kr",
            "안녕하세요. 이용약관 및 서비스 상품약관 변경 안내 드립니다.", nil
        ),
        ("5Y2K6KeS7722776F4pGg44ix6auZ", "utf-8", "半角ｶﾅ①㈱髙", nil),
        ("GyRCLSEtanxiGyhJNkUbKEI=", "iso-2022-jp", "①㈱髙ｶﾅ", nil),
    ]

    @Test("texts with the right label, a wrong one, or none", arguments: texts)
    func text(base64: String, label: String?, text: String, defect: Defect?) throws {
        let bytes = try #require(Base64.decode(base64.utf8))
        let decoded = Charset.decoding(bytes[...], label: label)
        #expect(Array(decoded.text.utf8) == Array(text.utf8))
        #expect(decoded.defect == defect)
        for end in 0..<bytes.count { _ = Charset.decoding(bytes[..<end], label: label) }
    }

    @Test(
        "short Western text is never taken for another script", arguments: ["é", "Müller", "Ça va ?", "Señor Ñandú", "50 €", "«Où»", "Þór"])
    func western(text: String) {
        let bytes = text.unicodeScalars.map { $0.value == 0x20AC ? 0x80 : UInt8(truncatingIfNeeded: $0.value) }
        #expect(Charset.decode(bytes[...], label: nil) == text)
    }

    @Test("a raw subject and name are read by the charset of the text")
    func hint() throws {
        let raw: [UInt8] = [0xC4, 0xC1]
        let head = Array("Subject: ".utf8) + raw + Array("\nFrom: ".utf8) + raw
        let message = Message(parsing: head + Array(" <a@example.com>\nContent-Type: text/plain; charset=koi8-r\n\nx".utf8))
        #expect(message.subject == "да")
        #expect(message.header.first("Subject")?.text == "да")
        #expect(message.from.first?.displayName == "да")
    }

    @Test("UTF-7 and HZ at their edges")
    func edges() {
        #expect(UTF7.utf8(Array("a+-b+AOk c+AOk-d+2D3eAA-".utf8)[...]).bytes == Array("a+bé cé".utf8) + Array("d😀".utf8))
        #expect(UTF7.utf8(Array("+".utf8)[...]).malformed == 1)
        #expect(UTF7.utf8(Array("+2D0-".utf8)[...]).malformed == 1)
        #expect(HZ.utf8(Array("~~a~{<:Ky~}b~{<:\nKy".utf8)[...]).bytes == Array("~a己所b己\nKy".utf8))
    }
}
