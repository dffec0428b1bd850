package import InternetMessage

/// Contacts by what holds for them.
package protocol SegmentStore: Sendable {
    /// Contacts for whom the query holds at `now`, with ids above `after` (nil: from the start), in id order, at most `limit`.
    func contacts(in query: SegmentQuery, workspace: WorkspaceID, at now: Timestamp, after: Contact.ID?, limit: Int)
        async throws(StoreError) -> [Contact]

    /// Those of the names that nothing has: fields that no contact has a value in, tags, lists and sequences that there are none of.
    func unknown(_ mentions: [SegmentQuery.Mention], workspace: WorkspaceID) async throws(StoreError) -> [SegmentQuery.Mention]
}
