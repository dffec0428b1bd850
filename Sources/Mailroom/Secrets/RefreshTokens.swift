import InternetMessage
package import MailTransport
package import OpenSSL
package import Outreach

/// The refresh tokens of logins, sealed in the store.
package struct RefreshTokens: RefreshTokenKeeper {
    private let store: any SecretStore
    private let key: SealingKey
    private let ids: RecordIDs
    private let clock: any MailClock

    package init(store: any SecretStore, key: SealingKey, ids: RecordIDs, clock: any MailClock) {
        self.store = store
        self.key = key
        self.ids = ids
        self.clock = clock
    }

    package func refreshToken(of account: String) async throws(LoginTrouble) -> KeptRefreshToken? {
        let kept: SealedSecret?
        do {
            kept = try await store.secret(.refreshToken, name: account)
        } catch {
            throw Self.storeTrouble(account, error)
        }
        guard let kept else { return nil }
        do {
            return KeptRefreshToken(
                token: try key.open(kept.sealed, for: SealedSecret.purpose(of: kept.id)), version: kept.id.rawValue)
        } catch {
            throw LoginTrouble(
                .person, "[oauth.\(account)]: the stored login cannot be read: \(error.message); run: postrider oauth login \(account)")
        }
    }

    package func keep(_ token: [UInt8], of account: String, replacing: KeptRefreshToken?) async throws(LoginTrouble) -> Bool {
        let id: SealedSecret.ID = ids.next()
        let sealed: [UInt8]
        do {
            sealed = try key.seal(token, for: SealedSecret.purpose(of: id))
        } catch {
            throw LoginTrouble(.time, "[oauth.\(account)]: \(error.message)")
        }
        let secret = SealedSecret(id: id, kind: .refreshToken, name: account, sealed: sealed, changedAt: clock.now())
        do {
            return try await store.keep(secret, replacing: replacing.map { SealedSecret.ID(rawValue: $0.version) })
        } catch {
            throw Self.storeTrouble(account, error)
        }
    }

    private static func storeTrouble(_ account: String, _ error: StoreError) -> LoginTrouble {
        LoginTrouble(.time, "[oauth.\(account)]: the database cannot be used: \(error.message)")
    }
}
