import Foundation
import InternetMessage
import MailAuthentication
import OpenSSL

/// DKIM signatures, relaxed/relaxed with RSA-2048, on a composed message of 5 KB.
enum Signing {
    static func measure(seconds: Double) throws -> String {
        let signer = DKIMSigner(domain: "example.com", keys: [.init(selector: "bench", key: try PrivateKey.generateRSA(bits: 2048))])
        let message = try message()
        let now = Timestamp(seconds: 1_700_000_000)
        var length = 0
        let (rounds, spent) = try Stopwatch.repeating(atLeast: seconds) {
            for _ in 0..<50 { length = try signer.sign(message, at: now).count }
        }
        return """
            {"signatures": \(rounds * 50), "seconds": \(spent), "bytes": \(message.count), "signedBytes": \(length)}
            """
    }

    /// The same message and a key for the peers.
    static func writeKeyAndMessage(to folder: String) throws {
        let key = try PrivateKey.generateRSA(bits: 2048)
        try Data(key.pem.utf8).write(to: URL(fileURLWithPath: folder + "/key.pem"))
        try Data(message()).write(to: URL(fileURLWithPath: folder + "/message.eml"))
    }

    private static func message() throws -> [UInt8] {
        let paragraph = "Hello Ann,\n\nwe met last week and you asked how long the set-up takes. Two days, the tests included.\n\n"
        guard let from = EmailAddress("bea@example.com"), let to = EmailAddress("ann@example.net"),
            let id = MessageID("0123456789abcdef@example.com"), let parent = MessageID("fedcba9876543210@example.net")
        else { throw CocoaError(.coderInvalidValue) }
        var draft = MessageDraft(
            from: Mailbox(displayName: "Bea Müller", address: from), to: [Mailbox(displayName: "Ann", address: to)],
            subject: "Re: the set-up that we talked about",
            date: MessageDate(timestamp: Timestamp(seconds: 1_700_000_000), offsetMinutes: 60),
            messageID: id, text: String(repeating: paragraph, count: 18),
            html: "<p>" + String(repeating: paragraph, count: 18) + "</p>")
        draft.inReplyTo = [parent]
        draft.references = [parent]
        draft.listUnsubscribe = ["https://example.com/u/0123456789abcdef0123456789abcdef"]
        draft.oneClick = true
        return try draft.compose()
    }
}
