/// What the fuzz targets share: libFuzzer's octets, and a word for what must not happen.
enum Fuzz {
    static func bytes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
        Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// Stops the run when something that must hold for every input does not hold; libFuzzer then keeps the input.
    static func expect(_ holds: Bool, _ what: String) {
        if !holds { fatalError("does not hold: \(what)") }
    }
}
