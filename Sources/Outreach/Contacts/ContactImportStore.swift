package import InternetMessage

/// Imports of contacts. One method, one transaction.
package protocol ContactImportStore: Sendable {
    /// Notes that an import begins, so that even one that is broken off can be undone.
    func begin(_ contactImport: ContactImport) async throws(StoreError)

    /// Saves the contact of each row as `ContactStore.save` does, brings it into its groups, gives it its further addresses, and notes for the
    /// undo what it changed; all of them or none.
    ///
    /// A row with a further address that is another contact's, or for which there is no room, is refused. Where one of a person's addresses is
    /// suppressed for a reason of the person, so are the others of the row from then on, and the row is not taken.
    /// An address that the same import has taken already is a duplicate and changes nothing.
    func take(_ rows: [ContactImport.Row], into contactImport: ContactImport.ID) async throws(StoreError) -> [ContactImport.Verdict]

    /// What `take` would say of each row alone; nothing is stored, and rows of the same file are not compared.
    func foresee(_ rows: [ContactImport.Row]) async throws(StoreError) -> [ContactImport.Verdict]

    func finish(_ contactImport: ContactImport.ID, counts: ContactImport.Counts, at: Timestamp) async throws(StoreError)

    /// The imports of a workspace, newest first.
    func contactImports(workspace: WorkspaceID) async throws(StoreError) -> [ContactImport]

    /// Undoes up to `limit` rows of an import: deletes the contacts that it made and nothing came of, and gives others back the values
    /// that it replaced and nobody has changed since. Whom it brought into a group leaves it, unless a person did so, too; further addresses that
    /// it gave are taken. Called again while `hasMore`; nil when there is no such import.
    func undo(_ contactImport: ContactImport.ID, at: Timestamp, limit: Int) async throws(StoreError) -> ContactImportUndo?
}
