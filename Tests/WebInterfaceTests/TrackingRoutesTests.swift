import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import WebInterface

private let known = "abcdefghijklmnopqrstuvwxyz2345672345abcdefghi"

private final class Desk: TrackingDesk, UnsubscribeDesk, StatusBoard {
    private let calls = Mutex<[String]>([])
    var counted: [String] { calls.withLock { $0 } }

    func opened(token: String, agent: String) async { calls.withLock { $0.append("open \(token) \(agent)") } }

    func target(token: String, agent: String, counts: Bool) async -> TrackingAnswer {
        if token == "busy" { return .tryAgain }
        guard token == known else { return .unknown }
        if counts { calls.withLock { $0.append("click \(agent)") } }
        return .leadsTo("https://x.example/a?b=c")
    }

    func knows(token: String) async -> Bool { false }
    func unsubscribe(token: String) async -> UnsubscribeOutcome { .unknownToken }
    func snapshot() async throws -> StatusSnapshot? { nil }
    func troubles() async -> [String] { [] }
}

private func application(_ desk: Desk) -> some ApplicationProtocol {
    let server = WebServer(desk: desk, tracking: desk, board: desk, host: "127.0.0.1", port: 0, logger: Logger(label: "test"))
    return Application(router: server.router())
}

@Suite("tracking addresses")
struct TrackingRoutesTests {
    @Test(
        "the picture is shown whatever the token, and never kept by anybody",
        arguments: [
            ("/o/\(known).gif", true), ("/o/short.gif", true), ("/o/\(known)", false), ("/o/\(known).png", false), ("/o/.gif", false),
            ("/o/%3Cscript%3E.gif", false), ("/o/\(String(repeating: "a", count: 400)).gif", false), ("/o/%00.gif", false),
        ])
    func picture(path: String, asks: Bool) async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            let response = try await client.execute(uri: path, method: .get, headers: [.userAgent: "Reader/1"])
            #expect(response.status == .ok && response.headers[.contentType] == "image/gif")
            #expect(response.headers[.cacheControl]?.contains("no-store") == true)
            #expect(Array(response.body.readableBytesView) == TrackingRoutes.picture)
            #expect(response.headers[.setCookie] == nil)
        }
        #expect(desk.counted.count == (asks ? 1 : 0))
        #expect(desk.counted.allSatisfy { $0.hasSuffix(" Reader/1") })
    }

    @Test("a link leads where it was said to lead, and tells that place nothing")
    func follows() async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            let response = try await client.execute(uri: "/c/\(known)", method: .get, headers: [.userAgent: "Reader/1"])
            #expect(response.status == .found && response.headers[.location] == "https://x.example/a?b=c")
            #expect(response.headers[.referrerPolicy] == "no-referrer" && response.headers[.cacheControl] == "no-store")
            #expect(response.headers[.setCookie] == nil)
        }
        #expect(desk.counted == ["click Reader/1"])
    }

    @Test("what a browser fetches in case somebody wants it later leads on and does not count", arguments: ["Sec-Purpose", "Purpose", "X-Moz"])
    func speculative(field: String) async throws {
        let desk = Desk()
        let name = try #require(HTTPField.Name(field))
        try await application(desk).test(.router) { client async throws in
            #expect(try await client.execute(uri: "/c/\(known)", method: .get, headers: [name: "prefetch;prerender"]).status == .found)
            #expect(try await client.execute(uri: "/o/\(known).gif", method: .get, headers: [name: "prefetch"]).status == .ok)
        }
        #expect(desk.counted.isEmpty)
    }

    @Test("HEAD never counts, nor does anything else but GET")
    func headNeverCounts() async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            for _ in 0..<50 {
                #expect(try await client.execute(uri: "/c/\(known)", method: .head).status == .found)
                #expect(try await client.execute(uri: "/o/\(known).gif", method: .head).status == .ok)
            }
            for method in [HTTPRequest.Method.post, .put, .delete, .options, .patch] {
                for path in ["/c/\(known)", "/o/\(known).gif"] {
                    let response = try await client.execute(uri: path, method: method)
                    #expect(response.status == .notFound || response.status == .methodNotAllowed, "\(method) \(path): \(response.status)")
                    #expect(response.headers[.location] == nil)
                }
            }
        }
        #expect(desk.counted.isEmpty)
    }

    @Test(
        "whatever is no token of ours leads nowhere",
        arguments: [
            "/c/", "/c/short", "/c/\(known)x", "/c/\(known)?u=https://evil.example/", "/c/https://evil.example/", "/c/%2F%2Fevil.example",
            "/c/\(known)/evil.example", "/c/%0d%0aLocation:%20https://evil.example/", "/c/..%2f..%2f", "/c/\(known)%00", "/c/busy",
            "/c/\(String(repeating: "a", count: 5_000))",
        ])
    func nowhere(path: String) async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            let response = try await client.execute(uri: path, method: .get)
            if path.contains("?") {
                #expect(response.headers[.location] == "https://x.example/a?b=c", "the query says nothing")
            } else {
                #expect(response.status == (path.hasSuffix("busy") ? .serviceUnavailable : .notFound))
                #expect(response.headers[.location] == nil)
            }
        }
    }

    @Test("where nothing is tracked there are no such addresses")
    func absent() async throws {
        let desk = Desk()
        let server = WebServer(desk: desk, board: desk, host: "127.0.0.1", port: 0, logger: Logger(label: "test"))
        try await Application(router: server.router()).test(.router) { client async throws in
            #expect(try await client.execute(uri: "/o/\(known).gif", method: .get).status == .notFound)
        }
    }
}
