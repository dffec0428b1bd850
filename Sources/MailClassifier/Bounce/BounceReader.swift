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

    /// Asked for when there is a refusal to judge: most mail is no report.
    let rules: () -> BounceRules
    let book: PhraseBook

    /// Recipients kept of one report.
    static let recipientLimit = 200

    /// Nil when the message is no report about mail of ours.
    func read(_ message: Message, report: Report?, text: String, signals: AutomaticSignals, subject: Tally, body: Tally) -> Result? {
        if case .deliveryStatus(let status)? = report, let result = read(status, message, text: text) { return result }
        if let notice = SESNotice(text), notice.kind == .bounce { return read(notice) }
        // A report that lost its MIME structure on the way still has its fields in the text.
        if report == nil, signals.isFromMailSystem || signals.hasNullReversePath, let fields = Self.fields(in: text),
            let result = read(fields, message, text: text)
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

    private func read(_ report: DeliveryStatusReport, _ message: Message, text: String) -> Result? {
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
            var address = Self.address(recipient.originalRecipient) ?? Self.address(recipient.finalRecipient)
            // A mailbox file or a host stands where the address belongs; the rest of the report names it.
            if address == nil, report.recipients.count == 1 {
                address =
                    ReturnedCopy.failedAddresses(message).first ?? prose.first
                    ?? report.returnedHeader.flatMap(ReturnedCopy.addressee)
            }
            let written = ([recipient.originalRecipient, recipient.finalRecipient].map { Self.address($0) } + [address]).compactMap {
                $0?.suppressionKey
            }
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
        // A group of fields that names nobody, beside those that do, is about none.
        if bounces.contains(where: { $0.recipient != nil }) { bounces.removeAll { $0.recipient == nil } }
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
        let diagnostic = Self.refusal(in: diagnostic)
        let paragraph = Self.refusal(in: paragraph)
        if codes.code == nil { codes.code = around.code }
        var status = Self.status(field, codes.status)
        if status == nil || status?.subject == 0 { status = Self.status(status, around.status) }
        var verdict = rules().verdict(code: codes.code, status: status, text: diagnostic)
        // What a report says as a whole is said of nobody where it names several.
        for more in isOnly ? [paragraph, prose] : [paragraph]
        where verdict.failureClass == .unclassified || verdict.isByCode && diagnostic.utf8.count < 8 {
            let second = rules().verdict(code: codes.code, status: status, text: more)
            if second.failureClass != .unclassified, !second.isByCode || verdict.failureClass == .unclassified { verdict = second }
        }
        let stage = RefusalStage(in: diagnostic) ?? RefusalStage(in: paragraph) ?? RefusalStage(in: isOnly ? prose : "")
        // 5.1.1 says plainly what the words at a strange moment leave open.
        if let stage, !verdict.isExact, stage != .message || status?.subject != 1 { verdict = stage.judged(verdict) }
        // What may go well later is no dead address. Neither are words of an unknown user that a server gave at no named moment and without a
        // status that says so: filters hide behind them, and servers that know the mailbox well enough to refuse it.
        if verdict.permanent, !verdict.isExact {
            let isPassing = status.map { $0.class == 4 && $0.subject != 1 } ?? false
            let isUnproven =
                verdict.failureClass == .invalidRecipient && codes.code != nil && status?.subject != 1 && stage != .recipient
            if isPassing || isUnproven { verdict = verdict.passing }
        }
        return (verdict, codes.code, status)
    }

    /// The words of the server that refused: without the reporter's own around them.
    ///
    /// Amazon SES quotes the reply behind a status of its own (`5.1.0 - Unknown address error 550-'...'`); qmail ends with why it stops.
    private static func refusal(in diagnostic: String) -> String {
        let bytes = Array(diagnostic.utf8.prefix(4096))
        var low = 0
        var high = bytes.count
        for i in bytes.indices.dropFirst(3).dropLast(2)
        where bytes[i] == 0x2D && bytes[i + 1] == 0x27 && bytes[(i - 3)..<i].allSatisfy(\.isDigit) && bytes[i - 3] &- 0x34 < 2 {
            low = i - 3
            break
        }
        let end = Array("I'm not going to try again".utf8)
        if let place = bytes.indices.dropLast(end.count).first(where: { bytes[$0] == end[0] && bytes[$0...].starts(with: end) }),
            ReplyCodes(in: Array(bytes[low..<max(low, place)])).code != nil
        {
            high = place
        }
        return low == 0 && high == bytes.count ? diagnostic : String(decoding: bytes[low..<max(low, high)], as: UTF8.self)
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
        // A quoted local part is one only to the parser of addresses.
        if bytes.contains(0x22), let end = bytes.lastIndex(where: { $0 > 0x20 && $0 != 0x3E }) {
            let written = bytes[...end].split(separator: 0x3B).last?.drop { $0 <= 0x20 || $0 == 0x3C }
            if let written, let address = EmailAddress(parsing: written) { return address }
        }
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
    /// Lines that begin with an address, and which.
    private var heads: [Int: String] = [:]
    /// The first address that a line begins with.
    private(set) var first: EmailAddress?

    init(_ text: String) {
        let bytes = Array(text.utf8.prefix(Self.longest))
        self.text = String(decoding: bytes, as: UTF8.self)
        lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { LineShape.trimmed($0).prefix(Self.longestLine) }
        for (number, line) in lines.enumerated() {
            for (index, found) in AddressFinder.addresses(in: line).enumerated() {
                let offset = found.range.lowerBound - line.startIndex
                if index == 0, offset <= 1 {
                    heads[number] = found.address.suppressionKey
                    first = first ?? found.address
                }
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
            if let head = heads[number] {
                // The refusal itself may begin with the address that it is about.
                if !addresses.contains(head) { break }
            } else if line.first == 0x3C {
                break
            }
            if !line.isEmpty { words.append(line) }
        }
        return String(decoding: Array(words.joined(separator: [0x20]).prefix(Self.longestLine)), as: UTF8.self)
    }
}
