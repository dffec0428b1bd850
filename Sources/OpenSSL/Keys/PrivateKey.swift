import COpenSSL

/// A private RSA or Ed25519 key that signs.
///
/// A reference to an immutable key: copies share it, and any number of threads may sign at once. Its description shows
/// the algorithm only.
package struct PrivateKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The kind of the key.
    package enum Algorithm: Sendable, Equatable { case rsa, ed25519 }

    private let handle: KeyHandle

    /// RSA or Ed25519.
    package let algorithm: Algorithm

    /// Takes the first private key in PEM text (PKCS#8, or PKCS#1 for RSA).
    ///
    /// - Throws: `malformed`, `encrypted`, `unsupportedAlgorithm`.
    package init(pem: [UInt8]) throws(KeyError) {
        try self.init(KeyHandle.privateKey(pem: pem))
    }

    /// Reads the first private key of a PEM file, which may be readable for its group but not for everybody.
    ///
    /// - Throws: as `init(pem:)`, and `unreadableFile`, `worldReadableFile`; each message names the file.
    package init(pemFile path: String) throws(KeyError) {
        let bytes = try KeyFile.readSecret(path)
        do throws(KeyError) {
            try self.init(pem: bytes)
        } catch {
            throw KeyError(error.code, "\(path): \(error.message)", cause: error.cause)
        }
    }

    private init(_ handle: KeyHandle) throws(KeyError) {
        switch handle.algorithm {
        case .rsa: algorithm = .rsa
        case .ed25519: algorithm = .ed25519
        case nil: throw KeyError(.unsupportedAlgorithm, "the key is neither RSA nor Ed25519; make one of these")
        }
        self.handle = handle
    }

    /// A new RSA key of `bits` (1024 to 8192; 2048 is what receivers of DKIM all accept, RFC 8301 §3.2).
    package static func generateRSA(bits: Int) throws(KeyError) -> PrivateKey {
        guard (1024...8192).contains(bits) else {
            throw KeyError(.failed, "an RSA key of \(bits) bits is not made here; choose 1024 to 8192, best 2048")
        }
        return try PrivateKey(generate("RSA") { EVP_PKEY_CTX_set_rsa_keygen_bits($0, Int32(bits)) })
    }

    /// A new Ed25519 key (RFC 8032).
    package static func generateEd25519() throws(KeyError) -> PrivateKey {
        try PrivateKey(generate("ED25519") { _ in 1 })
    }

    private static func generate(_ name: String, _ adjust: (OpaquePointer) -> Int32) throws(KeyError) -> KeyHandle {
        ErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_name(nil, name, nil) else {
            throw KeyError(.failed, "no \(name) key can be made", cause: ErrorQueue.drainText())
        }
        defer { EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, adjust(context) == 1, EVP_PKEY_generate(context, &made) == 1, let made else {
            throw KeyError(.failed, "no \(name) key can be made", cause: ErrorQueue.drainText())
        }
        return KeyHandle(owning: made)
    }

    /// The length of the key in bits (RSA: of its modulus; Ed25519: 253 or so, of no interest).
    package var bits: Int { handle.bits }

    /// The key as PKCS#8 PEM text without passphrase. Secret.
    package var pem: String {
        let text = KeyHandle.collect { PEM_write_bio_PKCS8PrivateKey($0, handle.pointer, nil, nil, 0, nil, nil) }
        return String(decoding: text ?? [], as: UTF8.self)
    }

    /// The public half.
    package var publicKey: PublicKey {
        get throws(KeyError) { try PublicKey(subjectPublicKeyInfo: publicKeyDER) }
    }

    /// The public half as SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7): what DKIM's `p=` holds in base64 for RSA.
    package var publicKeyDER: [UInt8] { KeyHandle.collect { i2d_PUBKEY_bio($0, handle.pointer) } ?? [] }

    /// The 32 octets of a public Ed25519 key, what DKIM's `p=` holds for it (RFC 8463 §4); nil for RSA.
    package var rawEd25519PublicKey: [UInt8]? {
        guard algorithm == .ed25519 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: 32) { output, count in
            var length = 32
            count = EVP_PKEY_get_raw_public_key(handle.pointer, output.baseAddress, &length) == 1 ? length : 0
        }
    }

    /// Signs `message`: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2), or Ed25519 over the message itself (RFC 8032 §5.1.6).
    ///
    /// For DKIM's `ed25519-sha256` the message is the SHA-256 of the headers (RFC 8463 §3).
    package func sign(_ message: [UInt8]) throws(KeyError) -> [UInt8] {
        switch algorithm {
        case .rsa: try signDigest(MessageDigest.sha256(message))
        case .ed25519: try signEd25519(message)
        }
    }

    /// Signs a SHA-256 that is computed already, with RSASSA-PKCS1-v1_5.
    ///
    /// - Throws: `wrongAlgorithm` for an Ed25519 key, and for a digest that has not 32 octets.
    package func signDigest(_ digest: [UInt8]) throws(KeyError) -> [UInt8] {
        guard algorithm == .rsa, digest.count == MessageDigest.sha256.length else {
            throw KeyError(.wrongAlgorithm, "only an RSA key signs a SHA-256 digest of 32 octets")
        }
        ErrorQueue.clear()
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil) else {
            throw KeyError(.failed, "the key does not sign", cause: ErrorQueue.drainText())
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_sign_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            EVP_PKEY_CTX_set_signature_md(context, MessageDigest.sha256.pointer) == 1
        else { throw KeyError(.failed, "the key does not sign", cause: ErrorQueue.drainText()) }
        let capacity = Int(EVP_PKEY_get_size(handle.pointer))
        let signature = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            var length = capacity
            count = EVP_PKEY_sign(context, output.baseAddress, &length, digest, digest.count) == 1 ? length : 0
        }
        guard !signature.isEmpty else { throw KeyError(.failed, "the key does not sign", cause: ErrorQueue.drainText()) }
        return signature
    }

    private func signEd25519(_ message: [UInt8]) throws(KeyError) -> [UInt8] {
        ErrorQueue.clear()
        guard let context = EVP_MD_CTX_new() else { throw KeyError(.failed, "the key does not sign") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, nil, nil, handle.pointer) == 1 else {
            throw KeyError(.failed, "the key does not sign", cause: ErrorQueue.drainText())
        }
        let signature = [UInt8](unsafeUninitializedCapacity: 64) { output, count in
            var length = 64
            count = EVP_DigestSign(context, output.baseAddress, &length, message, message.count) == 1 ? length : 0
        }
        guard !signature.isEmpty else { throw KeyError(.failed, "the key does not sign", cause: ErrorQueue.drainText()) }
        return signature
    }

    package var description: String { algorithm == .rsa ? "PrivateKey(RSA, \(bits) bits)" : "PrivateKey(Ed25519)" }

    /// Shows nothing of the key to `dump` and to failing tests.
    package var customMirror: Mirror { Mirror(self, children: ["algorithm": algorithm]) }
}
