/// The one entry of a zip archive that holds a report: stored or deflated, found through the central directory, checked by its CRC.
enum ZipArchive {
    private struct Entry {
        var name: ArraySlice<UInt8>
        var flags: Int
        var method: Int
        var checksum: UInt32
        var packedSize: Int
        var size: Int
        var headerAt: Int
    }

    /// The content of the first entry whose name ends with one of `endings`, else of the first that is no folder. Nil when the archive is
    /// broken, encrypted, of a kind that mail reports never are, or over a limit.
    static func content(of archive: ArraySlice<UInt8>, endings: [String], limits: ReportLimits = .default) -> [UInt8]? {
        guard archive.count <= limits.attachmentBytes else { return nil }
        let bytes = Array(archive)
        let entries = directory(bytes, limit: limits.archiveEntries).filter { $0.name.last != ASCII.slash }
        let wanted = entries.first { entry in endings.contains { entry.name.suffix($0.utf8.count).matches($0) } }
        return (wanted ?? entries.first).flatMap { content($0, bytes, limits) }
    }

    private static func content(_ entry: Entry, _ bytes: [UInt8], _ limits: ReportLimits) -> [UInt8]? {
        let isEncrypted = entry.flags & 1 != 0
        guard !isEncrypted, entry.size <= limits.inflatedBytes, matches(bytes, entry.headerAt, [0x50, 0x4B, 3, 4]),
            let nameLength = number(bytes, entry.headerAt + 26, 2), let extraLength = number(bytes, entry.headerAt + 28, 2)
        else { return nil }
        let start = entry.headerAt + 30 + nameLength + extraLength
        guard start <= bytes.count, entry.packedSize <= bytes.count - start else { return nil }
        let packed = bytes[start..<(start + entry.packedSize)]
        let content: [UInt8]?
        switch entry.method {
        case 0: content = Array(packed)
        case 8: content = Inflation.inflate(packed, .raw, limits: limits)
        default: content = nil
        }
        guard let content, content.count == entry.size, Inflation.checksum(content) == entry.checksum else { return nil }
        return content
    }

    /// The entries by the central directory, which alone has sizes for every writer of archives.
    private static func directory(_ bytes: [UInt8], limit: Int) -> [Entry] {
        // The end record is the last thing, behind it a comment of at most 65,535 octets.
        var end = bytes.count - 22
        let lowest = max(0, end - 0xFFFF)
        while end >= lowest, !matches(bytes, end, [0x50, 0x4B, 5, 6]) { end -= 1 }
        guard end >= lowest, end >= 0, let count = number(bytes, end + 10, 2), var at = number(bytes, end + 16, 4) else { return [] }
        var entries: [Entry] = []
        for _ in 0..<min(count, limit) {
            guard matches(bytes, at, [0x50, 0x4B, 1, 2]), let flags = number(bytes, at + 8, 2), let method = number(bytes, at + 10, 2),
                let checksum = number(bytes, at + 16, 4), let packed = number(bytes, at + 20, 4), let size = number(bytes, at + 24, 4),
                let nameLength = number(bytes, at + 28, 2), let extraLength = number(bytes, at + 30, 2),
                let commentLength = number(bytes, at + 32, 2), let headerAt = number(bytes, at + 42, 4), at + 46 + nameLength <= bytes.count
            else { break }
            entries.append(
                Entry(
                    name: bytes[(at + 46)..<(at + 46 + nameLength)], flags: flags, method: method,
                    checksum: UInt32(truncatingIfNeeded: checksum),
                    packedSize: packed, size: size, headerAt: headerAt))
            at += 46 + nameLength + extraLength + commentLength
        }
        return entries
    }

    private static func matches(_ bytes: [UInt8], _ at: Int, _ mark: [UInt8]) -> Bool {
        at >= 0 && at <= bytes.count - mark.count && bytes[at..<(at + mark.count)].elementsEqual(mark)
    }

    /// A little-endian number of at most four octets; nil beyond the end.
    private static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int? {
        guard at >= 0, at <= bytes.count - width else { return nil }
        return bytes[at..<(at + width)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
