import Testing

@testable import InternetMessage

@Suite("Deflation")
struct DeflationTests {
    @Test(
        "what is packed is unpacked to the same bytes",
        arguments: [[], [0], Array(repeating: 7, count: 100_000), (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }]
            as [[UInt8]])
    func roundTrip(_ bytes: [UInt8]) throws {
        let packed = try #require(Deflation.deflate(bytes))
        #expect(Deflation.inflate(packed, size: bytes.count) == bytes)
        #expect(Deflation.inflate(packed, size: bytes.count + 1) == nil)
        if !bytes.isEmpty { #expect(Deflation.inflate(packed, size: bytes.count - 1) == nil) }
        #expect(Deflation.inflate(Array(packed.dropLast()), size: bytes.count) == nil)
    }

    @Test("text gets smaller")
    func smaller() throws {
        let text = Array(String(repeating: "Dear Ann, I write about the invoices of Example GmbH. ", count: 40).utf8)
        #expect(try #require(Deflation.deflate(text)).count < text.count / 10)
    }

    @Test("a broken stream gives nothing", arguments: [[0xFF, 0xFF, 0xFF], [], [0x03]] as [[UInt8]])
    func broken(_ bytes: [UInt8]) {
        #expect(Deflation.inflate(bytes, size: 10) == nil)
    }
}
