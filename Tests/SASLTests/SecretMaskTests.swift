import Foundation
import SASL
import Testing

@Suite("secrets in a peer's words") struct SecretMaskTests {
    private static let password = "correct horse"
    private static let plain = Data("\0anna\0\(password)".utf8).base64EncodedString()

    private func masked(_ text: String, credentials: SASLCredentials, lines: [String] = []) -> String {
        var mask = SecretMask(credentials)
        for line in lines { mask.add(line: Array(line.utf8)) }
        return String(decoding: mask.masked(Array(text.utf8)), as: UTF8.self)
    }

    @Test(
        "the line that was sent, a beginning of it, other case, and the password itself are taken out; nothing else is",
        arguments: [
            ("500 unrecognized: AUTH PLAIN \(plain)", "500 unrecognized: AUTH PLAIN [credentials]"),
            ("500 unrecognized: AUTH PLAIN \(plain.prefix(12))...", "500 unrecognized: AUTH PLAIN [credentials]..."),
            ("500 AUTH PLAIN \(plain.uppercased())", "500 AUTH PLAIN [credentials]"),
            ("535 anna/correct horse: no", "535 anna/[credentials]: no"), ("535 \(plain)\(plain)", "535 [credentials][credentials]"),
            ("535 5.7.8 not you, anna", "535 5.7.8 not you, anna"), ("504 AUTH PLAIN is not for you", "504 AUTH PLAIN is not for you"),
            ("535 correct", "535 correct"), ("", ""),
        ])
    func taken(_ text: String, _ shown: String) {
        let credentials = SASLCredentials.password(Array(Self.password.utf8), user: "anna")
        #expect(masked(text, credentials: credentials, lines: ["AUTH PLAIN \(Self.plain)\r\n"]) == shown)
    }

    @Test("tokens are secrets, tickets are none; commands and mechanisms and what is shorter than four octets stay")
    func others() {
        #expect(
            masked("NO bad token ya29.abcdef", credentials: .token(Array("ya29.abcdef".utf8), user: "a")) == "NO bad token [credentials]")
        #expect(
            masked("NO AUTHENTICATE", credentials: .ticket(user: "a"), lines: ["A1 AUTHENTICATE SCRAM-SHA-256 biwsbj11"])
                == "NO AUTHENTICATE")
        #expect(
            masked("NO SCRAM-SHA-256 biwsbj11", credentials: .ticket(user: "a"), lines: ["A1 AUTHENTICATE SCRAM-SHA-256 biwsbj11"])
                == "NO SCRAM-SHA-256 [credentials]")
        #expect(masked("NO no", credentials: .password(Array("no".utf8), user: "a")) == "NO no")
        #expect(SecretMask().masked(Array("as it is".utf8)) == Array("as it is".utf8))
    }
}
