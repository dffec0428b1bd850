/// What a scan asks for next, and the bounds that it keeps to.
extension MailboxScan {
    struct Limits: Equatable, Sendable {
        var messageSize: Int
        var truncation: Int
        var batchCount: Int
        var batchSize: Int
    }

    enum Step: Equatable {
        /// Which is the highest UID there is?
        case searchHighest
        /// What came in since that day? nil: what is there at all?
        case searchSince(SearchDate?)
        case searchAfter(UID)
        /// All but the bodies.
        case fetchFacts(UIDSet)
        case fetchWhole(UIDSet)
        case fetchBeginning(UID, length: Int)
        /// Is it still there? It was asked for twice in vain.
        case confirm(UID)
        /// Mark or move these; they are committed.
        case dispose(UIDSet)
        case awaitCommits
        case finished
    }

    static let factsPerFetch = 200
    static let disposedAtOnce = 100
    /// Messages in one command that marks or moves: their numbers must fit a line.
    static let mostDisposedAtOnce = 500
    /// How often a message that is there may be asked for and not be given.
    static let asksInVain = 4
    /// How many others are asked for, to know whether it is one message that cannot be read or any.
    static let witnesses = 4

    /// What is to follow the end of a FETCH.
    enum Completion: Equatable {
        case proceed
        /// The message is there and is not given, or the server refuses it when asked for it alone: the session is to end, and another one to
        /// ask again.
        case withheld(UID, isRefused: Bool)
    }
}
