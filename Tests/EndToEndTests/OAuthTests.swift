import Foundation
import TestKit
import Testing

/// Logins with access tokens through the built executable: login, sealed storage, sending, backup, another key.
@Suite("oauth login", .timeLimit(.minutes(3)))
struct OAuthTests {
    private static func sections(token: Int, smtp: Int, key: String, flow: String = "device_code", secret: String? = nil) -> String {
        """
        [oauth.office]
        provider = "generic"
        client_id = "app"
        \(secret.map { "client_secret_file = \"\($0)\"" } ?? "")
        token_url = "http://127.0.0.1:\(token)/token"
        \(flow == "device_code" ? "device_url = \"http://127.0.0.1:\(token)/device\"" : "")
        flow = "\(flow)"
        user = "anna@example.com"

        [secrets]
        key_file = "\(key)"

        [route.office]
        type = "submission"
        host = "127.0.0.1"
        port = \(smtp)
        tls = "none"
        auth = { mechanism = "xoauth2", oauth = "office" }


        """ + Premises.identity(route: "office")
    }

    private func sealKey(_ premises: Premises, _ name: String) throws -> String {
        let text = (0..<32).map { _ in String(format: "%02x", Int.random(in: 0...255)) }.joined()
        return try premises.folder.write("secrets/\(name)", text: text, permissions: 0o600)
    }

    private func holds(_ text: String, _ files: [String]) throws -> Bool {
        try files.contains { try Data(contentsOf: URL(filePath: $0)).range(of: Data(text.utf8)) != nil }
    }

    @Test("a device login is shown, confirmed and kept sealed; mail goes out with its tokens; another key asks for it anew")
    func deviceLogin() async throws {
        let tokens = try await WebPeer.start { request, _ in
            if request.path == "/device" {
                return .json(
                    #"{"device_code":"d","user_code":"ABCD","verification_uri":"https://example.com/device","interval":1,"expires_in":60}"#)
            }
            switch (request.field("grant_type"), request.field("refresh_token")) {
            case ("urn:ietf:params:oauth:grant-type:device_code", nil):
                return .json(#"{"access_token":"first","expires_in":3600,"refresh_token":"refresh-one-0123456789"}"#)
            case ("refresh_token", "refresh-one-0123456789"):
                return .json(#"{"access_token":"second","expires_in":3600,"refresh_token":"refresh-two-0123456789"}"#)
            case ("refresh_token", "refresh-two-0123456789"): return .json(#"{"access_token":"third","expires_in":3600}"#)
            default: return .json(400, #"{"error":"invalid_grant"}"#)
            }
        }
        let mail = try await TokenServers.smtp { $0 == "second" || $0 == "third" }
        let premises = try Premises("")
        let key = try sealKey(premises, "seal.key")
        try premises.configure(Self.sections(token: tokens.port, smtp: mail.port, key: key))
        try await premises.run(["check"])

        // Nobody has logged in: nothing leaves, and the words say what to do.
        let early = try await Command.run(Executable.path, ["send-test", "--to", "bo@example.net", "--conf", premises.confFile])
        #expect(early.status == 75 || early.status == 77, "\(early.outputText)\(early.errorText)")
        #expect(early.outputText.contains("run: postrider oauth login office"), "\(early.outputText)")

        let login = try await premises.run(["oauth", "login", "office", "--json"]).outputText.split(separator: "\n")
        #expect(
            login == [
                #"{"event":"prompt","oauth":"office","url":"https://example.com/device","code":"ABCD","complete_url":null,"user":"anna@example.com","expires_in":60}"#,
                #"{"event":"kept","oauth":"office"}"#,
            ])
        for _ in 0..<2 { try await premises.run(["send-test", "--to", "bo@example.net"]) }
        #expect(mail.connections.joined().filter { $0 == "DATA" }.count == 2)

        // Neither the database nor a backup has a token in clear.
        let backup = premises.folder("backup.sqlite")
        try await premises.run(["backup", backup])
        let state = premises.folder("state")
        let files = try FileManager.default.contentsOfDirectory(atPath: state).map { "\(state)/\($0)" } + [backup]
        for secret in ["refresh-one", "refresh-two", "second", "third"] { #expect(try !holds(secret, files), "\(secret)") }
        #expect(try holds("refresh_token", [backup]))

        // Restored without the key, the login is asked for anew.
        try premises.configure(Self.sections(token: tokens.port, smtp: mail.port, key: try sealKey(premises, "other.key")))
        let sealed = try await Command.run(Executable.path, ["send-test", "--to", "bo@example.net", "--conf", premises.confFile])
        #expect(sealed.status == early.status)
        #expect(sealed.outputText.contains("was sealed with another key"), "\(sealed.outputText)")
        await tokens.stop()
        await mail.stop()
    }

    @Test(
        "each end of a login has its exit status",
        arguments: [
            (WebPeer.Answer.json(400, #"{"error":"invalid_client"}"#), 78), (.json(400, #"{"error":"access_denied"}"#), 77),
            (.json(400, #"{"error":"expired_token"}"#), 75), (.reply(503, body: ""), 69),
            (.json(#"{"access_token":"a","expires_in":3600}"#), 78),
        ] as [(WebPeer.Answer, Int32)])
    func exitStatuses(_ answer: WebPeer.Answer, _ status: Int32) async throws {
        let tokens = try await WebPeer.start { request, _ in
            if request.path == "/device", status != 69 {
                return .json(#"{"device_code":"d","user_code":"ABCD","verification_uri":"https://example.com/","interval":1}"#)
            }
            return answer
        }
        let premises = try Premises("")
        try premises.configure(Self.sections(token: tokens.port, smtp: 9, key: try sealKey(premises, "seal.key")))
        let outcome = try await Command.run(Executable.path, ["oauth", "login", "office", "--conf", premises.confFile])
        #expect(outcome.status == status, "\(outcome.outputText)\(outcome.errorText)")
        #expect(outcome.errorText.utf8.count > 10)
        let unknown = try await Command.run(Executable.path, ["oauth", "login", "ofice", "--conf", premises.confFile])
        #expect(unknown.status == 65 && unknown.errorText.contains("there are office"))
        await tokens.stop()
    }

    @Test("a refresh token from elsewhere is tried and kept; the client's secret alone needs no login")
    func otherFlows() async throws {
        let tokens = try await WebPeer.start { request, _ in
            switch request.field("grant_type") {
            case "client_credentials" where request.field("client_secret") == "s3cret": .json(#"{"access_token":"a","expires_in":3600}"#)
            case "refresh_token" where request.field("refresh_token") == "given": .json(#"{"access_token":"a","expires_in":3600}"#)
            default: .json(400, #"{"error":"invalid_grant"}"#)
            }
        }
        let mail = try await TokenServers.smtp { $0 == "a" }
        let premises = try Premises("")
        let key = try sealKey(premises, "seal.key")
        let secret = try premises.folder.write("secrets/client", text: "s3cret\n", permissions: 0o600)
        try premises.configure(Self.sections(token: tokens.port, smtp: mail.port, key: key, flow: "client_credentials", secret: secret))
        try await premises.run(["oauth", "login", "office"])
        try await premises.run(["send-test", "--to", "bo@example.net"])
        try premises.configure(Self.sections(token: tokens.port, smtp: mail.port, key: key, flow: "refresh_token"))
        let bad = try premises.folder.write("bad", text: "other\n", permissions: 0o600)
        let good = try premises.folder.write("good", text: "given\n", permissions: 0o600)
        for (arguments, status) in [([], 64), (["--refresh-token-file", bad], 65), (["--refresh-token-file", good], 0)]
            as [([String], Int32)]
        {
            let outcome = try await Command.run(
                Executable.path, ["oauth", "login", "office", "--conf", premises.confFile] + arguments)
            #expect(outcome.status == status, "\(outcome.errorText)")
        }
        try await premises.run(["send-test", "--to", "bo@example.net"])
        await tokens.stop()
        await mail.stop()
    }
}
