import COpenSSL
import Glibc

/// What the client side of TLS connections has in common: whom it trusts. TLS 1.2 or newer.
///
/// Made once and used by any number of connections on any number of threads; for new authorities make a new one.
///
/// Sendable: `pointer` is written once in `init`, the `SSL_CTX` is set up there and never changed afterwards; what the
/// library shares between connections (reference count, `X509_STORE` lookups) stands under its own locks
/// (`SSL_CTX.lock`, `X509_STORE.lock`), so no lock of ours is needed.
package final class TLSClientContext: @unchecked Sendable {
    /// Where the trusted authorities come from.
    package enum Trust: Sendable, Equatable {
        /// Those of the machine (Debian's `ca-certificates`, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name).
        case system
        /// Those of one PEM file, and nobody else.
        case caFile(String)
        /// Those of PEM text, and nobody else.
        case caPEM([UInt8])
        /// Those of the machine and those of one PEM file.
        case systemAndFile(String)
    }

    let pointer: OpaquePointer

    /// Loads the authorities.
    ///
    /// - Throws: `unreadableFile`, `malformedCertificate`, `noTrustedAuthorities`; each message names the file.
    package init(trust: Trust) throws(TLSError) {
        ErrorQueue.clear()
        guard let context = SSL_CTX_new(TLS_client_method()), COpenSSL_prepare(context) == 1, COpenSSL_prepare_dane(context) == 1 else {
            throw TLSError(.failed, "no TLS client can be set up", cause: ErrorQueue.drainText())
        }
        pointer = context
        switch trust {
        case .system: try trustSystem()
        case .caFile(let path):
            try add(Certificate.all(pem: TLSError.reading { () throws(KeyError) in try KeyFile.readPublic(path) }, source: path))
        case .systemAndFile(let path):
            try trustSystem()
            try add(Certificate.all(pem: TLSError.reading { () throws(KeyError) in try KeyFile.readPublic(path) }, source: path))
        case .caPEM(let pem): try add(Certificate.all(pem: pem, source: "the given list of authorities"))
        }
    }

    deinit { SSL_CTX_free(pointer) }

    private func add(_ authorities: [Certificate]) throws(TLSError) {
        let store = SSL_CTX_get_cert_store(pointer)
        for authority in authorities where X509_STORE_add_cert(store, authority.pointer) != 1 {
            throw TLSError(.failed, "an authority was refused by the TLS library", cause: ErrorQueue.drainText())
        }
    }

    private func trustSystem() throws(TLSError) {
        guard SSL_CTX_set_default_verify_paths(pointer) == 1 else {
            throw TLSError(.failed, "the machine's authorities cannot be used", cause: ErrorQueue.drainText())
        }
        // The library takes an absent folder in silence, and every peer is unknown then.
        let file = Self.setting(X509_get_default_cert_file_env()) ?? X509_get_default_cert_file().map { String(cString: $0) }
        let folder = Self.setting(X509_get_default_cert_dir_env()) ?? X509_get_default_cert_dir().map { String(cString: $0) }
        if let file, access(file, R_OK) == 0 { return }
        if let folder, Self.hasEntries(folder) { return }
        throw TLSError(
            .noTrustedAuthorities,
            "this machine trusts no authority (neither \(file ?? "a file") nor \(folder ?? "a folder") has any); "
                + "install the package ca-certificates or set tls_ca_file")
    }

    private static func setting(_ name: UnsafePointer<CChar>?) -> String? {
        guard let name, let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func hasEntries(_ path: String) -> Bool {
        guard let folder = opendir(path) else { return false }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            // Names starting with a dot are not looked up by the library.
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { return true }
        }
        return false
    }
}
