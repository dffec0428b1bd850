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
            /// A bounce token that a report gives as the ENVID of our message.
            case signedEnvelopeID = "token as original envelope id"
            /// A token of ours in the header that a report returned, beside the Message-ID of the same message.
            case returnedToken = "token in the returned header"
            /// A genuine token whose last day is over.
            case expiredToken = "expired token"
            case references = "References or In-Reply-To"
            /// It answers something else that came in and belongs to the conversation.
            case thread = "References to an earlier reply"
            /// The Message-ID of a message that a report returned.
            case returnedMessageID = "returned Message-ID"
            /// The number of a message of ours, which anybody can guess.
            case originalEnvelopeID = "original envelope id"
            /// The sender is somebody we wrote to lately.
            case address = "address we wrote to"
            /// The report is about somebody else than the message went to, who may have it all the same.
            case otherRecipient = "another recipient"
        }

        package let kind: Kind
        /// Where and what, for a person.
        package let detail: String
        /// Kind of the token that it is; nil when it is none.
        package let token: MailToken.Kind?

        package init(kind: Kind, detail: String, token: MailToken.Kind? = nil) {
            self.kind = kind
            self.detail = detail
            self.token = token
        }

        /// How much it proves for a message of that class.
        ///
        /// Reports are forged easily and suppress addresses, so that only a token counts: a bounce token wherever it stands, because our
        /// reverse-paths go to the servers on the way alone, or any token in a returned header that is that of our message. A recipient can
        /// make such a report too, but only about himself.
        func certainty(for replyClass: ReplyClass) -> Certainty {
            guard !replyClass.isReport || provesReport else { return .low }
            return switch kind {
            case .envelopeToken, .signedEnvelopeID, .returnedToken, .references, .returnedMessageID: .high
            case .headerToken, .thread: .medium
            case .expiredToken, .originalEnvelopeID, .address, .otherRecipient: .low
            }
        }

        private var provesReport: Bool {
            switch kind {
            case .signedEnvelopeID, .returnedToken: true
            case .envelopeToken, .headerToken: token == .bounce
            case .expiredToken, .references, .thread, .returnedMessageID, .originalEnvelopeID, .address, .otherRecipient: false
            }
        }

        /// A token whose signature holds and whose time is not over.
        var isLivingToken: Bool { token != nil && kind != .expiredToken }
    }

    package let message: SentMessage
    package let certainty: Certainty
    package let proofs: [Proof]
    /// Kind of the living token that the message was sent to; `unsubscribe` before others, nil when there was none.
    package let tokenKind: MailToken.Kind?

    /// Each proof on one line, for a person.
    package var lines: [String] { proofs.map { "\($0.kind.rawValue): \($0.detail)" } }

    package init(message: SentMessage, certainty: Certainty, proofs: [Proof], tokenKind: MailToken.Kind?) {
        self.message = message
        self.certainty = certainty
        self.proofs = proofs
        self.tokenKind = tokenKind
    }
}
