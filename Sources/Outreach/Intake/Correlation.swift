package import InternetMessage

/// What an incoming message answers, with every proof that says so.
package struct Correlation: Sendable, Equatable {
    /// How sure it is; a low one never changes anything without a person.
    package enum Certainty: String, Sendable, CaseIterable, Comparable {
        case low
        case medium
        case high

        package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

        private var rank: Int {
            switch self {
            case .low: 0
            case .medium: 1
            case .high: 2
            }
        }
    }

    /// One independent sign that a message belongs to one of ours.
    package struct Proof: Sendable, Equatable {
        package enum Kind: String, Sendable, CaseIterable {
            /// A token address of ours in the envelope.
            case envelopeToken = "token in the envelope"
            /// A token address of ours in a header field; anybody who saw the message could write it.
            case headerToken = "token in the header"
            /// A genuine token whose last day is over.
            case expiredToken = "expired token"
            case references = "References or In-Reply-To"
            /// The Message-ID of a message that a report returned.
            case returnedMessageID = "returned Message-ID"
            case originalEnvelopeID = "original envelope id"
            /// The sender is somebody we wrote to lately.
            case address = "address we wrote to"
        }

        package let kind: Kind
        /// Where and what, for a person.
        package let detail: String

        package init(kind: Kind, detail: String) {
            self.kind = kind
            self.detail = detail
        }

        var certainty: Certainty {
            switch kind {
            case .envelopeToken, .references, .returnedMessageID, .originalEnvelopeID: .high
            case .headerToken: .medium
            case .expiredToken, .address: .low
            }
        }
    }

    package let message: SentMessage
    package let certainty: Certainty
    package let proofs: [Proof]
    /// Kind of the token that named the message; nil when no token did.
    package let tokenKind: MailToken.Kind?
}

/// What a message shows that could tie it to one of ours, before anything is looked up.
package struct CorrelationClues: Sendable, Equatable {
    package struct TokenClue: Sendable, Equatable {
        package let token: MailToken
        package let proof: Correlation.Proof
    }

    package let tokens: [TokenClue]
    /// From References, In-Reply-To; latest first.
    package let references: [MessageID]
    /// From the messages that reports returned.
    package let returned: [MessageID]
    package let envelopeIDs: [OutboxMessage.ID]
    package let sender: EmailAddress?

    /// Every Message-ID that may be ours.
    package var messageIDs: [MessageID] { references + returned }

    package var messages: [OutboxMessage.ID] { tokens.map(\.token.message) + envelopeIDs }
}

/// Ties what comes in to what was sent, by independent proofs.
package struct Correlator: Sendable {
    private let addresses: [TokenAddresses]

    /// - Parameter addresses: the token addresses of every domain of ours that has them.
    package init(addresses: [TokenAddresses]) { self.addresses = addresses }

    /// Reads all clues of a message.
    package func clues(in message: Message, forwardPaths: [String], at now: Timestamp) -> CorrelationClues {
        var tokens: [CorrelationClues.TokenClue] = []
        func look(at address: EmailAddress, where place: String, kind: Correlation.Proof.Kind) {
            for codec in addresses {
                switch codec.read(address, at: now) {
                case .valid(let token):
                    tokens.append(.init(token: token, proof: .init(kind: kind, detail: "\(token.kind.prefix) token in \(place)")))
                case .expired(let token):
                    tokens.append(.init(token: token, proof: .init(kind: .expiredToken, detail: "\(token.kind.prefix) token in \(place)")))
                case .unknown: continue
                }
                return
            }
        }
        for path in forwardPaths {
            if let address = EmailAddress(path) { look(at: address, where: "the envelope", kind: .envelopeToken) }
        }
        for name in ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"] {
            for field in message.header.all(name) {
                for mailbox in AddressList(parsing: field.rawValue).mailboxes {
                    look(at: mailbox.address, where: name, kind: .headerToken)
                }
            }
        }
        var returned: [MessageID] = []
        var envelopeIDs: [OutboxMessage.ID] = []
        switch message.report {
        case .deliveryStatus(let status):
            if let id = status.returnedMessageID { returned.append(id) }
            if let text = status.originalEnvelopeID, let id = OutboxMessage.ID(text) { envelopeIDs.append(id) }
        case .feedback(let feedback):
            if let id = feedback.originalMessageID { returned.append(id) }
        case .disposition(let disposition):
            if let id = disposition.originalMessageID { returned.append(id) }
        case .aggregate, .transportSecurity, nil: break
        }
        return CorrelationClues(
            tokens: tokens, references: Array((message.inReplyTo + message.references.reversed()).prefix(100)), returned: returned,
            envelopeIDs: envelopeIDs, sender: message.from.first?.address)
    }

    /// Weighs the clues against the messages of ours that were found for them; nil when nothing ties the message to one.
    ///
    /// - Parameters:
    ///   - found: our messages for `clues.messageIDs` and `clues.messages`.
    ///   - latest: our latest message to `clues.sender` within the window that conf allows.
    package func verdict(_ clues: CorrelationClues, found: [SentMessage], latest: SentMessage?) -> Correlation? {
        var proofs: [(message: SentMessage, proof: Correlation.Proof, kind: MailToken.Kind?)] = []
        for clue in clues.tokens {
            if let message = found.first(where: { $0.outbox == clue.token.message }) {
                proofs.append((message, clue.proof, clue.token.kind))
            }
        }
        for id in clues.envelopeIDs {
            if let message = found.first(where: { $0.outbox == id }) {
                proofs.append((message, .init(kind: .originalEnvelopeID, detail: id.description), nil))
            }
        }
        for (ids, kind) in [(clues.references, Correlation.Proof.Kind.references), (clues.returned, .returnedMessageID)] {
            if let message = ids.lazy.compactMap({ id in found.first { $0.messageID == id } }).first {
                proofs.append((message, .init(kind: kind, detail: message.messageID.text), nil))
            }
        }
        if let latest, let sender = clues.sender, latest.recipient.suppressionKey.utf8.elementsEqual(sender.suppressionKey.utf8) {
            proofs.append((latest, .init(kind: .address, detail: "From is the recipient of \(latest.outbox)"), nil))
        }
        guard let best = proofs.max(by: { $0.proof.certainty < $1.proof.certainty }) else { return nil }
        let same = proofs.filter { $0.message.enrollment == best.message.enrollment }
        // Two independent proofs of the same conversation are stronger than one.
        let certainty: Correlation.Certainty = best.proof.certainty == .medium && same.count > 1 ? .high : best.proof.certainty
        return Correlation(
            message: best.message, certainty: certainty, proofs: same.map(\.proof), tokenKind: proofs.lazy.compactMap(\.kind).first)
    }
}
