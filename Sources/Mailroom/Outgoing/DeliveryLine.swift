package import InternetMessage
package import Logging
package import Outreach

/// The log line of one attempt, in the words and the order that Postfix writes and other programs read.
package enum DeliveryLine {
    /// The message of the log event that carries such a line.
    package static let event = "delivery"

    /// The keys in the order in which they stand in a line, behind the number of the message; `reply` stands in brackets behind `status`.
    private static let order = ["to", "relay", "delay", "delays", "tls", "dsn", "status", "msgid", "seq", "class"]

    /// The line for people and for programs that read Postfix's: `ID: to=<ann@example.com>, relay=..., status=sent (250 ok), msgid=<...>`.
    ///
    /// Control characters of what a peer said are shown as `?`, so that one line stays one.
    package static func text(_ metadata: Logger.Metadata) -> String {
        func shown(_ key: String) -> String? {
            metadata[key].map { value in
                String(decoding: "\(value)".utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
            }
        }
        let parts = order.compactMap { key -> String? in
            guard let value = shown(key) else { return nil }
            switch key {
            case "to": return "to=<\(value)>"
            case "status": return "status=\(value) (\(shown("reply") ?? ""))"
            default: return "\(key)=\(value)"
            }
        }
        return "\(shown("message.id") ?? "-"): " + parts.joined(separator: ", ")
    }

    /// - Parameters:
    ///   - failureClass: what the bounce rules say of it; nil when nothing failed.
    ///   - claimedAt: when it was taken from the queue.
    ///   - connectedAt: when a connection was ready for MAIL FROM; nil: never.
    package static func metadata(
        _ attempt: DeliveryAttempt, _ message: OutboxMessage, _ state: OutboxMessage.State, failureClass: String?, claimedAt: Timestamp,
        connectedAt: Timestamp?
    ) -> Logger.Metadata {
        let connected = connectedAt ?? attempt.endedAt
        let delays = [
            claimedAt - message.createdAt, attempt.startedAt - claimedAt, connected - attempt.startedAt, attempt.endedAt - connected,
        ]
        let isAmbiguous = attempt.outcome == .ambiguous && state == .hold
        let dsn = attempt.enhancedStatus?.text ?? fallbackStatus(state)
        var metadata: Logger.Metadata = [
            "message.id": "\(message.id)", "to": "\(message.recipient.text)", "relay": "\(attempt.remoteMTA ?? "none")",
            "delay": "\(seconds(attempt.endedAt - message.createdAt))", "delays": "\(delays.map(seconds).joined(separator: "/"))",
            "dsn": "\(dsn)", "status": "\(isAmbiguous ? "ambiguous" : state.rawValue)", "reply": "\(attempt.text)",
            "msgid": "<\(message.messageID.text)>",
            "seq": "\(message.enrollment.map(\.description) ?? "-")/\(message.step + 1)", "class": "\(failureClass ?? "-")",
        ]
        if let tls = attempt.tls { metadata["tls"] = "\(tls)" }
        return metadata
    }

    private static func fallbackStatus(_ state: OutboxMessage.State) -> String {
        switch state {
        case .sent: "2.0.0"
        case .bounced, .expired: "5.0.0"
        default: "4.0.0"
        }
    }

    /// Seconds with at most two digits behind the point, as Postfix shortens them: `0`, `0.05`, `1.2`, `86`.
    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.wholeMilliseconds)
        if milliseconds >= 10_000 { return "\(milliseconds / 1000)" }
        let hundredths = (milliseconds + 5) / 10
        let (whole, rest) = (hundredths / 100, hundredths % 100)
        if rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}
