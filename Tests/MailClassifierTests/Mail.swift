import InternetMessage

@testable import MailClassifier

/// Messages written for the tests.
enum Mail {
    /// One for all tests: reading the rules takes longer than most of them.
    static let classifier = try? Classifier()

    /// A message of a person to us, written on Wednesday 4 March 2026 unless told otherwise.
    static func message(
        _ text: String, subject: String = "Re: A quick question", from: String = "Ann Example <ann@example.com>",
        date: String = "Wed, 04 Mar 2026 09:45:18 +0100", headers: [String] = []
    ) -> Message {
        let lines =
            [
                "From: \(from)", "To: Jo Sender <jo@sender.example.org>", "Subject: \(subject)", "Date: \(date)",
                "Message-ID: <m1@example.com>",
            ]
            + headers + ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", text]
        var bytes: [UInt8] = []
        for byte in lines.joined(separator: "\n").utf8 {
            if byte == 0x0A { bytes.append(0x0D) }
            bytes.append(byte)
        }
        return Message(parsing: bytes)
    }

    /// What we wrote, as a quote; it offers the word STOP and speaks of holidays, as our own mail may.
    static let quote = """

        On Tue, 3 Mar 2026 at 10:00, Jo Sender <jo@sender.example.org> wrote:

        > Hello Ann,
        >
        > are you interested in a demo next week? If you are out of office, I can wait.
        > Not interested? Just reply "unsubscribe" and I remove you from the list.
        >
        > Jo
        """
}
