import COpenSSL

/// What the server side of TLS connections has in common: its certificate and key. TLS 1.2 or newer.
///
/// Made once and used by any number of connections on any number of threads; a renewed certificate is a new context, and
/// running connections keep the old one.
///
/// Sendable: `pointer` is written once in `init`, the `SSL_CTX` is set up there and never changed afterwards; what the
/// library shares between connections stands under its own lock (`SSL_CTX.lock`), so no lock of ours is needed.
package final class TLSServerContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Reads a certificate chain (the server's own first, then those above it) and its private key from PEM files.
    ///
    /// The key file may be readable for its group, not for everybody.
    /// - Throws: `unreadableFile`, `worldReadableFile`, `malformedCertificate`, `malformedKey`, `keyMismatch`; each message names the file.
    package convenience init(certificateChainFile: String, keyFile: String) throws(TLSError) {
        let chain = try TLSError.reading { () throws(KeyError) in try KeyFile.readPublic(certificateChainFile) }
        let key = try TLSError.reading { () throws(KeyError) in try KeyFile.readSecret(keyFile) }
        try self.init(chain: chain, chainSource: certificateChainFile, key: key, keySource: keyFile)
    }

    /// Takes a certificate chain (the server's own first) and its private key as PEM text.
    ///
    /// - Throws: `malformedCertificate`, `malformedKey`, `keyMismatch`.
    package convenience init(certificateChainPEM: [UInt8], keyPEM: [UInt8]) throws(TLSError) {
        try self.init(chain: certificateChainPEM, chainSource: "the given certificate", key: keyPEM, keySource: "the given key")
    }

    private init(chain: [UInt8], chainSource: String, key: [UInt8], keySource: String) throws(TLSError) {
        ErrorQueue.clear()
        guard let context = SSL_CTX_new(TLS_server_method()), COpenSSL_prepare(context) == 1 else {
            throw TLSError(.failed, "no TLS server can be set up", cause: ErrorQueue.drainText())
        }
        pointer = context
        let certificates = try Certificate.all(pem: chain, source: chainSource)
        for (index, certificate) in certificates.enumerated() {
            let taken =
                index == 0
                ? SSL_CTX_use_certificate(context, certificate.pointer) : COpenSSL_add_chain_certificate(context, certificate.pointer)
            guard taken == 1 else {
                throw TLSError(
                    .malformedCertificate, "certificate \(index + 1) of \(chainSource) is refused by the TLS library; renew it",
                    cause: ErrorQueue.drainText())
            }
        }
        let handle: KeyHandle
        do throws(KeyError) {
            handle = try KeyHandle.privateKey(pem: key)
        } catch {
            throw TLSError(.malformedKey, "\(keySource): \(error.message)", cause: error.cause)
        }
        guard SSL_CTX_use_PrivateKey(context, handle.pointer) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw TLSError(
                .keyMismatch,
                "\(keySource) is not the key of the first certificate in \(chainSource); the server's own certificate comes first in the file",
                cause: ErrorQueue.drainText())
        }
    }

    deinit { SSL_CTX_free(pointer) }
}

extension TLSError {
    /// Reads a file; its faults become those of TLS.
    static func reading(_ read: () throws(KeyError) -> [UInt8]) throws(TLSError) -> [UInt8] {
        do throws(KeyError) {
            return try read()
        } catch {
            throw TLSError(error.code == .worldReadableFile ? .worldReadableFile : .unreadableFile, error.message, cause: error.cause)
        }
    }
}
