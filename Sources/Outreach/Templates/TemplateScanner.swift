/// Finds the tags of a Mustache source by bytes, so that strictness and nesting do not depend on how text is split into characters.
struct TemplateScanner {
    enum Piece: Equatable {
        case text(Range<Int>)
        /// `{{name}}`, `{{name|fallback}}`, `{{{name}}}` or `{{&name}}`.
        case variable(name: String, fallback: String?, raw: Bool)
        case open(name: String, inverted: Bool)
        case close(name: String)
        case comment
    }

    static let deepest = 16
    static let largest = 262_144

    /// The pieces of the source in order, sections balanced.
    static func scan(_ source: [UInt8]) throws(TemplateError) -> [Piece] {
        guard source.count <= largest else { throw TemplateError(line: 1, message: "is longer than \(largest) bytes; shorten it") }
        var pieces: [Piece] = []
        var sections: [String] = []
        var position = 0
        var line = 1
        while position < source.count {
            guard let start = find("{{", in: source, from: position) else {
                pieces.append(.text(position..<source.count))
                break
            }
            if start > position { pieces.append(.text(position..<start)) }
            line += newlines(source[position..<start])
            let triple = start + 2 < source.count && source[start + 2] == UInt8(ascii: "{")
            let closing = triple ? "}}}" : "}}"
            let inner = start + (triple ? 3 : 2)
            guard let end = find(closing, in: source, from: inner) else {
                throw TemplateError(line: line, message: "a tag is opened with {{ and never closed; write \(closing)")
            }
            let piece = try tag(trimmed(source[inner..<end]), triple: triple, line: line)
            switch piece {
            case .open(let name, _):
                sections.append(name)
                guard sections.count <= deepest else {
                    throw TemplateError(line: line, message: "sections are nested deeper than \(deepest)")
                }
            case .close(let name):
                guard let open = sections.popLast(), Array(open.utf8) == Array(name.utf8) else {
                    throw TemplateError(line: line, message: "{{/\(name)}} closes a section that is not the open one")
                }
            case .text, .variable, .comment: break
            }
            pieces.append(piece)
            line += newlines(source[start..<end])
            position = end + closing.utf8.count
        }
        if let open = sections.last { throw TemplateError(line: line, message: "section {{#\(open)}} is never closed; write {{/\(open)}}") }
        return pieces
    }

    private static func tag(_ content: ArraySlice<UInt8>, triple: Bool, line: Int) throws(TemplateError) -> Piece {
        guard let first = content.first else { throw TemplateError(line: line, message: "an empty tag {{}}; name a field") }
        if !triple {
            switch first {
            case UInt8(ascii: "!"): return .comment
            case UInt8(ascii: "#"): return .open(name: try name(content.dropFirst(), line: line), inverted: false)
            case UInt8(ascii: "^"): return .open(name: try name(content.dropFirst(), line: line), inverted: true)
            case UInt8(ascii: "/"): return .close(name: try name(content.dropFirst(), line: line))
            case UInt8(ascii: "&"): return .variable(name: try name(content.dropFirst(), line: line), fallback: nil, raw: true)
            default: break
            }
        }
        guard let bar = content.firstIndex(of: UInt8(ascii: "|")) else {
            return .variable(name: try name(content, line: line), fallback: nil, raw: triple)
        }
        let fallback = String(decoding: trimmed(content[(bar + 1)...]), as: UTF8.self)
        return .variable(name: try name(content[..<bar], line: line), fallback: fallback, raw: triple)
    }

    private static func name(_ bytes: ArraySlice<UInt8>, line: Int) throws(TemplateError) -> String {
        let name = trimmed(bytes)
        let legal = name.allSatisfy { byte in
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        guard legal, !name.isEmpty, name.count <= 64 else {
            let shown = String(decoding: name.prefix(40), as: UTF8.self)
            throw TemplateError(
                line: line,
                message: "{{\(shown)}} is not a tag of ours; use {{field}}, {{field|fallback}}, {{#field}}...{{/field}} or {{^field}}")
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let blank: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
        guard let start = bytes.firstIndex(where: { !blank($0) }), let end = bytes.lastIndex(where: { !blank($0) }) else { return [] }
        return bytes[start...end]
    }

    private static func newlines(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 + ($1 == 10 ? 1 : 0) } }

    static func find(_ text: String, in bytes: [UInt8], from start: Int) -> Int? {
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count, start <= bytes.count - wanted.count else { return nil }
        return (start...(bytes.count - wanted.count)).first { at in wanted.indices.allSatisfy { bytes[at + $0] == wanted[$0] } }
    }
}

/// What is wrong with a template, and on which line of it.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 1 for the first line of the template.
    package let line: Int
    package let message: String

    package var description: String { "line \(line): \(message)" }
}
