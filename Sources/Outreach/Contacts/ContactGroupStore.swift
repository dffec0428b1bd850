/// Tags and lists of contacts. One method, one transaction.
package protocol ContactGroupStore: Sendable {
    /// Makes a group, or gives the one of that name this description; true when it was made.
    func define(_ group: ContactGroup) async throws(StoreError) -> Bool

    /// The groups of a kind by name, each with its members.
    func groups(workspace: WorkspaceID, kind: ContactGroup.Kind) async throws(StoreError) -> [ContactGroup.Count]

    /// Deletes a group; how many contacts were in it, nil when there is none of that name. The contacts stay.
    func remove(_ name: ContactGroup.Name, workspace: WorkspaceID) async throws(StoreError) -> Int?

    /// Brings contacts into groups, which are made where they are missing, and takes them out; all or nothing. Contacts that are gone are
    /// left out. Whether each changed anything; what did stands in the timeline.
    func regroup(_ changes: [ContactGroup.Change]) async throws(StoreError) -> [Bool]

    /// The groups of each of those contacts that is in one, by kind and name.
    func groups(of contacts: [Contact.ID]) async throws(StoreError) -> [Contact.ID: [ContactGroup.Name]]

    /// Contacts with ids above `after` (nil: from the start) that are in a group, in id order, at most `limit`.
    func memberships(workspace: WorkspaceID, after: Contact.ID?, limit: Int) async throws(StoreError) -> [ContactGroup.Membership]
}
