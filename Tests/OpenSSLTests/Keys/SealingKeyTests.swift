import Testing

@testable import OpenSSL

@Suite("Sealed secrets")
struct SealingKeyTests {
    private func key(_ byte: UInt8 = 7) throws -> SealingKey { try #require(SealingKey(secret: [UInt8](repeating: byte, count: 32))) }

    private func code(_ body: () throws -> [UInt8]) -> SealError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? SealError)?.code
        }
    }

    @Test("what is sealed opens again, with the same key and for the same purpose only", arguments: [0, 1, 15, 16, 17, 4096])
    func opens(_ count: Int) throws {
        let secret = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let key = try key()
        let sealed = try key.seal(secret, for: [1, 2])
        #expect(sealed.count == count + 33)
        #expect(try key.open(sealed, for: [1, 2]) == secret)
        #expect(code { try key.open(sealed, for: [1, 3]) } == .broken)
        #expect(code { try key.open(sealed, for: []) } == .broken)
        #expect(code { try self.key(8).open(sealed, for: [1, 2]) } == .otherKey)
        #expect(try key.seal(secret, for: [1, 2]) != sealed)
    }

    @Test("a sealed secret with any bit changed, or cut anywhere, does not open")
    func changesAreNoticed() throws {
        let key = try key()
        let sealed = try key.seal(Array("a refresh token".utf8), for: Array("row 5".utf8))
        for place in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[place] ^= 1 << UInt8(bit)
                #expect(code { try key.open(changed, for: Array("row 5".utf8)) } != nil)
            }
            #expect(code { try key.open(Array(sealed[..<place]), for: Array("row 5".utf8)) } != nil)
        }
        #expect(code { try key.open(sealed + [0], for: Array("row 5".utf8)) } == .broken)
    }

    @Test("the form is fixed: what was sealed once opens for ever")
    func formIsFixed() throws {
        let sealed = try key().seal(Array("secret".utf8), for: Array("row".utf8), nonce: [UInt8](0..<12))
        #expect(hexText(sealed) == Self.vector)
    }

    // Computed with Python's cryptography: AESGCM(HMAC-SHA-256(7 * 32, label)).
    static let vector = "01cbaac528000102030405060708090a0be36a77add9eb497652b3c520373a36a06f5030c7cf3f"

    @Test("a key that is too short is none, and no description shows a key")
    func keys() throws {
        #expect(SealingKey(secret: [UInt8](repeating: 1, count: 31)) == nil)
        var dumped = ""
        dump(try key(), to: &dumped)
        #expect(!dumped.contains("7,") && !dumped.contains("- 0:"))
        #expect("\(try key())" == "SealingKey(redacted)")
    }
}
