import TestKit
import Testing

/// Logins by Kerberos ticket, through the built executable, with Postfix and Dovecot as services of a realm of the test.
@Suite("logins by Kerberos ticket")
struct KerberosTests {
    @Test("a ticket logs in at a smarthost and at a mailbox; without one nothing is sent", .timeLimit(.minutes(3)))
    func ticket() async throws {
        let realm = try await KerberosRealm.start(users: ["anna": "secret"], services: ["smtp/localhost", "imap/localhost"])
        let folder = try TemporaryFolder()
        let sink = try SinkSMTP()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let dovecot = try await DovecotProcess.start(
            users: [], certificate: certificate, mechanisms: "gssapi",
            extra: """
                auth_krb5_keytab = \(realm.keytab)
                auth_gssapi_hostname = localhost
                import_environment = TZ KRB5_CONFIG=\(realm.environment["KRB5_CONFIG"].flatMap(\.self) ?? "")
                """)
        var configuration = PostfixProcess.Configuration(routes: ["*": .smtp(port: sink.port)])
        configuration.certificate = certificate
        configuration.authSocket = dovecot.authSocket
        let postfix = try await PostfixProcess.start(configuration)
        let auth =
            "auth = { user = \"anna@\(KerberosRealm.name)\", mechanism = \"gssapi\" }\ntls_ca_file = \"\(certificate.certificate)\"\n"
        let bench = try StateBench(
            route: .text(
                """
                type = "submission"
                host = "localhost"
                port = \(postfix.port)
                \(auth)
                [mailbox.anna]
                host = "localhost"
                port = \(dovecot.imapsPort)
                \(auth)
                """))
        func run(_ arguments: String..., with environment: [String: String?]) async throws -> Command.Outcome {
            try await Executable.run(["--conf", bench.conf] + arguments, environment: environment)
        }

        let ticket = try await realm.ticket(of: "anna", password: "secret")
        let checked = try await run("check", "--connect", with: ticket)
        #expect(checked.status == 0, "\(checked.errorText)\n\(dovecot.log)")
        let sent = try await run("send-test", "--to", "bo@example.net", with: ticket)
        #expect(
            sent.status == 0 && (sent.outputText + sent.errorText).contains("AUTH GSSAPI"),
            "\(sent.outputText)\(sent.errorText)\n\(dovecot.log)")
        let messages = try await sink.waitForMessages(1)
        #expect(messages.map(\.recipients) == [["bo@example.net"]])

        var none = realm.environment
        none["KRB5CCNAME"] = "FILE:\(folder("no-ticket"))"
        let refused = try await run("send-test", "--to", "bo@example.net", with: none)
        #expect(refused.status == 69 || refused.status == 75 || refused.status == 77, "\(refused.outputText)\(refused.errorText)")
        #expect(!(refused.outputText + refused.errorText).contains("> MAIL") && sink.messages.count == 1)
        await realm.end()
    }
}
