import CZlib

/// Inflation of DMARC and TLS reports, the only compressed content that is ever opened.
///
/// Output is bounded absolutely and by its ratio to the input; broken or cut streams give nothing, because half a report is a wrong one.
enum Inflation {
    enum Framing {
        /// RFC 1952, several members in a row allowed, its check sum verified.
        case gzip
        /// RFC 1951 as zip archives have it.
        case raw

        fileprivate var windowBits: CInt { self == .gzip ? MAX_WBITS + 16 : -MAX_WBITS }
    }

    private static let chunk = 64 << 10

    /// The inflated bytes; nil when the stream is broken, cut, or would pass a limit.
    static func inflate(_ bytes: ArraySlice<UInt8>, _ framing: Framing, limits: ReportLimits = .default) -> [UInt8]? {
        guard bytes.count <= limits.attachmentBytes else { return nil }
        let (scaled, overflow) = bytes.count.multipliedReportingOverflow(by: limits.inflationRatio)
        let most = min(limits.inflatedBytes, max(limits.inflatedFreely, overflow ? .max : scaled))
        var output: [UInt8] = []
        var rest = bytes
        repeat {
            guard let used = member(rest, framing, most: most, into: &output) else { return nil }
            rest = rest.dropFirst(used)
        } while framing == .gzip && rest.starts(with: [0x1F, 0x8B])
        return output
    }

    /// The CRC-32 of `bytes`, as zip archives and gzip use it.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32(0, $0.baseAddress, UInt32(clamping: $0.count))) }
    }

    /// Inflates one stream onto `output` and returns how many bytes of input it took.
    private static func member(_ bytes: ArraySlice<UInt8>, _ framing: Framing, most: Int, into output: inout [UInt8]) -> Int? {
        var stream = z_stream()
        guard postrider_inflate_begin(&stream, framing.windowBits) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        return bytes.withUnsafeBufferPointer { input -> Int? in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            var buffer = [UInt8](repeating: 0, count: chunk)
            while true {
                let (status, made) = buffer.withUnsafeMutableBufferPointer { room in
                    stream.next_out = room.baseAddress
                    stream.avail_out = UInt32(chunk)
                    let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    return (status, chunk - Int(stream.avail_out))
                }
                guard output.count + made <= most else { return nil }
                output += buffer[..<made]
                switch status {
                case Z_STREAM_END: return input.count - Int(stream.avail_in)
                case Z_OK where made > 0 || stream.avail_in > 0: continue
                default: return nil
                }
            }
        }
    }
}
