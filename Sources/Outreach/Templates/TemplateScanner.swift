/// Finds the tags of a Mustache source by bytes, so that strictness and nesting do not depend on how text is split into characters.
struct TemplateScanner {
    enum Piece: Equatable {
        case text(Range<Int>)
        /// `{{name}}`, `{{name|fallback}}`, `{{{name}}}` or `{{&name}}`.
        case variable(name: String, fallback: String?, raw: Bool)
        case open(name: String, inverted: Bool)
        case close(name: String)
        case comment
        /// `{{> name}}`, and where it stands.
        case snippet(name: String, Range<Int>)
        /// The begin of one of several wordings, `[[one|another]]`.
        case wording(choice: Int, index: Int)
        case wordingEnd
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
        var choices = 0
        var choice: Choice?
        while position < source.count {
            guard let start = nextMark(in: source, from: position, isInChoice: choice != nil) else {
                pieces.append(.text(position..<source.count))
                break
            }
            if start > position { pieces.append(.text(position..<start)) }
            line += newlines(source[position..<start])
            position = start
            switch source[start] {
            case UInt8(ascii: "\\"):
                pieces.append(.text((start + 1)..<(start + 3)))
                position = start + 3
                continue
            case UInt8(ascii: "["):
                position = start + 2
                guard choice == nil else { throw TemplateError(line: line, message: "[[ stands within [[; wordings cannot be nested") }
                guard try opensChoice(source, from: position, line: line) else {
                    pieces.append(.text(start..<position))
                    continue
                }
                choice = Choice(number: choices, sections: sections.count)
                pieces.append(.wording(choice: choices, index: 0))
                choices += 1
                continue
            case UInt8(ascii: "|"), UInt8(ascii: "]"):
                guard var open = choice else { break }
                guard sections.count == open.sections else {
                    throw TemplateError(line: line, message: "a section begins in one of several wordings and does not end in it")
                }
                pieces.append(.wordingEnd)
                if source[start] == UInt8(ascii: "|") {
                    open.index += 1
                    pieces.append(.wording(choice: open.number, index: open.index))
                    choice = open
                    position = start + 1
                } else {
                    choice = nil
                    position = start + 2
                }
                continue
            default: break
            }
            let triple = start + 2 < source.count && source[start + 2] == UInt8(ascii: "{")
            let closing = triple ? "}}}" : "}}"
            let inner = start + (triple ? 3 : 2)
            guard let end = find(closing, in: source, from: inner) else {
                throw TemplateError(line: line, message: "a tag is opened with {{ and never closed; write \(closing)")
            }
            let piece = try tag(trimmed(source[inner..<end]), triple: triple, line: line, place: start..<(end + closing.utf8.count))
            switch piece {
            case .open(let name, _):
                sections.append(name)
                guard sections.count <= deepest else {
                    throw TemplateError(line: line, message: "sections are nested deeper than \(deepest)")
                }
            case .close(let name):
                guard sections.count > choice?.sections ?? 0, let open = sections.popLast(), Array(open.utf8) == Array(name.utf8) else {
                    throw TemplateError(line: line, message: "{{/\(name)}} closes a section that is not the open one")
                }
            case .text, .variable, .comment, .snippet, .wording, .wordingEnd: break
            }
            pieces.append(piece)
            line += newlines(source[start..<end])
            position = end + closing.utf8.count
        }
        if let open = sections.last { throw TemplateError(line: line, message: "section {{#\(open)}} is never closed; write {{/\(open)}}") }
        return pieces
    }

    /// Wordings that are open.
    private struct Choice {
        let number: Int
        /// How many sections were open where it begins.
        let sections: Int
        var index = 0
    }

    /// Where the next mark stands: a tag, several wordings or their parts, or a backslash before `[[`.
    private static func nextMark(in source: [UInt8], from start: Int, isInChoice: Bool) -> Int? {
        var at = start
        while at + 1 < source.count {
            let (byte, next) = (source[at], source[at + 1])
            switch byte {
            case UInt8(ascii: "{"): if next == byte { return at }
            case UInt8(ascii: "["): if next == byte { return at }
            case UInt8(ascii: "]"): if isInChoice, next == byte { return at }
            case UInt8(ascii: "|"): if isInChoice { return at }
            case UInt8(ascii: "\\"):
                if next == UInt8(ascii: "["), at + 2 < source.count, source[at + 2] == UInt8(ascii: "[") { return at }
            default: break
            }
            at += 1
        }
        return nil
    }

    /// Whether what follows `[[` is several wordings: there is a bar before `]]`. Else the brackets are text.
    private static func opensChoice(_ source: [UInt8], from start: Int, line: Int) throws(TemplateError) -> Bool {
        var at = start
        var (hasBar, barOnLine, lines) = (false, false, 0)
        while at < source.count {
            if let tag = source[at...].first, tag == UInt8(ascii: "{"), at + 1 < source.count, source[at + 1] == tag {
                guard let end = find("}}", in: source, from: at) else { return hasBar }
                at = end + 2
                continue
            }
            if source[at] == UInt8(ascii: "]"), at + 1 < source.count, source[at + 1] == UInt8(ascii: "]") { return hasBar }
            if source[at] == UInt8(ascii: "|") {
                hasBar = true
                if lines == 0 { barOnLine = true }
            }
            if source[at] == 10 { lines += 1 }
            at += 1
        }
        if barOnLine { throw TemplateError(line: line, message: "several wordings are opened with [[ and never closed; write ]]") }
        return false
    }

    private static func tag(_ content: ArraySlice<UInt8>, triple: Bool, line: Int, place: Range<Int>) throws(TemplateError) -> Piece {
        guard let first = content.first else { throw TemplateError(line: line, message: "an empty tag {{}}; name a field") }
        if !triple {
            switch first {
            case UInt8(ascii: "!"): return .comment
            case UInt8(ascii: ">"): return .snippet(name: try name(content.dropFirst(), line: line, mark: ">"), place)
            case UInt8(ascii: "#"): return .open(name: try name(content.dropFirst(), line: line, mark: "#"), inverted: false)
            case UInt8(ascii: "^"): return .open(name: try name(content.dropFirst(), line: line, mark: "^"), inverted: true)
            case UInt8(ascii: "/"): return .close(name: try name(content.dropFirst(), line: line, mark: "/"))
            case UInt8(ascii: "&"): return .variable(name: try name(content.dropFirst(), line: line, mark: "&"), fallback: nil, raw: true)
            default: break
            }
        }
        guard let bar = content.firstIndex(of: UInt8(ascii: "|")) else {
            return .variable(name: try name(content, line: line), fallback: nil, raw: triple)
        }
        let fallback = String(decoding: trimmed(content[(bar + 1)...]), as: UTF8.self)
        return .variable(name: try name(content[..<bar], line: line), fallback: fallback, raw: triple)
    }

    /// - Parameter mark: what stands before it in the tag.
    private static func name(_ bytes: ArraySlice<UInt8>, line: Int, mark: String = "") throws(TemplateError) -> String {
        let name = trimmed(bytes)
        let legal = name.allSatisfy { byte in
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        guard legal, !name.isEmpty, name.count <= 64 else {
            let shown = String(decoding: name.prefix(40), as: UTF8.self)
            throw TemplateError(
                line: line,
                message:
                    "{{\(mark)\(shown)}} is not a tag of ours; use {{field}}, {{field|fallback}}, {{#field}}...{{/field}}, {{^field}} or {{> snippet}}"
            )
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
