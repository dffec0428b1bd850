import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import WebInterface

private let oneToken = "abcdefghijklmnopqrstuvwxyz2345672345"

private final class Desk: UnsubscribeDesk {
    private let calls = Mutex<[String]>([])
    var unsubscribed: [String] { calls.withLock { $0 } }

    func knows(token: String) async -> Bool { token == oneToken }

    func unsubscribe(token: String) async -> UnsubscribeOutcome {
        guard token == oneToken else { return .unknownToken }
        calls.withLock { $0.append(token) }
        return .done
    }
}

private struct Board: StatusBoard {
    var shown: StatusSnapshot?
    var wrong: [String] = []

    func snapshot() async throws -> StatusSnapshot? { shown }
    func troubles() async -> [String] { wrong }
}

private func application(_ desk: Desk, _ board: Board = Board()) -> some ApplicationProtocol {
    let server = WebServer(desk: desk, board: board, host: "127.0.0.1", port: 0, logger: Logger(label: "test"))
    return Application(router: server.router())
}

@Suite("web interface")
struct WebInterfaceRoutesTests {
    @Test("GET and HEAD show a page and never act, however often")
    func getNeverActs() async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            for method in [HTTPRequest.Method.get, .head] {
                for _ in 0..<20 {
                    let response = try await client.execute(uri: "/u/\(oneToken)", method: method)
                    #expect(response.status == .ok)
                }
            }
            let page = try await client.execute(uri: "/u/\(oneToken)", method: .get)
            #expect(String(buffer: page.body).contains("<form method=\"post\" action=\"/u/\(oneToken)\">"))
            #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        }
        #expect(desk.unsubscribed.isEmpty)
    }

    @Test(
        "POST acts at once with any content type, and again without harm",
        arguments: [
            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
        ])
    func postActs(contentType: String) async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            for _ in 0..<2 {
                let response = try await client.execute(
                    uri: "/u/\(oneToken)", method: .post, headers: [.contentType: contentType],
                    body: ByteBuffer(string: "List-Unsubscribe=One-Click"))
                #expect(response.status == .ok)
                #expect(response.headers[.location] == nil)
                #expect(response.headers[.setCookie] == nil)
            }
        }
        #expect(desk.unsubscribed == [oneToken, oneToken])
    }

    @Test(
        "what is no token of ours is not found and changes nothing",
        arguments: [
            "/u/short", "/u/abcdefghijklmnopqrstuvwxyz2345672346", "/u/%3Cscript%3E", "/u/",
        ])
    func unknown(path: String) async throws {
        let desk = Desk()
        try await application(desk).test(.router) { client async throws in
            for method in [HTTPRequest.Method.get, .post] {
                #expect(try await client.execute(uri: path, method: method).status == .notFound)
            }
        }
        #expect(desk.unsubscribed.isEmpty)
    }

    @Test("health says what is wrong")
    func health() async throws {
        try await application(Desk()).test(.router) { client async throws in
            #expect(try await client.execute(uri: "/healthz", method: .get).status == .ok)
        }
        try await application(Desk(), Board(wrong: ["store: disk is full"])).test(.router) { client async throws in
            let response = try await client.execute(uri: "/healthz", method: .get)
            #expect(response.status == .serviceUnavailable)
            #expect(String(buffer: response.body) == "store: disk is full\n")
        }
    }

    @Test("the status page shows foreign text as text, and is not there when it is not offered")
    func statusPage() async throws {
        let hostile = "\"\u{301}<script>alert(1)</script>"
        let snapshot = StatusSnapshot(
            title: "Rehearsal", now: "2026-03-02T08:00:00Z", queue: [("sent", 3)],
            rows: [.init(contact: hostile, sequence: "intro", stepsSent: 1, state: "active", reason: hostile)],
            events: [.init(at: "t", kind: "received", contact: "a", summary: hostile)])
        try await application(Desk(), Board(shown: snapshot)).test(.router) { client async throws in
            let page = String(buffer: try await client.execute(uri: "/", method: .get).body)
            #expect(!page.utf8.containsBytes("<script>"))
            #expect(page.utf8.containsBytes("&quot;\u{301}&lt;script&gt;"))
        }
        try await application(Desk()).test(.router) { client async throws in
            #expect(try await client.execute(uri: "/", method: .get).status == .notFound)
        }
    }
}

extension String.UTF8View {
    func containsBytes(_ text: String) -> Bool {
        let bytes = Array(self)
        let wanted = Array(text.utf8)
        guard wanted.count <= bytes.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0..<($0 + wanted.count)].elementsEqual(wanted) }
    }
}
