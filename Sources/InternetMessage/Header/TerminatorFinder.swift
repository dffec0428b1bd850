/// Finds the "?=" that ends an encoded word. What was found is kept, so that any number of searches from rising starts costs one pass.
struct TerminatorFinder {
    /// No "?=" begins in `from..<position`; the one at `position` is the next, or there is none when it is nil.
    private var known: (from: Int, position: Int?)?

    /// Where the first "?=" at or after `start` begins, nil when there is none. `bytes` must end where it did in earlier calls.
    mutating func next(in bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
        if let known, start >= known.from {
            guard let position = known.position else { return nil }
            if start <= position { return position }
        }
        var i = start
        while i + 1 < bytes.endIndex {
            if bytes[i] == ASCII.question, bytes[i + 1] == ASCII.equals {
                known = (start, i)
                return i
            }
            i += 1
        }
        known = (start, nil)
        return nil
    }
}
