import CSASL
import Glibc
import Synchronization

/// The process-wide part of libsasl2.
enum CyrusLibrary {
    /// Result of the one `sasl_client_init`; the plugins are loaded then.
    private static let initialised: Int32 = {
        // Plugins lock through these; the library's own are empty.
        sasl_set_mutex(
            {
                let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
                pthread_mutex_init(mutex, nil)
                return UnsafeMutableRawPointer(mutex)
            },
            { $0.map { pthread_mutex_lock($0.assumingMemoryBound(to: pthread_mutex_t.self)) } ?? 0 },
            { $0.map { pthread_mutex_unlock($0.assumingMemoryBound(to: pthread_mutex_t.self)) } ?? 0 },
            {
                guard let mutex = $0?.assumingMemoryBound(to: pthread_mutex_t.self) else { return }
                pthread_mutex_destroy(mutex)
                mutex.deallocate()
            })
        // Kept by the library for ever, so never freed. Without it the library writes to syslog on its own.
        let callbacks = UnsafeMutablePointer<sasl_callback_t>.allocate(capacity: 2)
        let silence: @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?) -> Int32 = { _, _, _ in SASL_OK }
        (callbacks + 0).initialize(to: sasl_callback_t(id: UInt(SASL_CB_LOG), proc: erased(silence), context: nil))
        (callbacks + 1).initialize(to: sasl_callback_t(id: UInt(SASL_CB_LIST_END), proc: nil, context: nil))
        return sasl_client_init(callbacks)
    }()

    /// The list of plugins is read and connections are made and given up under this lock; the library promises nothing about doing so at once.
    private static let lock = Mutex(())

    static func locked<Result>(_ body: () -> Result) -> Result { lock.withLock { _ in body() } }

    static func initialise() throws(SASLError) {
        guard initialised == SASL_OK else {
            throw SASLError(.failed, "libsasl2 cannot start; install libsasl2-2 and libsasl2-modules", cause: text(initialised))
        }
    }

    static func text(_ code: Int32) -> String { sasl_errstring(code, nil, nil).map { String(cString: $0) } ?? "error \(code)" }

    /// The library keeps callbacks of all shapes as one type.
    static func erased<Function>(_ function: Function) -> (@convention(c) () -> Int32) {
        unsafeBitCast(function, to: (@convention(c) () -> Int32).self)
    }
}
