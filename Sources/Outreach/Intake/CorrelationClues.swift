package import InternetMessage

/// What a message shows that could tie it to one of ours, before anything is looked up.
package struct CorrelationClues: Sendable, Equatable {
    package struct TokenClue: Sendable, Equatable {
        package let token: MailToken
        package let proof: Correlation.Proof
    }

    package internal(set) var tokens: [TokenClue] = []
    /// From References, In-Reply-To; latest first.
    package internal(set) var references: [MessageID] = []
    /// From the messages that reports returned.
    package internal(set) var returned: [MessageID] = []
    /// Numbers of messages that a report gives as original envelope id.
    package internal(set) var envelopeIDs: [OutboxMessage.ID] = []
    /// Whom a delivery report says it failed to reach, under every name it gives; empty when it names nobody.
    package internal(set) var unreached: [EmailAddress] = []
    package internal(set) var sender: EmailAddress?

    /// Every Message-ID that may be ours.
    package var messageIDs: [MessageID] { references + returned }

    package var messages: [OutboxMessage.ID] { tokens.map(\.token.message) + envelopeIDs }

    /// Whether the message came to an address of ours that bears a living token.
    package var isAddressedByToken: Bool { tokens.contains { $0.proof.kind == .envelopeToken } }

    mutating func look(
        at address: EmailAddress, where place: String, _ kind: Correlation.Proof.Kind, in codecs: [TokenAddresses], now: Timestamp
    ) {
        for codec in codecs where take(codec.read(address, at: now), where: place, kind) { return }
    }

    mutating func look(atEnvelopeID text: String, in codecs: [TokenAddresses], now: Timestamp) {
        for codec in codecs where take(codec.readEnvelopeID(text, at: now), where: "the report", .signedEnvelopeID) { return }
        if let id = OutboxMessage.ID(text) { envelopeIDs.append(id) }
    }

    /// Looks for token addresses and unsubscribe links of ours in a header that a report returned.
    mutating func look(atReturned header: Header, in codecs: [TokenAddresses], now: Timestamp) {
        for name in ["Return-Path", "Reply-To"] {
            for field in header.all(name).prefix(5) {
                for mailbox in AddressList(parsing: field.rawValue).mailboxes.prefix(5) {
                    look(at: mailbox.address, where: "the returned \(name)", .returnedToken, in: codecs, now: now)
                }
            }
        }
        for field in header.all("List-Unsubscribe").prefix(5) {
            for piece in field.rawValue.split(separator: UInt8(ascii: "<")).prefix(10) {
                let link = Array(piece.prefix { $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "?") })
                let mailto = Array("mailto:".utf8)
                if link.starts(with: mailto), let address = EmailAddress(parsing: Array(link.dropFirst(mailto.count))) {
                    look(at: address, where: "the returned List-Unsubscribe", .returnedToken, in: codecs, now: now)
                } else if let slash = link.lastIndex(of: UInt8(ascii: "/")) {
                    for codec in codecs
                    where take(codec.codec.decode(link[(slash + 1)...], at: now), where: "the returned List-Unsubscribe", .returnedToken) {
                        break
                    }
                }
            }
        }
    }

    /// False when it is no token of ours.
    private mutating func take(_ verdict: TokenCodec.Verdict, where place: String, _ kind: Correlation.Proof.Kind) -> Bool {
        switch verdict {
        case .valid(let token): add(token, place, kind)
        // What a report returned proves nothing any more then, and takes nothing away.
        case .expired(let token): if kind != .returnedToken { add(token, place, .expiredToken) }
        case .unknown: return false
        }
        return true
    }

    private mutating func add(_ token: MailToken, _ place: String, _ kind: Correlation.Proof.Kind) {
        tokens.append(.init(token: token, proof: .init(kind: kind, detail: "\(token.kind.prefix) token in \(place)", token: token.kind)))
    }
}
