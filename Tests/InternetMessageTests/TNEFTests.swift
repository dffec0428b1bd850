import Foundation
import Testing

@testable import InternetMessage

@Suite("TNEF")
struct TNEFTests {
    static func little(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    static func attribute(_ id: Int, _ content: [UInt8], level: UInt8 = 1) -> [UInt8] {
        [level] + little(id, 4) + little(content.count, 4) + content + little(content.reduce(0) { $0 + Int($1) }, 2)
    }

    static func properties(_ list: [(type: Int, id: Int, content: [UInt8])]) -> [UInt8] {
        little(list.count, 4)
            + list.flatMap { property -> [UInt8] in
                let padding = [UInt8](repeating: 0, count: (4 - property.content.count % 4) % 4)
                return little(property.type, 2) + little(property.id, 2) + little(1, 4) + little(property.content.count, 4)
                    + property.content + padding
            }
    }

    static let rtf = Array(#"{\rtf1\ansi hi}"#.utf8)
    static let stream: [UInt8] = {
        let uncompressed = little(rtf.count + 12, 4) + little(rtf.count, 4) + Array("MELA".utf8) + little(0, 4) + rtf
        let name = Array("Bericht \u{20AC}.pdf\0".utf16).flatMap { little(Int($0), 2) }
        return little(0x223E_9F78, 4) + little(1, 2) + attribute(0x0006_9007, little(1251, 4) + little(0, 4))
            + attribute(0x0007_8008, Array("IPM.Schedule.Meeting.Resp.Pos\0".utf8)) + attribute(0x0001_8004, [0xC4, 0xE0, 0])
            + attribute(0x0006_9003, properties([(0x102, 0x1009, uncompressed), (0x1E, 0x1000, Array("Body\r\n\0".utf8))]))
            + attribute(0x0006_9002, little(0, 14), level: 2) + attribute(0x0001_8010, Array("BERICH~1.PDF\0".utf8), level: 2)
            + attribute(0x0006_800F, Array("%PDF".utf8), level: 2)
            + attribute(0x0006_9005, properties([(0x1F, 0x3707, name), (0x1E, 0x370E, Array("application/PDF\0".utf8))]), level: 2)
    }()

    static func message(_ stream: [UInt8]) -> Message {
        let encoded = String(decoding: Base64.encode(stream), as: UTF8.self)
        return Message(
            parsing: Array(
                "From: Ann <ann@example.com>\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n\(encoded)\n"
                    .utf8))
    }

    @Test("class, subject, body, rich text and files")
    func whole() throws {
        let tnef = try #require(TNEF(parsing: Self.stream[...]))
        #expect(tnef.messageClass == "IPM.Schedule.Meeting.Resp.Pos")
        #expect(tnef.subject == "Да")
        #expect(tnef.body == "Body\n")
        #expect(tnef.rtf == Self.rtf)
        #expect(tnef.files == [TNEF.File(name: "Bericht €.pdf", type: "application/pdf", contentID: nil, bytes: Array("%PDF".utf8))])
        #expect(tnef.isComplete)
    }

    @Test("a message that is only winmail.dat shows its text, its files and its answer")
    func inMessage() {
        let message = Self.message(Self.stream)
        #expect(message.text == "Body\n")
        #expect(message.attachments.map(\.filename) == ["winmail.dat", "body.rtf", "Bericht €.pdf"])
        #expect(message.calendarReply?.participation == .accepted)
        #expect(message.calendarReply?.attendee?.text == "ann@example.com")
    }

    @Test("cut at every byte, and with every byte set to its extremes")
    func damaged() {
        for index in Self.stream.indices {
            if let tnef = TNEF(parsing: Self.stream[..<index]) { #expect(index >= 6 && tnef.files.count <= 1) }
            for byte in [UInt8(0), 0x7F, 0xFF] {
                var damaged = Self.stream
                damaged[index] = byte
                _ = TNEF(parsing: damaged[...])
            }
        }
    }

    @Test("compressed rich text with references into the dictionary and into itself")
    func compressed() {
        // Literal "ab", then four octets from where the "a" was written (207), then the end mark.
        let content: [UInt8] = [0b0000_1100, 0x61, 0x62, 0x0C, 0xF2, 0x0D, 0x50]
        let stream = Self.little(content.count + 12, 4) + Self.little(6, 4) + Array("LZFu".utf8) + Self.little(0, 4) + content
        #expect(CompressedRTF.decode(stream[...], limit: 100) == Array("ababab".utf8))
        #expect(CompressedRTF.decode(stream[...], limit: 3) == Array("aba".utf8))
        #expect(CompressedRTF.decode(stream.dropLast(3), limit: 100) == Array("ab".utf8))
    }

    @Test("the streams of the corpora give the files that lie beside them", .enabled(if: Corpora.isWanted, Corpora.absence))
    func corpora() throws {
        let all = try Corpora.files("mimekit/UnitTests/TestData/tnef")
        var (streams, files, classes, beside, found) = (0, 0, 0, 0, 0)
        for file in all where file.name.hasSuffix(".tnef") || file.name.hasSuffix(".eml") {
            let bytes = try file.bytes()
            let tnef = TNEF(parsing: bytes[...]) ?? TNEF(parsing: Message(parsing: bytes).attachments.first.map { $0.bytes[...] } ?? [])
            guard let tnef else { continue }
            streams += 1
            files += tnef.files.count
            if tnef.messageClass?.utf8.starts(with: "IPM".utf8) == true { classes += 1 }
            let folder = file.name.dropLast(file.url.pathExtension.count + 1) + "/"
            for other in all where other.name.hasPrefix(folder) {
                beside += 1
                // Some of the texts lost their CRs where they are kept.
                let wanted = try other.bytes().filter { $0 != 13 }
                if tnef.files.contains(where: { $0.bytes.filter { $0 != 13 } == wanted })
                    || tnef.rtf.map({ $0.filter { $0 != 13 } }) == wanted
                {
                    found += 1
                }
            }
        }
        print(
            "tnef: \(streams) streams, \(files) files in them, \(classes) with a message class; \(found) of the \(beside) files kept beside them are the same"
        )
        #expect(streams >= 10)
        #expect(classes == streams)
        #expect(files > 20)
        #expect(found * 4 >= beside * 3)
    }
}
