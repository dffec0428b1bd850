/// `[webhook.NAME]`: another system that steps of sequences hand contacts over to.
package struct WebhookSettings: ConfSection, Equatable {
    package let name: String
    /// Empty only until it was read.
    package var url = ""
    package var secretFile = SecretFile(path: "")
    package var allowPrivate = false
    package var timeout = Duration.seconds(10)
    /// The waits between attempts; behind the last a call is given up.
    package var retrySchedule: [Duration] = [
        .seconds(60), .seconds(300), .seconds(1800), .seconds(7200), .seconds(21_600), .seconds(43_200), .seconds(86_400), .seconds(86_400),
    ]
    package var tlsCAFile: String?

    init(name: String) { self.name = name }

    /// Whether calls go over TLS.
    package var isSecure: Bool { url.utf8.starts(with: "https://".utf8) }

    /// The host of the URL, without brackets and port.
    package var host: String {
        let authority = url.utf8.dropFirst(isSecure ? 8 : 7).prefix { !"/?".utf8.contains($0) }
        return Endpoint.split(Array(authority), defaultPort: 443)?.host ?? ""
    }

    static let fields: [Field<WebhookSettings>] = [
        Field(
            "url", \.url, .webhookAddress, required: true,
            "Where calls are posted to: https, or http with allow_private to a private address."),
        Field(
            "secret_file", \.secretFile, .secret(minimumBytes: 16), required: true,
            "What calls are signed with (HMAC-SHA256), as the file has it but for a line end at its end."),
        Field(
            "allow_private", \.allowPrivate, .flag,
            "Whether it may be on a loopback, private or link-local address; else these are refused."),
        Field("timeout", \.timeout, .duration(.seconds(1)...(.seconds(25))), "For a whole call, the look-up of the name included."),
        Field(
            "retry_schedule", \.retrySchedule, .list(.duration(.seconds(1)...(.seconds(7 * 86_400))), count: 1...50),
            "The waits after failed attempts; behind the last a call has failed for good."),
        Field("tls_ca_file", \.tlsCAFile, .file, "Certificates to trust in place of the system's."),
    ]
}

extension ConfType where Value == String {
    /// An https or http URL without user and fragment, whose host is written in one way only.
    static var webhookAddress: ConfType {
        .string("an https URL", show: { $0 }) { text, _ in
            let bytes = Array(text.utf8)
            let scheme = ["https://", "http://"].first { bytes.starts(with: $0.utf8) }
            guard let scheme, bytes.count <= 2048, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"<>\"\\^`{|}#@".utf8.contains($0) }) else {
                return .failure(
                    Complaints("'\(text)' is no https URL", "write it as \"https://crm.example.com/hook\", without user and fragment"))
            }
            let authority = Array(bytes.dropFirst(scheme.utf8.count).prefix { !"/?".utf8.contains($0) })
            guard let (host, _) = Endpoint.split(authority, defaultPort: 443), Names.isHostName(host) || IPText.isAddress(host) else {
                return .failure(Complaints("'\(text)' has no valid host"))
            }
            guard !host.utf8.contains(where: { (0x41...0x5A).contains($0) }) else {
                return .failure(Complaints("the host of '\(text)' has capital letters", "write it in small ones"))
            }
            return .success(text)
        }
    }
}
