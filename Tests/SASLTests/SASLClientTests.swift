import Foundation
import SASL
import Testing

@Suite(.serialized) struct SASLClientTests {
    static func client(
        _ mechanisms: [SASLMechanism], user: String = "user", password: String = "pencil", isProtected: Bool = true
    ) -> SASLClient {
        SASLClient(
            service: "smtp", host: "mx.test.example.com", credentials: .password(Array(password.utf8), user: user), mechanisms: mechanisms,
            channelIsProtected: isProtected)
    }

    @Test("PLAIN is one message with two NULs (RFC 4616 §2)")
    func plain() throws {
        let client = Self.client([.plain], user: "tim", password: "tanstaaftanstaaf")
        let start = try client.start(offered: ["LOGIN", "PLAIN"])
        #expect(start.mechanism == .plain)
        #expect(start.initialResponse == Array("\0tim\0tanstaaftanstaaf".utf8))
        #expect(try client.finish().mechanism == .plain)
    }

    @Test("PLAIN with an authorization identity, the second example of RFC 4616 §4")
    func plainAuthorization() throws {
        let client = SASLClient(
            service: "imap", host: "localhost", credentials: .password(Array("xipj3plmq".utf8), user: "Kurt", authorization: "Ursel"),
            mechanisms: [.plain], channelIsProtected: true)
        #expect(try client.start(offered: ["PLAIN"]).initialResponse == Array("Ursel\0Kurt\0xipj3plmq".utf8))
    }

    @Test("octets above 127 in user and password go through unchanged")
    func eightBit() throws {
        let client = Self.client([.plain], user: "j\u{fc}rgen@example.com", password: "p\u{e4}ss\u{1f511}")
        #expect(try client.start(offered: ["plain"]).initialResponse == Array("\0j\u{fc}rgen@example.com\0p\u{e4}ss\u{1f511}".utf8))
    }

    @Test("LOGIN waits for two questions, whatever their words")
    func login() throws {
        for questions in [["User Name\0", "Password\0"], ["Username:", "Password:"], ["", ""]] {
            let client = Self.client([.login])
            #expect(try client.start(offered: ["LOGIN"]).initialResponse == nil)
            #expect(try client.step(Array(questions[0].utf8)) == Array("user".utf8))
            #expect(try client.step(Array(questions[1].utf8)) == Array("pencil".utf8))
            #expect(try client.finish().mechanism == .login)
        }
    }

    @Test("CRAM-MD5 answers as RFC 2195 §2 says")
    func cramMD5() throws {
        let client = Self.client([.cramMD5], user: "tim", password: "tanstaaftanstaaf", isProtected: false)
        #expect(try client.start(offered: ["CRAM-MD5"]).initialResponse == nil)
        let answer = try client.step(Array("<1896.697170952@postoffice.reston.mci.net>".utf8))
        #expect(answer == Array("tim b913a602c7eda7a495b4e6e7334d3890".utf8))
        _ = try client.finish()
    }

    @Test(
        "SCRAM with a server by the book: both sides are proven",
        arguments: [
            (SASLMechanism.scramSHA1, "SHA1", false, 4_096), (.scramSHA256, "SHA256", false, 65_536), (.scramSHA256, "SHA256", true, 4_096),
        ])
    func scram(mechanism: SASLMechanism, digest: String, isProtected: Bool, iterations: Int) throws {
        var server = ScramServer(digest: digest, password: "pencil", iterations: iterations)
        let client = Self.client([mechanism], isProtected: isProtected)
        let first = try #require(try client.start(offered: [mechanism.rawValue]).initialResponse)
        #expect(String(decoding: first, as: UTF8.self).utf8.starts(with: "n,,n=user,r=".utf8))
        let final = try client.step(server.first(first))
        let (proven, signature) = try server.last(final)
        #expect(proven)
        #expect(try client.step(signature).isEmpty)
        #expect(try client.finish().mechanism == mechanism)
    }

    @Test("nonces differ from exchange to exchange")
    func nonces() throws {
        let firsts = try (0..<16).map { _ in try Self.client([.scramSHA256]).start(offered: ["SCRAM-SHA-256"]).initialResponse }
        #expect(Set(firsts).count == 16)
    }

    @Test("a SCRAM server that says yes without its signature, or with a wrong one, has proven nothing")
    func serverNotProven() throws {
        // Yes right after the client's proof.
        var server = ScramServer(digest: "SHA256", password: "pencil")
        let hasty = Self.client([.scramSHA256])
        _ = try hasty.step(server.first(try #require(try hasty.start(offered: ["SCRAM-SHA-256"]).initialResponse)))
        #expect(throws: SASLError.self) { try hasty.finish() }
        // Yes before anything.
        let hastier = Self.client([.scramSHA256])
        _ = try hastier.start(offered: ["SCRAM-SHA-256"])
        let early = #expect(throws: SASLError.self) { try hastier.finish() }
        #expect(early?.code == .serverNotProven)
        // A server that does not know the password.
        var thief = ScramServer(digest: "SHA256", password: "guess")
        let client = Self.client([.scramSHA256])
        let final = try client.step(thief.first(try #require(try client.start(offered: ["SCRAM-SHA-256"]).initialResponse)))
        let (proven, signature) = try thief.last(final)
        #expect(!proven)
        let error = #expect(throws: SASLError.self) { try client.step(signature) }
        #expect(error?.code == .serverNotProven || error?.code == .protocolViolation)
        #expect(throws: SASLError.self) { try client.finish() }
    }

    @Test(
        "SCRAM server-first messages that are refused",
        arguments: [
            "", "r=", "r=foreign,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096", "m=x,r=NONCE1,s=MDEy,i=4096", "r=NONCE1,s=,i=4096", "r=NONCE1,i=4096",
            "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=0", "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4095",
            "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=65537", "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=-4096",
            "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=",
            "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=99999999999999999999", "r=NONCE1,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=2147483647",
            "r=NONCE1,s=****,i=4096", "e=other-error", "\0\0\0",
        ])
    func scramGarbage(template: String) throws {
        let client = Self.client([.scramSHA256])
        let first = try #require(try client.start(offered: ["SCRAM-SHA-256"]).initialResponse)
        let nonce = try #require(ScramServer.fields(String(decoding: first.dropFirst(3), as: UTF8.self))["r"])
        let challenge = Array(template.replacingOccurrences(of: "NONCE", with: nonce).utf8)
        #expect(throws: SASLError.self) { try client.step(challenge) }
        #expect(throws: SASLError.self) { try client.finish() }
    }

    @Test("the caller's order decides among what the server offers, written in any case")
    func order() throws {
        let offered = ["plain", "Scram-Sha-256", "X-UNKNOWN", "LOGIN", ""]
        #expect(try Self.client(SASLMechanism.withPassword).start(offered: offered).mechanism == .scramSHA256)
        #expect(try Self.client([.login, .plain]).start(offered: offered).mechanism == .login)
        let error = #expect(throws: SASLError.self) { try Self.client([.scramSHA1, .cramMD5]).start(offered: offered) }
        #expect(error?.code == .nothingInCommon)
        #expect(throws: SASLError.self) { try Self.client(SASLMechanism.withPassword).start(offered: []) }
    }

    @Test("on an unprotected channel no mechanism that shows its secret is begun")
    func unprotected() throws {
        #expect(
            try Self.client([.plain, .login, .cramMD5], isProtected: false).start(offered: ["PLAIN", "LOGIN", "CRAM-MD5"]).mechanism
                == .cramMD5)
        let error = #expect(throws: SASLError.self) {
            try Self.client(SASLMechanism.withPassword, isProtected: false).start(offered: ["PLAIN", "LOGIN"])
        }
        #expect(error?.code == .unprotectedChannel)
        let bearer = SASLClient(
            service: "smtp", host: "h", credentials: .token(Array("t".utf8), user: "u"), mechanisms: SASLMechanism.withToken,
            channelIsProtected: false)
        let refused = #expect(throws: SASLError.self) { try bearer.start(offered: ["XOAUTH2", "OAUTHBEARER"]) }
        #expect(refused?.code == .unprotectedChannel)
    }

    @Test("credentials that cannot be sent are refused, and those of another kind find no mechanism")
    func badCredentials() throws {
        for (user, password) in [("a\0b", "x"), ("", "x"), ("a", "x\0y")] {
            let error = #expect(throws: SASLError.self) {
                try Self.client([.plain], user: user, password: password).start(offered: ["PLAIN"])
            }
            #expect(error?.code == .badCredentials)
        }
        for token in ["", "a b", "a\u{1}b", "a\r\nb", "\u{fc}"] {
            let client = SASLClient(
                service: "smtp", host: "h", credentials: .token(Array(token.utf8), user: "u"), mechanisms: [.xoauth2],
                channelIsProtected: true)
            let error = #expect(throws: SASLError.self) { try client.start(offered: ["XOAUTH2"]) }
            #expect(error?.code == .badCredentials)
        }
        let mixed = #expect(throws: SASLError.self) { try Self.client([.xoauth2]).start(offered: ["XOAUTH2"]) }
        #expect(mixed?.code == .nothingInCommon)
    }

    static func bearer(_ mechanism: SASLMechanism, user: String = "user@example.com", port: Int? = 587) -> SASLClient {
        SASLClient(
            service: "smtp", host: "server.example.com", port: port,
            credentials: .token(Array("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==".utf8), user: user), mechanisms: [mechanism],
            channelIsProtected: true)
    }

    @Test("OAUTHBEARER as in RFC 7628 §4.1")
    func oauthBearer() throws {
        let start = try Self.bearer(.oauthBearer).start(offered: ["OAUTHBEARER"])
        let expected =
            "n,a=user@example.com,\u{1}host=server.example.com\u{1}port=587\u{1}auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u{1}\u{1}"
        #expect(start.initialResponse == Array(expected.utf8))
        let escaped = try #require(try Self.bearer(.oauthBearer, user: "a,b=c", port: nil).start(offered: ["OAUTHBEARER"]).initialResponse)
        #expect(escaped.starts(with: Array("n,a=a=2Cb=3Dc,\u{1}host=server.example.com\u{1}auth=".utf8)))
    }

    @Test("XOAUTH2 as Google and Microsoft document it")
    func xoauth2() throws {
        let client = Self.bearer(.xoauth2)
        let expected = "user=user@example.com\u{1}auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u{1}\u{1}"
        #expect(try client.start(offered: ["XOAUTH2"]).initialResponse == Array(expected.utf8))
        #expect(try client.finish().mechanism == .xoauth2)
    }

    @Test(
        "a refused token: the challenge is answered so that the refusal can follow, its words are kept, and a later yes counts for nothing")
    func tokenRejected() throws {
        let words = #"{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}"#
        for (mechanism, answer) in [(SASLMechanism.xoauth2, [UInt8]()), (.oauthBearer, [1])] {
            let client = Self.bearer(mechanism)
            _ = try client.start(offered: [mechanism.rawValue])
            #expect(client.rejection == nil)
            #expect(try client.step(Array((words + "\u{1b}[2J").utf8)) == answer)
            #expect(client.rejection?.code == .tokenRejected)
            #expect(client.rejection?.cause == words + "\\x1b[2J")
            let error = #expect(throws: SASLError.self) { try client.finish() }
            #expect(error?.code == .tokenRejected)
        }
        let client = Self.bearer(.xoauth2)
        _ = try client.start(offered: ["XOAUTH2"])
        _ = try client.step([])
        let again = #expect(throws: SASLError.self) { try client.step([]) }
        #expect(again?.code == .protocolViolation)
    }

    @Test("a server that never stops asking, or asks at length, is left")
    func endlessServer() throws {
        for mechanism in SASLMechanism.withPassword + SASLMechanism.withToken {
            let client =
                mechanism == .xoauth2 || mechanism == .oauthBearer ? Self.bearer(mechanism) : Self.client([mechanism])
            _ = try client.start(offered: [mechanism.rawValue])
            var rounds = 0
            while rounds < 100, (try? client.step(Array("again".utf8))) != nil { rounds += 1 }
            #expect(rounds <= 2, "\(mechanism)")
        }
        let client = Self.client([.login])
        _ = try client.start(offered: ["LOGIN"])
        let error = #expect(throws: SASLError.self) { try client.step([UInt8](repeating: 0x41, count: 12_289)) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("calls in the wrong order are told")
    func misuse() throws {
        let fresh = Self.client([.plain])
        #expect(throws: SASLError.self) { try fresh.step([]) }
        #expect(throws: SASLError.self) { try Self.client([.plain]).finish() }
        let client = Self.client([.plain])
        _ = try client.start(offered: ["PLAIN"])
        #expect(throws: SASLError.self) { try client.start(offered: ["PLAIN"]) }
        _ = try client.finish()
        #expect(throws: SASLError.self) { try client.finish() }
    }

    @Test("nothing shows a password or a token")
    func secrecy() throws {
        for credentials in [
            SASLCredentials.password(Array("s3cret".utf8), user: "user"), .token(Array("s3cret".utf8), user: "user"),
        ] {
            var dumped = ""
            dump(credentials, to: &dumped)
            let client = SASLClient(
                service: "smtp", host: "h", credentials: credentials, mechanisms: [.plain, .xoauth2], channelIsProtected: true)
            dump(client, to: &dumped)
            for shown in ["\(credentials)", String(reflecting: credentials), dumped, "\(client)"] {
                #expect(!shown.contains("s3cret") && !shown.contains("115"))
            }
        }
    }

    @Test("many exchanges at once do not disturb each other")
    func concurrency() async throws {
        let good = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let client = Self.client([index % 2 == 0 ? .plain : .cramMD5], user: "user\(index)")
                    let start = try client.start(offered: ["PLAIN", "CRAM-MD5"])
                    if index % 2 == 0 { return start.initialResponse == Array("\0user\(index)\0pencil".utf8) }
                    return try client.step(Array("<1@x>".utf8)).starts(with: Array("user\(index) ".utf8))
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(good == 200)
    }
}
