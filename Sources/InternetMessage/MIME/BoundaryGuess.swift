/// Finds the boundary of a multipart that does not name one.
enum BoundaryGuess {
    /// The boundary that the first fitting line in `body` shows: a line of two hyphens and more behind which a header begins. Nil when
    /// there is none near the beginning. A line that belongs to an open multipart around it ends the search.
    static func boundary(in body: ArraySlice<UInt8>, newline: UInt8, not open: [[UInt8]]) -> [UInt8]? {
        let near = body.prefix(4096)
        var i = near.startIndex
        while i < near.endIndex, let end = near.index(of: newline, from: i) {
            let line = near[i..<end].trimmed
            if line.starts(with: [ASCII.hyphen, ASCII.hyphen]) {
                let boundary = line.dropFirst(2)
                if open.contains(where: { boundary.starts(with: $0) }) { return nil }
                if (1...70).contains(boundary.count), near[(end + 1)...].hasPrefix(ignoringCase: "content-") { return Array(boundary) }
            }
            i = end + 1
        }
        return nil
    }
}
