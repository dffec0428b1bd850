import InternetMessage

/// Reads failure reports that are only prose: Postfix, Exim, qmail, Sendmail, Exchange and their kin, by shape.
struct FreeTextBounce {
    let rules: BounceRules
    let book: PhraseBook

    /// Lines read before the returned message.
    private static let lineLimit = 400

    private struct Line {
        var bytes: ArraySlice<UInt8>
        var addresses: [(address: EmailAddress, range: Range<Int>)]
    }

    func read(_ message: Message, text: String, signals: AutomaticSignals, subject: Tally) -> BounceReader.Result? {
        var points = 0.0
        var evidence: [Classification.Evidence] = []
        if signals.isFromMailSystem { points += 1.5 }
        if signals.hasNullReversePath { points += 1 }
        let failedField = message.header.all("X-Failed-Recipients")
        if !failedField.isEmpty {
            points += 3
            evidence.append(.init(rule: "header:x-failed-recipients", place: "header", text: "X-Failed-Recipients: \(failedField[0].text)"))
        }
        let isMultipartReport = message.root.mediaType.isType("multipart", "report")
        if isMultipartReport { points += 1 }
        if subject[.reportSubject] > 0.5 {
            points += subject[.reportSubject] > 0.8 ? 1.5 : 1
            evidence += subject.finds(of: [.reportSubject]).map { .init(rule: $0.rule, place: "subject", text: $0.text) }
        }
        guard points >= 1 else { return nil }
        // People write about failed mail too, and quote it.
        let isReporter =
            points >= 1 && (signals.isFromMailSystem || signals.hasNullReversePath || !failedField.isEmpty || isMultipartReport)

        let prose = Self.beforeCopy(text, book)
        let words = Tally(prose, book: book)
        let failure = words[.failure]
        let delay = words[.delay]
        let codes = ReplyCodes(in: Array(prose.utf8.prefix(16_000)))
        if failure >= 0.6 { points += failure >= 0.8 ? 1.5 : 1 }
        if delay >= 0.6 { points += 1 }
        if codes.code.map({ $0 >= 400 }) == true || codes.status.map({ $0.class != 2 }) == true { points += 1 }
        if max(words[.outOfOffice], subject[.outOfOffice]) >= 0.8, failedField.isEmpty, failure < 0.8 { points -= 2 }
        guard points >= 2.5, failure >= 0.4 || delay >= 0.6 || codes.code != nil || codes.status != nil || !failedField.isEmpty else {
            return nil
        }

        let isDelay = delay >= 0.6 && delay >= failure && failedField.isEmpty
        evidence += words.finds(of: isDelay ? [.delay] : [.failure]).prefix(6).map { .init(rule: $0.rule, place: "body", text: $0.text) }
        let recipients = recipients(message, prose, failedField: failedField, isDelay: isDelay)
        evidence += recipients.prefix(6).compactMap { bounce in
            bounce.ruleID.map {
                .init(rule: $0, place: "body", text: String(String.UnicodeScalarView(bounce.diagnostic.unicodeScalars.prefix(240))))
            }
        }
        if !isReporter, recipients.isEmpty { return nil }
        let confidence = min(0.95, 0.5 + points * 0.09)
        return BounceReader.Result(
            recipients: recipients, confidence: confidence, evidence: evidence,
            isSure: isReporter && points >= 3 && (failure >= 0.6 || delay >= 0.6), isDelay: isDelay)
    }

    /// The text up to where the returned message begins.
    static func beforeCopy(_ text: String, _ book: PhraseBook) -> String {
        let bytes = Array(text.utf8)
        var kept: [ArraySlice<UInt8>] = []
        for line in bytes.split(separator: 0x0A, maxSplits: lineLimit, omittingEmptySubsequences: false).prefix(lineLimit) {
            let trimmed = LineShape.trimmed(line)
            if isReturnedHeader(trimmed) { break }
            if trimmed.count < 160, trimmed.count > 6, kept.contains(where: { !$0.isEmpty }) {
                let folded = Folding.phrase(String(decoding: trimmed, as: UTF8.self))
                if book.hits(in: folded).contains(where: { $0.meaning == .copyBegins }) { break }
            }
            kept.append(line)
        }
        return String(decoding: Array(kept.joined(separator: [0x0A])), as: UTF8.self)
    }

    /// A line that only the header of a returned message has.
    private static func isReturnedHeader(_ line: ArraySlice<UInt8>) -> Bool {
        for name in ["received: ", "return-path: ", "message-id: ", "mime-version: ", "x-mailer: ", "dkim-signature: "]
        where line.count > name.utf8.count && zip(line, name.utf8).allSatisfy({ ($0 &- 0x41 < 26 ? $0 | 0x20 : $0) == $1 }) {
            return true
        }
        return false
    }

    private func recipients(_ message: Message, _ prose: String, failedField: [HeaderField], isDelay: Bool) -> [Classification.Bounce] {
        let bytes = Array(prose.utf8)
        let ours = Set(message.to.map(\.address.suppressionKey))
        let reporters = Set((message.from + (message.sender.map { [$0] } ?? [])).map(\.address.suppressionKey))
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            Line(bytes: LineShape.trimmed(line), addresses: AddressFinder.addresses(in: LineShape.trimmed(line)))
        }
        var order: [EmailAddress] = []
        var places: [String: Int] = [:]
        func add(_ address: EmailAddress, line: Int?) {
            let key = address.suppressionKey
            if places[key] == nil, order.count < BounceReader.recipientLimit {
                order.append(address)
                places[key] = line ?? -1
            } else if let line, places[key] == -1 {
                places[key] = line
            }
        }
        for field in failedField {
            for mailbox in AddressList(parsing: field.rawValue).mailboxes { add(mailbox.address, line: nil) }
        }
        let fromField = !order.isEmpty
        // Addresses that begin or make up a line are the report's subject; addresses in sentences count only where there are no others.
        for strong in [true, false] {
            for (number, line) in lines.enumerated() {
                for (address, range) in line.addresses {
                    let key = address.suppressionKey
                    if ours.contains(key) || reporters.contains(key) || Self.isMailSystem(address) { continue }
                    if fromField, places[key] == nil { continue }
                    if Self.namesRecipient(line.bytes, range) == strong, !Self.isSenderLine(line.bytes) { add(address, line: number) }
                }
            }
            if !order.isEmpty { break }
        }
        let starts = Set(places.values.filter { $0 >= 0 })
        return order.map { address in
            let place = places[address.suppressionKey] ?? -1
            let diagnostic = place >= 0 ? Self.diagnostic(lines, from: place, starts: starts) : ""
            var codes = ReplyCodes(in: Array(diagnostic.utf8))
            var verdict = rules.verdict(code: codes.code, status: codes.status, text: diagnostic)
            if verdict.failureClass == .unclassified {
                let whole = ReplyCodes(in: bytes)
                if codes.code == nil, codes.status == nil { codes = whole }
                verdict = rules.verdict(code: codes.code, status: codes.status, text: prose)
            }
            return Classification.Bounce(
                recipient: address, action: isDelay ? .delayed : .failed, status: codes.status, replyCode: codes.code,
                failureClass: verdict.failureClass,
                scope: verdict.scope, permanent: verdict.permanent && !isDelay, diagnostic: diagnostic, remoteMTA: nil,
                ruleID: verdict.ruleID)
        }
    }

    private static func isMailSystem(_ address: EmailAddress) -> Bool {
        let name = address.localPartBytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        return name.elementsEqual("postmaster".utf8) || name.elementsEqual("mailer-daemon".utf8) || name.elementsEqual("abuse".utf8)
            || name.elementsEqual("hostmaster".utf8) || name.elementsEqual("helpdesk".utf8) || name.elementsEqual("support".utf8)
    }

    /// `<address>: ...`, `address`, `Recipient: <address>`, `(address)`: the line is about the address.
    private static func namesRecipient(_ line: ArraySlice<UInt8>, _ range: Range<Int>) -> Bool {
        let before = line[line.startIndex..<range.lowerBound].filter {
            $0 > 0x20 && ![0x3C, 0x22, 0x27, 0x28, 0x5B, 0x2A, 0x2D, 0x3E].contains($0)
        }
        if before.isEmpty { return true }
        let after = line[range.upperBound...].filter { $0 > 0x20 && ![0x3E, 0x22, 0x27, 0x29, 0x5D, 0x2E, 0x3A].contains($0) }
        if after.isEmpty, let (label, value) = LineShape.label(line), !label.isEmpty { return value.contains(0x40) }
        let lower = before.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        return ["rcptto:", "to:", "recipient:", "user:", "smtp;", "rfc822;"].contains { lower.suffix($0.utf8.count).elementsEqual($0.utf8) }
    }

    private static func isSenderLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard let (label, _) = LineShape.label(line) else { return false }
        let lower = label.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        return ["from", "sender", "mail from", "reply-to", "envelope-from", "cc", "message-id", "contact", "return-path"].contains {
            lower.elementsEqual($0.utf8)
        }
    }

    /// The lines about one recipient: up to an empty line or the next recipient, at most 12.
    private static func diagnostic(_ lines: [Line], from start: Int, starts: Set<Int>) -> String {
        var words: [ArraySlice<UInt8>] = [lines[start].bytes]
        var i = start + 1
        var empties = 0
        while i < lines.count, words.count < 12, !starts.contains(i) {
            if lines[i].bytes.isEmpty {
                empties += 1
                // The reason may stand one empty line below a bare address.
                if words.count > 1 || empties > 1 { break }
            } else {
                words.append(lines[i].bytes)
            }
            i += 1
        }
        return String(decoding: Array(words.joined(separator: [0x20])).prefix(2000), as: UTF8.self)
    }
}
