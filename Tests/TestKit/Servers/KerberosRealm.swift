import Glibc
import Testing

/// A private Kerberos realm with its own key distribution centre: principals, keytabs and tickets in files of a temporary folder.
///
/// It is ended by `end()`, or killed when the last reference to it goes. Whoever is to live in the realm gets `environment`.
package final class KerberosRealm: Sendable {
    package static let name = "EXAMPLE.NET"

    /// The variables by which a program finds the realm, without a ticket.
    package let environment: [String: String?]
    /// The keys of the services.
    package let keytab: String

    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// Starts a realm with users, by name and password, and services such as `smtp/localhost`.
    package static func start(users: [String: String], services: [String]) async throws -> KerberosRealm {
        let (center, maker, admin) = try (Interop.require("krb5kdc"), Interop.require("kdb5_util"), Interop.require("kadmin.local"))
        let folder = try TemporaryFolder()
        let port = try FreePort.next()
        let files = ["KRB5_CONFIG": folder("krb5.conf"), "KRB5_KDC_PROFILE": folder("kdc.conf")] as [String: String?]
        try folder.write(
            "krb5.conf",
            text: """
                [libdefaults]
                  default_realm = \(name)
                  dns_lookup_kdc = false
                  dns_lookup_realm = false
                  dns_canonicalize_hostname = false
                  rdns = false
                [realms]
                  \(name) = {
                    kdc = 127.0.0.1:\(port)
                  }
                [domain_realm]
                  localhost = \(name)

                """)
        try folder.write(
            "kdc.conf",
            text: """
                [realms]
                  \(name) = {
                    kdc_listen = 127.0.0.1:\(port)
                    kdc_tcp_listen = 127.0.0.1:\(port)
                    database_name = \(folder("principal"))
                    key_stash_file = \(folder("stash"))
                    acl_file = \(folder("acl"))
                  }
                [logging]
                  kdc = FILE:\(folder("kdc.log"))

                """)
        try await Command.succeed(maker, ["create", "-s", "-r", name, "-P", "master"], environment: files)
        let keytab = folder("keytab")
        let requests =
            users.map { "addprinc -pw \($1) \($0)" }
            + services.flatMap { ["addprinc -randkey \($0)", "ktadd -k \(keytab) \($0)"] }
        try await Command.succeed(admin, [], environment: files, input: Array((requests.joined(separator: "\n") + "\n").utf8))
        // The services run under users of their own.
        guard chmod(keytab, 0o644) == 0 else { throw SystemError("chmod") }
        let process = try ChildProcess(center, ["-n", "-P", folder("pid")], environment: files)
        try await process.waitForPort(port)
        return KerberosRealm(folder: folder, environment: files, keytab: keytab, process: process)
    }

    private init(folder: TemporaryFolder, environment: [String: String?], keytab: String, process: ChildProcess) {
        self.folder = folder
        self.environment = environment
        self.keytab = keytab
        self.process = process
    }

    deinit { process.kill() }

    /// Logs a user in; the variables by which a program finds the realm and the ticket.
    package func ticket(of user: String, password: String) async throws -> [String: String?] {
        var own = environment
        own["KRB5CCNAME"] = "FILE:\(folder("ticket-\(user)"))"
        try await Command.succeed(Interop.require("kinit"), [user], environment: own, input: Array("\(password)\n".utf8))
        return own
    }

    /// Ends the realm and waits for that.
    package func end() async { await process.end() }
}
