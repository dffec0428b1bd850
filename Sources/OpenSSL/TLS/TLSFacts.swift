/// What is known of a TLS connection whose handshake is done, for the log and the record of a delivery.
package struct TLSFacts: Sendable, Equatable {
    /// As the library writes it: `TLSv1.2`, `TLSv1.3`.
    package let protocolVersion: String
    /// The name of the cipher suite, such as `TLS_AES_256_GCM_SHA384`.
    package let cipher: String
    /// Whether the peer's certificate leads to a trusted authority and is for the name asked for; always false on a server.
    ///
    /// With an unverified peer it may be true as well: then the check was made and passed, but nothing hung on it.
    package let verified: Bool
    /// Why `verified` is false, in the library's words; nil if it is true, and on a server.
    package let verifyError: String?
    /// The subject of the peer's certificate in the form of RFC 2253; nil if it showed none. For display: foreign text, made printable.
    package let peerSubject: String?
    /// The DNS names and IP addresses the peer's certificate is for, the first hundred. For display, as `peerSubject`; not for comparing.
    package let peerNames: [String]
}

/// The event fired inbound once, when the handshake is done and before the first octet of plaintext.
package struct TLSHandshakeCompleted: Sendable, Equatable {
    package let facts: TLSFacts
}
