import Testing

/// A certificate and its key, as PEM files.
package struct CertificateFiles: Sendable {
    /// The certificate, followed by the rest of its chain.
    package let certificate: String
    package let key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// Makes a self-signed certificate for `localhost` and 127.0.0.1, for tests that are not about certificates.
    package static func selfSigned(in folder: TemporaryFolder) async throws -> CertificateFiles {
        let files = CertificateFiles(certificate: folder("self-signed.pem"), key: folder("self-signed.key"))
        try await Command.succeed(
            Interop.require("openssl"),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", files.key, "-out", files.certificate,
            ])
        return files
    }
}
