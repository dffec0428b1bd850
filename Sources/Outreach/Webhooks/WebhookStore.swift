package import InternetMessage

/// Calls to other systems. One method, one transaction; a call comes to be only with the transition that decides it (`Consequence.calls`).
package protocol WebhookStore: Sendable {
    /// Claims calls of one webhook that are due and free of a living lease, oldest due first; each claim counts as an attempt.
    ///
    /// Nothing is claimed while the global STOP is set.
    func claimCalls(webhook: String, now: Timestamp, limit: Int, lease: Lease) async throws(StoreError) -> [WebhookCall]

    /// When the first call to one of these webhooks is due that nobody has claimed; nil when none waits, or under the global STOP.
    func nextCall(webhooks: [String]) async throws(StoreError) -> Timestamp?

    /// Notes what an attempt came to, and ends the lease; a call that ends stands in the timeline.
    ///
    /// - Parameters:
    ///   - call: as it was claimed.
    ///   - owner: who claimed it.
    /// - Returns: false, and nothing is noted, when the claim is not the latest any more, or the call has ended meanwhile.
    func settle(_ call: WebhookCall, as verdict: WebhookJudge.Verdict, owner: String, at now: Timestamp) async throws(StoreError) -> Bool

    /// Gives a claimed call back that was not made: as if it had not been claimed.
    ///
    /// - Parameters:
    ///   - call: as it was claimed.
    ///   - owner: who claimed it.
    /// - Returns: false, and nothing is changed, when the claim is not the latest any more, or the call has ended meanwhile.
    func putBack(_ call: WebhookCall, owner: String) async throws(StoreError) -> Bool

    func call(id: WebhookCall.ID) async throws(StoreError) -> WebhookCall?

    /// Calls in id order, from above `after`, at most `limit`; nil: in any state.
    ///
    /// - Parameter withBody: whether their content is read, of which a page may be large; else it is nil.
    func calls(state: WebhookCall.State?, after: WebhookCall.ID?, limit: Int, withBody: Bool) async throws(StoreError) -> [WebhookCall]

    /// Every call about a contact, oldest first.
    func calls(contact: Contact.ID) async throws(StoreError) -> [WebhookCall]

    /// Takes calls back that wait, so that they are not made; each stands in the timeline with the reason.
    ///
    /// - Returns: how many there were, and how many of these somebody was just making, so that they may have been heard.
    func cancelCalls(_ ids: [WebhookCall.ID], because reason: String, at now: Timestamp) async throws(StoreError) -> (
        cancelled: Int, underWay: Int
    )

    /// Queues calls anew that still have their content: these that failed or were cancelled, or nil: all that failed; how many.
    func retryCalls(_ ids: [WebhookCall.ID]?, at now: Timestamp) async throws(StoreError) -> Int

    /// Brings calls to where another database of the same installation had them, where that is later, or in where they are missing and their
    /// enrollment is known; how many. What was erased there is erased here.
    func carry(_ calls: [WebhookCall]) async throws(StoreError) -> Int
}
