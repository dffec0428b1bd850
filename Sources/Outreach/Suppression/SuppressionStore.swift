package import InternetMessage

/// Who must not be written to. One method, one transaction.
package protocol SuppressionStore: Sendable {
    /// Adds each suppression, stops the live enrollments of the addresses and cancels their mail that has not reached its final dot.
    ///
    /// A subject that is suppressed already keeps its first reason, unless the new one is stronger: an unsubscribe, which never expires,
    /// before a complaint before the others; of two ends the later one holds. A suppression that is over when it is added changes nothing.
    func suppress(_ suppressions: [Suppression]) async throws(StoreError)

    /// Takes a suppression back, with an address the one of its hash too; false when there was none. Stopped enrollments stay stopped.
    func unsuppress(workspace: WorkspaceID, subject: Suppression.Subject) async throws(StoreError) -> Bool

    /// The suppression of exactly that subject and scope, over or not, for an address else that of its hash; nil when there is none.
    func suppression(workspace: WorkspaceID, of subject: Suppression.Subject) async throws(StoreError) -> Suppression?

    /// The suppression that holds for the address at `now`, of the workspace or of the installation: its own, its domain's, a pattern's or that
    /// of its hash, in this order; nil when it may be written to.
    func suppression(workspace: WorkspaceID, address: EmailAddress, now: Timestamp) async throws(StoreError) -> Suppression?

    /// All that hold in a workspace, those of the installation among them, in id order, from above `after`, at most `limit`.
    func suppressions(workspace: WorkspaceID, after: Suppression.ID?, limit: Int) async throws(StoreError) -> [Suppression]
}
