import COpenSSL

extension TLSError {
    /// Puts what the library said into the kinds a mail administrator tells apart.
    static func explaining(_ entries: [ErrorQueue.Entry], peerName: String?, inHandshake: Bool) -> TLSError {
        let who = peerName ?? "the peer"
        if entries.isEmpty, inHandshake { return end(.closedDuringHandshake) }
        let cause = entries.isEmpty ? nil : entries.map(\.text).joined(separator: "; ")
        for entry in entries where entry.library == ERR_LIB_SSL {
            // The library numbers a received alert 1000 and its code (RFC 8446 §6.2).
            if let alert = UInt8(exactly: Int(entry.reason) - Int(SSL_AD_REASON_OFFSET)) {
                let words = String(cString: SSL_alert_desc_string_long(Int32(alert)))
                if alert == SSL_AD_PROTOCOL_VERSION { return noVersion(who, cause) }
                return TLSError(.alert(alert), "\(who) ended TLS with the alert '\(words)'", cause: cause)
            }
            switch entry.reason {
            case SSL_R_WRONG_VERSION_NUMBER where inHandshake, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST,
                SSL_R_PACKET_LENGTH_TOO_LONG where inHandshake,
                SSL_R_RECORD_LENGTH_MISMATCH where inHandshake:
                return TLSError(.notTLS, "\(who) does not speak TLS here; check port and tls (starttls or implicit)", cause: cause)
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_UNKNOWN_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH,
                SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_UNKNOWN_SSL_VERSION:
                return noVersion(who, cause)
            case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
                SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_DH_KEY_TOO_SMALL:
                return TLSError(.noSharedCipher, "\(who) and this machine have no cipher in common that is strong enough", cause: cause)
            case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
                return ChainFault.missing(name: peerName)
            default: continue
            }
        }
        return inHandshake
            ? TLSError(.handshakeFailed, "the TLS handshake with \(who) failed", cause: cause)
            : TLSError(.corruptRecord, "\(who) sent something that is no proper TLS record", cause: cause)
    }

    private static func noVersion(_ who: String, _ cause: String?) -> TLSError {
        TLSError(.protocolVersion, "\(who) offers no TLS version from 1.2 on", cause: cause)
    }
}

extension TLSError {
    /// The connection is over, and not as it should be.
    static func end(_ code: Code) -> TLSError {
        code == .closedDuringHandshake
            ? TLSError(code, "the connection ended during the TLS handshake")
            : TLSError(code, "the connection ended without close_notify; what came last may have been cut off")
    }
}
