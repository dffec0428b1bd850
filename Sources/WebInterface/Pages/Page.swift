import HTTPTypes
import Hummingbird
import Outreach

/// HTML pages without scripts: values go in only through `escape`.
enum Page {
    static func escape(_ text: String) -> String { HTMLEscape.escape(text) }

    /// A whole page; `body` is HTML that was built with `escape`.
    static func html(title: String, refresh: Int? = nil, body: String) -> String {
        let meta = refresh.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">" } ?? ""
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">\(meta)
            <title>\(escape(title))</title><style>\(style)</style></head>
            <body><main>\(body)</main></body></html>

            """
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1c2430}main{max-width:72rem;margin:2rem auto;padding:0 1rem}
        table{border-collapse:collapse;width:100%;background:#fff;margin:0 0 2rem}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #e3e6ea;
        vertical-align:top}th{font-weight:600;background:#eef1f4}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.3rem;background:#1d4ed8;
        color:#fff;cursor:pointer}.muted{color:#5b6672}
        """

    static func response(_ status: HTTPResponse.Status, _ html: String) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .contentSecurityPolicy:
                    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
                .referrerPolicy: "no-referrer",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }
}

extension HTTPField.Name {
    static let referrerPolicy = Self("Referrer-Policy") ?? .referer
}
