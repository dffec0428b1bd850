import Glibc
import Synchronization

/// Open iconv descriptors that wait for their next use: opening one loads a module, which costs more than most texts.
///
/// The number kept is bounded by that of the charsets in `CharsetName` times `keptEach`.
enum ConverterPool {
    /// A descriptor belongs to one at a time: to the pool, where only the holder of the mutex reaches it, or to its one borrower.
    private struct Descriptor: @unchecked Sendable {  // Lock: the mutex `idle`.
        let handle: iconv_t
    }

    private static let idle = Mutex<[String: [Descriptor]]>([:])
    private static let keptEach = 4

    /// Hands a descriptor for `charset` to UTF-8, in its initial state, to `body`; nil when iconv lacks the charset.
    static func with<Result>(_ charset: String, _ body: (iconv_t) -> Result) -> Result? {
        guard let descriptor = idle.withLock({ $0[charset]?.popLast() }) ?? open(charset) else { return nil }
        _ = iconv(descriptor.handle, nil, nil, nil, nil)
        let result = body(descriptor.handle)
        let isKept = idle.withLock { idle in
            guard idle[charset, default: []].count < keptEach else { return false }
            idle[charset, default: []].append(descriptor)
            return true
        }
        if !isKept { iconv_close(descriptor.handle) }
        return result
    }

    private static func open(_ charset: String) -> Descriptor? {
        guard let handle = iconv_open("UTF-8", charset), Int(bitPattern: handle) != -1 else { return nil }
        return Descriptor(handle: handle)
    }
}
