package import InternetMessage

/// Ties what comes in to what was sent, by independent proofs.
package struct Correlator: Sendable {
    private let addresses: [TokenAddresses]

    /// - Parameter addresses: the token addresses of every domain of ours that has them.
    package init(addresses: [TokenAddresses]) { self.addresses = addresses }

    /// Reads all clues of a message.
    package func clues(in message: Message, forwardPaths: [String], at now: Timestamp) -> CorrelationClues {
        var clues = CorrelationClues()
        for path in forwardPaths {
            if let address = EmailAddress(rewritten: path.utf8) {
                clues.look(at: address, where: "the envelope", .envelopeToken, in: addresses, now: now)
            }
        }
        for name in ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"] {
            for field in message.header.all(name) {
                for mailbox in AddressList(parsing: field.rawValue).mailboxes {
                    clues.look(at: mailbox.address, where: name, .headerToken, in: addresses, now: now)
                }
            }
        }
        clues.references = Array((message.inReplyTo + message.references.reversed()).prefix(100))
        clues.sender = message.from.first?.address
        look(at: message.report, &clues, now)
        return clues
    }

    /// Whether a token of ours stands in the envelope, so that the message came from somebody who had one of ours.
    package func isAddressedByToken(_ message: IncomingMessage, at now: Timestamp) -> Bool {
        var clues = CorrelationClues()
        for path in message.forwardPaths {
            if let address = EmailAddress(rewritten: path.utf8) {
                clues.look(at: address, where: "", .envelopeToken, in: addresses, now: now)
            }
        }
        return clues.isAddressedByToken
    }

    private func look(at report: Report?, _ clues: inout CorrelationClues, _ now: Timestamp) {
        switch report {
        case .deliveryStatus(let status):
            if let id = status.returnedMessageID { clues.returned.append(id) }
            if let text = status.originalEnvelopeID { clues.look(atEnvelopeID: text, in: addresses, now: now) }
            if let header = status.returnedHeader { clues.look(atReturned: header, in: addresses, now: now) }
            for recipient in status.recipients {
                let isReached = recipient.action.map { !["failed", "delayed"].contains($0) } ?? false
                guard !isReached, clues.unreached.count < 100 else { continue }
                clues.unreached += [recipient.originalRecipient, recipient.finalRecipient].compactMap { $0.flatMap { EmailAddress($0) } }
            }
        case .feedback(let feedback):
            if let id = feedback.originalMessageID { clues.returned.append(id) }
            if let text = feedback.originalEnvelopeID { clues.look(atEnvelopeID: text, in: addresses, now: now) }
            if let header = feedback.returnedHeader { clues.look(atReturned: header, in: addresses, now: now) }
            if let path = feedback.originalMailFrom.flatMap({ EmailAddress(rewritten: $0.utf8) }) {
                clues.look(at: path, where: "Original-Mail-From", .returnedToken, in: addresses, now: now)
            }
        case .disposition(let disposition):
            if let id = disposition.originalMessageID { clues.returned.append(id) }
        case .aggregate, .transportSecurity, nil: break
        }
    }

    private struct Found {
        let message: SentMessage
        let proof: Correlation.Proof

        func isConversation(of other: SentMessage) -> Bool { message.isConversation(of: other) }
    }

    /// Weighs the clues against the messages of ours that were found for them: the conversation they speak for most, then every other one
    /// that a living token in the envelope names; empty when nothing ties the message to one.
    ///
    /// - Parameters:
    ///   - replyClass: what the message was read to be: reports need better proof than people.
    ///   - found: our messages for `clues.messageIDs` and `clues.messages`.
    ///   - threads: our messages whose conversations hold what came in earlier, by its Message-IDs.
    ///   - latest: our latest message to `clues.sender` within the window that conf allows, as `latest(of:in:forwardPaths:ours:)` tells.
    package func verdicts(
        _ clues: CorrelationClues, for replyClass: ReplyClass, found: [SentMessage], threads: [MessageID: SentMessage] = [:],
        latest: SentMessage?
    ) -> [Correlation] {
        let proofs = proofs(clues, found, threads, latest)
        guard var best = proofs.first else { return [] }
        for proof in proofs where best.proof.certainty(for: replyClass) < proof.proof.certainty(for: replyClass) { best = proof }
        var messages = [best.message]
        for proof in proofs where proof.proof.kind == .envelopeToken && !messages.contains(where: { proof.isConversation(of: $0) }) {
            messages.append(proof.message)
        }
        return messages.map { message in
            correlation(message, proofs.filter { $0.isConversation(of: message) }.map(\.proof), clues, replyClass)
        }
    }

    /// Which of our latest messages to a sender, one of each workspace, may be meant by an address alone: the only one there is, else the only
    /// one from whose workspace an address of ours stands in the message; nil when that does not tell them apart.
    ///
    /// - Parameter ours: the addresses that the identities of each workspace write from.
    package func latest(
        of messages: [SentMessage], in message: Message, forwardPaths: [String], ours: [WorkspaceID: [EmailAddress]]
    ) -> SentMessage? {
        guard messages.count > 1 else { return messages.first }
        var addressed = Set(forwardPaths.compactMap { EmailAddress($0)?.suppressionKey })
        for name in ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"] {
            for field in message.header.all(name) {
                for mailbox in AddressList(parsing: field.rawValue).mailboxes { addressed.insert(mailbox.address.suppressionKey) }
            }
        }
        let meant = messages.filter { sent in ours[sent.workspace]?.contains { addressed.contains($0.suppressionKey) } == true }
        return meant.count == 1 ? meant.first : nil
    }

    private func correlation(
        _ message: SentMessage, _ proofs: [Correlation.Proof], _ clues: CorrelationClues, _ replyClass: ReplyClass
    ) -> Correlation {
        var proofs = proofs
        var certainty = proofs.map { $0.certainty(for: replyClass) }.max() ?? .low
        // Two independent proofs of the same conversation are stronger than one.
        if certainty == .medium, proofs.count > 1 { certainty = .high }
        // A genuine but expired token threads and does nothing by itself, whatever else is there.
        if proofs.contains(where: { $0.kind == .expiredToken }), !proofs.contains(where: \.isLivingToken) { certainty = .low }
        let key = Array(message.recipient.suppressionKey.utf8)
        let isOther = !clues.unreached.isEmpty && !clues.unreached.contains { Array($0.suppressionKey.utf8) == key }
        if isOther, replyClass == .bounce || replyClass == .delay {
            // Mail that its recipient lets go on to others fails at the others.
            certainty = .low
            proofs.append(.init(kind: .otherRecipient, detail: "the report is not about \(message.recipient.text)"))
        }
        let kinds = proofs.filter { $0.kind == .envelopeToken || $0.kind == .headerToken }.compactMap(\.token)
        return Correlation(
            message: message, certainty: certainty, proofs: proofs, tokenKind: kinds.contains(.unsubscribe) ? .unsubscribe : kinds.first)
    }

    /// The messages of one conversation that a Message-ID means: the one whose own it is, else those whose next host called them so. None
    /// when that host called messages of several conversations so: then it is no name, and anybody may know it.
    private func named(by id: MessageID, in found: [SentMessage]) -> [SentMessage] {
        if let own = found.first(where: { $0.messageID == id }) { return [own] }
        let named = found.filter { $0.isNamed(by: id) }
        guard let first = named.first, named.allSatisfy(first.isConversation) else { return [] }
        return named
    }

    private func proofs(
        _ clues: CorrelationClues, _ found: [SentMessage], _ threads: [MessageID: SentMessage], _ latest: SentMessage?
    ) -> [Found] {
        var proofs: [Found] = []
        for clue in clues.tokens {
            guard let message = found.first(where: { $0.outbox == clue.token.message }) else { continue }
            // Who knows an address of ours only has not seen the message: its Message-ID cannot be guessed from it.
            let isNamed = clues.returned.contains { id in named(by: id, in: found).contains { $0.outbox == message.outbox } }
            if clue.proof.kind == .returnedToken, !isNamed { continue }
            proofs.append(Found(message: message, proof: clue.proof))
        }
        for id in clues.envelopeIDs {
            if let message = found.first(where: { $0.outbox == id }) {
                proofs.append(Found(message: message, proof: .init(kind: .originalEnvelopeID, detail: id.description)))
            }
        }
        for (ids, kind) in [(clues.references, Correlation.Proof.Kind.references), (clues.returned, .returnedMessageID)] {
            if let message = ids.lazy.compactMap({ named(by: $0, in: found).first }).first {
                proofs.append(Found(message: message, proof: .init(kind: kind, detail: message.messageID.text)))
            }
        }
        if let (id, message) = clues.references.lazy.compactMap({ id in threads[id].map { (id, $0) } }).first {
            proofs.append(Found(message: message, proof: .init(kind: .thread, detail: id.text)))
        }
        if let latest, let sender = clues.sender {
            func isSender(_ address: EmailAddress) -> Bool { address.suppressionKey.utf8.elementsEqual(sender.suppressionKey.utf8) }
            if isSender(latest.recipient) {
                proofs.append(Found(message: latest, proof: .init(kind: .address, detail: "From is the recipient of \(latest.outbox)")))
            } else if latest.furtherAddress.map(isSender) == true {
                let detail = "From is another address of the recipient of \(latest.outbox)"
                proofs.append(Found(message: latest, proof: .init(kind: .address, detail: detail)))
            }
        }
        return proofs
    }
}
