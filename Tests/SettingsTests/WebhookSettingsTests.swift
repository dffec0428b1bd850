import Foundation
import Testing

@testable import Settings

@Suite("webhooks in the conf")
struct WebhookSettingsTests {
    private static let head = smallest + "[webhook.crm]\nsecret_file = \"/k\"\n"

    @Test("a webhook has its defaults, and all that it may say")
    func reads() throws {
        let plain = try #require(try load(Self.head + "url = \"https://crm.example.com/hook?team=1\"\n").get().webhooks.first)
        #expect(plain.name == "crm" && plain.url == "https://crm.example.com/hook?team=1" && plain.secretFile.path == "/k")
        #expect(!plain.allowPrivate && plain.timeout == .seconds(10) && plain.host == "crm.example.com" && plain.isSecure)
        // Its last attempt is made within three days of the first.
        let total = plain.retrySchedule.reduce(Duration.zero, +)
        #expect(total > .seconds(60 * 3600) && total <= .seconds(72 * 3600))
        let rest =
            "url = \"http://[::1]:8080/\"\nallow_private = true\ntimeout = \"3s\"\nretry_schedule = [\"1s\", \"2m\"]\ntls_ca_file = \"/ca\"\n"
        let inner = try #require(try load(Self.head + rest).get().webhooks.first)
        #expect(inner.allowPrivate && inner.timeout == .seconds(3) && inner.retrySchedule == [.seconds(1), .seconds(120)])
        #expect(inner.tlsCAFile == "/ca" && inner.host == "::1" && !inner.isSecure)
    }

    @Test(
        "what is wrong with one is said with its line",
        arguments: [
            ("", "postrider.conf:3: 'url' is missing in [webhook.crm]; add url = an https URL"),
            (
                "url = \"http://crm.example.com/\"\n",
                "postrider.conf:5: http:// is for private addresses with allow_private = true; write https://, or set allow_private"
            ),
            (
                "url = \"https://127.0.0.1:9/\"\n",
                "postrider.conf:5: it is on this machine, and allow_private is not set; set allow_private = true"
            ),
            (
                "url = \"https://localhost/\"\n",
                "postrider.conf:5: it is on this machine, and allow_private is not set; set allow_private = true"
            ),
            (
                "url = \"ftp://crm.example.com/\"\n",
                "postrider.conf:5: url: 'ftp://crm.example.com/' is no https URL; write it as \"https://crm.example.com/hook\", without user and fragment"
            ),
            (
                "url = \"https://a:b@crm.example.com/\"\n",
                "postrider.conf:5: url: 'https://a:b@crm.example.com/' is no https URL; write it as \"https://crm.example.com/hook\", without user and fragment"
            ),
            (
                "url = \"https://CRM.example.com/\"\n",
                "postrider.conf:5: url: the host of 'https://CRM.example.com/' has capital letters; write it in small ones"
            ),
            ("url = \"https://0x7f.1!/\"\n", "postrider.conf:5: url: 'https://0x7f.1!/' has no valid host"),
            (
                "url = \"https://c.example.com/\"\nsecret = \"x\"\n",
                "postrider.conf:6: unknown key 'secret' in [webhook.crm]; secrets stand in files of their own: use 'secret_file'"
            ),
            ("url = \"https://c.example.com/\"\nretry_schedule = []\n", "postrider.conf:6: retry_schedule: this list needs at least 1"),
        ])
    func refused(lines: String, fault: String) { #expect(faults(Self.head + lines) == [fault]) }

    @Test("its secret is needed, long enough, and not open to everybody")
    func secret() {
        let url = "url = \"https://c.example.com/\"\n"
        #expect(
            faults(smallest + "[webhook.crm]\n" + url) == [
                "postrider.conf:3: 'secret_file' is missing in [webhook.crm]; add secret_file = the path of a file with a secret, not world-readable"
            ])
        #expect(
            faults(Self.head + url, facts: ["/k": FileFacts(mode: 0o644)]).first?.contains("/k is open to everybody (mode 0644)") == true)
        #expect(faults(Self.head + url, facts: ["/k": FileFacts(size: 8)]).first?.contains("/k is only 8 bytes long") == true)
    }
}
