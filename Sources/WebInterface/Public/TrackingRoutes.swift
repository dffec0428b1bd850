import HTTPTypes
import Hummingbird

/// The picture and the links of messages: GET counts, HEAD never does, nothing else is answered.
struct TrackingRoutes {
    let desk: any TrackingDesk

    /// A transparent picture of one point.
    static let picture: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0x21, 0xF9, 0x04,
        0x01,
        0x00, 0x00, 0x00, 0x00, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3B,
    ]
    private static let ending = ".gif"
    private static let longestToken = 64

    func add(to router: Router<BasicRequestContext>) {
        router.get("/o/:file") { request, context in
            // The same for everybody: it tells nobody which tokens are ours.
            if let token = pictureToken(context), !isSpeculative(request) { await desk.opened(token: token, agent: agent(of: request)) }
            return shown(body: ResponseBody(byteBuffer: ByteBuffer(bytes: Self.picture)))
        }
        router.head("/o/:file") { _, _ in shown(body: ResponseBody()) }
        router.get("/c/:token") { request, context in await follow(request, context, counts: !isSpeculative(request)) }
        router.head("/c/:token") { request, context in
            var response = await follow(request, context, counts: false)
            response.body = ResponseBody()
            return response
        }
    }

    private func shown(body: ResponseBody) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "image/gif", .cacheControl: "no-store, no-cache, must-revalidate, private", .xContentTypeOptions: "nosniff",
                .referrerPolicy: "no-referrer",
            ], body: body)
    }

    private func follow(_ request: Request, _ context: BasicRequestContext, counts: Bool) async -> Response {
        guard let token = context.parameters.get("token"), isToken(token.utf8) else { return unknown }
        switch await desk.target(token: token, agent: agent(of: request), counts: counts) {
        case .leadsTo(let url):
            // The page that it leads to is not told whose link it was.
            return Response(status: .found, headers: [.location: url, .cacheControl: "no-store", .referrerPolicy: "no-referrer"])
        case .unknown: return unknown
        case .tryAgain:
            return Page.response(
                .serviceUnavailable,
                Page.html(title: "Try again", body: "<h1>Not yet</h1><p>This did not work just now. Please try again.</p>"))
        }
    }

    private var unknown: Response {
        Page.response(
            .notFound, Page.html(title: "Unknown link", body: "<h1>Unknown link</h1><p>This link is not complete or not ours.</p>"))
    }

    private func pictureToken(_ context: BasicRequestContext) -> String? {
        guard let file = context.parameters.get("file"), file.utf8.suffix(Self.ending.utf8.count).elementsEqual(Self.ending.utf8) else {
            return nil
        }
        let token = file.utf8.dropLast(Self.ending.utf8.count)
        return isToken(token) ? String(decoding: Array(token), as: UTF8.self) : nil
    }

    private func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= Self.longestToken
            && bytes.allSatisfy { ($0 | 0x20 >= 97 && $0 | 0x20 <= 122) || ($0 >= 48 && $0 <= 57) }
    }

    /// Whether a browser fetches it in case somebody wants it later.
    private func isSpeculative(_ request: Request) -> Bool {
        [HTTPField.Name("Sec-Purpose"), HTTPField.Name("Purpose"), HTTPField.Name("X-Moz")].compactMap(\.self).contains { name in
            request.headers[name].map { $0.utf8.starts(with: "prefetch".utf8) || $0.utf8.starts(with: "prerender".utf8) } ?? false
        }
    }

    private func agent(of request: Request) -> String { request.headers[.userAgent] ?? "" }
}
