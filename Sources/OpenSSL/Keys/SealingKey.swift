import COpenSSL

/// The key under which secrets stand in the database: AES-256-GCM (NIST SP 800-38D), each with a random nonce of its own.
///
/// A sealed secret is one octet of version, four that name the key, twelve of nonce, the encrypted octets and sixteen of tag. What it is sealed
/// for is authenticated with it, so that a secret copied to another row does not open there.
///
/// The key itself and the octets that name it are derived from the secret of a file (HMAC-SHA-256 with a label for each), so that nothing in the
/// database helps to guess the file.
package struct SealingKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// Octets that a key file has at least.
    package static let shortestSecret = 32

    private static let version: UInt8 = 1
    private static let idLength = 4
    private static let nonceLength = 12
    private static let tagLength = 16
    private static var overhead: Int { 1 + idLength + nonceLength + tagLength }
    /// Longer than any secret of ours, and small enough for the library's lengths.
    private static let longest = 1 << 20

    private let key: [UInt8]
    private let id: [UInt8]

    /// - Parameter secret: the content of a key file; nil is returned when it is shorter than `shortestSecret`.
    package init?(secret: [UInt8]) {
        guard secret.count >= Self.shortestSecret else { return nil }
        key = HMAC.sha256(key: secret, message: Array("postrider sealing key 1".utf8))
        id = Array(HMAC.sha256(key: secret, message: Array("postrider sealing key id 1".utf8)).prefix(Self.idLength))
    }

    /// Seals a secret of at most a mebibyte.
    ///
    /// - Parameter purpose: what it is sealed for; only the same octets open it.
    /// - Throws: `failed`.
    package func seal(_ secret: [UInt8], for purpose: [UInt8]) throws(SealError) -> [UInt8] {
        try seal(secret, for: purpose, nonce: SecureRandom.bytes(Self.nonceLength))
    }

    /// - Parameter nonce: twelve octets that were never used with this key.
    func seal(_ secret: [UInt8], for purpose: [UInt8], nonce: [UInt8]) throws(SealError) -> [UInt8] {
        guard nonce.count == Self.nonceLength, secret.count <= Self.longest, purpose.count <= Self.longest else {
            throw SealError(.failed, "more than a mebibyte cannot be sealed")
        }
        let context = try Self.context()
        defer { EVP_CIPHER_CTX_free(context) }
        var sealed = [UInt8](repeating: 0, count: secret.count)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        var length: Int32 = 0
        let done =
            EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_EncryptUpdate(context, nil, &length, purpose, Int32(purpose.count)) == 1
            && EVP_EncryptUpdate(context, &sealed, &length, secret, Int32(secret.count)) == 1
            && EVP_EncryptFinal_ex(context, nil, &length) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), &tag) == 1
        guard done else { throw SealError(.failed, "the library cannot seal a secret", cause: ErrorQueue.drainText()) }
        return [Self.version] + id + nonce + sealed + tag
    }

    /// Opens what `seal` gave.
    ///
    /// - Throws: `otherKey` when another key sealed it, `broken` when it was changed or sealed for something else.
    package func open(_ sealed: [UInt8], for purpose: [UInt8]) throws(SealError) -> [UInt8] {
        guard sealed.count >= Self.overhead, sealed.count <= Self.longest + Self.overhead, purpose.count <= Self.longest,
            sealed[0] == Self.version
        else { throw SealError(.broken, "a sealed secret has a form that this program does not know") }
        guard sealed[1..<(1 + Self.idLength)].elementsEqual(id) else {
            throw SealError(.otherKey, "a secret was sealed with another key than that of [secrets] key_file")
        }
        let nonce = Array(sealed[(1 + Self.idLength)..<(1 + Self.idLength + Self.nonceLength)])
        let content = Array(sealed[(1 + Self.idLength + Self.nonceLength)..<(sealed.count - Self.tagLength)])
        var tag = Array(sealed.suffix(Self.tagLength))
        let context = try Self.context()
        defer { EVP_CIPHER_CTX_free(context) }
        var secret = [UInt8](repeating: 0, count: content.count)
        var length: Int32 = 0
        let done =
            EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_DecryptUpdate(context, nil, &length, purpose, Int32(purpose.count)) == 1
            && EVP_DecryptUpdate(context, &secret, &length, content, Int32(content.count)) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
            && EVP_DecryptFinal_ex(context, nil, &length) == 1
        guard done else {
            throw SealError(.broken, "a sealed secret was changed, or stands where it was not sealed for", cause: ErrorQueue.drainText())
        }
        return secret
    }

    private static func context() throws(SealError) -> OpaquePointer {
        ErrorQueue.clear()
        guard let context = EVP_CIPHER_CTX_new() else { throw SealError(.failed, "the library cannot seal a secret") }
        return context
    }

    package var description: String { "SealingKey(redacted)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Why a secret cannot be sealed or opened.
package struct SealError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: Sendable, Equatable {
        /// Another key sealed it.
        case otherKey
        /// It was changed, or it stands where it was not sealed for.
        case broken
        /// The library refused for a reason of its own.
        case failed
    }

    package let code: Code
    package let message: String
    /// What the library said, for the log; nil if nothing.
    package let cause: String?

    init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
