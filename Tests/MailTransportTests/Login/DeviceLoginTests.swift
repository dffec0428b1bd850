import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// RFC 8628 against a scripted endpoint; no test waits for real.
@Suite("device logins", .timeLimit(.minutes(4)))
struct DeviceLoginTests {
    private static let device = #"""
        {"device_code":"d/1","user_code":"ABCD-EFGH","verification_uri":"https://example.com/device",
         "verification_uri_complete":"https://example.com/device?user_code=ABCD-EFGH","expires_in":100,"interval":5}
        """#

    /// The waits, in seconds, and what came of it.
    private func run(_ answers: [WebPeer.Answer], device: String = device) async throws
        -> (waits: [Int64], result: Result<AccessToken, OAuthTrouble>, prompt: DeviceLogin.Prompt)
    {
        var outcome: (waits: [Int64], result: Result<AccessToken, OAuthTrouble>, prompt: DeviceLogin.Prompt)?
        try await TokenBench.use({ request, number in
            if request.path == "/device" { return .json(device) }
            return answers[min(number - 2, answers.count - 1)]
        }) { bench in
            let login = try await DeviceLogin.begin(bench.endpoint)
            let waits = Mutex<[Int64]>([])
            let result: Result<AccessToken, OAuthTrouble>
            do throws(OAuthTrouble) {
                result = .success(try await login.finish { time in waits.withLock { $0.append(time.components.seconds) } })
            } catch {
                result = .failure(error)
            }
            outcome = (waits.withLock { $0 }, result, login.prompt)
            let polls = bench.server.requests.filter { $0.path == "/token" }
            #expect(polls.allSatisfy { $0.field("device_code") == "d/1" && $0.field("client_id") == "app 1" })
            #expect(polls.allSatisfy { $0.field("grant_type") == "urn:ietf:params:oauth:grant-type:device_code" })
            #expect(bench.server.requests.first?.field("scope") == "a b")
        }
        return try #require(outcome)
    }

    private static let pending = WebPeer.Answer.json(400, #"{"error":"authorization_pending"}"#)

    @Test("pending, too fast, out of order for a while, then confirmed")
    func confirmed() async throws {
        let outcome = try await run([
            Self.pending, Self.pending, .json(400, #"{"error":"slow_down"}"#), Self.pending, .reply(503, body: ""), Self.pending,
            .json(TokenBench.token("t", refresh: "r")),
        ])
        #expect(outcome.waits == [5, 5, 5, 10, 10, 20, 20])
        #expect(try outcome.result.get().refreshToken == Array("r".utf8))
        #expect(
            outcome.prompt
                == DeviceLogin.Prompt(
                    code: "ABCD-EFGH", url: "https://example.com/device", completeURL: "https://example.com/device?user_code=ABCD-EFGH",
                    lifetime: .seconds(100)))
    }

    @Test(
        "an end that is none: expired, declined, refused",
        arguments: [
            (#"{"error":"expired_token"}"#, OAuthTrouble.Code.expired), (#"{"error":"access_denied"}"#, .denied),
            (#"{"error":"invalid_client"}"#, .clientRefused), (#"{"error":"invalid_grant"}"#, .loginNeeded),
        ])
    func ended(_ body: String, _ code: OAuthTrouble.Code) async throws {
        let outcome = try await run([Self.pending, .json(400, body)])
        #expect(throws: OAuthTrouble.self) { try outcome.result.get() }
        if case .failure(let trouble) = outcome.result { #expect(trouble.code == code) }
        #expect(outcome.waits == [5, 5])
    }

    @Test("a code that nobody enters ends with its life, also when the server says nothing of it")
    func neverConfirmed() async throws {
        let outcome = try await run([Self.pending])
        if case .failure(let trouble) = outcome.result { #expect(trouble.code == .expired) } else { Issue.record("confirmed") }
        #expect(outcome.waits.count == 20)
    }

    @Test("what the server wants shown is one printable line; Google's older names are known; an absurd interval is bounded")
    func prompt() async throws {
        let device =
            #"{"device_code":"d/1","user_code":"A\u001b[2J\nB","verification_url":"https://example.com/ü","interval":0,"expires_in":1e300}"#
        let outcome = try await run([.json(TokenBench.token("t"))], device: device)
        #expect(outcome.prompt.code == "A?[2J?B")
        #expect(outcome.prompt.url == "https://example.com/??")
        #expect(outcome.prompt.lifetime == .seconds(86_400))
        #expect(outcome.waits == [1])
    }
}
