import InternetMessage

/// Reads failure reports that are only prose: Postfix, Exim, qmail, Sendmail, Exchange and their kin, by shape.
struct FreeTextBounce {
    let rules: () -> BounceRules
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
        let isTold = failure >= 0.4 || delay >= 0.6 || codes.code != nil || codes.status != nil || !failedField.isEmpty
        // In a language that is not known: a mail system that returns to nobody and begins a line with `<address>:`, or names somebody else
        // below the subject of a report. Or all that a report has around its words, and none in it.
        let isShaped =
            !isTold && signals.isFromMailSystem && signals.hasNullReversePath && message.report == nil
            && (Self.hasConclusion(prose, message) || points >= 5
                || subject[.reportSubject] >= Strength.strong.confidence - 0.001 && Self.namesOther(prose, message)
                    && max(words[.outOfOffice], words[.leftCompany], words[.acknowledgement]) < ToneReader.threshold)
        guard points >= 2.5, isTold || isShaped else { return nil }

        // Attempts that go on are no failure, however often the report says that it failed until now.
        let isDelay = delay >= 0.6 && (delay >= failure || delay >= Strength.certain.confidence - 0.001) && failedField.isEmpty
        evidence += words.finds(of: isDelay ? [.delay] : [.failure]).prefix(6).map { .init(rule: $0.rule, place: "body", text: $0.text) }
        let copy = text.utf8.dropFirst(prose.utf8.count)
        let recipients = recipients(
            message, prose, copy: String(decoding: Array(copy.prefix(32_000)), as: UTF8.self), isDelay: isDelay)
        evidence += recipients.prefix(6).compactMap { bounce in
            bounce.ruleID.map {
                .init(rule: $0, place: "body", text: String(String.UnicodeScalarView(bounce.diagnostic.unicodeScalars.prefix(240))))
            }
        }
        if !isReporter, recipients.isEmpty { return nil }
        let confidence = min(0.95, 0.5 + points * 0.09)
        return BounceReader.Result(
            recipients: recipients, confidence: confidence, evidence: evidence,
            isSure: isReporter && points >= 3 && (failure >= 0.6 || delay >= 0.6) || isShaped, isDelay: isDelay)
    }

    /// Whether an address stands in the report that is neither ours nor that of a mail system.
    private static func namesOther(_ prose: String, _ message: Message) -> Bool {
        let known = Set((message.to + message.from).map(\.address.suppressionKey))
        return AddressFinder.mailboxes(in: prose).contains {
            !known.contains($0.address.suppressionKey) && !isMailSystem($0.address)
        }
    }

    /// Whether a line begins with `<address>:`, the address not ours: what Postfix, qmail and their kin write in every language.
    private static func hasConclusion(_ prose: String, _ message: Message) -> Bool {
        let ours = Set((message.to + message.from).map(\.address.suppressionKey))
        return prose.utf8.split(separator: 0x0A).prefix(lineLimit).contains { line in
            let line = LineShape.trimmed(Array(line)[...])
            guard line.first == 0x3C, let end = line.firstIndex(of: 0x3E), end + 1 < line.endIndex, line[end + 1] == 0x3A,
                let address = EmailAddress(parsing: line[(line.startIndex + 1)..<end])
            else { return false }
            return !ours.contains(address.suppressionKey)
        }
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
                let isDrawn = trimmed.first == 0x2D || trimmed.first == 0x3D
                let closes = LineShape.endsWithColon(trimmed)
                if book.hits(in: folded).contains(where: {
                    $0.meaning == .copyBegins && (isDrawn || closes && $0.start <= 4 || ($0.end - $0.start) * 3 > folded.count * 2)
                }) {
                    break
                }
            }
            kept.append(line)
        }
        return String(decoding: Array(kept.joined(separator: [0x0A])), as: UTF8.self)
    }

    /// A line that only the header of a returned message has.
    private static func isReturnedHeader(_ line: ArraySlice<UInt8>) -> Bool {
        // In a report that was forwarded all lines are quoted, the header of the report as well.
        let isQuoted = line.first == 0x3E
        let line = line.drop { $0 == 0x3E || $0 == 0x20 }
        for name in ["received: ", "return-path: ", "message-id: ", "mime-version: ", "x-mailer: ", "dkim-signature: "].prefix(
            isQuoted ? 2 : 6)
        where line.count > name.utf8.count && zip(line, name.utf8).allSatisfy({ ($0 &- 0x41 < 26 ? $0 | 0x20 : $0) == $1 }) {
            return true
        }
        return false
    }

    private func recipients(_ message: Message, _ prose: String, copy: String, isDelay: Bool) -> [Classification.Bounce] {
        let bytes = Array(prose.utf8)
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            Line(bytes: LineShape.trimmed(line), addresses: AddressFinder.addresses(in: LineShape.trimmed(line)))
        }
        var named = named(message, lines, copy: copy)
        if named.isEmpty, let address = Self.addressee(of: copy) ?? ReturnedCopy.addressee(of: message) { named = [(address, -1)] }
        let starts = Set(named.map(\.place).filter { $0 >= 0 })
        let reader = BounceReader(rules: rules, book: book)
        return named.map { address, place in
            let paragraph =
                if let end = Self.conclusion(lines, of: address) {
                    Self.transcript(lines, to: end)
                } else if place >= 0 {
                    Self.diagnostic(lines, from: place, starts: starts, isOnly: named.count == 1)
                } else {
                    named.count == 1 ? Self.joined(lines) : ""
                }
            let judged = reader.judge(status: nil, diagnostic: paragraph, paragraph: paragraph, prose: prose, isOnly: named.count == 1)
            return Classification.Bounce(
                recipient: address, action: isDelay ? .delayed : .failed, status: judged.status, replyCode: judged.code,
                failureClass: judged.verdict.failureClass, scope: judged.verdict.scope,
                permanent: judged.verdict.permanent && !isDelay, diagnostic: paragraph, remoteMTA: nil, ruleID: judged.verdict.ruleID,
                suppressAfter: judged.verdict.suppressAfter)
        }
    }

    /// The addresses the report is about and the lines that name them, -1 where only the header does.
    ///
    /// Addresses that begin or make up a line are the report's subject; addresses in sentences count only where there are no others, our own
    /// and the reporter's only where there is nobody else. A sentence may name others than the recipient, as whom to write to instead: where
    /// the returned copy says for whom the message was, it decides.
    private func named(_ message: Message, _ lines: [Line], copy: String) -> [(address: EmailAddress, place: Int)] {
        let ours = Set(message.to.map(\.address.suppressionKey))
        let reporters = Set((message.from + (message.sender.map { [$0] } ?? [])).map(\.address.suppressionKey))
        var order: [(address: EmailAddress, place: Int)] = []
        func add(_ address: EmailAddress, _ line: Int) {
            let key = address.suppressionKey
            if let known = order.firstIndex(where: { $0.address.suppressionKey == key }) {
                if order[known].place < 0 { order[known].place = line }
            } else if order.count < BounceReader.recipientLimit {
                order.append((address, line))
            }
        }
        for address in ReturnedCopy.failedAddresses(message) { add(address, -1) }
        guard order.isEmpty else {
            // The header names them all; the text says what became of each.
            for (number, line) in lines.enumerated() where !Self.isSenderLine(line.bytes) {
                for (address, _) in line.addresses where order.contains(where: { $0.address.suppressionKey == address.suppressionKey }) {
                    add(address, number)
                }
            }
            return order
        }
        for (own, strong) in [(false, true), (false, false), (true, true)] {
            if !strong {
                for (address, place) in Self.localNames(message, lines) { add(address, place) }
                if !order.isEmpty { break }
            }
            for (number, line) in lines.enumerated() where !Self.isSenderLine(line.bytes) {
                for (address, range) in line.addresses {
                    let key = address.suppressionKey
                    let isOwn =
                        ours.contains(key) || reporters.contains(key) || Self.isMailSystem(address) || Self.describesOriginal(lines, number)
                    if isOwn == own, Self.namesRecipient(line.bytes, range) == strong { add(address, number) }
                }
            }
            if !order.isEmpty {
                if !strong, order.count > 1 {
                    let addressees = Self.addressees(of: copy)
                    let meant = order.filter { addressees.contains($0.address.suppressionKey) }
                    if !meant.isEmpty { order = meant }
                }
                break
            }
        }
        return order
    }

    /// For whom a returned message was, by the fields that name its recipients and by what servers noted when they took it (`for <...>`).
    private static func addressees(of copy: String) -> Set<String> {
        var keys = Set<String>()
        for line in copy.utf8.split(separator: 0x0A, omittingEmptySubsequences: true).prefix(lineLimit) {
            // A copy may be quoted.
            let line = LineShape.trimmed(Array(line.drop { $0 == 0x3E || $0 == 0x20 })[...])
            let isField = isLabelled(line, ["to", "x-original-to", "delivered-to", "envelope-to"])
            for (address, range) in AddressFinder.addresses(in: line) {
                let before = line[..<range.lowerBound].suffix(5)
                if isField || before.elementsEqual("for <".utf8) { keys.insert(address.suppressionKey) }
            }
        }
        return keys
    }

    /// Names without a domain that stand alone on lines below one that ends with a colon: mailboxes of the reporter's own domain.
    private static func localNames(_ message: Message, _ lines: [Line]) -> [(address: EmailAddress, place: Int)] {
        guard let reporter = message.from.first?.address, isMailSystem(reporter) else { return [] }
        var found: [(EmailAddress, Int)] = []
        var isList = false
        for (number, line) in lines.enumerated() {
            if LineShape.endsWithColon(line.bytes) {
                isList = true
            } else if isList, !line.bytes.isEmpty {
                // A sentence of Chinese has no spaces either.
                guard line.bytes.count <= 64, line.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x80 }),
                    let address = EmailAddress(parsing: Array(line.bytes) + [0x40] + Array(reporter.domainBytes))
                else { break }
                found.append((address, number))
            }
        }
        return found
    }

    /// The `To` of Exchange's "Your message To: ... Subject: ... Sent: ...": whom we wrote to, which may be a list.
    private static func describesOriginal(_ lines: [Line], _ number: Int) -> Bool {
        guard isLabelled(lines[number].bytes, ["to"]) else { return false }
        return lines[min(number + 1, lines.count)..<min(number + 3, lines.count)].contains { isLabelled($0.bytes, ["subject", "sent"]) }
    }

    /// The only addressee in the header of the returned message.
    private static func addressee(of copy: String) -> EmailAddress? {
        var found: [EmailAddress] = []
        for line in copy.utf8.split(separator: 0x0A, omittingEmptySubsequences: true).prefix(lineLimit) {
            let line = Array(line)[...]
            guard isLabelled(line, ["to", "x-original-to", "delivered-to"]) else { continue }
            for (address, _) in AddressFinder.addresses(in: line)
            where !found.contains(where: { $0.suppressionKey == address.suppressionKey }) {
                found.append(address)
            }
        }
        return found.count == 1 ? found[0] : nil
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
        if concludes(line, range) { return true }
        if after.isEmpty, let (label, value) = LineShape.label(line), !label.isEmpty { return value.contains(0x40) }
        let lower = before.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        return ["rcptto:", "to:", "expandedfrom:", "recipient:", "user:", "smtp;", "rfc822;"].contains {
            lower.suffix($0.utf8.count).elementsEqual($0.utf8)
        }
    }

    /// `550 <address>... User unknown`: what a session came to for the address, in Sendmail's words.
    private static func concludes(_ line: ArraySlice<UInt8>, _ range: Range<Int>) -> Bool {
        let before = line[..<range.lowerBound].filter { $0 > 0x20 && $0 != 0x3C }
        let after = line[range.upperBound...].drop { $0 == 0x3E }
        // A digit first: "<<< 550 ..." is what the server said.
        return line.first?.isDigit == true && before.count == 3 && before.allSatisfy(\.isDigit) && after.starts(with: "...".utf8)
    }

    /// The first line that concludes what became of the address.
    private static func conclusion(_ lines: [Line], of address: EmailAddress) -> Int? {
        lines.firstIndex { line in
            line.addresses.first.map {
                $0.address.suppressionKey == address.suppressionKey && concludes(line.bytes, $0.range)
            } ?? false
        }
    }

    /// The part of a session that led to the conclusion in line `end`: it stands above it, below the conclusion about the address before and
    /// from where the server is named; what comes below is about others.
    private static func transcript(_ lines: [Line], to end: Int) -> String {
        var start = end
        while start > 0, end - start < 20 {
            let above = lines[start - 1]
            if above.bytes.isEmpty || above.bytes.first == 0x2D { break }
            if let first = above.addresses.first, concludes(above.bytes, first.range) { break }
            start -= 1
            let words = above.bytes.drop { $0 == 0x2E || $0 == 0x20 }.prefix(16).map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
            if words.elementsEqual("while talking to".utf8) { break }
        }
        return String(decoding: Array(lines[start...end].map(\.bytes).joined(separator: [0x20])).prefix(2000), as: UTF8.self)
    }

    private static func isSenderLine(_ line: ArraySlice<UInt8>) -> Bool {
        isLabelled(
            line, ["from", "sender", "mail from", "reply-to", "envelope-from", "cc", "message-id", "contact", "return-path", "sent by"])
    }

    private static func isLabelled(_ line: ArraySlice<UInt8>, _ labels: [String]) -> Bool {
        guard let (label, _) = LineShape.label(line) else { return false }
        let lower = label.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        return labels.contains { lower.elementsEqual($0.utf8) }
    }

    private static func joined(_ lines: [Line]) -> String {
        String(decoding: Array(lines.map(\.bytes).filter { !$0.isEmpty }.joined(separator: [0x20])).prefix(2000), as: UTF8.self)
    }

    /// The lines about one recipient: up to an empty line or the next recipient, at most 12; all that follows where there is no other.
    private static func diagnostic(_ lines: [Line], from start: Int, starts: Set<Int>, isOnly: Bool) -> String {
        var words: [ArraySlice<UInt8>] = [lines[start].bytes]
        var i = start + 1
        var empties = 0
        while i < lines.count, words.count < (isOnly ? 40 : 12), !starts.contains(i) {
            if lines[i].bytes.isEmpty {
                empties += 1
                // The reason may stand one empty line below a bare address.
                if !isOnly, words.count > 1 || empties > 1 { break }
            } else {
                words.append(lines[i].bytes)
            }
            i += 1
        }
        return String(decoding: Array(words.joined(separator: [0x20])).prefix(2000), as: UTF8.self)
    }
}
