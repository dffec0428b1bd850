import Foundation
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import HTTPFetch

/// The client against a real server on loopback, whose TLS is OpenSSL's.
@Suite("HTTP calls", .timeLimit(.minutes(5)))
struct HTTPFetcherTests {
    private func withFetcher<Result>(_ body: (HTTPFetcher) async throws -> Result) async throws -> Result {
        let fetcher = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
        do {
            let result = try await body(fetcher)
            await fetcher.shutdown()
            return result
        } catch {
            await fetcher.shutdown()
            throw error
        }
    }

    private func code(_ call: () async throws -> HTTPResponse) async -> HTTPFetchError.Code? {
        do {
            _ = try await call()
            return nil
        } catch {
            return (error as? HTTPFetchError)?.code
        }
    }

    @Test("a document over HTTPS, from a server with a certificate of our own authority")
    func fetchesOverTLS() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let server = try await WebPeer.start(certificate: certificate) { request, _ in
            .reply(200, headers: ["Content-Type: Text/Plain; charset=utf-8", "Retry-After: 17"], body: "got \(request.path)")
        }
        try await withFetcher { fetcher in
            let url = "https://localhost:\(server.port)/a?b=c"
            let response = try await fetcher.get(url, trust: .caFile(certificate.certificate))
            #expect(
                response
                    == HTTPResponse(status: 200, body: Array("got /a?b=c".utf8), mediaType: "text/plain", retryAfter: .seconds(17)))
            // The system does not know this authority.
            #expect(await code { try await fetcher.get(url) } == .tls)
            #expect(await code { try await fetcher.get(url, trust: .caFile(folder("none.pem"))) } == .badTrust)
            // Another name than the certificate's, at an address of our own. That the certificate is also for this address does not help.
            let stranger = "https://mta-sts.example.com:\(server.port)/"
            #expect(
                await code { try await fetcher.get(stranger, trust: .caFile(certificate.certificate), address: "127.0.0.1") } == .tls)
        }
        await server.stop()
        #expect(server.requests.map(\.path) == ["/a?b=c"])
        #expect(server.requests.first?.header("accept-encoding") == nil)
    }

    @Test("a name at an address of our own: the name goes into the certificate check and the Host field")
    func connectsToAGivenAddress() async throws {
        let folder = try TemporaryFolder()
        try await Command.succeed(Checkout.url("certs/make-test-certs").path, [folder.path])
        let certificate = CertificateFiles(certificate: folder("good.pem"), key: folder("good.key"))
        let server = try await WebPeer.start(certificate: certificate) { _, _ in .reply(200, body: "policy") }
        try await withFetcher { fetcher in
            let response = try await fetcher.get(
                "https://mx.test.example.com:\(server.port)/.well-known/mta-sts.txt", trust: .caFile(folder("ca.pem")),
                address: "127.0.0.1")
            #expect(response.body == Array("policy".utf8))
        }
        await server.stop()
        #expect(server.requests.first?.header("host") == "mx.test.example.com:\(server.port)")
    }

    @Test("a form is posted as it is, whatever its octets")
    func postsForms() async throws {
        let server = try await WebPeer.start { _, _ in .json(400, #"{"error":"invalid_grant"}"#) }
        try await withFetcher { fetcher in
            let response = try await fetcher.post(
                "http://127.0.0.1:\(server.port)/token", form: [("a b", "1&2=3+4 %\u{FC}\r\n"), ("c", "")],
                headers: [("Accept", "application/json")])
            #expect(response.status == 400)
            #expect(response.mediaType == "application/json")
        }
        await server.stop()
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.body == "a+b=1%262%3D3%2B4+%25%C3%BC%0D%0A&c=")
        #expect(request.field("c") == "")
        #expect(request.header("content-type") == "application/x-www-form-urlencoded")
        #expect(request.header("accept") == "application/json")
    }

    @Test("a redirect is a response and is not followed")
    func doesNotFollowRedirects() async throws {
        let server = try await WebPeer.start { _, _ in .reply(302, headers: ["Location: /other"], body: "") }
        try await withFetcher { fetcher in
            let response = try await fetcher.get("http://127.0.0.1:\(server.port)/")
            #expect(response.status == 302)
        }
        await server.stop()
        #expect(server.requests.count == 1)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: WebPeer.Answer
        let code: HTTPFetchError.Code

        init(_ name: String, _ answer: WebPeer.Answer, _ code: HTTPFetchError.Code) {
            (testDescription, self.answer, self.code) = (name, answer, code)
        }
    }

    static let faults: [Fault] = [
        Fault("silence", .silence, .timeout),
        Fault("a closed connection", .drop, .broken),
        Fault("a connection that is reset after the request", .reset, .broken),
        Fault("another protocol", .raw("220 mail.example.com ESMTP\r\n"), .broken),
        Fault("half a response", .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), .broken),
        Fault("a response that never ends", .endless, .tooLarge),
        Fault("a stated length that is too large", .raw("HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n"), .tooLarge),
        Fault("one octet too many", .reply(200, body: String(repeating: "x", count: 4097)), .tooLarge),
        Fault("a trickle that stops", .raw("HTTP/1.1 200 OK\r\nContent-Le"), .broken),
    ]

    @Test("a server out of order ends the call within its limits", arguments: faults)
    func faultsAreBounded(_ fault: Fault) async throws {
        let server = try await WebPeer.start { _, _ in fault.answer }
        try await withFetcher { fetcher in
            let limits = HTTPFetcher.Limits(time: fault.code == .timeout ? .milliseconds(300) : .seconds(20), size: 4096)
            #expect(await code { try await fetcher.get("http://127.0.0.1:\(server.port)/", limits: limits) } == fault.code)
        }
        await server.stop()
    }

    @Test("a document is posted to one address and no other, in clear where that is allowed")
    func postsDocuments() async throws {
        let server = try await WebPeer.start { _, _ in .reply(202, headers: ["Retry-After: 5"], body: "taken") }
        let url = "http://crm.example.com:\(server.port)/hook?a=b"
        try await withFetcher { fetcher in
            func post(_ address: String, inClear: Bool) async throws -> HTTPResponse {
                try await fetcher.post(
                    url, document: Array("{}".utf8), mediaType: "application/json", headers: [("Postrider-Id", "x")], limits: .init(),
                    address: address, inClear: inClear)
            }
            let response = try await post("127.0.0.1", inClear: true)
            #expect(response == HTTPResponse(status: 202, body: Array("taken".utf8), retryAfter: .seconds(5)))
            #expect(await code { try await post("127.0.0.1", inClear: false) } == .badURL)
            #expect(await code { try await post("127.0.0.3", inClear: true) } == .unreachable)
        }
        await server.stop()
        let request = try #require(server.requests.first)
        #expect(server.requests.count == 1 && request.method == "POST" && request.path == "/hook?a=b" && request.body == "{}")
        #expect(request.header("host") == "crm.example.com:\(server.port)" && request.header("content-type") == "application/json")
        #expect(request.header("postrider-id") == "x")
    }

    @Test(
        "a connection that leads elsewhere than it was meant to is closed",
        arguments: [("127.0.0.1", true), ("127.0.0.2", false), ("::1", false)])
    func pinned(address: String, holds: Bool) async throws {
        let server = try await WebPeer.start { _, _ in .silence }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: server.port)
            .get()
        let verdict: Void? = try? await HTTPFetcher.check(channel, address: address).get()
        #expect((verdict != nil) == holds)
        if !holds { try await channel.closeFuture.get() } else { try await channel.close() }
        await server.stop()
    }

    @Test(
        "where the status is what counts an answer is cut, may break off, and is not read when it is 2xx",
        arguments: [
            (.endless, 200, 0), (.reply(200, body: String(repeating: "x", count: 5000)), 200, 0),
            (.raw("HTTP/1.1 204 x\r\nContent-Length: 100\r\n\r\nhalf"), 204, 0),
            (.raw("HTTP/1.1 202 x\r\nContent-Length: 100\r\n\r\nhalf"), 202, 0),
            (.reply(404, body: String(repeating: "x", count: 5000)), 404, 4096),
            (.raw("HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\nhalf"), 503, 4),
        ] as [(WebPeer.Answer, Int, Int)])
    func cuts(answer: WebPeer.Answer, status: Int, size: Int) async throws {
        let server = try await WebPeer.start { _, _ in answer }
        try await withFetcher { fetcher in
            let response = try await fetcher.get(
                "http://127.0.0.1:\(server.port)/", limits: .init(time: .seconds(20), size: 4096, cuts: true))
            #expect(response.status == status && response.body.count == size)
        }
        await server.stop()
    }

    @Test("the time for the connection is not the time for the answer")
    func connects() async throws {
        let server = try await WebPeer.start { _, _ in .silence }
        let hole = try await BlackHole.start(host: "127.0.0.2", port: server.port)
        try await withFetcher { fetcher in
            let patient = HTTPFetcher.Limits(time: .seconds(4), connect: .seconds(2))
            #expect(await code { try await fetcher.get("http://127.0.0.1:\(server.port)/", limits: patient) } == .timeout)
            let brief = HTTPFetcher.Limits(time: .seconds(60), connect: .milliseconds(400))
            #expect(await code { try await fetcher.get("http://127.0.0.2:\(server.port)/", limits: brief) } == .unreachable)
        }
        await hole.stop()
        await server.stop()
    }

    @Test(
        "how long a server asks to be left alone is at most a day",
        arguments: [
            ("0", 0), ("17", 17), ("0000000017", 17), ("86401", 86_400), ("9999999", 86_400), (String(repeating: "9", count: 99), 86_400),
        ])
    func retryAfter(field: String, seconds: Int) { #expect(HTTPResponse.retryAfter(of: field) == .seconds(seconds)) }

    @Test("what is no count of seconds asks for nothing", arguments: ["", "-1", "1.5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
    func noRetryAfter(field: String) { #expect(HTTPResponse.retryAfter(of: field) == nil) }

    @Test("nobody there, and a name that does not exist")
    func unreachable() async throws {
        try await withFetcher { fetcher in
            let port = try FreePort.next()
            #expect(await code { try await fetcher.get("http://127.0.0.1:\(port)/") } == .unreachable)
            #expect(await code { try await fetcher.get("https://localhost:\(port)/") } == .unreachable)
        }
    }

    static let badURLs = [
        "http://example.com/", "ftp://example.com/", "https://", "https:///path", "https://user:pass@example.com/",
        "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:x/", "https://exa mple.com/", "https://example.com/\r\nHost: x",
        "https://example.com/#a",
        "http://127.0.0.1.example.com/", "http://localhost.example.com/", "http://127.1/", "http://[::2]/", "https://[::1/",
        "//example.com/",
        "https://example.com/" + String(repeating: "a", count: 2048), "https://b\u{FC}cher.example/",
    ]

    @Test("a URL that must not be fetched is refused before anything is connected", arguments: badURLs)
    func refusesURLs(_ url: String) async throws {
        try await withFetcher { fetcher in #expect(await code { try await fetcher.get(url) } == .badURL) }
    }

    @Test("after the end there are no calls, and ending twice does no harm")
    func shutsDown() async throws {
        let fetcher = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
        await fetcher.shutdown()
        await fetcher.shutdown()
        #expect(await code { try await fetcher.get("http://127.0.0.1:1/") } == .cancelled)
    }

    @Test(
        "the names of certificates",
        arguments: [
            ("example.com", "example.com", true), ("EXAMPLE.com.", "Example.COM", true), ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false), ("*.example.com", "a.b.example.com", false),
            ("a*.example.com", "ab.example.com", false),
            ("*.com", "example.com", false), ("*", "localhost", false), ("example.com", "example.org", false), ("", "", false),
            ("example.com", "", false), ("127.0.0.1", "mta-sts.example.com", false), ("a.*.com", "a.b.com", false),
        ])
    func names(_ name: String, _ host: String, _ isSame: Bool) {
        #expect(CertificateName.matches(Array(name.utf8), host: Array(host.utf8)) == isSame)
    }
}
