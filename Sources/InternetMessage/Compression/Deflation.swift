import CZlib

/// Raw deflate (RFC 1951) of what we keep ourselves; never of what others compressed.
package enum Deflation {
    /// The compressed bytes, with a dictionary of nothing and the library's usual effort; nil when there is no memory for it, or for more
    /// than 1 GB.
    package static func deflate(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count <= 1 << 30 else { return nil }
        var stream = z_stream()
        guard postrider_deflate_begin(&stream) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let made = bytes.withUnsafeBufferPointer { input -> Int? in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            return output.withUnsafeMutableBufferPointer { room -> Int? in
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(clamping: room.count)
                guard CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return room.count - Int(stream.avail_out)
            }
        }
        guard let made else { return nil }
        output.removeLast(output.count - made)
        return output
    }

    /// What `deflate` was given.
    ///
    /// - Parameter size: how many bytes that was; never more are made, whatever the stream says.
    /// - Returns: nil when it is not that many, or the stream is broken.
    package static func inflate(_ bytes: [UInt8], size: Int) -> [UInt8]? {
        guard size >= 0, size <= 1 << 30 else { return nil }
        var stream = z_stream()
        guard postrider_inflate_begin(&stream, -MAX_WBITS) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        // One more than there should be, so that a longer stream shows.
        var output = [UInt8](repeating: 0, count: size + 1)
        let made = bytes.withUnsafeBufferPointer { input -> Int? in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(clamping: input.count)
            return output.withUnsafeMutableBufferPointer { room -> Int? in
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(clamping: room.count)
                guard CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return room.count - Int(stream.avail_out)
            }
        }
        guard made == size else { return nil }
        output.removeLast()
        return output
    }
}
