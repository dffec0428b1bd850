import InternetMessage
package import Outreach

/// Turns a token from a link into an unsubscription: at once, for ever, as often as it is asked.
package struct Unsubscriber: Sendable {
    package enum Outcome: Sendable, Equatable {
        case done
        case unknownToken
    }

    private let store: any SequenceStore & IntakeStore
    private let codec: Swappable<TokenCodec?>
    private let decider: UnsubscribeDecider
    private let identities: Swappable<[String: SenderIdentity]>
    private let companies: Swappable<CompanyBook>
    private let clock: any MailClock
    private let bell: Bell

    /// - Parameter bell: rung when an enrollment may have moved.
    package init(
        store: any SequenceStore & IntakeStore, codec: Swappable<TokenCodec?>,
        identities: Swappable<[String: SenderIdentity]>, companies: Swappable<CompanyBook> = Swappable(.none),
        ids: RecordIDs, clock: any MailClock, bell: Bell
    ) {
        self.store = store
        self.codec = codec
        self.identities = identities
        self.companies = companies
        decider = UnsubscribeDecider(ids: ids)
        self.clock = clock
        self.bell = bell
    }

    /// The message of ours that the token belongs to; nil for a token that is not ours or not for unsubscribing.
    package func message(token: String) async throws(StoreError) -> SentMessage? {
        guard let codec = codec.current, case .valid(let token) = codec.decode(Array(token.utf8), at: clock.now()),
            token.kind == .unsubscribe
        else {
            return nil
        }
        return try await store.sentMessage(id: token.message)
    }

    package func unsubscribe(token: String, source: Suppression.Source) async throws -> Outcome {
        guard let message = try await message(token: token) else { return .unknownToken }
        while true {
            let machine = try await store.machine(of: message.enrollment, identities: identities.current)
            let consequence = decider.decide(
                message, machine: machine, company: companies.current.company(of: message.recipient), source: source, at: clock.now())
            if try await store.apply(consequence) == .committed { break }
        }
        bell.ring()
        return .done
    }
}
