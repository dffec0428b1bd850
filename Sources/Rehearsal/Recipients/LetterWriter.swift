import InternetMessage

/// Writes letters and reports as bytes with CRLF line ends.
struct LetterWriter {
    /// Who writes.
    let author: Mailbox
    /// What is answered.
    let original: DeliveredMessage
    let now: Timestamp
    /// Makes Message-IDs and boundaries differ.
    let serial: Int

    /// A message ready to be sent.
    struct Sealed {
        let reversePath: ReversePath
        let recipient: EmailAddress
        let content: [UInt8]
    }

    func write(_ letter: Letter) -> Sealed? {
        guard let recipient = original.message.replyTo.first?.address else { return nil }
        let content: [UInt8]
        var reversePath = ReversePath.address(author.address)
        switch letter {
        case .webmailYes: content = webmailYes
        case .desktopQuestion: content = desktopQuestion
        case .germanNo: content = germanNo
        case .absence(let day):
            content = absence(until: day)
            reversePath = .null
        case .phoneUnsubscribe: content = phoneUnsubscribe
        case .bareNotNow: content = bareNotNow
        case .otherAddress:
            guard let other = EmailAddress("lena.fischer.1987@freemail.example") else { return nil }
            content = otherAddress(other)
            reversePath = .address(other)
        }
        return Sealed(reversePath: reversePath, recipient: recipient, content: content)
    }

    // MARK: The letters

    private var webmailYes: [UInt8] {
        let boundary = "000000000000\(serial)d5f5b0605c1b2a4e"
        let answer = """
            Hi Anna,

            yes, this sounds interesting. Could we talk on Thursday at 10? I'd be happy to see a demo.

            Best,
            Mara

            """
        let plain = "\(answer)\nOn \(longDate), \(senderName) <\n\(senderAddress)> wrote:\n\n\(quoted(prefix: "> "))\n"
        let html = """
            <div dir="ltr"><div>Hi Anna,</div><div><br></div><div>yes, this sounds interesting. Could we talk on Thursday at 10? I&#39;d be happy to see \
            a demo.</div><div><br></div><div>Best,</div><div>Mara</div></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">\
            On \(longDate), \(senderName) &lt;<a href="mailto:\(senderAddress)">\(senderAddress)</a>&gt; wrote:<br></div>\
            <blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">\
            \(quoted(prefix: "", joiner: "<br>"))</blockquote></div>

            """
        return message(
            threadHeader(author, dateOffset: 60) + """
                MIME-Version: 1.0
                Content-Type: multipart/alternative; boundary="\(boundary)"

                --\(boundary)
                Content-Type: text/plain; charset="UTF-8"
                Content-Transfer-Encoding: quoted-printable

                \(quotedPrintable(plain))
                --\(boundary)
                Content-Type: text/html; charset="UTF-8"
                Content-Transfer-Encoding: quoted-printable

                \(quotedPrintable(html))
                --\(boundary)--

                """)
    }

    private var desktopQuestion: [UInt8] {
        let boundary = "_000_LO2P265MB\(serial)GBRP265_"
        let plain = """
            Hello Anna,

            How much does it cost for 40 users, and does it work with our own mail server?

            Kind regards,

            Ben Okafor
            Managing Partner
            Okafor & Partners | 12 Lime Street | London
            T +44 20 7946 0018

            ________________________________
            From: \(senderName) <\(senderAddress)>
            Sent: \(MessageDate(timestamp: originalDate, offsetMinutes: 0).formatted)
            To: \(author.displayName ?? "") <\(author.address.text)>
            Subject: \(subject)

            \(quoted(prefix: ""))
            """
        return message(
            threadHeader(author, dateOffset: 0) + """
                Accept-Language: en-GB, en-US
                Content-Language: en-US
                X-MS-Has-Attach:
                X-MS-TNEF-Correlator:
                MIME-Version: 1.0
                Content-Type: multipart/alternative;
                \tboundary="\(boundary)"

                --\(boundary)
                Content-Type: text/plain; charset="us-ascii"
                Content-Transfer-Encoding: quoted-printable

                \(quotedPrintable(plain))
                --\(boundary)
                Content-Type: text/html; charset="us-ascii"
                Content-Transfer-Encoding: quoted-printable

                \(quotedPrintable("<html><body lang=\"EN-GB\"><p class=\"MsoNormal\">\(plain.split(separator: "\n").joined(separator: "</p><p class=\"MsoNormal\">"))</p></body></html>"))
                --\(boundary)--

                """)
    }

    private var germanNo: [UInt8] {
        let body = """
            Guten Tag Frau Berg,

            vielen Dank für Ihre Nachricht. Wir haben daran leider kein Interesse, \nunsere Lösung genügt uns.

            Mit freundlichen Grüßen
            Jutta Brandt

            Am \(germanDate) schrieb \(senderName):
            \(quoted(prefix: "> "))

            -- \nBrandt Logistik GmbH
            Hafenstraße 8, 20457 Hamburg

            """
        return message(
            threadHeader(author, dateOffset: 60) + """
                User-Agent: Mozilla Thunderbird
                MIME-Version: 1.0
                Content-Type: text/plain; charset=UTF-8; format=flowed
                Content-Transfer-Encoding: 8bit
                Content-Language: de-DE

                \(body)
                """)
    }

    private func absence(until day: CivilDate) -> [UInt8] {
        let text = """
            Hello,

            I am out of the office until \(Self.weekdays[day.weekday - 1]), \(day.day) \(Self.months[day.month - 1]) \(day.year), and will not \
            read my mail until then. In urgent cases please call our front desk.

            Kind regards
            Tomáš Novák

            """
        return message(
            """
            From: \(shown(author))
            To: \(originalFrom)
            Date: \(MessageDate(timestamp: now, offsetMinutes: 60).formatted)
            Message-ID: \(messageID)
            Subject: Automatic reply: \(subject)
            In-Reply-To: \(originalID)
            References: \(originalID)
            Auto-Submitted: auto-replied
            X-Auto-Response-Suppress: All
            Content-Language: cs-CZ
            MIME-Version: 1.0
            Content-Type: text/plain; charset="utf-8"
            Content-Transfer-Encoding: base64

            \(base64(text))
            """)
    }

    private var phoneUnsubscribe: [UInt8] {
        message(
            threadHeader(author, dateOffset: -300) + """
                Content-Type: text/plain; charset=us-ascii
                Content-Transfer-Encoding: 7bit
                Mime-Version: 1.0 (1.0)
                X-Mailer: iPhone Mail (22D72)

                Unsubscribe

                Sent from my iPhone

                > On \(phoneDate), \(senderName) <\(senderAddress)> wrote:
                >
                \(quoted(prefix: "> "))

                """)
    }

    private var bareNotNow: [UInt8] {
        let text = """
            Anna,

            this is not a good time for us. Please get back to me in September.

            Hank Moss
            Moss and Son, Est. 1921



            From:   \(senderName) <\(senderAddress)>
            To:     \(author.address.text)
            Date:   \(CivilDate(originalDate).iso8601)
            Subject:        \(subject)



            \(quoted(prefix: ""))
            """
        return message(
            """
            From: \(shown(author))
            To: \(original.message.replyTo.first?.address.text ?? "")
            Subject: Antw: \(subject)
            Date: \(MessageDate(timestamp: now, offsetMinutes: -300).formatted)
            Message-ID: \(messageID)
            X-Mailer: GroupMail Release 6.5
            MIME-Version: 1.0
            Content-Type: text/plain; charset=iso-8859-1
            Content-Transfer-Encoding: quoted-printable

            \(quotedPrintable(text))
            """)
    }

    private func otherAddress(_ address: EmailAddress) -> [UInt8] {
        let text = """
            <html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;"><div>Hallo Frau Berg,</div><div>&nbsp;</div>\
            <div>das klingt gut, sehr gerne. Rufen Sie mich doch am Dienstag um 10 Uhr an.</div><div>&nbsp;</div><div>Viele Gr&uuml;&szlig;e</div>\
            <div>Lena Fischer</div><div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid \
            #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;\(germanDate)<br/><b>Von:</b>&nbsp;"\(senderName)" \
            &lt;\(senderAddress)&gt;<br/><b>An:</b>&nbsp;\(author.address.text)<br/><b>Betreff:</b>&nbsp;\(subject)</div>\
            <div>\(quoted(prefix: "", joiner: "<br/>"))</div></div></div></div></body></html>

            """
        return message(
            threadHeader(Mailbox(displayName: "Lena Fischer", address: address), dateOffset: 60) + """
                MIME-Version: 1.0
                Content-Type: text/html; charset=UTF-8
                Content-Transfer-Encoding: quoted-printable
                Sensitivity: Normal
                X-Priority: 3

                \(quotedPrintable(text))
                """)
    }
}
