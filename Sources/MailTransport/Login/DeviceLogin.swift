/// A login by a person on another device (RFC 8628): we show a code, the person enters it in a browser, we ask until it is done.
package struct DeviceLogin: Sendable {
    /// What the person needs. Printable ASCII; from the server.
    package struct Prompt: Sendable, Equatable {
        /// To be entered at `url`.
        package let code: String
        package let url: String
        /// With the code in it; nil when the server gives none.
        package let completeURL: String?
        /// From now.
        package let lifetime: Duration
    }

    package let prompt: Prompt
    private let endpoint: TokenEndpoint
    private let code: String
    private let interval: Duration

    /// Asks for a code.
    package static func begin(_ endpoint: TokenEndpoint) async throws(OAuthTrouble) -> DeviceLogin {
        let device = try await endpoint.device()
        return DeviceLogin(
            prompt: Prompt(
                code: device.userCode, url: device.verificationURL, completeURL: device.completeURL, lifetime: device.lifetime),
            endpoint: endpoint, code: device.deviceCode, interval: device.interval)
    }

    /// Asks until the person has said yes or no, or the code is over.
    ///
    /// A server that is out of order is asked again, more slowly each time (RFC 8628 §3.5).
    /// - Parameter sleep: waits; throws when the task is cancelled.
    package func finish(sleep: (Duration) async throws -> Void) async throws(OAuthTrouble) -> AccessToken {
        var wait = interval
        var waited = Duration.zero
        while waited < prompt.lifetime {
            do {
                try await sleep(wait)
            } catch {
                throw OAuthTrouble(.expired, "given up before the login was confirmed")
            }
            waited += wait
            do throws(OAuthTrouble) {
                return try await endpoint.token(.deviceCode(code))
            } catch {
                switch error.code {
                case .pending: break
                case .slowDown: wait += .seconds(5)
                case .temporary: wait = min(wait * 2, max(interval, .seconds(60)))
                case .loginNeeded, .clientRefused, .badRequest, .expired, .denied: throw error
                }
            }
        }
        throw OAuthTrouble(.expired, "[oauth.\(endpoint.account.name)]: the login was not confirmed in time; begin again")
    }
}

extension TokenEndpoint {
    /// Asks for a token, to see whether what the conf says is good; for flows with a refresh token that somebody already has.
    package func proven(refreshToken: [UInt8]? = nil) async throws(OAuthTrouble) -> AccessToken {
        if let refreshToken { return try await token(.refreshToken(refreshToken)) }
        return try await token(.clientCredentials)
    }
}
