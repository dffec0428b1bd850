import Foundation
import OpenSSL
import Testing

@Suite struct KeyTests {
    struct Vector: Sendable {
        let seed: String
        let publicKey: String
        let message: String
        let signature: String
    }

    @Test(
        "Ed25519 vectors of RFC 8032 §7.1",
        arguments: [
            Vector(
                seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
                signature:
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            Vector(
                seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
                signature:
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
            Vector(
                seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
                signature:
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ),
        ])
    func ed25519(vector: Vector) throws {
        let der = hex("302e020100300506032b657004220420" + vector.seed)
        let text = "-----BEGIN PRIVATE KEY-----\n\(Data(der).base64EncodedString())\n-----END PRIVATE KEY-----\n"
        let key = try PrivateKey(pem: Array(text.utf8))
        #expect(key.algorithm == .ed25519)
        #expect(key.pem == text)
        #expect(key.rawEd25519PublicKey == hex(vector.publicKey))
        #expect(try key.sign(hex(vector.message)) == hex(vector.signature))
        let publicKey = try PublicKey(ed25519: hex(vector.publicKey))
        #expect(publicKey.verify(signature: hex(vector.signature), message: hex(vector.message)))
        #expect(!publicKey.verify(signature: hex(vector.signature), message: hex(vector.message) + [0]))
        #expect(!publicKey.verify(signature: Array(hex(vector.signature).dropLast()), message: hex(vector.message)))
        #expect(throws: KeyError.self) { try key.signDigest(Digest.sha256([])) }
    }

    @Test("our RSA signature is what the openssl command makes, and each believes the other")
    func rsaAgainstTool() throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generateRSA(bits: 2048)
        #expect(key.bits == 2048)
        let message = Array("header fields of a message\r\n".utf8)
        let keyFile = try folder.write("key.pem", Array(key.pem.utf8))
        let messageFile = try folder.write("message", message)
        let ours = try key.sign(message)
        // RSASSA-PKCS1-v1_5 is deterministic.
        #expect(try OpenSSLTool.run(["dgst", "-sha256", "-sign", keyFile, messageFile]) == ours)
        #expect(try key.signDigest(Digest.sha256(message)) == ours)
        let signatureFile = try folder.write("signature", ours)
        let publicFile = try folder.write("public.der", key.publicKeyDER)
        try OpenSSLTool.run(["dgst", "-sha256", "-keyform", "DER", "-verify", publicFile, "-signature", signatureFile, messageFile])

        #expect(try OpenSSLTool.run(["pkey", "-in", keyFile, "-pubout", "-outform", "DER"]) == key.publicKeyDER)
        let pkcs1 = try OpenSSLTool.run(["rsa", "-in", keyFile, "-RSAPublicKey_out", "-outform", "DER"])
        for publicKey in [
            try PublicKey(subjectPublicKeyInfo: key.publicKeyDER), try PublicKey(rsaPublicKey: pkcs1), try key.publicKey,
        ] {
            #expect(publicKey.bits == 2048)
            #expect(publicKey.verify(signature: ours, message: message))
            #expect(publicKey.verify(signature: ours, digest: Digest.sha256(message)))
            #expect(!publicKey.verify(signature: ours, message: message + [0x20]))
            #expect(!publicKey.verify(signature: [], message: message))
            #expect(!publicKey.verify(signature: ours + [0], message: message))
            var changed = ours
            changed[100] ^= 1
            #expect(!publicKey.verify(signature: changed, message: message))
        }
    }

    @Test("a signature with SHA-1 inside is not taken for one with SHA-256")
    func wrongDigestInside() throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generateRSA(bits: 1024)
        let keyFile = try folder.write("key.pem", Array(key.pem.utf8))
        let signature = try OpenSSLTool.run(["dgst", "-sha1", "-sign", keyFile], input: Array("text".utf8))
        #expect(!(try key.publicKey).verify(signature: signature, message: Array("text".utf8)))
    }

    @Test(
        "private keys that are refused, and how",
        arguments: [
            ("nothing", [], KeyError.Code.malformed),
            (
                "a certificate request", ["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"],
                .malformed
            ),
            ("an EC key", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], .unsupportedAlgorithm),
            ("a key under a passphrase", ["genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "pass:x"], .encrypted),
        ])
    func refused(what: String, arguments: [String], code: KeyError.Code) throws {
        let pem = arguments.isEmpty ? [] : try OpenSSLTool.run(arguments)
        let error = #expect(throws: KeyError.self) { try PrivateKey(pem: pem) }
        #expect(error?.code == code)
    }

    @Test("PKCS#1 and PKCS#8 files are read; the group may read them, the world may not")
    func files() throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generateRSA(bits: 1024)
        let pkcs8 = Array(key.pem.utf8)
        let pkcs1 = try OpenSSLTool.run(["rsa", "-traditional"], input: pkcs8)
        #expect(String(decoding: pkcs1, as: UTF8.self).utf8.starts(with: "-----BEGIN RSA PRIVATE KEY-----".utf8))
        for (name, bytes, mode) in [("a", pkcs8, 0o600), ("b", pkcs1, 0o640), ("c", pkcs8, 0o440)] {
            let read = try PrivateKey(pemFile: folder.write(name, bytes, mode: mode))
            #expect(read.publicKeyDER == key.publicKeyDER)
        }
        for (name, mode) in [("open", 0o644), ("others only", 0o604), ("writable", 0o602)] {
            let path = try folder.write(name, pkcs8, mode: mode)
            let error = #expect(throws: KeyError.self) { try PrivateKey(pemFile: path) }
            #expect(error?.code == .worldReadableFile)
            #expect(error?.message.utf8.starts(with: path.utf8) == true)
        }
        for path in [folder.path, folder.path + "/missing", "/dev/zero"] {
            let error = #expect(throws: KeyError.self) { try PrivateKey(pemFile: path) }
            #expect(error?.code == .unreadableFile)
        }
    }

    @Test("public keys that are refused: cut, lengthened, of another kind")
    func refusedPublicKeys() throws {
        let der = try PrivateKey.generateRSA(bits: 1024).publicKeyDER
        for cut in 0..<der.count {
            let error = #expect(throws: KeyError.self) { try PublicKey(subjectPublicKeyInfo: Array(der[..<cut])) }
            #expect(error?.code == .malformed)
            #expect(throws: KeyError.self) { try PublicKey(rsaPublicKey: Array(der[..<cut])) }
        }
        #expect(throws: KeyError.self) { try PublicKey(subjectPublicKeyInfo: der + [0]) }
        #expect(throws: KeyError.self) { try PublicKey(rsaPublicKey: der) }
        #expect(throws: KeyError.self) { try PublicKey(ed25519: [UInt8](repeating: 1, count: 31)) }
        let curve = try OpenSSLTool.run(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        let curvePublic = try OpenSSLTool.run(["pkey", "-pubout", "-outform", "DER"], input: curve)
        let error = #expect(throws: KeyError.self) { try PublicKey(subjectPublicKeyInfo: curvePublic) }
        #expect(error?.code == .unsupportedAlgorithm)
    }

    @Test("no part of a key is shown by description or dump")
    func secrecy() throws {
        let key = try PrivateKey.generateEd25519()
        let secret = key.pem.split(separator: "\n")[1].suffix(16)
        var dumped = ""
        dump(key, to: &dumped)
        for shown in ["\(key)", String(reflecting: key), dumped] {
            #expect(!shown.contains(secret) && !shown.contains("0x"))
        }
    }

    @Test("many threads sign with one key at once, and every signature holds")
    func concurrentSigning() async throws {
        let keys = [try PrivateKey.generateRSA(bits: 1024), try PrivateKey.generateEd25519()]
        let good = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                let key = keys[index % 2]
                group.addTask {
                    let message = Array("message \(index)".utf8)
                    return try key.publicKey.verify(signature: key.sign(message), message: message)
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(good == 64)
    }
}
