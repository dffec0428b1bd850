import COpenSSL

/// A digest algorithm of the library, fetched once for the life of the process: an implicit fetch at each use takes the
/// provider locks and is dearer than the digest of a short header.
///
/// Sendable: `pointer` is written once in `init` and the `EVP_MD` behind it is immutable after the fetch; its only
/// changing part, the reference count, is atomic in the library, so no lock of ours is needed.
final class MessageDigest: @unchecked Sendable {
    static let sha1 = MessageDigest("SHA1", length: 20)
    static let sha256 = MessageDigest("SHA256", length: 32)
    static let sha512 = MessageDigest("SHA512", length: 64)

    let pointer: OpaquePointer
    let length: Int

    private init(_ name: String, length: Int) {
        // Not an answer to input: a library without SHA-2 cannot run this program at all.
        guard let fetched = EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("libcrypto has no \(name): check openssl.cnf for a provider setting that removes it")
        }
        pointer = fetched
        self.length = length
    }

    func callAsFunction(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Bytes.lend(bytes) { input in
            [UInt8](unsafeUninitializedCapacity: length) { output, count in
                let done = EVP_Digest(input.baseAddress, input.count, output.baseAddress, nil, pointer, nil)
                precondition(done == 1, "libcrypto failed to compute a digest: out of memory")
                count = length
            }
        }
    }
}
