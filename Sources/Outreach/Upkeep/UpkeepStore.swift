package import InternetMessage

/// What becomes of text that nobody needs any more, while the facts stay. One method, one transaction, and little work in each.
package protocol UpkeepStore: Sendable {
    /// Packs the bytes and dialogues of messages that are settled for good, oldest first; how many.
    ///
    /// They are read as before; what is packed is read outside of the transaction that replaces it.
    func packMessages(limit: Int) async throws(StoreError) -> Int

    /// Drops the bytes and dialogues of settled messages that were queued before a moment; how many. State, subject, Message-IDs and what each
    /// attempt came to stay.
    func dropMessages(queuedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Drops the bytes and the text of messages that came in before a moment and were sorted; how many. What they were taken for stays, and
    /// their Message-IDs.
    func dropReplies(receivedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Drops events from before a moment that are counted; how many.
    func dropEvents(before: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Drops the content of calls to other systems that ended and were queued before a moment; how many.
    func dropCallBodies(queuedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Drops calls to other systems that ended and were queued before a moment, whole; how many.
    func dropCalls(queuedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Gives pages that hold nothing back to the disk while they are more than a tenth of the file; how many, at most `limit`.
    func giveBackPages(limit: Int) async throws(StoreError) -> Int
}
