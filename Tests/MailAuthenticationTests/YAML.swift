/// As much of YAML as test suites for SPF are written in: block maps and lists, flow lists, plain, quoted and block scalars, documents.
///
/// Scalars are octets: `\x96` is the octet 0x96, as those suites mean it.
indirect enum YAML: Equatable {
    case scalar([UInt8])
    case list([YAML])
    case map([Pair])

    struct Pair: Equatable {
        let key: String
        let value: YAML
    }

    subscript(_ key: String) -> YAML? {
        if case .map(let pairs) = self { pairs.first { $0.key.utf8.elementsEqual(key.utf8) }?.value } else { nil }
    }

    var pairs: [Pair] { if case .map(let pairs) = self { pairs } else { [] } }

    /// The values of a list; a scalar is a list of itself.
    var values: [YAML] {
        switch self {
        case .list(let values): values
        case .scalar: [self]
        case .map: []
        }
    }

    var bytes: [UInt8]? { if case .scalar(let bytes) = self { bytes } else { nil } }

    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The documents of a stream.
    static func documents(_ bytes: [UInt8]) -> [YAML] {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        return lines.split { $0.starts(with: Array("---".utf8)) }.map { part in
            var reader = Reader(lines: Array(part))
            return reader.block(deeperThan: -1)
        }.filter { $0 != .scalar([]) }
    }

    private struct Reader {
        private var lines: [[UInt8]]
        private var at = 0

        init(lines: [[UInt8]]) { self.lines = lines }

        private static let blank: @Sendable (UInt8) -> Bool = { $0 == 32 || $0 == 13 }

        private static func indent(_ line: [UInt8]) -> Int { line.prefix { $0 == 32 }.count }

        private static func isEmpty(_ line: [UInt8]) -> Bool {
            guard let first = line.first(where: { !blank($0) }) else { return true }
            return first == UInt8(ascii: "#")
        }

        private static func isItem(_ text: ArraySlice<UInt8>) -> Bool { text.elementsEqual("-".utf8) || text.starts(with: "- ".utf8) }

        private mutating func skipEmpty() {
            while at < lines.count, Self.isEmpty(lines[at]) { at += 1 }
        }

        mutating func block(deeperThan outer: Int) -> YAML {
            skipEmpty()
            guard at < lines.count else { return .scalar([]) }
            let indent = Self.indent(lines[at])
            guard indent > outer else { return .scalar([]) }
            return Self.isItem(lines[at][indent...]) ? list(indent) : map(indent)
        }

        private mutating func list(_ indent: Int) -> YAML {
            var values: [YAML] = []
            while true {
                skipEmpty()
                guard at < lines.count, Self.indent(lines[at]) == indent, Self.isItem(lines[at][indent...]) else { return .list(values) }
                let rest = lines[at][(indent + 1)...].drop(while: Self.blank)
                if rest.isEmpty {
                    at += 1
                    values.append(block(deeperThan: indent))
                } else if Self.colon(rest) != nil {
                    let inner = rest.startIndex
                    lines[at] = Array(repeating: 32, count: inner) + rest
                    values.append(map(inner))
                } else {
                    values.append(scalar(rest, deeperThan: indent))
                }
            }
        }

        private mutating func map(_ indent: Int) -> YAML {
            var pairs: [Pair] = []
            while true {
                skipEmpty()
                guard at < lines.count, Self.indent(lines[at]) == indent, let colon = Self.colon(lines[at][indent...]) else {
                    return .map(pairs)
                }
                var key = lines[at][indent..<colon]
                if key.first == UInt8(ascii: "\"") || key.first == UInt8(ascii: "'") { key = key.dropFirst().dropLast() }
                let rest = lines[at][(colon + 1)...].drop(while: Self.blank)
                let value: YAML
                if rest.isEmpty || rest.first == UInt8(ascii: "#") {
                    at += 1
                    skipEmpty()
                    // A list may stand as deep as its key.
                    let isList = at < lines.count && Self.indent(lines[at]) == indent && Self.isItem(lines[at][indent...])
                    value = isList ? list(indent) : block(deeperThan: indent)
                } else {
                    value = scalar(rest, deeperThan: indent)
                }
                pairs.append(Pair(key: String(decoding: key, as: UTF8.self), value: value))
            }
        }

        /// The colon behind a key.
        private static func colon(_ text: ArraySlice<UInt8>) -> Int? {
            var index = text.startIndex
            if let quote = text.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                guard let end = text.dropFirst().firstIndex(of: quote) else { return nil }
                index = end + 1
            }
            while index < text.endIndex {
                if text[index] == UInt8(ascii: ":"), index + 1 == text.endIndex || blank(text[index + 1]) { return index }
                if text[index] == UInt8(ascii: "["), index == text.startIndex { return nil }
                index += 1
            }
            return nil
        }

        /// What stands behind a key or a dash, with the lines that go on with it.
        private mutating func scalar(_ first: ArraySlice<UInt8>, deeperThan indent: Int) -> YAML {
            at += 1
            if first.first == UInt8(ascii: "|") || first.first == UInt8(ascii: ">") {
                var text: [UInt8] = []
                while at < lines.count, lines[at].allSatisfy(Self.blank) || Self.indent(lines[at]) > indent {
                    text += lines[at].drop(while: Self.blank) + [first.first == UInt8(ascii: "|") ? 10 : 32]
                    at += 1
                }
                return .scalar(text)
            }
            var whole = Array(first)
            while at < lines.count, !Self.isEmpty(lines[at]), Self.indent(lines[at]) > indent {
                whole += [32] + lines[at].drop(while: Self.blank)
                at += 1
            }
            var rest = whole[...]
            return Self.flow(&rest, isWhole: true)
        }

        private static func flow(_ rest: inout ArraySlice<UInt8>, isWhole: Bool) -> YAML {
            rest = rest.drop(while: blank)
            switch rest.first {
            case UInt8(ascii: "["):
                rest = rest.dropFirst().drop(while: blank)
                var values: [YAML] = []
                while let next = rest.first, next != UInt8(ascii: "]") {
                    values.append(flow(&rest, isWhole: false))
                    rest = rest.drop(while: blank)
                    if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst().drop(while: blank) }
                }
                rest = rest.dropFirst()
                return .list(values)
            case UInt8(ascii: "\""), UInt8(ascii: "'"): return .scalar(quoted(&rest))
            default:
                let end = isWhole ? comment(rest) : rest.firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "]") } ?? rest.endIndex
                var text = rest[..<end]
                rest = rest[end...]
                while let last = text.last, blank(last) { text.removeLast() }
                return .scalar(Array(text))
            }
        }

        private static func comment(_ text: ArraySlice<UInt8>) -> Int {
            text.indices.first { text[$0] == UInt8(ascii: "#") && $0 > text.startIndex && text[$0 - 1] == 32 } ?? text.endIndex
        }

        private static func quoted(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
            let quote = rest.removeFirst()
            var text: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == quote {
                    guard quote == UInt8(ascii: "'"), rest.first == quote else { return text }
                    text.append(rest.removeFirst())
                } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let escape = rest.popFirst() {
                    switch escape {
                    case UInt8(ascii: "x"):
                        text.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 63)
                        rest = rest.dropFirst(2)
                    case UInt8(ascii: "0"): text.append(0)
                    case UInt8(ascii: "n"): text.append(10)
                    case UInt8(ascii: "r"): text.append(13)
                    case UInt8(ascii: "t"): text.append(9)
                    default: text.append(escape)
                    }
                } else {
                    text.append(byte)
                }
            }
            return text
        }
    }
}
