/// Why a TLS context could not be made, a handshake failed, or a connection ended badly.
package struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with the peer's certificate.
    package enum CertificateFault: Sendable, Equatable {
        /// It, or one above it, is past its last day.
        case expired
        /// It, or one above it, is before its first day; or this machine's clock is wrong.
        case notYetValid
        /// It is for other names than the one asked for.
        case nameMismatch
        /// It is signed by itself and is not among the trusted ones.
        case selfSigned
        /// Its issuer is not trusted here, or the peer does not send the certificates in between; the two look alike.
        case unknownIssuer
        /// It was revoked.
        case revoked
        /// Its key or the digest of its signature is too weak for this machine's security level.
        case tooWeak
        /// It is not meant for servers, or one above it not for issuing.
        case wrongPurpose
        /// A signature in the chain is wrong.
        case badSignature
        /// No TLSA record vouches for it (RFC 6698 §2.1).
        case daneMismatch
        /// Neither it nor its key is one of those pinned.
        case fingerprintMismatch
        /// The peer showed none.
        case missing
        /// Another fault; the cause has the library's words.
        case other
    }

    /// What kind of failure it is.
    package enum Code: Sendable, Equatable {
        /// The peer's certificate was not accepted; only with a verified peer.
        case certificate(CertificateFault)
        /// The peer's octets are not TLS.
        case notTLS
        /// No version of TLS in common.
        case protocolVersion
        /// No cipher, group or signature algorithm in common.
        case noSharedCipher
        /// The peer ended the handshake or the connection with this alert (RFC 8446 §6.2).
        case alert(UInt8)
        /// The connection ended before the handshake did.
        case closedDuringHandshake
        /// The handshake failed for another reason.
        case handshakeFailed
        /// The connection ended without the peer's close_notify: what came last may have been cut off (RFC 8446 §6.1).
        case uncleanShutdown
        /// A record failed its check or had no place in the protocol.
        case corruptRecord
        /// The name of the peer is neither a host name in ASCII nor an IP address.
        case invalidPeerName
        /// A file cannot be opened or read.
        case unreadableFile
        /// A key file is open to every user of the machine.
        case worldReadableFile
        /// There is no certificate where one is needed, or a broken one.
        case malformedCertificate
        /// There is no usable private key where one is needed.
        case malformedKey
        /// The private key does not belong to the certificate.
        case keyMismatch
        /// There are no trusted authorities on this machine.
        case noTrustedAuthorities
        /// The library refused for a reason of its own.
        case failed
    }

    package let code: Code
    /// What is wrong, where, and what to do.
    package let message: String
    /// What the library or the system said, for the log; nil if it said nothing.
    package let cause: String?

    init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
