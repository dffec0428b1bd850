import struct NIOCore.ByteBuffer

/// One envelope and what is known of its recipients so far.
struct Transaction: Sendable {
    let envelope: Envelope
    /// One place for each recipient; nil while undecided.
    private(set) var outcomes: [DeliveryOutcome?]
    /// Recipients that the server accepted in the envelope, in the order of their replies.
    private(set) var accepted: [Int] = []
    /// An LMTP server answered 421 for one of the recipients, so the session ends with this transaction.
    var sessionEnds = false

    init(_ envelope: Envelope) {
        self.envelope = envelope
        outcomes = Array(repeating: nil, count: envelope.recipients.count)
    }

    func isDecided(_ recipient: Int) -> Bool { outcomes[recipient] != nil }

    /// Recipients without an outcome, accepted or not yet asked for.
    var undecided: [Int] { outcomes.indices.filter { outcomes[$0] == nil } }

    /// Whether a recipient was accepted for good.
    var isAcceptedByAnyone: Bool { outcomes.contains { if case .accepted = $0 { true } else { false } } }

    mutating func accept(_ recipient: Int) { accepted.append(recipient) }

    mutating func decide(_ recipient: Int, _ outcome: DeliveryOutcome) { outcomes[recipient] = outcome }

    /// Gives every undecided recipient the same outcome.
    mutating func decideRest(_ outcome: DeliveryOutcome) {
        for recipient in undecided { outcomes[recipient] = outcome }
    }

    /// The outcomes for the driver; `rest` stands for whoever is undecided.
    func finished(rest: DeliveryOutcome) -> [RecipientOutcome] {
        zip(envelope.recipients, outcomes).map { RecipientOutcome(forwardPath: $0.forwardPath, outcome: $1 ?? rest) }
    }
}

/// The commands of an envelope and how far their replies have come.
struct EnvelopeExchange: Sendable {
    enum Command: Sendable {
        case mail
        case recipient(Int)
        case data

        var stage: Stage {
            switch self {
            case .mail: .mail
            case .recipient: .recipient
            case .data: .data
            }
        }
    }

    var transaction: Transaction
    let commands: [Command]
    let lines: [ByteBuffer]
    /// All lines were sent at once, RFC 2920.
    let isPipelined: Bool
    /// The command whose reply is awaited.
    var position = 0
    var mailWasRefused = false
    /// A refusal spoke about the session and not about the mail, so that the session is not used again.
    var sessionIsUnfit = false

    var command: Command { commands[position] }
}

/// An AUTH exchange under way.
struct AuthenticationExchange: Sendable {
    /// An initial response that was too long for the AUTH line and goes out after the first, empty challenge (RFC 4954 §4).
    var heldResponse: [UInt8]?
    /// Challenges so far.
    var challenges = 0

    static let mostChallenges = 32
}
