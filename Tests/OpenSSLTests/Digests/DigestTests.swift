import OpenSSL
import Testing

@Suite struct DigestTests {
    @Test(
        "SHA-256 of known texts (FIPS 180-4 examples)",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, expected: String) {
        #expect(hexText(Digest.sha256(Array(text.utf8))) == expected)
        #expect(Digest.sha256(text.utf8) == hex(expected))
    }

    @Test("SHA-1 and SHA-512 of abc")
    func others() {
        #expect(hexText(Digest.sha1("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            hexText(Digest.sha512("abc".utf8))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        )
    }

    @Test("a hasher fed in pieces agrees with the digest of the whole, wherever it is cut")
    func pieces() {
        let bytes = (0..<200).map { UInt8($0) }
        let whole = Digest.sha256(bytes)
        for cut in 0...bytes.count {
            var hasher = SHA256Hasher()
            hasher.update(bytes[..<cut])
            hasher.update(bytes[cut...])
            #expect(hasher.digest() == whole)
        }
    }

    @Test("a copied hasher goes on alone, and asking for the digest ends nothing")
    func copies() {
        var one = SHA256Hasher()
        one.update("a".utf8)
        var other = one
        #expect(one.digest() == Digest.sha256("a".utf8))
        one.update("b".utf8)
        other.update("c".utf8)
        #expect(one.digest() == Digest.sha256("ab".utf8))
        #expect(other.digest() == Digest.sha256("ac".utf8))
    }

    struct Vector: Sendable {
        let key: [UInt8]
        let message: [UInt8]
        let expected: String
    }

    @Test(
        "HMAC-SHA-256 vectors of RFC 4231",
        arguments: [
            Vector(
                key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
                expected: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            Vector(
                key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
                expected: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            Vector(
                key: [UInt8](repeating: 0xaa, count: 20), message: [UInt8](repeating: 0xdd, count: 50),
                expected: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            Vector(
                key: Array(1...25), message: [UInt8](repeating: 0xcd, count: 50),
                expected: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            Vector(
                key: [UInt8](repeating: 0xaa, count: 131), message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                expected: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
            Vector(
                key: [UInt8](repeating: 0xaa, count: 131),
                message: Array(
                    ("This is a test using a larger than block-size key and a larger than block-size data. "
                        + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
                expected: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
            // Not of the RFC: nothing under nothing, where a null key would mean "the last key" to the library.
            Vector(key: [], message: [], expected: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ])
    func hmac(vector: Vector) {
        #expect(hexText(HMAC.sha256(key: vector.key, message: vector.message)) == vector.expected)
    }

    @Test("equal only if every octet is")
    func constantTime() {
        let secret = Array("a secret of 24 octets ok".utf8)
        #expect(ConstantTime.equal(secret, secret))
        #expect(ConstantTime.equal([], []))
        #expect(!ConstantTime.equal(secret, secret.dropLast()))
        for index in secret.indices {
            var changed = secret
            changed[index] ^= 1
            #expect(!ConstantTime.equal(secret, changed))
        }
    }

    @Test("random octets come in the number asked for and do not repeat")
    func random() {
        #expect(SecureRandom.bytes(0).isEmpty)
        let drawn = (0..<64).map { _ in SecureRandom.bytes(16) }
        #expect(drawn.allSatisfy { $0.count == 16 })
        #expect(Set(drawn).count == 64)
    }
}
