/// The scanner behind `Parameters`.
struct ParameterParser {
    private struct Segment {
        var name: [UInt8]
        var number: Int
        var isExtended: Bool
        var value: [UInt8]
    }

    private let bytes: ArraySlice<UInt8>
    private let limit: Int
    private var i: Int
    private var terminators = TerminatorFinder()

    init(_ bytes: ArraySlice<UInt8>, limit: Int) {
        self.bytes = bytes
        self.limit = limit
        i = bytes.startIndex
    }

    mutating func parse() -> [Parameters.Parameter] {
        var plain: [Parameters.Parameter] = []
        var segments: [Segment] = []
        while i < bytes.endIndex, plain.count + segments.count < limit {
            skipSpace()
            guard i < bytes.endIndex else { break }
            if bytes[i] == ASCII.semicolon {
                i += 1
                continue
            }
            let start = i
            while i < bytes.endIndex, bytes[i] != ASCII.equals, bytes[i] != ASCII.semicolon, !bytes[i].isWhitespace { i += 1 }
            let name = bytes[start..<i].asciiLowercased
            skipSpace()
            guard i < bytes.endIndex, bytes[i] == ASCII.equals, !name.isEmpty else {
                // Quirk(stray words): "text/plain charset utf-8; name=x": what is no pair is passed over.
                if i == start { i += 1 }
                continue
            }
            i += 1
            skipSpace()
            let value = readValue()
            if let star = name.firstIndex(of: ASCII.asterisk) {
                segments.append(segment(name, star, value))
            } else {
                plain.append(Parameters.Parameter(name: name, value: value, charset: nil))
            }
        }
        // The extended form wins over a plain one of the same name, as RFC 6266 §4.3 has it.
        return assemble(segments) + plain
    }

    private mutating func skipSpace() {
        while i < bytes.endIndex, bytes[i].isWhitespace { i += 1 }
    }

    private mutating func readValue() -> [UInt8] {
        guard i < bytes.endIndex else { return [] }
        if bytes[i] == ASCII.quote, let quoted = readQuoted() { return quoted }
        let start = i
        while i < bytes.endIndex, bytes[i] != ASCII.semicolon {
            if bytes[i] == ASCII.equals, let end = EncodedWord.end(in: bytes, at: i, &terminators) { i = end } else { i += 1 }
        }
        var value = bytes[start..<i].trimmed
        // A comment behind a value ("charset=us-ascii (plain text)").
        if value.last == ASCII.closeParen, let open = value.firstIndex(of: ASCII.openParen), open > value.startIndex,
            value[open - 1].isWhitespace
        {
            value = value[..<open].trimmed
        }
        if value.first == ASCII.quote { value = value.dropFirst() }
        return value.filter { $0 != ASCII.cr && $0 != ASCII.lf }
    }

    /// The quoted string at the cursor; nil, with the cursor unmoved, when it is not closed.
    private mutating func readQuoted() -> [UInt8]? {
        var value: [UInt8] = []
        var j = i + 1
        while j < bytes.endIndex {
            switch bytes[j] {
            case ASCII.quote:
                i = j + 1
                return value
            case ASCII.backslash where j + 1 < bytes.endIndex && (bytes[j + 1] == ASCII.quote || bytes[j + 1] == ASCII.backslash):
                j += 1
                value.append(bytes[j])
            case ASCII.cr, ASCII.lf: break
            default: value.append(bytes[j])
            }
            j += 1
        }
        return nil
    }

    private func segment(_ name: [UInt8], _ star: Int, _ value: [UInt8]) -> Segment {
        var rest = name[(star + 1)...]
        var isExtended = rest.isEmpty
        if rest.last == ASCII.asterisk {
            isExtended = true
            rest.removeLast()
        }
        let number = rest.prefix(5).reduce(0) { $1.isDigit ? $0 * 10 + Int($1 - 0x30) : $0 }
        return Segment(name: Array(name[..<star]), number: number, isExtended: isExtended, value: value)
    }

    private func assemble(_ segments: [Segment]) -> [Parameters.Parameter] {
        guard !segments.isEmpty else { return [] }
        var order: [[UInt8]] = []
        var groups: [[UInt8]: [Segment]] = [:]
        for segment in segments {
            if groups[segment.name] == nil { order.append(segment.name) }
            groups[segment.name, default: []].append(segment)
        }
        return order.map { name in
            var value: [UInt8] = []
            var charset: [UInt8]?
            let sorted = (groups[name] ?? []).enumerated().sorted { ($0.element.number, $0.offset) < ($1.element.number, $1.offset) }
            for (position, segment) in sorted.map(\.element).enumerated() {
                guard segment.isExtended else {
                    value += segment.value
                    continue
                }
                var text = segment.value[...]
                if position == 0, let first = text.firstIndex(of: ASCII.apostrophe),
                    let second = text[(first + 1)...].firstIndex(of: ASCII.apostrophe)
                {
                    charset = Array(text[..<first])
                    text = text[(second + 1)...]
                }
                value += Self.percentDecoded(text)
            }
            return Parameters.Parameter(name: name, value: value, charset: charset)
        }
    }

    private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var i = bytes.startIndex
        while i < bytes.endIndex {
            if bytes[i] == ASCII.percent, i + 2 < bytes.endIndex, let high = bytes[i + 1].hexValue, let low = bytes[i + 2].hexValue {
                output.append(high << 4 | low)
                i += 3
            } else {
                output.append(bytes[i])
                i += 1
            }
        }
        return output
    }
}
