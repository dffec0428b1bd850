import COpenSSL

/// What was wrong with a peer's certificate chain, kept in words because the certificate is gone when they are needed.
struct ChainFault {
    private let kind: TLSError.CertificateFault
    private let words: String
    private let subject: String
    private let names: [String]
    private let validity: (from: String, to: String)?

    /// - Parameters:
    ///   - result: an `X509_V_ERR_` of the library.
    ///   - certificate: the certificate at fault; nil if the fault is not of one.
    init(result: Int, certificate: OpaquePointer?) {
        words = String(cString: X509_verify_cert_error_string(result))
        subject = certificate.map { Certificate.subject($0) } ?? "unknown"
        names = certificate.map { Certificate.names($0) } ?? []
        validity = certificate.map { Certificate.validity($0) }
        kind =
            switch Int32(truncatingIfNeeded: result) {
            case X509_V_ERR_CERT_HAS_EXPIRED: .expired
            case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
            case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .nameMismatch
            case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: .selfSigned
            case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
                .unknownIssuer
            case X509_V_ERR_CERT_REVOKED: .revoked
            case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: .tooWeak
            case X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_INVALID_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED: .wrongPurpose
            case X509_V_ERR_CERT_SIGNATURE_FAILURE: .badSignature
            case X509_V_ERR_DANE_NO_MATCH: .daneMismatch
            default: .other
            }
    }

    /// The peer has no certificate at all.
    static func missing(name: String?) -> TLSError {
        TLSError(.certificate(.missing), "\(name ?? "the peer") showed no certificate")
    }

    /// Neither the certificate nor its key is among those pinned; what they are instead is said.
    static func notPinned(name: String?, certificate: OpaquePointer) -> TLSError {
        let seen = Certificate.fingerprints(certificate).map { Hex.encode($0) }
        return TLSError(
            .certificate(.fingerprintMismatch),
            "the certificate of \(name ?? "the peer") has none of the fingerprints set for it (\(Certificate.subject(certificate)); "
                + "sha256 of the certificate \(seen.first ?? "unknown"), of its public key \(seen.dropFirst().first ?? "unknown"))")
    }

    /// The failure to report for a peer called `name`.
    func error(name: String?) -> TLSError {
        let whose = "the certificate of \(name ?? "the peer")"
        let message =
            switch kind {
            case .expired: "\(whose) has expired (\(subject), valid until \(validity?.to ?? "an unknown time")); it must be renewed there"
            case .notYetValid:
                "\(whose) is not valid yet (\(subject), from \(validity?.from ?? "an unknown time")); check the clocks of both machines"
            case .nameMismatch: "\(whose) is for \(names.isEmpty ? "no name at all" : names.joined(separator: ", ")); use a name it has"
            case .selfSigned: "\(whose) is signed by itself (\(subject)); name it in tls_ca_file to trust it"
            case .unknownIssuer:
                "\(whose) comes from an issuer not trusted here, or the server does not send its intermediate certificates (\(subject)); "
                    + "name the authority in tls_ca_file"
            case .revoked: "\(whose) was revoked (\(subject))"
            case .tooWeak: "\(whose) has a key or digest too weak for this machine's security level (\(subject))"
            case .wrongPurpose: "\(whose) is not made for this use (\(subject))"
            case .badSignature: "\(whose) has a wrong signature (\(subject))"
            case .daneMismatch: "\(whose) matches no TLSA record of that host (\(subject)); its records and its certificate disagree"
            case .missing, .fingerprintMismatch, .other: "\(whose) was not accepted (\(subject))"
            }
        return TLSError(.certificate(kind), message, cause: words)
    }
}
