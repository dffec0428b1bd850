import COpenSSL

/// A public RSA or Ed25519 key that verifies. Any number of threads may use one at once.
package struct PublicKey: Sendable, CustomStringConvertible {
    private let handle: KeyHandle

    /// RSA or Ed25519.
    package let algorithm: PrivateKey.Algorithm

    /// Takes a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7), with no octet left over.
    ///
    /// - Throws: `malformed`, `unsupportedAlgorithm`.
    package init(subjectPublicKeyInfo der: [UInt8]) throws(KeyError) {
        try self.init(Self.parse(der, "SubjectPublicKeyInfo") { d2i_PUBKEY(nil, $0, $1) })
    }

    /// Takes an RSAPublicKey in DER (PKCS#1, RFC 8017 §A.1.1), the other form found in DKIM's `p=` (RFC 6376 §3.6.1 with its erratum).
    ///
    /// - Throws: `malformed`.
    package init(rsaPublicKey der: [UInt8]) throws(KeyError) {
        try self.init(Self.parse(der, "RSAPublicKey") { d2i_PublicKey(EVP_PKEY_RSA, nil, $0, $1) })
    }

    /// Takes the 32 octets of an Ed25519 key (RFC 8032 §5.1.5).
    ///
    /// - Throws: `malformed` for any other number of octets.
    package init(ed25519 raw: [UInt8]) throws(KeyError) {
        ErrorQueue.clear()
        guard raw.count == 32, let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count) else {
            throw KeyError(.malformed, "a public Ed25519 key has 32 octets, this has \(raw.count)", cause: ErrorQueue.drainText())
        }
        try self.init(KeyHandle(owning: key))
    }

    private init(_ handle: KeyHandle) throws(KeyError) {
        switch handle.algorithm {
        case .rsa: algorithm = .rsa
        case .ed25519: algorithm = .ed25519
        case nil: throw KeyError(.unsupportedAlgorithm, "the public key is neither RSA nor Ed25519")
        }
        self.handle = handle
    }

    private static func parse(
        _ der: [UInt8], _ form: String, _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?
    ) throws(KeyError) -> KeyHandle {
        ErrorQueue.clear()
        let (key, taken) = der.withUnsafeBufferPointer { bytes -> (OpaquePointer?, Int) in
            guard let start = bytes.baseAddress else { return (nil, 0) }
            var cursor: UnsafePointer<UInt8>? = start
            let key = read(&cursor, bytes.count)
            return (key, cursor.map { $0 - start } ?? 0)
        }
        guard let key else { throw KeyError(.malformed, "the octets are no \(form) in DER", cause: ErrorQueue.drainText()) }
        let handle = KeyHandle(owning: key)
        guard taken == der.count else { throw KeyError(.malformed, "\(der.count - taken) octets follow the \(form)") }
        return handle
    }

    /// The length of the key in bits: for RSA of its modulus, so that the caller can refuse weak ones (RFC 8301 §3.2).
    package var bits: Int { handle.bits }

    /// Whether `signature` is this key's over `message`: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519. A malformed signature is false.
    package func verify(signature: [UInt8], message: [UInt8]) -> Bool {
        switch algorithm {
        case .rsa: verify(signature: signature, digest: MessageDigest.sha256(message))
        case .ed25519: verifyEd25519(signature: signature, message: message)
        }
    }

    /// Whether `signature` is this RSA key's over a SHA-256 computed already; always false for an Ed25519 key.
    package func verify(signature: [UInt8], digest: [UInt8]) -> Bool {
        guard algorithm == .rsa, digest.count == MessageDigest.sha256.length,
            let context = EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil)
        else { return false }
        // A failed verification leaves entries on the thread's error queue; they are nobody's.
        defer {
            EVP_PKEY_CTX_free(context)
            ErrorQueue.clear()
        }
        guard EVP_PKEY_verify_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            EVP_PKEY_CTX_set_signature_md(context, MessageDigest.sha256.pointer) == 1
        else { return false }
        return EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }

    private func verifyEd25519(signature: [UInt8], message: [UInt8]) -> Bool {
        guard signature.count == 64, let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ErrorQueue.clear()
        }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, handle.pointer) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    package var description: String { algorithm == .rsa ? "PublicKey(RSA, \(bits) bits)" : "PublicKey(Ed25519)" }
}
