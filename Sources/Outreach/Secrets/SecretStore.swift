/// Secrets that change while the program runs. One method, one transaction.
package protocol SecretStore: Sendable {
    /// The secret of that kind and name; nil when there is none.
    func secret(_ kind: SealedSecret.Kind, name: String) async throws(StoreError) -> SealedSecret?

    /// Keeps a secret in place of the one that its kind and name had.
    ///
    /// - Parameter replacing: the one it takes the place of; false is returned, and nothing is changed, when another one stands there by now.
    ///   Nil: of whatever there is.
    func keep(_ secret: SealedSecret, replacing: SealedSecret.ID?) async throws(StoreError) -> Bool

    /// Forgets a secret; false when there was none.
    func forgetSecret(_ kind: SealedSecret.Kind, name: String) async throws(StoreError) -> Bool
}
