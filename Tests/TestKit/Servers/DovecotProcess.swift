import Foundation
import Glibc
import Synchronization
import Testing

/// A private Dovecot with its own folder, ports and users: IMAP with STARTTLS, IMAPS, LMTP, and authentication for Postfix.
///
/// Runs as root and as any other user. It is ended by `end()`, or killed when the last reference to it goes.
package final class DovecotProcess: Sendable {
    /// A mail user: its name is the whole address, in lower case.
    package struct User: Sendable {
        package let name: String
        package let password: String

        package init(_ name: String, password: String) {
            self.name = name
            self.password = password
        }
    }

    /// IMAP in the clear, with STARTTLS.
    package let imapPort: Int
    /// IMAP with TLS from the first byte.
    package let imapsPort: Int
    package let lmtpPort: Int
    /// The unix socket on which Postfix may ask for logins (`smtpd_sasl_type = dovecot`).
    package let authSocket: String
    package let logFile: String

    private let folder: TemporaryFolder
    private let program: String
    private let process: Mutex<ChildProcess>
    private let configuration: String

    /// Starts Dovecot with these users; it offers the mechanisms PLAIN, LOGIN and SCRAM-SHA-256, in the clear too unless
    /// `allowsPlaintext` is false. `extra` is added to its configuration as it is.
    package static func start(
        users: [User], certificate: CertificateFiles, mechanisms: String = "plain login scram-sha-256", allowsPlaintext: Bool = true,
        extra: String = ""
    ) async throws -> DovecotProcess {
        let server = try DovecotProcess(
            program: Interop.require("dovecot"), users: users, certificate: certificate, mechanisms: mechanisms,
            allowsPlaintext: allowsPlaintext,
            extra: extra)
        try await server.waitForPorts()
        return server
    }

    private func waitForPorts() async throws {
        let process = process.withLock { $0 }
        for port in [imapPort, imapsPort, lmtpPort] { try await process.waitForPort(port) }
    }

    private init(
        program: String, users: [User], certificate: CertificateFiles, mechanisms: String, allowsPlaintext: Bool, extra: String
    ) throws {
        self.program = program
        folder = try TemporaryFolder()
        imapPort = try FreePort.next()
        imapsPort = try FreePort.next()
        lmtpPort = try FreePort.next()
        authSocket = folder("run/smtp-auth")
        logFile = folder("dovecot.log")

        // As root, Dovecot wants users of its own for its parts, and for mail one that is not root.
        let isRoot = geteuid() == 0
        let own = String(cString: getpwuid(geteuid()).pointee.pw_name)
        let group = String(cString: getgrgid(getegid()).pointee.gr_name)
        let mailUser = isRoot ? "mail" : own
        try folder.makeFolder("mail", owner: mailUser)
        try folder.makeFolder("home", owner: mailUser)
        try folder.write("users", text: users.map { "\($0.name):{PLAIN}\($0.password)\n" }.joined())
        configuration = try folder.write(
            "dovecot.conf",
            text: """
                base_dir = \(folder("run"))
                state_dir = \(folder("state"))
                log_path = \(logFile)
                protocols = imap lmtp
                listen = 127.0.0.1
                default_internal_user = \(isRoot ? "dovecot" : own)
                default_internal_group = \(isRoot ? "dovecot" : group)
                default_login_user = \(isRoot ? "dovenull" : own)
                first_valid_uid = 1
                auth_mechanisms = \(mechanisms)
                disable_plaintext_auth = \(allowsPlaintext ? "no" : "yes")
                # A failed login is answered at once, and a test may log in often.
                auth_failure_delay = 0
                mail_max_userip_connections = 100
                ssl = yes
                ssl_cert = <\(certificate.certificate)
                ssl_key = <\(certificate.key)
                ssl_min_protocol = TLSv1.2
                mail_location = maildir:\(folder("mail"))/%u/Maildir
                passdb {
                  driver = passwd-file
                  args = scheme=PLAIN username_format=%u \(folder("users"))
                }
                userdb {
                  driver = static
                  args = uid=\(mailUser) gid=\(isRoot ? "mail" : group) home=\(folder("home"))/%u
                }
                namespace inbox {
                  inbox = yes
                }
                service imap-login {
                  chroot =
                  inet_listener imap {
                    port = \(imapPort)
                  }
                  inet_listener imaps {
                    port = \(imapsPort)
                    ssl = yes
                  }
                }
                service lmtp {
                  user = \(isRoot ? "root" : own)
                  inet_listener lmtp {
                    port = \(lmtpPort)
                  }
                }
                service auth {
                  unix_listener smtp-auth {
                    mode = 0666
                  }
                }
                service anvil {
                  chroot =
                }
                service stats {
                  chroot =
                }
                \(extra)

                """)
        process = Mutex(try ChildProcess(program, ["-F", "-c", configuration]))
    }

    deinit { killTree() }

    /// Kills the server and every process below it with SIGKILL, as a loss of power would end them: none gets to say or write anything more.
    package func killTree() {
        let process = process.withLock { $0 }
        let below = Self.descendants(of: process.id)
        process.kill()
        for id in below { kill(id, SIGKILL) }
    }

    /// Starts the server again on the same mail and ports, after it was killed.
    package func restart() async throws {
        let old = process.withLock { $0 }
        _ = try await old.waitForEnd(within: .seconds(10))
        // Its file of the process id names a process that is no more; a new master would take another one of that number for itself.
        _ = unlink(folder("run/master.pid"))
        let new = try ChildProcess(program, ["-F", "-c", configuration])
        process.withLock { $0 = new }
        try await waitForPorts()
    }

    /// The processes that descend from this one, found by the parents that the kernel names: they have groups of their own.
    private static func descendants(of root: pid_t) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let id = pid_t(name) else { continue }
            // `id (name) state parent ...`; the name may hold anything.
            let fields = TextFile.read("/proc/\(id)/stat").split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 1, let parent = pid_t(fields[1]) { children[parent, default: []].append(id) }
        }
        var found: [pid_t] = []
        var next = [root]
        while let id = next.popLast() {
            let below = children[id] ?? []
            found += below
            next += below
        }
        return found
    }

    /// What the server has logged so far.
    package var log: String { TextFile.read(logFile) }

    /// Puts `message` into a user's mailbox, as a delivery would, and returns when it is there.
    package func deliver(_ message: [UInt8], to user: String, mailbox: String = "INBOX") async throws {
        try await doveadm(["save", "-u", user, "-m", mailbox], input: message)
    }

    /// Runs `doveadm` on this server, such as `["mailbox", "create", "-u", "ann@example.com", "Archive"]`, and returns what it printed.
    @discardableResult
    package func doveadm(_ arguments: [String], input: [UInt8] = []) async throws -> String {
        try await Command.succeed(Interop.require("doveadm"), ["-c", configuration] + arguments, input: input).outputText
    }

    /// Ends the server and waits for that.
    package func end() async { await process.withLock { $0 }.end() }
}
