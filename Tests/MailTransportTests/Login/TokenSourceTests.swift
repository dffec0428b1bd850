import Dispatch
import HTTPFetch
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// Tokens from a real endpoint on loopback.
@Suite("access tokens", .timeLimit(.minutes(5)))
struct TokenSourceTests {
    @Test("a hundred who want a token make one request, and get the same one")
    func singleFlight() async throws {
        try await TokenBench.use({ _, number in .json(TokenBench.token("t\(number)")) }) { bench in
            let tokens = await withTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<100 { group.addTask { (try? await bench.source.current().octets) ?? [] } }
                return await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(tokens == [Array("t1".utf8)])
            #expect(bench.server.requests.count == 1)
        }
    }

    @Test("a token is used until a minute before its end, one of a short life for half of it")
    func expiry() async throws {
        try await TokenBench.use({ _, number in .json(TokenBench.token("t\(number)", seconds: number < 3 ? "3600" : "\"40\"")) }) { bench in
            try await bench.expect("t1")
            bench.pass(.seconds(3539))
            try await bench.expect("t1")
            bench.pass(.seconds(1))
            try await bench.expect("t2")
            bench.pass(.seconds(3540))
            try await bench.expect("t3")
            bench.pass(.seconds(19))
            try await bench.expect("t3")
            bench.pass(.seconds(1))
            try await bench.expect("t4")
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: WebPeer.Answer
        let remedy: LoginTrouble.Remedy
        let words: String

        init(_ name: String, _ answer: WebPeer.Answer, _ remedy: LoginTrouble.Remedy, _ words: String) {
            (testDescription, self.answer, self.remedy, self.words) = (name, answer, remedy, words)
        }
    }

    static let faults: [Fault] = [
        Fault(
            "invalid_grant", .json(400, #"{"error":"invalid_grant","error_description":"AADSTS700082: expired.\r\nTrace"}"#), .person,
            "(AADSTS700082: expired.??Trace); run: postrider oauth login office"),
        Fault("interaction_required", .json(400, #"{"error":"interaction_required"}"#), .person, "run: postrider oauth login office"),
        Fault("invalid_client", .json(401, #"{"error":"invalid_client"}"#), .person, "correct client_id and client_secret_file"),
        Fault("unauthorized_client", .json(400, #"{"error":"unauthorized_client"}"#), .person, "correct client_id"),
        Fault("invalid_scope", .json(400, #"{"error":"invalid_scope"}"#), .person, "refuses: invalid_scope"),
        Fault("temporarily_unavailable", .json(400, #"{"error":"temporarily_unavailable"}"#), .time, "out of order"),
        Fault("an error of theirs with a code of ours", .json(503, #"{"error":"something"}"#), .time, "out of order"),
        Fault("500", .reply(500, body: "oops"), .time, "status 500"),
        Fault("429", .reply(429, headers: ["Retry-After: 100"], body: ""), .time, "status 429"),
        Fault("404", .reply(404, body: "<html>"), .person, "status 404; correct its URL"),
        Fault("a redirect", .reply(302, headers: ["Location: https://example.com/"], body: ""), .person, "redirect"),
        Fault("garbage", .reply(200, body: "<html>Wi-Fi login</html>"), .time, "no token"),
        Fault("JSON without a token", .json("{}"), .time, "no token"),
        Fault("a token that breaks out of its field", .json(#"{"access_token":"a\u0001b","expires_in":5}"#), .time, "no token"),
        Fault("a token of another type", .json(#"{"access_token":"a","token_type":"mac"}"#), .time, "no token"),
        Fault("a null", .json("null"), .time, "no token"),
        Fault("deep nonsense", .json(String(repeating: "[", count: 60_000)), .time, "no token"),
        Fault("an answer too large", .endless, .person, "more than 65536 octets"),
        Fault("a dropped connection", .drop, .time, "broke the connection"),
    ]

    @Test("each fault of an endpoint is told apart, in plain words, and shared by all who ask", arguments: faults)
    func faultsAreToldApart(_ fault: Fault) async throws {
        try await TokenBench.use({ _, _ in fault.answer }) { bench in
            var troubles: Set<String> = []
            for _ in 0..<20 {
                do throws(LoginTrouble) {
                    _ = try await bench.source.current()
                } catch {
                    #expect(error.remedy == fault.remedy, "\(error)")
                    #expect(error.message.contains(fault.words), "\(error)")
                    troubles.insert(error.message)
                }
            }
            #expect(troubles.count == 1)
            #expect(bench.server.requests.count == 1)
            bench.pass(.seconds(16))
            _ = try? await bench.source.current()
            // A server that asked for a longer rest has it.
            #expect(bench.server.requests.count == (fault.testDescription == "429" ? 1 : 2))
        }
    }

    @Test("silence of the endpoint is temporary and bounded")
    func silence() async throws {
        try await TokenBench.use({ _, _ in .silence }, limits: .init(time: .milliseconds(200))) { bench in
            await #expect(throws: LoginTrouble.self) { _ = try await bench.source.current() }
        }
    }

    @Test("who is cancelled while asking takes nothing from the others, and a refresh token that was exchanged by then is kept")
    func cancelledLeader() async throws {
        let keeper = MemoryKeeper("r0")
        let hasArrived = Mutex(false)
        let gate = DispatchSemaphore(value: 0)
        @Sendable func answer(_ number: Int) -> WebPeer.Answer {
            hasArrived.withLock { $0 = true }
            gate.wait()
            return .json(TokenBench.token("t\(number)", refresh: "r1"))
        }
        try await TokenBench.use({ _, number in answer(number) }, flow: .refreshToken, keeper: keeper) { bench in
            let leader = Task { try? await bench.source.current() }
            try await eventually("the request") { hasArrived.withLock { $0 } }
            let follower = Task { try? await bench.source.current().octets }
            leader.cancel()
            gate.signal()
            #expect(await follower.value == Array("t1".utf8))
            _ = await leader.value
            #expect(keeper.text == "r1" && bench.server.requests.count == 1)
        }
    }

    @Test("a refresh token that the server exchanges is kept before it is used, and the old one is gone")
    func rotation() async throws {
        let keeper = MemoryKeeper("r0")
        try await TokenBench.use(
            { request, number in
                request.field("grant_type") == "refresh_token" && request.field("refresh_token") == "r\(number - 1)"
                    ? .json(TokenBench.token("t\(number)", refresh: "r\(number)")) : .json(400, #"{"error":"invalid_grant"}"#)
            }, flow: .refreshToken, keeper: keeper
        ) { bench in
            for number in 1...3 {
                try await bench.expect("t\(number)")
                #expect(keeper.text == "r\(number)")
                bench.pass(.seconds(3600))
            }
            // A disk that is full for a moment loses nothing: the exchanged token is kept at the next occasion.
            keeper.fails = true
            try await bench.expect("t4")
            #expect(keeper.text == "r3")
            bench.pass(.seconds(3600))
            await #expect(throws: LoginTrouble.self) { _ = try await bench.source.current() }
            keeper.fails = false
            bench.pass(.seconds(60))
            try await bench.expect("t5")
            #expect(keeper.text == "r5")
        }
    }

    @Test("a login made anew while the old one was refused is used at once, and never overwritten")
    func newLogin() async throws {
        let keeper = MemoryKeeper("old")
        try await TokenBench.use(
            { request, _ in
                if request.field("refresh_token") == "old" {
                    keeper.logIn("new")
                    return .json(400, #"{"error":"invalid_grant"}"#)
                }
                return .json(TokenBench.token("t"))
            }, flow: .refreshToken, keeper: keeper
        ) { bench in
            try await bench.expect("t")
            #expect(keeper.text == "new")
        }
        let other = MemoryKeeper("old")
        try await TokenBench.use(
            { _, _ in
                other.logIn("newer")
                return .json(TokenBench.token("t", refresh: "exchanged"))
            }, flow: .refreshToken, keeper: other
        ) { bench in
            _ = try await bench.source.current()
            #expect(other.text == "newer")
        }
    }

    @Test("without a login nobody is asked, and the words say what to do")
    func noLogin() async throws {
        for keeper in [MemoryKeeper(nil), nil] {
            try await TokenBench.use({ _, _ in .drop }, flow: .refreshToken, keeper: keeper) { bench in
                await #expect(throws: LoginTrouble(.person, "[oauth.office]: nobody has logged in; run: postrider oauth login office")) {
                    _ = try await bench.source.current()
                }
                #expect(bench.server.requests.isEmpty)
            }
        }
    }

    @Test("what is sent is what conf says, and descriptions show no secret")
    func request() async throws {
        try await TokenBench.use({ _, _ in .json(TokenBench.token("s3cret")) }) { bench in
            let token = try await bench.source.logins(of: "anna").login()
            let request = try #require(bench.server.requests.first)
            #expect(request.body == "client_id=app+1&client_secret=p%26w&grant_type=client_credentials&scope=a+b")
            var dumped = "\(token) \(bench.endpoint.account)"
            dump(token, to: &dumped)
            dump(bench.endpoint, to: &dumped)
            #expect(!dumped.contains("s3cret") && !dumped.contains("p&w"))
        }
    }
}
