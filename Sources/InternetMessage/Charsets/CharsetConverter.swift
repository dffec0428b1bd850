import Glibc

/// Conversion by iconv(3). With `ConverterPool` and `DomainName` the only files here that handle C pointers.
enum CharsetConverter {
    /// The bytes as UTF-8, each byte that could not be read replaced by U+FFFD and counted; nil when iconv lacks the charset, or when one
    /// byte in 32 and more cannot be read: then the charset is another, and each such byte costs as much as a hundred good ones.
    static func utf8(_ bytes: ArraySlice<UInt8>, from charset: String) -> (bytes: [UInt8], malformed: Int)? {
        let text = ConverterPool.with(charset) { convert(bytes, $0, mostMalformed: 32 + bytes.count / 32) }
        return text.flatMap { $0.malformed > 32 + bytes.count / 32 ? nil : $0 }
    }

    private static func convert(_ bytes: ArraySlice<UInt8>, _ descriptor: iconv_t, mostMalformed: Int) -> (bytes: [UInt8], malformed: Int) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 2 + 16)
        var malformed = 0
        var input = Array(bytes)
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 8192) { chunk in
            input.withUnsafeMutableBytes { inputBuffer in
                var source = inputBuffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                var sourceLeft = inputBuffer.count
                var finished = false
                while !finished, malformed <= mostMalformed {
                    var target = chunk.baseAddress
                    var targetLeft = chunk.count
                    // The last call, without input, writes what a stateful charset still holds back.
                    let flushing = sourceLeft == 0
                    let result =
                        flushing
                        ? iconv(descriptor, nil, nil, &target, &targetLeft)
                        : iconv(descriptor, &source, &sourceLeft, &target, &targetLeft)
                    let reason = errno
                    output.append(
                        contentsOf: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[..<(chunk.count - targetLeft)]))
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
