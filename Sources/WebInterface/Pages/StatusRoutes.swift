import Hummingbird

/// `/healthz` for monitors, `/` for people.
struct StatusRoutes {
    let board: any StatusBoard

    func add(to router: Router<BasicRequestContext>) {
        router.get("/healthz") { _, _ in
            let troubles = await board.troubles()
            return Response(
                status: troubles.isEmpty ? .ok : .serviceUnavailable,
                headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: troubles.isEmpty ? "ok\n" : troubles.joined(separator: "\n") + "\n")))
        }
        router.get("/") { _, _ in
            guard let snapshot = try await board.snapshot() else {
                return Page.response(.notFound, Page.html(title: "Nothing here", body: "<h1>Nothing here</h1>"))
            }
            return Page.response(.ok, Page.html(title: snapshot.title, refresh: 2, body: Self.body(snapshot)))
        }
    }

    private static func body(_ snapshot: StatusSnapshot) -> String {
        let queue = snapshot.queue.map { "\(Page.escape($0.state)) \($0.count)" }.joined(separator: " · ")
        let rows = snapshot.rows.map { row in cells([row.contact, row.sequence, "\(row.stepsSent)", row.state, row.reason]) }.joined()
        let events = snapshot.events.map { event in cells([event.at, event.kind, event.contact, event.summary]) }.joined()
        return """
            <h1>\(Page.escape(snapshot.title))</h1><p class="muted">\(Page.escape(snapshot.now)) · queue: \(queue)</p>
            <h2>Contacts</h2><table>\(head(["contact", "sequence", "steps sent", "state", "why"]))\(rows)</table>
            <h2>Timeline</h2><table>\(head(["at", "what", "contact", "details"]))\(events)</table>
            """
    }

    private static func head(_ names: [String]) -> String { "<tr>" + names.map { "<th>\($0)</th>" }.joined() + "</tr>" }

    private static func cells(_ values: [String]) -> String { "<tr>" + values.map { "<td>\(Page.escape($0))</td>" }.joined() + "</tr>" }
}
