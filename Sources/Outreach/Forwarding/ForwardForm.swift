import InternetMessage

/// In which form a reply is sent on. Each is one that servers take who do not take those before it.
package enum ForwardForm: String, Sendable, CaseIterable {
    /// As the identity's conf says, or what comes nearest to that.
    case whole = "forward"
    /// Attached as a file in base64, of which every server takes any content (RFC 6152 §3).
    case file = "forward-file"
    /// Its text and the fields that matter, without the message itself.
    case words = "forward-words"

    /// The form to try instead, when that may help against what an attempt was refused for; nil: no other form does.
    package func instead(after attempt: DeliveryAttempt) -> ForwardForm? {
        guard attempt.outcome == .rejected else { return nil }
        let isRefusedSize: Bool
        switch (attempt.enhancedStatus?.text, attempt.replyCode) {
        // RFC 3463 §3.4, §3.3: too big for the system or the mailbox.
        case ("5.3.4"?, _), ("5.2.3"?, _), (nil, 552?): isRefusedSize = true
        // §3.7: the kind of content, or a conversion that nobody makes; RFC 6531 §3.2: SMTPUTF8.
        case ("5.6.0"?, _), ("5.6.1"?, _), ("5.6.2"?, _), ("5.6.3"?, _), ("5.6.5"?, _), ("5.6.7"?, _): isRefusedSize = false
        default: return nil
        }
        switch self {
        case .whole: return isRefusedSize ? .words : .file
        case .file: return .words
        case .words: return nil
        }
    }
}
