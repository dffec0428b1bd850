import Glibc

/// One conversion by iconv(3). The only file here that handles C pointers besides `DomainName`.
enum CharsetConverter {
    /// The bytes as UTF-8, each byte that could not be read replaced by U+FFFD and counted; nil when iconv lacks the charset.
    static func utf8(_ bytes: ArraySlice<UInt8>, from charset: String) -> (bytes: [UInt8], malformed: Int)? {
        guard let descriptor = iconv_open("UTF-8", charset), Int(bitPattern: descriptor) != -1 else { return nil }
        defer { iconv_close(descriptor) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 2 + 16)
        var malformed = 0
        var chunk = [CChar](repeating: 0, count: 8192)
        var input = bytes.map { CChar(bitPattern: $0) }
        input.withUnsafeMutableBufferPointer { inputBuffer in
            chunk.withUnsafeMutableBufferPointer { chunkBuffer in
                var source = inputBuffer.baseAddress
                var sourceLeft = inputBuffer.count
                var finished = false
                while !finished {
                    var target = chunkBuffer.baseAddress
                    var targetLeft = chunkBuffer.count
                    // The last call, without input, writes what a stateful charset still holds back.
                    let flushing = sourceLeft == 0
                    let result =
                        flushing
                        ? iconv(descriptor, nil, nil, &target, &targetLeft)
                        : iconv(descriptor, &source, &sourceLeft, &target, &targetLeft)
                    let reason = errno
                    for i in 0..<(chunkBuffer.count - targetLeft) { output.append(UInt8(bitPattern: chunkBuffer[i])) }
                    if result != -1 {
                        finished = flushing
                    } else if reason == EILSEQ || reason == EINVAL, sourceLeft > 0 {
                        output += [0xEF, 0xBF, 0xBD]
                        malformed += 1
                        source = source?.advanced(by: 1)
                        sourceLeft -= 1
                        if reason == EILSEQ { _ = iconv(descriptor, nil, nil, nil, nil) }
                    } else if reason != E2BIG {
                        finished = true
                    }
                }
            }
        }
        return (output, malformed)
    }
}
