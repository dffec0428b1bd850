/// At which command a server refused, as the report tells it.
///
/// The same words mean different things at different moments: "user unknown" after the message itself was sent comes from a filter that hides
/// behind it, and a refusal of MAIL FROM speaks of the sender.
enum RefusalStage: Sendable {
    case connection, sender, recipient, message
    /// The recipient, told only in answer to what came after it: a server that reads ahead, or a filter that has seen the message.
    case recipientLate

    /// The stage that the words name last, nil when they name none.
    init?(in text: String) {
        var bytes: [UInt8] = []
        for byte in text.utf8.prefix(8000) {
            if byte <= 0x20 {
                if bytes.last != 0x20 { bytes.append(0x20) }
            } else {
                bytes.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
            }
        }
        var last: (place: Int, stage: RefusalStage)?
        for (words, stage) in Self.words {
            let pattern = Array(words.utf8)
            guard bytes.count >= pattern.count else { continue }
            var i = bytes.count - pattern.count
            while i >= 0 {
                if bytes[i] == pattern[0], bytes[i..<(i + pattern.count)].elementsEqual(pattern) {
                    if last.map({ $0.place < i }) ?? true { last = (i, stage) }
                    break
                }
                i -= 1
            }
        }
        // A transcript goes on after the refusal: the command that was first refused counts.
        if let stage = Self.transcript(bytes) {
            self = stage
        } else if let last {
            self = last.stage
        } else {
            return nil
        }
    }

    /// The first command `>>> ...` of a Sendmail transcript whose reply `<<< ...` begins with 4 or 5.
    private static func transcript(_ bytes: [UInt8]) -> RefusalStage? {
        var stage: RefusalStage?
        var i = 0
        while i + 8 < bytes.count {
            if bytes[i] != 0x3E && bytes[i] != 0x3C {
                i += 1
            } else if bytes[i...].starts(with: ">>> ".utf8) {
                let command = bytes[(i + 4)...].prefix(4)
                stage =
                    command.elementsEqual("data".utf8)
                    ? .message
                    : command.elementsEqual("rcpt".utf8) ? .recipient : command.elementsEqual("mail".utf8) ? .sender : .connection
                i += 4
            } else if bytes[i...].starts(with: "<<< ".utf8), let stage, bytes[i + 4] &- 0x34 < 2 {
                // "503 Need RCPT" tells that the recipient was refused, in a reply read late.
                return stage == .message && bytes[i...].dropFirst(4).isFollowed(by: Array("<<< 503".utf8)) ? .recipientLate : stage
            } else {
                i += 1
            }
        }
        return nil
    }

    private static let words: [(String, RefusalStage)] = [
        ("initial connection", .connection), ("in reply to ehlo", .connection), ("in reply to helo", .connection),
        ("after ehlo", .connection),
        ("after helo", .connection), ("my name was rejected", .connection), ("second_ehlo", .connection),
        ("in reply to mail from", .sender), ("after mail from", .sender), ("after pipelined mail from", .sender),
        ("after mail command", .sender), ("smtp:mail", .sender), ("our mail from", .sender), ("sender was rejected", .sender),
        ("does not like sender", .sender),
        ("in reply to rcpt to", .recipient), ("after rcpt to", .recipient), ("after pipelined rcpt to", .recipient),
        // Only the answer to RCPT TO names one recipient; after DATA the message is refused.
        (">: user unknown", .recipient), ("sent: rcpt to", .recipient), ("--> rcpt to", .recipient), ("sent <<< rcpt to", .recipient),
        ("(state 14)", .recipient), ("(state 18)", .message), ("sent: data", .message), ("sent: mail from", .sender),
        ("after rcpt command", .recipient), ("smtp:rcpt", .recipient), ("rcpt to response", .recipient), ("our rcpt to", .recipient),
        ("does not like recipient", .recipient), ("[rcpt_to]", .recipient),
        ("command data", .message), ("in reply to end of data", .message), ("in reply to data", .message), ("after end of data", .message),
        ("after data", .message), ("smtp:data", .message),
        ("after pipelined data", .message), ("our final data", .message), ("for text command", .message),
        ("failed after i sent the message", .message),
    ]

    /// What a verdict by words and codes is at this moment.
    func judged(_ verdict: BounceRules.Verdict) -> BounceRules.Verdict {
        switch (self, verdict.failureClass) {
        case (.message, .invalidRecipient):
            // RCPT TO was accepted: the mailbox is there, and what has seen the message does not want it.
            BounceRules.Verdict(
                failureClass: .policy, scope: .recipient, permanent: false, suppressAfter: BounceRules.Verdict.unproven,
                ruleID: verdict.ruleID)
        case (.sender, .invalidRecipient), (.sender, .unclassified), (.sender, .badDomain), (.sender, .protocolError):
            BounceRules.Verdict(failureClass: .policy, scope: .source, permanent: false, ruleID: verdict.ruleID)
        case (.connection, .invalidRecipient), (.connection, .unclassified), (.connection, .policy), (.connection, .badDomain),
            (.connection, .protocolError):
            BounceRules.Verdict(failureClass: .reputationBlock, scope: .source, permanent: false, ruleID: verdict.ruleID)
        default: verdict
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether `pattern` stands anywhere in it.
    func isFollowed(by pattern: [UInt8]) -> Bool {
        guard count >= pattern.count else { return false }
        return (startIndex...(endIndex - pattern.count)).contains {
            self[$0] == pattern[0] && self[$0..<($0 + pattern.count)].elementsEqual(pattern)
        }
    }
}
