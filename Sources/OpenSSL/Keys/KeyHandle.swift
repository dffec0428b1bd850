import COpenSSL

/// One `EVP_PKEY` of the library, public or with its private half.
///
/// Sendable: `pointer` is written once in `init`, and nothing here changes the key behind it afterwards. Every signature and
/// verification makes a context of its own; what the library itself caches inside a key (reference count, provider copies,
/// RSA blinding) stands under the key's own lock, `EVP_PKEY.lock` and `RSA.lock`. So no lock of ours is needed.
final class KeyHandle: @unchecked Sendable {
    enum Algorithm: Equatable {
        case rsa, ed25519
    }

    let pointer: OpaquePointer

    /// Takes `pointer` over.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// Nil for a key that is neither RSA nor Ed25519.
    var algorithm: Algorithm? {
        switch EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_RSA: .rsa
        case EVP_PKEY_ED25519: .ed25519
        default: nil
        }
    }

    var bits: Int { Int(EVP_PKEY_get_bits(pointer)) }

    /// A private key of any algorithm from the first key block of PEM text.
    static func privateKey(pem: [UInt8]) throws(KeyError) -> KeyHandle {
        ErrorQueue.clear()
        guard pem.count <= KeyFile.limit else { throw KeyError(.malformed, "the key is longer than any key") }
        var asked = false
        let read = pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            // Without a callback of ours the library would ask on the terminal.
            return withUnsafeMutablePointer(to: &asked) { asked in
                PEM_read_bio_PrivateKey(
                    bio, nil,
                    { _, _, _, asked in
                        asked?.assumingMemoryBound(to: Bool.self).pointee = true
                        return -1
                    }, asked)
            }
        }
        if let read { return KeyHandle(owning: read) }
        let cause = ErrorQueue.drainText()
        if asked {
            throw KeyError(
                .encrypted,
                "the key is under a passphrase; write it without one ('openssl pkey -in old.pem -out new.pem') and guard the file",
                cause: cause)
        }
        throw KeyError(.malformed, "there is no private key in PEM form ('-----BEGIN PRIVATE KEY-----')", cause: cause)
    }

    /// What `write` puts into a fresh memory BIO.
    static func collect(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { return nil }
        let length = BIO_ctrl_pending(bio)
        return [UInt8](unsafeUninitializedCapacity: length) { output, count in
            var taken = 0
            if length > 0 { BIO_read_ex(bio, output.baseAddress, length, &taken) }
            count = taken
        }
    }
}
