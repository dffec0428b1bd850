/// A message that is known to be legal and how long it is, and that can be written in chunks without being held in memory.
package struct ComposedMessage: Sendable {
    /// A run of octets that is ready, or content that is encoded while it is written.
    enum Piece: Sendable {
        case ready([UInt8])
        case base64(DraftAttachment.Content, place: String)
    }

    /// The length in octets, as it is announced to an SMTP server with SIZE.
    package let size: Int
    /// Whether the message can only travel with SMTPUTF8 (RFC 6531).
    package let needsSMTPUTF8: Bool
    /// Whether the message can only travel with 8BITMIME (RFC 6152); false unless the draft allowed 8bit.
    package let needs8BITMIME: Bool
    private let pieces: [Piece]

    init(pieces: [Piece], needsSMTPUTF8: Bool, needs8BITMIME: Bool) {
        self.pieces = pieces
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.needs8BITMIME = needs8BITMIME
        size = pieces.reduce(0) { sum, piece in
            switch piece {
            case .ready(let bytes): sum + bytes.count
            case .base64(let content, _): sum + Base64Lines.size(of: content.size)
            }
        }
    }

    /// The message from its beginning, in chunks; every call begins anew and gives the same octets.
    package func chunks() -> MessageChunks { MessageChunks(pieces) }
}

/// Where the octets of attached files come from; this module opens no files itself.
package protocol AttachmentFiles {
    /// The octets of the file at `path` from `offset` on: at most `count`, and none only where the file ends. The error says why not.
    func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8]
}

/// The octets of one composed message, in order, in chunks of at most `largestChunk`.
package struct MessageChunks: Sendable {
    /// Octets of the longest chunk.
    package static let largestChunk = linesPerChunk * 78

    private static let linesPerChunk = 840
    private var pieces: ArraySlice<ComposedMessage.Piece>
    /// How much of the first piece has been written: octets of its content, not yet encoded.
    private var position = 0

    init(_ pieces: [ComposedMessage.Piece]) { self.pieces = pieces[...] }

    /// The next chunk, nil at the end of the message. Never empty.
    ///
    /// Throws `ComposeError` when a file cannot be read or is not as long as the draft said; what was written before must then be
    /// thrown away.
    package mutating func next(files: some AttachmentFiles) throws(ComposeError) -> [UInt8]? {
        while let piece = pieces.first {
            let chunk: [UInt8]
            let isLast: Bool
            switch piece {
            case .ready(let bytes):
                chunk = Array(bytes[position...].prefix(Self.largestChunk))
                position += chunk.count
                isLast = position == bytes.count
            case .base64(.bytes(let bytes), _):
                let step = bytes[position...].prefix(Self.linesPerChunk * Base64Lines.octetsPerLine)
                chunk = Base64Lines.encode(step)
                position += step.count
                isLast = position == bytes.count
            case .base64(.file(let path, let size), let place):
                let count = min(size - position, Self.linesPerChunk * Base64Lines.octetsPerLine)
                let step = try Self.read(count, of: path, from: position, size: size, place: place, files: files)
                chunk = Base64Lines.encode(step[...])
                position += step.count
                isLast = position == size
            }
            if isLast {
                pieces = pieces.dropFirst()
                position = 0
            }
            if !chunk.isEmpty { return chunk }
        }
        return nil
    }

    /// Exactly `count` octets; at the end of the file also makes sure that nothing follows.
    private static func read(
        _ count: Int, of path: String, from offset: Int, size: Int, place: String, files: some AttachmentFiles
    ) throws(ComposeError) -> [UInt8] {
        func part(_ offset: Int, _ count: Int) throws(ComposeError) -> [UInt8] {
            do { return try files.read(path, from: offset, count: count) } catch {
                throw ComposeError(.fileUnreadable, field: place, "its file cannot be read: \(error)")
            }
        }
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try part(offset + bytes.count, count - bytes.count)
            guard !more.isEmpty, more.count <= count - bytes.count else {
                throw ComposeError(.fileChanged, field: place, "its file has become shorter than the \(size) octets it had")
            }
            bytes = bytes.isEmpty ? more : bytes + more
        }
        if offset + count == size, try !part(size, 1).isEmpty {
            throw ComposeError(.fileChanged, field: place, "its file has become longer than the \(size) octets it had")
        }
        return bytes
    }
}

/// For drafts without attached files.
struct NoFiles: AttachmentFiles {
    struct Unavailable: Error, CustomStringConvertible {
        let description = "no files are at hand here"
    }

    func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] { throw Unavailable() }
}
