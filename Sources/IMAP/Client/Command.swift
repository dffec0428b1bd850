/// The command under way.
struct Command: Sendable {
    /// What is asked, with the answers gathered so far.
    enum Purpose: Sendable {
        case capability
        case startTLS
        case login
        case authenticate(Exchange)
        case identify
        case list([ListedMailbox])
        case select(MailboxName, Selection)
        /// Asks a mailbox that is not selected whether anything changed in it; nil until the server has said.
        case status(MailboxName, MailboxStatus?)
        case search(Findings)
        case fetch
        case store(UIDSet)
        case move(UIDSet)
        case copy(UIDSet)
        case markDeleted(UIDSet)
        case expunge
        case noop
        case idle(Idle)
        case logout
    }

    /// How far a SASL exchange has come.
    enum Exchange: Sendable {
        /// The first response waits for the server's go-ahead.
        case awaitingGoAhead(initialResponse: [UInt8])
        /// The server has the word, and may not yet agree: it has seen nothing of the mechanism.
        case awaitingChallenge
        /// The server has the word.
        case awaitingVerdict
        /// The driver has the word.
        case challenged
        /// We gave up; the server's refusal is due.
        case abandoned
    }

    enum Idle: Sendable {
        /// The server's `+` is due. `stops` says that DONE follows at once.
        case asked(stops: Bool)
        case standing
        /// DONE is sent.
        case done

        /// Whether DONE is sent or settled.
        var isEnding: Bool {
            switch self {
            case .asked(let stops): stops
            case .standing: false
            case .done: true
            }
        }
    }

    struct Selection: Sendable {
        var exists: UInt32?
        var uidValidity: UIDValidity?
        var uidNext: UID?
        var highestModSeq: UInt64?
        var isReadOnly = false
    }

    struct Findings: Sendable {
        var uids: [UID] = []
        var isAnswered = false
    }

    let tag: [UInt8]
    var purpose: Purpose
    /// What follows the server's go-ahead, piece by piece.
    var unsent: ArraySlice<[UInt8]>

    /// Whether the server may be silent as long as it likes.
    var isStandingIdle: Bool {
        switch purpose {
        case .idle(.standing), .authenticate(.challenged): true
        default: false
        }
    }

    /// Whether the pieces may be shown in a transcript.
    var isSecret: Bool {
        switch purpose {
        case .login, .authenticate: true
        default: false
        }
    }
}
