/// One of the two canonicalization algorithms of RFC 6376 §3.4.
package enum Canonicalization: String, Sendable, CaseIterable {
    case simple
    case relaxed

    private static let cr = UInt8(ascii: "\r")
    private static let lf = UInt8(ascii: "\n")

    /// A header field without its last CRLF, in canonical form and without a CRLF of its own.
    package func header(_ field: ArraySlice<UInt8>) -> [UInt8] {
        let field = Self.withoutLineEnd(field)
        guard self == .relaxed else { return Array(field) }
        var output: [UInt8] = []
        output.reserveCapacity(field.count)
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return Array(field) }
        for byte in field[..<colon] where !Self.isBlank(byte) { output.append(Self.lowercased(byte)) }
        output.append(UInt8(ascii: ":"))
        var gap = false
        var started = false
        for byte in field[(colon + 1)...] {
            if byte == Self.cr || byte == Self.lf { continue }
            if Self.isBlank(byte) {
                gap = true
                continue
            }
            if gap, started { output.append(32) }
            gap = false
            started = true
            output.append(byte)
        }
        return output
    }

    /// The body in canonical form; lines end with CRLF in what comes in.
    package func body(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(body.count + 2)
        var pendingLines = 0
        var lineStart = body.startIndex
        while lineStart < body.endIndex {
            let end = body[lineStart...].firstIndex(of: Self.lf) ?? body.endIndex
            var line = body[lineStart..<end]
            lineStart = end == body.endIndex ? end : end + 1
            if line.last == Self.cr { line = line.dropLast() }
            let written = self == .simple ? line : Self.withoutTrailingBlanks(line)
            if written.isEmpty {
                pendingLines += 1
                continue
            }
            for _ in 0..<pendingLines { output += [Self.cr, Self.lf] }
            pendingLines = 0
            if self == .simple { output += written } else { Self.appendReduced(written, to: &output) }
            output += [Self.cr, Self.lf]
        }
        if output.isEmpty, self == .simple { output = [Self.cr, Self.lf] }
        return output
    }

    private static func appendReduced(_ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var gap = false
        for byte in line {
            if isBlank(byte) {
                gap = true
                continue
            }
            if gap { output.append(32) }
            gap = false
            output.append(byte)
        }
    }

    private static func withoutTrailingBlanks(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let last = line.lastIndex(where: { !isBlank($0) }) else { return [] }
        return line[line.startIndex...last]
    }

    static func withoutLineEnd(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var field = field
        if field.last == lf { field = field.dropLast() }
        if field.last == cr { field = field.dropLast() }
        return field
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
