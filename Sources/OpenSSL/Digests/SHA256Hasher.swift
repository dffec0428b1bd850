import COpenSSL

/// A SHA-256 computed piece by piece, for a body that is read in parts.
///
/// A value: a copy goes on alone from the point where it was made.
package struct SHA256Hasher {
    private final class Context {
        let pointer: OpaquePointer

        init() {
            guard let made = EVP_MD_CTX_new(), EVP_DigestInit_ex2(made, MessageDigest.sha256.pointer, nil) == 1 else {
                preconditionFailure("libcrypto failed to start a digest: out of memory")
            }
            pointer = made
        }

        init(copying other: Context) {
            guard let made = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(made, other.pointer) == 1 else {
                preconditionFailure("libcrypto failed to copy a digest: out of memory")
            }
            pointer = made
        }

        deinit { EVP_MD_CTX_free(pointer) }
    }

    private var context = Context()

    /// A hasher that has seen nothing.
    package init() {}

    /// Takes the next octets in.
    package mutating func update(_ bytes: some Collection<UInt8>) {
        if !isKnownUniquelyReferenced(&context) { context = Context(copying: context) }
        let done = Bytes.lend(bytes) { EVP_DigestUpdate(context.pointer, $0.baseAddress, $0.count) }
        precondition(done == 1, "libcrypto failed to go on with a digest")
    }

    /// Takes the next octets in, without the cost of a generic call: for what is digested in many short runs.
    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        if !isKnownUniquelyReferenced(&context) { context = Context(copying: context) }
        let done = bytes.withUnsafeBufferPointer { EVP_DigestUpdate(context.pointer, $0.baseAddress, $0.count) }
        precondition(done == 1, "libcrypto failed to go on with a digest")
    }

    /// The digest of all octets so far, 32 of them; the hasher may go on afterwards.
    package func digest() -> [UInt8] {
        let last = Context(copying: context)
        return [UInt8](unsafeUninitializedCapacity: MessageDigest.sha256.length) { output, count in
            precondition(EVP_DigestFinal_ex(last.pointer, output.baseAddress, nil) == 1, "libcrypto failed to end a digest")
            count = MessageDigest.sha256.length
        }
    }
}
