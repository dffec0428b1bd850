import InternetMessage

/// Reads reports about mail that was not delivered: RFC 3464 first, then what mail servers write in plain words.
struct BounceReader {
    struct Result {
        var recipients: [Classification.Bounce]
        var confidence: Double
        var evidence: [Classification.Evidence]
        /// A report of failure or delay even though it names no recipient.
        var isSure: Bool
        var isDelay: Bool
    }

    let rules: BounceRules
    let book: PhraseBook

    /// Recipients kept of one report.
    static let recipientLimit = 200

    /// Nil when the message is no report about mail of ours.
    func read(_ message: Message, report: Report?, text: String, signals: AutomaticSignals, subject: Tally, body: Tally) -> Result? {
        if case .deliveryStatus(let status)? = report, let result = read(status, text: text) { return result }
        return FreeTextBounce(rules: rules, book: book).read(message, text: text, signals: signals, subject: subject)
    }

    // MARK: RFC 3464

    private func read(_ report: DeliveryStatusReport, text: String) -> Result? {
        guard !report.recipients.isEmpty else { return nil }
        var bounces: [Classification.Bounce] = []
        var evidence: [Classification.Evidence] = []
        var prose: String?
        for recipient in report.recipients.prefix(Self.recipientLimit) {
            let action: Classification.Bounce.Action
            switch recipient.action {
            case "delayed"?: action = .delayed
            case "delivered"?, "relayed"?, "expanded"?: continue
            default:
                if recipient.status?.class == 2 { continue }
                action = .failed
            }
            let diagnostic = recipient.diagnosticCode ?? ""
            let codes = ReplyCodes(in: Array(diagnostic.utf8.prefix(4096)))
            var verdict = rules.verdict(code: codes.code, status: recipient.status, text: diagnostic)
            if diagnostic.utf8.isEmpty || verdict.failureClass == .unclassified {
                // The words for people may say what the fields for machines leave out.
                if prose == nil { prose = FreeTextBounce.beforeCopy(text, book) }
                let second = rules.verdict(code: codes.code, status: recipient.status, text: prose ?? "")
                if second.failureClass != .unclassified { verdict = second }
            }
            bounces.append(
                Classification.Bounce(
                    recipient: Self.address(recipient.originalRecipient) ?? Self.address(recipient.finalRecipient), action: action,
                    status: Self.status(recipient.status, codes.status), replyCode: codes.code, failureClass: verdict.failureClass,
                    scope: verdict.scope,
                    permanent: verdict.permanent && action == .failed, diagnostic: diagnostic, remoteMTA: recipient.remoteMTA,
                    ruleID: verdict.ruleID))
            let words = "Action: \(recipient.action ?? "-") Status: \(recipient.status?.text ?? "-") \(diagnostic)"
            evidence.append(
                .init(rule: verdict.ruleID, place: "report", text: String(String.UnicodeScalarView(words.unicodeScalars.prefix(240)))))
        }
        guard !bounces.isEmpty else { return nil }
        evidence.insert(.init(rule: "report:dsn", place: "report", text: "Reporting-MTA: \(report.reportingMTA ?? "-")"), at: 0)
        return Result(recipients: bounces, confidence: 0.98, evidence: evidence, isSure: true, isDelay: false)
    }

    /// The more telling one of two codes: 5.0.0 says nothing that 5.1.1 in the words does not say better.
    private static func status(_ field: EnhancedStatusCode?, _ words: EnhancedStatusCode?) -> EnhancedStatusCode? {
        guard let field else { return words }
        if field.subject == 0, let words, words.subject != 0 { return words }
        return field
    }

    /// An address as report fields write it: with a type in front, in brackets, with a comment behind.
    static func address(_ text: String?) -> EmailAddress? {
        guard let text else { return nil }
        let bytes = Array(text.utf8.prefix(600))
        return AddressFinder.addresses(in: bytes[...]).first?.address
    }
}
