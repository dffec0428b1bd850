import OpenSSL

/// Takes canonical octets as they are found: a digest, or an array.
protocol OctetSink {
    mutating func append(_ run: ArraySlice<UInt8>)
}

/// The octets kept.
struct OctetCollector: OctetSink {
    var octets: [UInt8] = []

    mutating func append(_ run: ArraySlice<UInt8>) { octets += run }
}

/// The SHA-256 of the octets, of the first `limit` of them when there is a limit (`l=`).
struct OctetDigest: OctetSink {
    private var hasher = SHA256Hasher()
    private var remaining: Int
    /// All octets that came, those over the limit too.
    private(set) var count = 0

    /// - Parameter limit: nil: none.
    init(limit: Int? = nil) { remaining = limit ?? .max }

    mutating func append(_ run: ArraySlice<UInt8>) {
        count += run.count
        guard remaining > 0 else { return }
        hasher.update(run.count <= remaining ? run : run.prefix(remaining))
        remaining -= min(remaining, run.count)
    }

    var digest: [UInt8] { hasher.digest() }
}
