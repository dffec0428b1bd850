import Foundation
import Glibc
import Testing

/// A private Exim with its own configuration, spool, log and port, as the mail exchanger of one domain.
///
/// `scripts/setup --test` unpacks it, because its package cannot stand beside Postfix's. It starts as root only, in a mount namespace of
/// its own where the user that it was built for exists. STARTTLS is offered with a certificate that Exim makes itself.
package final class EximProcess: Sendable {
    package let port: Int

    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// Starts Exim, which takes mail for every address of `domain` but `nobody` and relays for no one; returns when it answers.
    package static func start(domain: String) async throws -> EximProcess {
        try Interop.requireRoot(for: "Exim")
        let unshare = try Interop.require("unshare")
        guard try await Command.run(unshare, ["-m", "true"]).status == 0 else { try Test.cancel("no mount namespace may be made here") }
        let program = Checkout.url(".build/peers/exim/usr/sbin/exim4").path
        guard access(program, X_OK) == 0 else {
            try Interop.absent("no Exim below .build/peers; scripts/setup --test unpacks it", #_sourceLocation)
        }
        let folder = try TemporaryFolder()
        let port = try FreePort.next()
        let user = 65_300
        for (name, line) in [
            ("passwd", "Debian-exim:x:\(user):\(user)::/nonexistent:/usr/sbin/nologin"), ("group", "Debian-exim:x:\(user):"),
        ] {
            try folder.write(name, text: TextFile.read("/etc/\(name)") + line + "\n")
        }
        for name in ["spool", "mail"] {
            try folder.makeFolder(name)
            guard chown(folder(name), uid_t(user), gid_t(user)) == 0 else { throw SystemError("chown") }
        }
        try folder.write("exim.conf", text: configuration(domain, port: port, program: program, folder: folder))
        let script =
            "mount --bind \"$1/passwd\" /etc/passwd && mount --bind \"$1/group\" /etc/group && exec \"$2\" -bdf -q1m -C \"$1/exim.conf\""
        let process = try ChildProcess(unshare, ["-m", "sh", "-c", script, "sh", folder.path, program])
        let server = EximProcess(folder: folder, port: port, process: process)
        do {
            try await process.waitForPort(port)
        } catch {
            throw TimedOut(description: "\(error)\n\(server.log)")
        }
        return server
    }

    private init(folder: TemporaryFolder, port: Int, process: ChildProcess) {
        self.folder = folder
        self.port = port
        self.process = process
    }

    deinit { process.kill() }

    /// What the server has logged so far.
    package var log: String { TextFile.read(folder("spool/mainlog")) + TextFile.read(folder("spool/paniclog")) }

    /// Waits until that many messages lie in the mailbox, and returns them in no order.
    package func waitForMessages(_ count: Int) async throws -> [[UInt8]] {
        try await eventually("\(count) messages\n\(log)") {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder("mail/new"))) ?? []
            return names.count >= count ? names.map { TextFile.bytes(self.folder("mail/new/\($0)")) } : nil
        }
    }

    /// Ends the server and waits for that.
    package func end() async { await process.end() }

    private static func configuration(_ domain: String, port: Int, program: String, folder: TemporaryFolder) -> String {
        """
        primary_hostname = mx.\(domain)
        exim_path = \(program)
        spool_directory = \(folder("spool"))
        log_file_path = \(folder("spool/%slog"))
        pid_file_path = \(folder("spool/pid"))
        daemon_smtp_ports = \(port)
        local_interfaces = 127.0.0.1
        domainlist ours = \(domain)
        host_lookup =
        rfc1413_hosts =
        keep_environment =
        never_users =
        acl_smtp_rcpt = recipients
        acl_smtp_data = content
        begin acl
        recipients:
          deny message = no such person here
            local_parts = nobody
          accept domains = +ours
          deny message = relay not permitted
        content:
          accept
        begin routers
        all:
          driver = accept
          domains = +ours
          transport = folder
        begin transports
        folder:
          driver = appendfile
          directory = \(folder("mail"))
          maildir_format
          return_path_add
          user = Debian-exim
          group = Debian-exim
        begin retry
        * * F,1h,1m

        """
    }
}
