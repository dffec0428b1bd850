/// What is known of a TLS connection whose handshake is done, for the log and the record of a delivery.
package struct TLSFacts: Sendable, Equatable {
    /// As the library writes it: `TLSv1.2`, `TLSv1.3`.
    package let protocolVersion: String
    /// The name of the cipher suite, such as `TLS_AES_256_GCM_SHA384`.
    package let cipher: String
    /// How the peer showed that it is who it should be.
    package enum Proof: String, Sendable {
        /// The certificate leads to a trusted authority and is for a name asked for.
        case authority
        /// The certificate or its key is one of those pinned.
        case fingerprint
        /// A TLSA record vouches for it (RFC 7672).
        case dane
    }

    /// Nil: the peer is not proven to be anybody; always nil on a server.
    ///
    /// With an unverified peer it may be `authority` as well: then the check was made and passed, but nothing hung on it.
    package let proof: Proof?
    /// Why `verified` is false, in the library's words; nil if it is true, and on a server.
    package let verifyError: String?
    /// The subject of the peer's certificate in the form of RFC 2253; nil if it showed none. For display: foreign text, made printable.
    package let peerSubject: String?
    /// The DNS names and IP addresses the peer's certificate is for, the first hundred. For display, as `peerSubject`; not for comparing.
    package let peerNames: [String]

    /// Whether the peer is proven to be the one meant.
    package var verified: Bool { proof != nil }
}

/// The event fired inbound once, when the handshake is done and before the first octet of plaintext.
package struct TLSHandshakeCompleted: Sendable, Equatable {
    package let facts: TLSFacts
}
