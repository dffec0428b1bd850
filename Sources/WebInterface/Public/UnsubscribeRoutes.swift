import Hummingbird

/// The one-click endpoint of RFC 8058: POST acts, GET shows a page with a button and never acts.
struct UnsubscribeRoutes {
    let desk: any UnsubscribeDesk

    private static let largestBody = 16_384

    func add(to router: Router<BasicRequestContext>) {
        router.get("/u/:token") { _, context in try await page(context) }
        router.head("/u/:token") { _, context in
            var response = try await page(context)
            response.body = ResponseBody()
            return response
        }
        router.post("/u/:token") { request, context in
            // The content is `List-Unsubscribe=One-Click` or the button's; neither decides anything, so any content type will do.
            _ = try? await request.body.collect(upTo: Self.largestBody)
            return await act(context)
        }
    }

    private func page(_ context: BasicRequestContext) async throws -> Response {
        guard let token = token(context), await desk.knows(token: token) else { return unknown }
        let body = """
            <h1>Unsubscribe</h1><p>Press the button and you will get no more mail from us.</p>
            <form method="post" action="/u/\(Page.escape(token))"><input type="hidden" name="List-Unsubscribe" value="One-Click">
            <button type="submit">Unsubscribe</button></form>
            """
        return Page.response(.ok, Page.html(title: "Unsubscribe", body: body))
    }

    private func act(_ context: BasicRequestContext) async -> Response {
        guard let token = token(context) else { return unknown }
        switch await desk.unsubscribe(token: token) {
        case .done:
            return Page.response(.ok, Page.html(title: "Unsubscribed", body: "<h1>Done</h1><p>You will get no more mail from us.</p>"))
        case .unknownToken:
            return unknown
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

    /// The token of the path; nil when it cannot be one.
    private func token(_ context: BasicRequestContext) -> String? {
        guard let token = context.parameters.get("token"), token.utf8.count == 36,
            token.utf8.allSatisfy({ ($0 | 0x20 >= 97 && $0 | 0x20 <= 122) || ($0 >= 48 && $0 <= 57) })
        else { return nil }
        return token
    }
}
