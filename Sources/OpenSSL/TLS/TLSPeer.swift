import COpenSSL

/// Whom a client expects at the other end, and what happens if it is somebody else.
package enum TLSPeer: Sendable, Equatable {
    /// Only a peer whose certificate is trusted and for this name is spoken to; anybody else fails the handshake.
    ///
    /// A host name (internationalised ones as A-labels; also sent as SNI) or an IP address (compared with the certificate's
    /// IP addresses; no SNI, RFC 6066 §3). A name in the certificate's subject does not count (RFC 6125 §6.4.4).
    case verified(name: String)

    /// Anybody is spoken to: opportunistic TLS (RFC 7435). The name, if there is one, is sent as SNI and checked for the facts only.
    case unverified(name: String?)

    var name: String? {
        switch self {
        case .verified(let name): name
        case .unverified(let name): name
        }
    }

    var mustVerify: Bool {
        switch self {
        case .verified: true
        case .unverified: false
        }
    }

    /// Tells the library whom to expect.
    ///
    /// The library reads an empty name as "check no name", a leading dot as "any host below", and stops at a NUL; so the
    /// octets are looked at here first.
    func apply(to ssl: OpaquePointer) throws(TLSError) {
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        SSL_set_verify(ssl, mustVerify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, TLSConnection.verifyCallback)
        guard let name else { return }
        guard let checked = Self.checked(name) else {
            throw TLSError(
                .invalidPeerName,
                "\(Printable.text(name.utf8)) is no name a certificate can be checked for; give a host name (as A-labels) or an IP address")
        }
        ErrorQueue.clear()
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), checked) == 1 { return }
        ErrorQueue.clear()
        guard SSL_set1_host(ssl, checked) == 1, COpenSSL_set_server_name(ssl, checked) == 1 else {
            throw TLSError(.invalidPeerName, "the name \(checked) was refused by the TLS library", cause: ErrorQueue.drainText())
        }
    }

    /// The name without the dot of the root; nil if it has octets that neither a host name nor an IP address has.
    private static func checked(_ name: String) -> String? {
        var bytes = Array(name.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard let first = bytes.first, bytes.count <= 253, first != UInt8(ascii: "."), bytes.last != UInt8(ascii: ".") else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"):
                continue
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
