import COpenSSL

/// What the library has to say about the last failure on this thread.
enum ErrorQueue {
    struct Entry {
        let library: Int32
        let reason: Int32
        let text: String
    }

    /// Empties the queue of this thread; to be called before an operation whose failure will be explained.
    static func clear() { ERR_clear_error() }

    /// Takes everything out of the queue of this thread, oldest first.
    static func drain() -> [Entry] {
        var entries: [Entry] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return entries }
            let text = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
            entries.append(Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text))
        }
    }

    /// The same as one line for a log; nil if the library said nothing.
    static func drainText() -> String? {
        let entries = drain()
        return entries.isEmpty ? nil : entries.map(\.text).joined(separator: "; ")
    }
}
