import TestKit
import Testing

@testable import InternetMessage

/// Attachments that are read while the message is written.
@Suite("compose: files")
struct ComposeFileTests {
    /// A file whose octets follow from their positions, however long it is.
    struct Pattern: AttachmentFiles {
        /// What the file really is long.
        var size: Int
        /// The most that one read gives.
        var step = Int.max

        static func octet(_ position: Int) -> UInt8 { UInt8(truncatingIfNeeded: (position &* 0x9E37_79B1) >> 13) }

        func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] {
            guard path == "/pattern" else { throw Missing() }
            return (offset..<max(offset, min(size, offset + min(count, step)))).map(Self.octet)
        }
    }

    struct Missing: Error, CustomStringConvertible {
        let description = "no such file"
    }

    static func draft(size: Int, path: String = "/pattern") throws -> MessageDraft {
        var draft = try ComposeTests.draft(html: "<p>See the file.</p>")
        draft.attachments = [
            DraftAttachment(filename: "first.bin", mediaType: "application/octet-stream", content: .bytes([1, 2, 3])),
            DraftAttachment(filename: "second.bin", mediaType: "application/octet-stream", content: .file(path: path, size: size)),
        ]
        return draft
    }

    @Test(
        "a file gives the same octets as the bytes in memory, at every size around lines and chunks and however it is read",
        arguments: [0, 1, 56, 57, 58, 840 * 57 - 1, 840 * 57, 840 * 57 + 1, 200_000], [Int.max, 1000])
    func sameAsBytes(size: Int, step: Int) throws {
        let draft = try Self.draft(size: size)
        var inMemory = draft
        inMemory.attachments[1].content = .bytes((0..<size).map(Pattern.octet))
        let bytes = try draft.compose(files: Pattern(size: size, step: step))
        #expect(bytes == (try inMemory.compose()))
        let files = Message(parsing: bytes).attachments
        #expect(files.map(\.filename) == ["first.bin", "second.bin"])
        #expect(files.last?.bytes == (0..<size).map(Pattern.octet))
    }

    @Test("a file of 40 MB is written in small chunks, as many octets as announced, and twice the same")
    func bounded() throws {
        let size = 40 << 20
        let message = try Self.draft(size: size).composed()
        var sums: [UInt64] = []
        for _ in 0..<2 {
            var chunks = message.chunks()
            var written = 0
            var sum: UInt64 = 0xCBF2_9CE4_8422_2325
            while let chunk = try chunks.next(files: Zeros(size: size)) {
                try #require(!chunk.isEmpty && chunk.count <= MessageChunks.largestChunk)
                written += chunk.count
                for byte in chunk.prefix(64) { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
            }
            #expect(written == message.size)
            sums.append(sum)
        }
        #expect(sums[0] == sums[1])
        #expect(message.size > size / 3 * 4)
        #expect(MessageChunks.largestChunk <= 65_536)
    }

    /// A long file that costs nothing to read.
    struct Zeros: AttachmentFiles {
        let size: Int

        func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] {
            // No more of the file than makes one chunk is ever asked for.
            #expect(count <= MessageChunks.largestChunk / 4 * 3)
            return [UInt8](repeating: 0, count: max(0, min(count, size - offset)))
        }
    }

    @Test("a file that has become shorter or longer, or cannot be read, ends the writing with an error that names it")
    func changed() throws {
        for (announced, real, word) in [(1000, 999, "shorter"), (1000, 0, "shorter"), (1000, 1001, "longer"), (0, 1, "longer")] {
            let draft = try Self.draft(size: announced)
            do {
                _ = try draft.compose(files: Pattern(size: real))
                Issue.record("\(announced) \(real)")
            } catch {
                #expect(error.code == .fileChanged)
                #expect(
                    error.description
                        == "attachment 2: its file has become \(word) than the \(announced) octets it had; attach the file again")
            }
        }
        let draft = try Self.draft(size: 10, path: "/other")
        do {
            _ = try draft.compose(files: Pattern(size: 10))
            Issue.record("composed")
        } catch {
            #expect(error.code == .fileUnreadable)
            #expect(error.description == "attachment 2: its file cannot be read: no such file; make it readable, or attach another")
        }
        #expect(throws: ComposeError.self) { try Self.draft(size: 10).compose() }
    }

    @Test("a file that gives more than was asked for is not believed")
    func tooMuch() throws {
        struct Greedy: AttachmentFiles {
            func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] { [UInt8](repeating: 0, count: count + 1) }
        }
        #expect(throws: ComposeError.self) { try Self.draft(size: 10).compose(files: Greedy()) }
    }

    typealias Fault = @Sendable (inout DraftAttachment) -> Void
    static let faults: [(String, Fault)] = [
        ("path", { $0.filename = "../secret" }), ("backslash", { $0.filename = "a\\b" }), ("empty name", { $0.filename = "" }),
        ("line end in the name", { $0.filename = "a\r\nBcc: x@example.com" }), ("NUL in the name", { $0.filename = "a\0b" }),
        ("long name", { $0.filename = String(repeating: "x", count: 501) }), ("no subtype", { $0.mediaType = "application" }),
        ("line end in the type", { $0.mediaType = "text/plain\r\nX: y" }), ("parameter in the type", { $0.mediaType = "text/plain; x=y" }),
        ("message", { $0.mediaType = "message/rfc822" }), ("multipart", { $0.mediaType = "Multipart/mixed" }),
        ("charset", { $0.charset = "utf-8\r\nX: y" }), ("negative size", { $0.content = .file(path: "/pattern", size: -1) }),
        ("huge size", { $0.content = .file(path: "/pattern", size: .max) }),
        ("foreign Content-ID", { $0.contentID = MessageID(lenient: [0x61, 0xFF]) }),
    ]

    @Test("what cannot stand in the fields of a part is refused before anything is written", arguments: faults.indices)
    func refused(index: Int) throws {
        var draft = try Self.draft(size: 1)
        Self.faults[index].1(&draft.attachments[1])
        do {
            _ = try draft.composed()
            Issue.record("\(Self.faults[index].0)")
        } catch {
            #expect(error.field == "attachment 2")
            #expect(!error.description.utf8.contains { $0 < 32 })
        }
    }

    @Test("inline images need HTML and a Content-ID of their own")
    func images() throws {
        let image = DraftAttachment(filename: nil, mediaType: "image/png", content: .bytes([1]), contentID: MessageID("i@example.com"))
        var draft = try ComposeTests.draft()
        draft.inlineImages = [image]
        #expect(throws: ComposeError.self) { try draft.compose() }
        draft.html = "<img src=\"cid:i@example.com\">"
        #expect(Message(parsing: try draft.compose()).root.children.map(\.mediaType.essence) == ["text/plain", "multipart/related"])
        draft.inlineImages.append(image)
        #expect(throws: ComposeError.self) { try draft.compose() }
        draft.inlineImages[1].contentID = nil
        #expect(throws: ComposeError.self) { try draft.compose() }
    }

    @Test(
        "a filename is a token, a quoted string, or percent-encoded segments",
        arguments: [
            ("a.pdf", "filename=a.pdf"), ("a b.pdf", "filename=\"a b.pdf\""), ("ü.pdf", "filename*=utf-8''%C3%BC.pdf"),
            ("say \"hi\".txt", "filename*=utf-8''say%20%22hi%22.txt"), ("=?x?=.txt", "filename*=utf-8''%3D%3Fx%3F%3D.txt"),
            (
                String(repeating: "字", count: 9) + ".txt",
                "filename*0*=utf-8''%E5%AD%97%E5%AD%97%E5%AD%97%E5%AD%97%E5%AD%97%E5%AD%97; filename*1*=%E5%AD%97%E5%AD%97%E5%AD%97.txt"
            ),
        ])
    func filenames(name: String, parameter: String) throws {
        var draft = try Self.draft(size: 0)
        draft.attachments = [DraftAttachment(filename: name, mediaType: "text/plain", content: .bytes([]))]
        let part = try #require(Message(parsing: try draft.compose()).root.children.last)
        #expect(part.header.first("Content-Disposition")?.text == "attachment; \(parameter)")
        #expect(part.filename.map { Array($0.utf8) } == Array(name.utf8))
    }
}
