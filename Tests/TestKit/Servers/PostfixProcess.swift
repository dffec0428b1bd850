import Testing

/// A private Postfix with its own configuration, queue, log and port: submission smarthost, relay, and maker of real bounces.
///
/// Starts as root only. It relays for loopback clients, or for logins alone when an authentication socket is given. It is ended by
/// `end()`, or killed when the last reference to it goes.
package final class PostfixProcess: Sendable {
    /// Where mail for a domain or an address goes.
    package enum Route: Sendable {
        /// To an SMTP server on this port of 127.0.0.1.
        case smtp(port: Int)
        /// To an LMTP server on this port of 127.0.0.1.
        case lmtp(port: Int)
        /// To an LMTP server on this unix socket.
        case lmtpSocket(String)
        /// Accepted, then returned to the reverse-path with this status and text, such as `5.1.1 User unknown`.
        case bounce(String)
        /// Refused at RCPT with 550 and this status and text; not for `*`.
        case refuse(String)
        case discard

        fileprivate var transport: String {
            switch self {
            case .smtp(let port): "smtp:[127.0.0.1]:\(port)"
            case .lmtp(let port): "lmtp:inet:127.0.0.1:\(port)"
            case .lmtpSocket(let path): "lmtp:unix:\(path)"
            case .bounce(let text), .refuse(let text): "error:\(text)"
            case .discard: "discard:"
            }
        }
    }

    /// What kind of Postfix a test wants.
    package struct Configuration: Sendable {
        package var hostname = "mx.example.com"
        /// By domain (`example.com`, `.example.com` for those below it) or address; `*` stands for all others.
        package var routes: [String: Route]
        /// Offers STARTTLS, and TLS from the first byte on a port of its own.
        package var certificate: CertificateFiles?
        /// Dovecot's socket: then only who has logged in may send.
        package var authSocket: String?
        /// Login is offered under TLS only.
        package var authenticatesOnlyUnderTLS = false
        /// More lines of main.cf; they win over ours.
        package var extra: [String: String] = [:]

        package init(routes: [String: Route]) { self.routes = routes }
    }

    package let port: Int
    /// TLS from the first byte; nil without a certificate.
    package let implicitTLSPort: Int?
    package let logFile: String

    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// Starts Postfix and returns when it answers.
    package static func start(_ configuration: Configuration) async throws -> PostfixProcess {
        let postfix = try Interop.require("postfix")
        try Interop.requireRoot(for: "Postfix")
        let daemons = try await Command.succeed(Interop.require("postconf"), ["-d", "-h", "daemon_directory"]).outputText.filter {
            $0 != "\n"
        }
        let folder = try TemporaryFolder()
        let port = try FreePort.next()
        let tlsPort = configuration.certificate == nil ? nil : try FreePort.next()
        try folder.write("conf/main.cf", text: mainFile(configuration, folder: folder, daemons: daemons))
        try folder.write("conf/master.cf", text: masterFile(port: port, tlsPort: tlsPort))
        let routes = configuration.routes.map { "\($0) \($1.transport)\n" }
        try folder.write("conf/transport", text: routes.joined())
        let refused = configuration.routes.compactMap { key, route -> String? in
            guard case .refuse(let text) = route else { return nil }
            return "\(key) 550 \(text)\n"
        }
        try folder.write("conf/refused", text: refused.joined())
        try folder.makeFolder("queue")
        try folder.makeFolder("data", owner: "postfix")
        // Makes the folders of the queue; its warnings are about the group of an instance that is not the system's.
        _ = try await Command.run(postfix, ["-c", folder("conf"), "check"])
        let process = try ChildProcess(
            "\(daemons)/master", ["-s", "-c", folder("conf")], environment: ["MAIL_CONFIG": folder("conf")], makesItsOwnGroup: true)
        let server = PostfixProcess(folder: folder, port: port, implicitTLSPort: tlsPort, process: process)
        do {
            for port in [port, tlsPort].compactMap(\.self) { try await process.waitForPort(port) }
        } catch {
            throw TimedOut(description: "\(error)\n\(server.log)")
        }
        return server
    }

    private init(folder: TemporaryFolder, port: Int, implicitTLSPort: Int?, process: ChildProcess) {
        self.folder = folder
        self.port = port
        self.implicitTLSPort = implicitTLSPort
        self.process = process
        logFile = folder("postfix.log")
    }

    deinit { process.kill() }

    /// What the server has logged so far.
    package var log: String { TextFile.read(logFile) }

    /// Waits for a line of the log that holds `text`, and returns it.
    @discardableResult
    package func waitForLog(containing text: String, within limit: Duration = .seconds(90)) async throws -> String {
        try await process.waitForLine(containing: text, in: logFile, within: limit)
    }

    /// The messages in the queue, each as `postqueue -j` prints it.
    package func queue() async throws -> [String] {
        try await Command.succeed(Interop.require("postqueue"), ["-c", folder("conf"), "-j"]).outputText.split(separator: "\n").map(
            String.init)
    }

    /// Waits until all mail has left the queue.
    package func waitUntilQueueIsEmpty(within limit: Duration = .seconds(90)) async throws {
        try await eventually("an empty queue\n\(log)", within: limit) { try await self.queue().isEmpty }
    }

    /// Tries all deferred mail at once.
    package func flush() async throws { try await Command.succeed(Interop.require("postqueue"), ["-c", folder("conf"), "-f"]) }

    /// Ends the server and waits for that.
    package func end() async { await process.end() }

    private static func mainFile(_ configuration: Configuration, folder: TemporaryFolder, daemons: String) -> String {
        var settings = [
            "compatibility_level": "3.6", "queue_directory": folder("queue"), "data_directory": folder("data"), "daemon_directory": daemons,
            "mail_owner": "postfix", "setgid_group": "postdrop", "maillog_file": folder("postfix.log"),
            "maillog_file_prefixes": folder.path,
            "myhostname": configuration.hostname, "mydestination": "", "local_recipient_maps": "", "alias_maps": "", "alias_database": "",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "smtpd_peername_lookup": "no", "smtp_dns_support_level": "disabled",
            "smtp_tls_security_level": "none", "transport_maps": "texthash:\(folder("conf/transport"))",
            // A deferred message is tried again within seconds; so is a destination that did not answer.
            "minimal_backoff_time": "1s", "maximal_backoff_time": "2s", "queue_run_delay": "1s", "transport_retry_time": "1s",
            // A test may connect, fail and be refused often.
            "smtpd_error_sleep_time": "0", "smtpd_client_connection_count_limit": "0",
            "mynetworks": configuration.authSocket == nil ? "127.0.0.0/8" : "",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
            // An error route is for the queue manager to bounce; what is refused at RCPT has a table of its own.
            "smtpd_reject_unlisted_recipient": "no",
            "smtpd_recipient_restrictions": "check_recipient_access texthash:\(folder("conf/refused"))",
        ]
        if let certificate = configuration.certificate {
            settings["smtpd_tls_security_level"] = "may"
            settings["smtpd_tls_chain_files"] = "\(certificate.key), \(certificate.certificate)"
        }
        if let socket = configuration.authSocket {
            settings["smtpd_sasl_auth_enable"] = "yes"
            settings["smtpd_sasl_type"] = "dovecot"
            settings["smtpd_sasl_path"] = "unix:\(socket)"
            settings["smtpd_sasl_security_options"] = "noanonymous"
            settings["smtpd_tls_auth_only"] = configuration.authenticatesOnlyUnderTLS ? "yes" : "no"
        }
        settings.merge(configuration.extra) { $1 }
        return settings.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
    }

    private static func masterFile(port: Int, tlsPort: Int?) -> String {
        let implicitTLS = tlsPort.map { "127.0.0.1:\($0) inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n" } ?? ""
        return """
            127.0.0.1:\(port) inet n - n - - smtpd
            \(implicitTLS)pickup unix n - n 60 1 pickup
            cleanup unix n - n - 0 cleanup
            qmgr unix n - n 300 1 qmgr
            tlsmgr unix - - n 1000? 1 tlsmgr
            rewrite unix - - n - - trivial-rewrite
            bounce unix - - n - 0 bounce
            defer unix - - n - 0 bounce
            trace unix - - n - 0 bounce
            verify unix - - n - 1 verify
            flush unix n - n 1000? 0 flush
            proxymap unix - - n - - proxymap
            smtp unix - - n - - smtp
            lmtp unix - - n - - lmtp
            showq unix n - n - - showq
            error unix - - n - - error
            retry unix - - n - - error
            discard unix - - n - - discard
            anvil unix - - n - 1 anvil
            scache unix - - n - 1 scache
            postlog unix-dgram n - n - 1 postlogd

            """
    }
}
