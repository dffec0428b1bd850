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
        if let notice = SESNotice(text), notice.kind == .bounce { return read(notice) }
        // A report that lost its MIME structure on the way still has its fields in the text.
        if report == nil, signals.isFromMailSystem || signals.hasNullReversePath, let fields = Self.fields(in: text),
            let result = read(fields, text: text)
        {
            return result
        }
        return FreeTextBounce(rules: rules, book: book).read(message, text: text, signals: signals, subject: subject)
    }

    private func read(_ notice: SESNotice) -> Result {
        let bounces = notice.recipients.prefix(Self.recipientLimit).map { recipient in
            let judged = judge(status: recipient.status, diagnostic: recipient.diagnostic, paragraph: "", prose: "", isOnly: true)
            return Classification.Bounce(
                recipient: recipient.address, action: recipient.action == "delayed" ? .delayed : .failed, status: judged.status,
                replyCode: judged.code, failureClass: judged.verdict.failureClass, scope: judged.verdict.scope,
                permanent: judged.verdict.permanent, diagnostic: recipient.diagnostic, remoteMTA: nil, ruleID: judged.verdict.ruleID,
                suppressAfter: judged.verdict.suppressAfter)
        }
        return Result(
            recipients: Array(bounces), confidence: 0.97,
            evidence: [.init(rule: "report:ses", place: "body", text: "notificationType: Bounce")], isSure: true, isDelay: false)
    }

    /// The fields of a delivery report that stand in running text; nil when there are none.
    private static func fields(in text: String) -> DeliveryStatusReport? {
        let lines = text.utf8.split(separator: 0x0A, maxSplits: 800, omittingEmptySubsequences: false).map { Array($0) }
        func begins(_ line: [UInt8], _ name: String) -> Bool {
            line.count > name.utf8.count && zip(line, name.utf8).allSatisfy { ($0 &- 0x41 < 26 ? $0 | 0x20 : $0) == $1 }
        }
        guard lines.contains(where: { begins($0, "final-recipient:") }),
            let start = lines.firstIndex(where: { begins($0, "reporting-mta:") || begins($0, "final-recipient:") })
        else { return nil }
        var end = start
        while end < lines.count, !lines[end].starts(with: "--".utf8), !begins(lines[end], "received:") { end += 1 }
        let head =
            "Content-Type: multipart/report; report-type=delivery-status; boundary=fields\n\n--fields\nContent-Type: message/delivery-status\n\n"
        let report = Message(parsing: Array(head.utf8) + lines[start..<end].joined(separator: [0x0A]) + Array("\n\n--fields--\n".utf8))
            .report
        guard case .deliveryStatus(let status)? = report else { return nil }
        return status
    }

    // MARK: RFC 3464

    private func read(_ report: DeliveryStatusReport, text: String) -> Result? {
        guard !report.recipients.isEmpty else { return nil }
        var bounces: [Classification.Bounce] = []
        var evidence: [Classification.Evidence] = []
        let prose = ReportProse(FreeTextBounce.beforeCopy(text, book))
        var seen = Set<String>()
        for recipient in report.recipients.prefix(Self.recipientLimit) {
            let action: Classification.Bounce.Action
            switch recipient.action {
            case "delayed"?: action = .delayed
            case "delivered"?, "relayed"?, "expanded"?, "deliverable"?: continue
            default:
                if recipient.status?.class == 2 { continue }
                action = .failed
            }
            let address = Self.address(recipient.originalRecipient) ?? Self.address(recipient.finalRecipient)
            let written = [recipient.originalRecipient, recipient.finalRecipient].compactMap { Self.address($0)?.suppressionKey }
            // The same recipient twice, once under each of its names.
            if let address, !seen.insert(address.suppressionKey).inserted { continue }
            let paragraph = prose.paragraph(of: written, isOnly: report.recipients.count == 1)
            let diagnostic = recipient.diagnosticCode ?? ""
            let judged = judge(
                status: recipient.status, diagnostic: diagnostic, paragraph: paragraph, prose: prose.text,
                isOnly: report.recipients.count == 1)
            bounces.append(
                Classification.Bounce(
                    recipient: address, action: action, status: judged.status, replyCode: judged.code,
                    failureClass: judged.verdict.failureClass, scope: judged.verdict.scope,
                    permanent: judged.verdict.permanent && action == .failed, diagnostic: diagnostic, remoteMTA: recipient.remoteMTA,
                    ruleID: judged.verdict.ruleID,
                    suppressAfter: judged.verdict.suppressAfter))
            let words = "Action: \(recipient.action ?? "-") Status: \(recipient.status?.text ?? "-") \(diagnostic)"
            evidence.append(
                .init(
                    rule: judged.verdict.ruleID, place: "report", text: String(String.UnicodeScalarView(words.unicodeScalars.prefix(240)))))
        }
        guard !bounces.isEmpty else { return nil }
        evidence.insert(.init(rule: "report:dsn", place: "report", text: "Reporting-MTA: \(report.reportingMTA ?? "-")"), at: 0)
        return Result(recipients: bounces, confidence: 0.98, evidence: evidence, isSure: true, isDelay: false)
    }

    /// The class of one recipient's failure: by the refusal's own words, then by what the report says about this recipient, then by all of
    /// the report; and what the moment of the refusal says about all that.
    func judge(status field: EnhancedStatusCode?, diagnostic: String, paragraph: String, prose: String, isOnly: Bool) -> (
        verdict: BounceRules.Verdict, code: Int?, status: EnhancedStatusCode?
    ) {
        var codes = ReplyCodes(in: Array(diagnostic.utf8.prefix(4096)))
        let around = ReplyCodes(in: Array(paragraph.utf8.prefix(4096)))
        if codes.code == nil { codes.code = around.code }
        var status = Self.status(field, codes.status)
        if status == nil || status?.subject == 0 { status = Self.status(status, around.status) }
        var verdict = rules.verdict(code: codes.code, status: status, text: diagnostic)
        for more in [paragraph, prose] where verdict.failureClass == .unclassified || verdict.isByCode && diagnostic.utf8.count < 8 {
            let second = rules.verdict(code: codes.code, status: status, text: more)
            if second.failureClass != .unclassified, !second.isByCode || verdict.failureClass == .unclassified { verdict = second }
        }
        let stage = RefusalStage(in: diagnostic) ?? RefusalStage(in: paragraph) ?? RefusalStage(in: isOnly ? prose : "")
        // 5.1.1 says plainly what the words at a strange moment leave open.
        if let stage, stage != .message || status?.subject != 1 { verdict = stage.judged(verdict) }
        // What may go well later is no dead address; and a server that knows the mailbox well enough to refuse it as such is no proof either.
        if verdict.permanent, let status {
            let isPassing = status.class == 4 && status.subject != 1
            let knowsMailbox =
                verdict.failureClass == .invalidRecipient && (status.subject == 7 || status.subject == 2 && status.detail == 0)
            if isPassing || knowsMailbox { verdict = verdict.passing }
        }
        return (verdict, codes.code, status)
    }

    /// The more telling one of two codes: that of the refusing server, unless it says nothing.
    private static func status(_ field: EnhancedStatusCode?, _ words: EnhancedStatusCode?) -> EnhancedStatusCode? {
        guard let field else { return words }
        if let words, words.subject != 0 || field.subject == 0 && words.detail != 0 { return words }
        return field
    }

    /// An address as report fields write it: with a type in front, in brackets, with a comment behind.
    static func address(_ text: String?) -> EmailAddress? {
        guard let text else { return nil }
        let bytes = Array(text.utf8.prefix(600))
        return AddressFinder.addresses(in: bytes[...]).first?.address
    }
}

/// What a report says to people, by the recipient it is about.
struct ReportProse {
    /// More than any mail server writes; what is behind that is not looked at.
    private static let longest = 32_768
    private static let longestLine = 2000

    let text: String
    private let lines: [ArraySlice<UInt8>]
    /// By address: the first line that begins with it, and the first that names it.
    private var places: [String: (strong: Int?, weak: Int?)] = [:]
    /// Lines that begin with an address.
    private var heads: Set<Int> = []

    init(_ text: String) {
        let bytes = Array(text.utf8.prefix(Self.longest))
        self.text = String(decoding: bytes, as: UTF8.self)
        lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { LineShape.trimmed($0).prefix(Self.longestLine) }
        for (number, line) in lines.enumerated() {
            for (index, found) in AddressFinder.addresses(in: line).enumerated() {
                let offset = found.range.lowerBound - line.startIndex
                if index == 0, offset <= 1 { heads.insert(number) }
                let key = found.address.suppressionKey
                var place = places[key] ?? (nil, nil)
                if offset <= 2, place.strong == nil { place.strong = number }
                if place.weak == nil { place.weak = number }
                places[key] = place
            }
        }
    }

    /// From the line that begins with one of the addresses, else the first that names one, to the next address or empty line; all of the text
    /// where none does and there is only one recipient, else empty.
    func paragraph(of addresses: [String], isOnly: Bool) -> String {
        let strong = addresses.compactMap { places[$0]?.strong }.min()
        let weak = addresses.compactMap { places[$0]?.weak }.min()
        guard let start = strong ?? weak else { return isOnly ? text : "" }
        var words: [ArraySlice<UInt8>] = [lines[start]]
        for (number, line) in zip(lines.indices, lines).dropFirst(start + 1).prefix(12) {
            // The reason may stand one empty line below a bare address.
            if line.isEmpty, words.count > 1 { break }
            if line.first == 0x3C || heads.contains(number) { break }
            if !line.isEmpty { words.append(line) }
        }
        return String(decoding: Array(words.joined(separator: [0x20]).prefix(Self.longestLine)), as: UTF8.self)
    }
}
