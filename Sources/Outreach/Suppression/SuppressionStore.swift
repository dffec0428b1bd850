package import InternetMessage

/// Who must not be written to. One method, one transaction.
package protocol SuppressionStore: Sendable {
    /// Adds each suppression, stops the live enrollments of the addresses and cancels their mail that has not reached its final dot.
    ///
    /// A subject that is suppressed already keeps its first reason, unless the new one is stronger: an unsubscribe, which never expires,
    /// before a complaint before the others; of two ends the later one holds. A suppression that is over when it is added changes nothing.
    func suppress(_ suppressions: [Suppression]) async throws(StoreError)

    /// Takes a suppression back; false when there was none. Stopped enrollments stay stopped.
    func unsuppress(workspace: WorkspaceID, subject: Suppression.Subject) async throws(StoreError) -> Bool

    /// The suppression that holds for the address (its own or its domain's) at `now`; nil when it may be written to.
    func suppression(workspace: WorkspaceID, address: EmailAddress, now: Timestamp) async throws(StoreError) -> Suppression?

    /// All of a workspace in id order, from above `after`, at most `limit`.
    func suppressions(workspace: WorkspaceID, after: Suppression.ID?, limit: Int) async throws(StoreError) -> [Suppression]
}
