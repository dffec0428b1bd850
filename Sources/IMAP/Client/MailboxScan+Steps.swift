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
    /// How often a message that is there may be asked for and not be given.
    static let asksInVain = 4
    static let setbacksToTruncate = 2
    /// One that the server does not give is passed over when it has cost so many sessions before this one.
    static let setbacksToGiveUp = 2
    static let setbacksToSkip = 4

    /// What is to follow the end of a FETCH.
    enum Completion: Equatable {
        case proceed
        /// The server refuses for the second time what it was asked for alone.
        case refused
        /// The message is there and is not given: the session is to end, and another one to ask again.
        case withheld(UID)
    }
}
