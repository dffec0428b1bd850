import Foundation
import Testing

/// Python's HTTPS server on a port of loopback, with a certificate of an authority of its own, that answers as it is told.
package final class PolicyServer: Sendable {
    package let port: Int
    /// The authority that vouches for it.
    package let caFile: String
    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - hosts: the names of its certificate.
    ///   - address: of loopback.
    ///   - port: nil: a free one.
    package init(hosts: [String], address: String = "127.0.0.1", port: Int? = nil) async throws {
        folder = try TemporaryFolder()
        let openssl = try Interop.require("openssl")
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        caFile = folder("ca.pem")
        try await Command.succeed(
            openssl, ["req", "-x509"] + curve + ["-days", "30", "-subj", "/CN=Test", "-keyout", folder("ca.key"), "-out", caFile])
        try await Command.succeed(openssl, ["req"] + curve + ["-subj", "/CN=policies", "-keyout", folder("key"), "-out", folder("csr")])
        let names = hosts.map { "DNS:\($0)" }.joined(separator: ",")
        try folder.write("ext", text: "subjectAltName=\(names)\nextendedKeyUsage=serverAuth\n")
        try await Command.succeed(
            openssl,
            [
                "x509", "-req", "-in", folder("csr"), "-CA", caFile, "-CAkey", folder("ca.key"), "-CAcreateserial", "-days", "30",
                "-extfile",
                folder("ext"), "-out", folder("pem"),
            ])
        self.port = try port ?? FreePort.next()
        try folder.write("server.py", text: Self.program)
        try folder.write("body", text: "")
        try folder.write("head", text: "404\n")
        process = try ChildProcess(
            FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") ? "/usr/bin/python3" : Interop.require("python3"),
            [folder("server.py"), folder.path, address, "\(self.port)"])
        try await process.waitForLine(containing: "listening")
    }

    deinit { process.kill() }

    /// What is answered from now on.
    package func answer(_ body: String, status: Int = 200, fields: [String] = ["Content-Type: text/plain"]) throws {
        try folder.write("body", text: body)
        try folder.write("head", text: ([String(status)] + fields).joined(separator: "\n") + "\n")
    }

    /// The requests so far: host and path.
    package var requests: [String] { TextFile.read(folder("requests")).split(separator: "\n").map(String.init) }

    private static let program = """
        import http.server, ssl, sys
        folder, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with open(folder + "/requests", "a") as log:
                    log.write(self.headers["Host"] + self.path + "\\n")
                head = open(folder + "/head").read().split("\\n")
                body = open(folder + "/body", "rb").read()
                self.send_response(int(head[0]))
                for field in head[1:]:
                    if field:
                        self.send_header(*field.split(": ", 1))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer((address, port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/pem", folder + "/key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print("listening", flush=True)
        server.serve_forever()
        """
}
