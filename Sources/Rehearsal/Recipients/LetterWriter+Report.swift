import InternetMessage

extension LetterWriter {
    /// The report of the recipient's own server that could not deliver what it had taken (RFC 3464).
    func report() -> Sealed? {
        guard let recipient = EmailAddress(parsing: original.reversePath) else { return nil }
        let host = "mailhub.\(author.address.domain)"
        let boundary = "4Z\(serial)tQ1xXkz9rP.\(now.seconds)/\(host)"
        let header = String(decoding: original.message.rawHeader, as: UTF8.self).split(separator: "\r\n").joined(separator: "\n")
        let content = message(
            """
            Return-Path: <>
            Date: \(MessageDate(timestamp: now, offsetMinutes: 60).formatted)
            From: MAILER-DAEMON@\(host) (Mail Delivery System)
            Subject: Undelivered Mail Returned to Sender
            To: \(recipient.text)
            Auto-Submitted: auto-replied
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status;
            \tboundary="\(boundary)"
            Message-Id: \(messageID)

            This is a MIME-encapsulated message.

            --\(boundary)
            Content-Description: Notification
            Content-Type: text/plain; charset=us-ascii

            This is the mail system at host \(host).

            I'm sorry to have to inform you that your message could not
            be delivered to one or more recipients. It's attached below.

            <\(author.address.text)>: host mailstore.\(author.address.domain)[192.0.2.44] said:
                550 5.1.1 <\(author.address.text)>: Recipient address rejected: User
                unknown in local recipient table (in reply to RCPT TO command)

            --\(boundary)
            Content-Description: Delivery report
            Content-Type: message/delivery-status

            Reporting-MTA: dns; \(host)
            X-Postfix-Queue-ID: 4Z\(serial)tQ1xXkz9rP
            X-Postfix-Sender: rfc822; \(recipient.text)
            Arrival-Date: \(MessageDate(timestamp: original.arrivedAt, offsetMinutes: 60).formatted)

            Final-Recipient: rfc822; \(author.address.text)
            Original-Recipient: rfc822;\(author.address.text)
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mailstore.\(author.address.domain)
            Diagnostic-Code: smtp; 550 5.1.1 <\(author.address.text)>: Recipient address
                rejected: User unknown in local recipient table

            --\(boundary)
            Content-Description: Undelivered Message Headers
            Content-Type: text/rfc822-headers

            \(header)

            --\(boundary)--

            """)
        return Sealed(reversePath: .null, recipient: recipient, content: content)
    }
}
